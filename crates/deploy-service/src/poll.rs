//! Reads that are repeated while AWS can't answer.

use anyhow::Result;
use cli::ErrorKind;
use cli::error::ErrorSummary;
use std::time::Duration;

/// Whether the same call may succeed a moment later: throttling, an internal error of AWS, a broken connection.
pub(crate) fn is_transient(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Throttled
            | ErrorKind::Service
            | ErrorKind::Network
            | ErrorKind::Timeout
            | ErrorKind::Unparseable
    )
}

/// Repeats `read` every `interval` while its error is transient, and gives its result. The first of these errors
/// goes to `report`. The deadline is that of the run.
///
/// # Errors
/// The first error of `read` that is not transient.
pub(crate) async fn poll_transient<T>(
    interval: Duration,
    report: impl FnOnce(String),
    mut read: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let mut report = Some(report);
    loop {
        let error = match read().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let summary = ErrorSummary::of(&error);
        if !is_transient(summary.kind) {
            return Err(error);
        }
        if let Some(report) = report.take() {
            report(format!("asking again: {}", summary.message));
        }
        tokio::time::sleep(interval).await;
    }
}
