//! AWS's own JSON documents, as they are kept below `aws/`: policies, task definitions, services.
//!
//! [`document`] reads a file and keeps line and column of every value, [`expand`] replaces its `${NAME}`, [`policy`],
//! [`task_definition`] and [`service`] report what AWS would reject or what would fail only later, and compare with
//! what AWS has, by AWS's rules of equality. Nothing here calls AWS or prints, and only
//! [`document::Document::read`] touches a file.

pub mod diagnostic;
pub mod difference;
pub mod document;
pub mod expand;
mod json;
pub mod node;
pub mod policy;
pub mod position;
pub mod redaction;
mod secrets;
pub mod service;
pub mod shape;
pub mod tags;
pub mod task_definition;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use document::{Document, shown};
pub use node::{Content, Field, Node};
pub use position::Position;
pub use redaction::Values;

#[cfg(test)]
mod tests;
