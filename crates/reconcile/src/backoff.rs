//! Retries of transient errors with growing intervals, always bounded.
//!
//! The SDK itself retries throttling and broken connections. This module is for errors that AWS documents as
//! transient: two conflicting requests (`OperationAbortedException`), a role that has not propagated yet.

use cli::Change;
use cli::Console;
use cli::duration;
use cli::{ErrorKind, Failure};
use std::time::Duration;
use tokio::time::Instant;

/// The intervals between the attempts of a retry, and its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first pause; each further one is twice as long.
    pub initial: Duration,
    /// The longest pause.
    pub max_interval: Duration,
    /// No pause begins that would end after this.
    pub max_elapsed: Duration,
}

impl Backoff {
    /// Two requests at the same time: over in a moment.
    pub const CONFLICT: Backoff = Backoff {
        initial: Duration::from_millis(100),
        max_interval: Duration::from_secs(2),
        max_elapsed: Duration::from_secs(10),
    };

    /// A resource that was created a moment ago and that not all servers of AWS know: IAM takes seconds, at times more
    /// than a minute.
    pub const PROPAGATION: Backoff = Backoff {
        initial: Duration::from_millis(250),
        max_interval: Duration::from_secs(8),
        max_elapsed: Duration::from_secs(120),
    };

    /// Calls `attempt` until it succeeds or fails with an error for which `retry_reason` is `None`. The
    /// reason ("the role is not usable yet") is shown with `-v`, and without it when the wait gets long.
    ///
    /// # Errors
    /// The last error, as `attempt` gave it.
    pub async fn retry<T, E>(
        self,
        console: &Console,
        retry_reason: impl Fn(&E) -> Option<String>,
        mut attempt: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        let start = Instant::now();
        let mut pause = self.initial;
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(words) = retry_reason(&error) else {
                return Err(error);
            };
            // Two runs that conflict must not retry in step.
            let spread = pause.mul_f64(0.75 + 0.5 * fastrand::f64());
            if start.elapsed() + spread > self.max_elapsed {
                return Err(error);
            }
            let line = format!("{words}: trying again in {}", duration::show(spread));
            if pause < Duration::from_secs(1) {
                console.debug(line);
            } else {
                console.info(format!("{}: {line}", console.tool()));
            }
            tokio::time::sleep(spread).await;
            pause = (pause * 2).min(self.max_interval);
        }
    }

    /// Waits until the resource `label` ("role `x`") shows what was set. `look` gives the resource, or else what still
    /// differs.
    ///
    /// # Errors
    /// When `look` fails, or the resource still differs at the end.
    pub async fn wait_until_converged<T>(
        self,
        console: &Console,
        label: &str,
        look: impl AsyncFnMut() -> anyhow::Result<Result<T, Vec<Change>>>,
    ) -> anyhow::Result<T> {
        let words = format!("{label} has not converged yet");
        let shown = self.until(console, &words, look).await;
        shown.unwrap_or_else(|changes| {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            let changes = changes.join(", ");
            let message = format!("{label} did not converge: {changes}");
            Err(Failure::error(message).kind(ErrorKind::Conflict).into())
        })
    }

    /// Waits until the resource `label`, which another caller created a moment ago, is visible; `None` when it never
    /// is.
    ///
    /// # Errors
    /// When `look` fails.
    pub async fn wait_until_visible<T>(
        self,
        console: &Console,
        label: &str,
        mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<Option<T>> {
        let words = format!("{label} exists, but is not visible yet");
        let look = async || Ok(look().await?.ok_or(()));
        let listed = self.until(console, &words, look).await;
        listed.map_or(Ok(None), |seen| seen.map(Some))
    }

    /// Calls `look` until it gives `Ok`. `Err` is what the last call gave in its place; a call that fails ends the wait.
    async fn until<T, W>(
        self,
        console: &Console,
        words: &str,
        mut look: impl AsyncFnMut() -> anyhow::Result<Result<T, W>>,
    ) -> Result<anyhow::Result<T>, W> {
        let retry_reason = |_: &W| Some(words.to_owned());
        let attempt = async || match look().await {
            Ok(Ok(seen)) => Ok(Ok(seen)),
            Ok(Err(other)) => Err(other),
            Err(error) => Ok(Err(error)),
        };
        self.retry(console, retry_reason, attempt).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cli::OutputArgs;

    const SHORT: Backoff = Backoff {
        initial: Duration::from_millis(1),
        max_interval: Duration::from_millis(4),
        max_elapsed: Duration::from_millis(200),
    };

    fn block_on<T>(work: impl AsyncFnOnce(&Console) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let console = Console::new("test", &OutputArgs::default());
        runtime.block_on(work(&console))
    }

    /// Runs attempts that fail with these errors one after the other, and the last of them forever.
    fn attempts(errors: &[&str]) -> (Result<(), String>, usize, Duration) {
        let mut tried = 0;
        let start = std::time::Instant::now();
        let result = block_on(async |console| {
            let retry_reason = |error: &String| (error == "transient").then(|| "transient".to_owned());
            let attempt = async || {
                tried += 1;
                match errors.get(tried - 1).or(errors.last()) {
                    None | Some(&"") => Ok(()),
                    Some(error) => Err((*error).to_owned()),
                }
            };
            SHORT.retry(console, retry_reason, attempt).await
        });
        (result, tried, start.elapsed())
    }

    #[test]
    fn retries_only_a_transient_error() {
        assert_eq!(attempts(&[""]).1, 1);
        let (result, tried, _) = attempts(&["transient", "transient", ""]);
        assert_eq!((result, tried), (Ok(()), 3));
        let (result, tried, _) = attempts(&["transient", "fatal"]);
        assert_eq!((result, tried), (Err("fatal".to_owned()), 2));
    }

    #[test]
    fn ends_with_the_last_error_in_bounded_time() {
        let (result, tried, elapsed) = attempts(&["transient"]);
        assert_eq!(result, Err("transient".to_owned()));
        assert!(tried > 10, "{tried}");
        assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    }

    #[test]
    fn reads_until_what_was_set_is_shown() {
        let shown = |wrong: usize, fails: bool| {
            let mut looks = 0;
            let seen = block_on(async |console| {
                let look = async || {
                    looks += 1;
                    match looks > wrong {
                        true if fails => Err(anyhow::anyhow!("no answer")),
                        true => Ok(Ok("seen")),
                        false => Ok(Err(vec![Change::new("a", 1, looks), Change::new("b", 1, 2)])),
                    }
                };
                SHORT.wait_until_converged(console, "role `x`", look).await
            });
            (seen.map_err(|error| error.to_string()), looks)
        };
        assert_eq!(shown(2, false), (Ok("seen"), 3));
        assert_eq!(shown(2, true), (Err("no answer".to_owned()), 3));
        let (never, looks) = shown(usize::MAX, false);
        let words = format!("role `x` did not converge: a: 1 -> {looks}, b: 1 -> 2");
        assert_eq!(never, Err(words));
    }

    #[test]
    fn what_another_caller_created_is_read_until_it_is_visible() {
        let listed = |missing: usize, fails: bool| {
            let mut looks = 0;
            let seen = block_on(async |console| {
                let look = async || {
                    looks += 1;
                    match looks > missing {
                        true if fails => Err(anyhow::anyhow!("no answer")),
                        seen => Ok(seen.then_some("seen")),
                    }
                };
                SHORT.wait_until_visible(console, "role `x`", look).await
            });
            (seen.map_err(|error| error.to_string()), looks)
        };
        assert_eq!(listed(2, false), (Ok(Some("seen")), 3));
        assert_eq!(listed(2, true), (Err("no answer".to_owned()), 3));
        assert_eq!(listed(usize::MAX, false).0, Ok(None));
    }
}
