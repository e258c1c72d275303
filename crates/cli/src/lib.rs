//! The output of a tool, and its end: shared arguments, the report on stdout, messages on stderr, redaction of
//! secrets, errors with kind, code and hint, exit codes, progress and durations.
//!
//! No AWS and no HTTP crate: the two probes are built from this crate alone and must stay small.

pub mod args;
pub mod console;
pub mod duration;
pub mod error;
pub mod escape;
pub mod exit;
pub mod files;
mod journal;
pub mod output;
pub mod progress;
pub mod redact;
pub mod report;

pub use args::{VERSION, parse, parse_from};
pub use console::Console;
pub use error::{ErrorKind, ErrorSummary, Failure, FailureExt};
pub use exit::Exit;
pub use journal::OnInterrupt;
pub use output::{Format, OutputArgs};
pub use report::{Change, Item, Outcome, Report};
