//! The one question that the tools ask: the confirmation of what destroys.

use anyhow::Result;
use cli::Console;
use cli::{ErrorKind, Failure};
use std::io::{BufRead, IsTerminal};

/// Returns when `yes` was given on the command line, or the user confirms at a terminal. `action` completes
/// "this will …" and "refused to …": ``delete the log events of `x` that are older than 1 day``.
///
/// The wait for the answer is bounded by the run's `--timeout`: a job may have a terminal and no user.
///
/// # Errors
/// Without a confirmation: exit code 2. Callers ask before they change anything.
pub async fn confirm(console: &Console, yes: bool, action: &str) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !can_ask() {
        let message = format!("refused to {action}: there is no terminal to ask on, and no --yes");
        return Err(refused(message, "give --yes if that is what you want").into());
    }
    console.ask(&format!("{}: this will {action}. Go on? [y/N] ", console.tool()));
    // In a thread of its own: signals and the deadline are handled during the wait.
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

/// Anything but `y` and `yes`, the empty answer too, is a no.
fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_y_and_yes_confirm() {
        for line in ["y\n", "Y\n", " yes \r\n", "YES"] {
            assert!(is_yes(line), "{line:?}");
        }
        for line in ["", "\n", "n\n", "no\n", "yeah\n", "y n\n", "ye\n", "1\n", "j\n"] {
            assert!(!is_yes(line), "{line:?}");
        }
    }
}
