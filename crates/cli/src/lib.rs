//! The output of a tool, and its end: shared arguments, the report on stdout, messages on stderr, redaction of
//! secrets, errors with kind, code and hint, exit codes, progress and durations.
//!
//! No AWS and no HTTP crate: the two probes are built from this crate alone and must stay small.

pub mod args;
pub mod console;
pub mod duration;
pub mod error;
pub mod exit;
mod journal;
pub mod output;
pub mod progress;
pub mod redact;
pub mod report;

pub use args::{parse, parse_from};
pub use console::Console;
pub use error::{ErrorKind, ErrorSummary, Failure, FailureExt};
pub use exit::Exit;
pub use journal::OnInterrupt;
pub use output::{Format, OutputArgs};
pub use report::{Change, Item, Outcome, Report};

/// The version with the git commit that the tools were built from, as `--version` prints it.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("OPS_COMMIT"), ")");
