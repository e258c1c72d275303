//! AWS's own JSON documents, as they stand below `aws/`: policies, task definitions, services.
//!
//! [`document`] reads a file and keeps line and column of every value, [`expand`] fills in its
//! `${NAME}`, [`policy`], [`task_definition`] and [`service`] know what AWS would refuse or what would
//! fail only later, and compare with what AWS has as AWS means it. Nothing here talks to AWS, and
//! nothing but [`document::Document::read`] touches a file.

pub mod difference;
pub mod document;
pub mod expand;
pub mod policy;
pub mod position;
mod secrets;
pub mod service;
pub mod shape;
pub mod tags;
pub mod task_definition;

pub use document::{Document, Field, Node};
pub use position::{Fault, Faults, Position, Severity, refuse, shown, tell_warnings};

#[cfg(test)]
mod tests;
