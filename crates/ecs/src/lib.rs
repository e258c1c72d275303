//! Amazon ECS as plain JSON: one client for the three tools that call it, and what they read with it. A field that
//! is newer than this build is neither lost in a comparison nor when a value is sent back.

mod client;
mod error;

pub mod names;
pub mod namespace;

pub use client::{EcsClient, TaskDefinition};
pub use error::{EcsError, Reason};
