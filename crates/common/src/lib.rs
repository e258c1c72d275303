//! What every tool shares: exit codes, the report on stdout, messages on stderr, the common
//! options, and, with the feature `aws`, `ops.toml`, the AWS configuration and readable AWS errors.
//!
//! Without the feature `aws` this crate pulls in no AWS and no HTTP crate: the two probes are
//! built from it and must stay small.

pub mod cli;
pub mod console;
pub mod duration;
pub mod exit;
pub mod failure;
pub mod partition;
pub mod plan;
pub mod reading;
mod record;
pub mod report;
pub mod scrub;
pub mod tags;

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "process")]
pub mod children;
#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "aws")]
pub mod confirm;
#[cfg(feature = "aws")]
pub mod progress;
#[cfg(feature = "aws")]
pub mod retry;
#[cfg(feature = "aws")]
pub mod runtime;
#[cfg(feature = "process")]
pub mod whole;

pub use console::Console;
pub use exit::Exit;
pub use failure::{Failure, FailureExt};
pub use report::{Change, Item, Outcome, Report};
pub use tags::Tags;

/// The version with the git commit that the tools were built from, as `--version` prints it.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("OPS_COMMIT"), ")");
