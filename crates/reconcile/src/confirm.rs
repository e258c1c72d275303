//! The one question that the tools ask: before something is destroyed.

use anyhow::Result;
use cli::Console;
use cli::{ErrorKind, Failure};
use std::io::{BufRead, IsTerminal};

/// Goes on when `yes` was given on the command line, or a person at a terminal says so. `action` completes
/// "this will …" and "refused to …": ``delete the log events of `x` that are older than 1 day``.
///
/// The question waits inside the run's `--timeout`, so that a job with a terminal that nobody looks at ends.
///
/// # Errors
/// When nobody said yes: exit code 2, and nothing may have been changed by then.
pub async fn confirm(console: &Console, yes: bool, action: &str) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !can_ask() {
        let message = format!("refused to {action}: there is no terminal to ask on, and no --yes");
        return Err(refused(message, "give --yes if that is what you want").into());
    }
    console.ask(&format!("{}: this will {action}. Go on? [y/N] ", console.tool()));
    // In a thread of its own: a signal and the deadline must get through while somebody thinks.
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = line.await.ok().and_then(Result::ok).unwrap_or_default();
    if !line.ends_with('\n') {
        // The end of the input instead of an answer: the error gets a line of its own.
        console.stderr("");
    }
    if is_yes(&line) {
        return Ok(());
    }
    let message = format!("refused to {action}: not confirmed");
    Err(refused(message, "answer `y`, or give --yes").into())
}

/// Whether there is a terminal to ask on.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn refused(message: String, hint: &str) -> Failure {
    Failure::error(message)
        .kind(ErrorKind::Unconfirmed)
        .code("not-confirmed")
        .hint(hint)
}

/// Only a clear yes; everything else, and nothing at all, is a no.
fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_counts() {
        for line in ["y\n", "Y\n", " yes \r\n", "YES"] {
            assert!(is_yes(line), "{line:?}");
        }
        for line in ["", "\n", "n\n", "no\n", "yeah\n", "y n\n", "ye\n", "1\n", "j\n"] {
            assert!(!is_yes(line), "{line:?}");
        }
    }
}
