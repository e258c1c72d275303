//! Retries of transient errors with growing intervals, always bounded.
//!
//! The SDK itself retries throttling and broken connections. This module is for errors that AWS documents as
//! transient: two conflicting requests (`OperationAbortedException`), a role that has not propagated yet.

use cli::Change;
use cli::Console;
use cli::duration;
use cli::{ErrorKind, Failure};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use tokio::time::Instant;

/// How long something may take to heal.
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
    /// Two requests that met: over in a moment.
    pub const CONFLICT: Backoff = Backoff {
        initial: Duration::from_millis(100),
        max_interval: Duration::from_secs(2),
        max_elapsed: Duration::from_secs(10),
    };

    /// What was made a moment ago and is not known everywhere: IAM takes seconds, at times more than a minute.
    pub const PROPAGATION: Backoff = Backoff {
        initial: Duration::from_millis(250),
        max_interval: Duration::from_secs(8),
        max_elapsed: Duration::from_secs(120),
    };

    /// Calls `attempt` until it goes well or fails with an error for which `retry_reason` is `None`. The
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
            // Two runs that met must not meet again and again.
            let spread = pause.mul_f64(0.75 + 0.5 * random());
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

    /// Waits until `thing` ("role `x`") shows what was set. `look` gives what it sees of it, or else what still
    /// differs.
    ///
    /// # Errors
    /// When it can't be looked at, or differs to the end.
    pub async fn wait_until_converged<T>(
        self,
        console: &Console,
        thing: &str,
        look: impl AsyncFnMut() -> anyhow::Result<Result<T, Vec<Change>>>,
    ) -> anyhow::Result<T> {
        let words = format!("{thing} has not converged yet");
        let shown = self.until(console, &words, look).await;
        shown.unwrap_or_else(|changes| {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            let changes = changes.join(", ");
            let message = format!("{thing} did not converge: {changes}");
            Err(Failure::error(message).kind(ErrorKind::Conflict).into())
        })
    }

    /// Waits until `thing`, which somebody else made a moment ago, is listed; `None` when it never is.
    ///
    /// # Errors
    /// When it can't be looked at.
    pub async fn wait_until_visible<T>(
        self,
        console: &Console,
        thing: &str,
        mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<Option<T>> {
        let words = format!("{thing} exists, but is not visible yet");
        let look = async || Ok(look().await?.ok_or(()));
        let listed = self.until(console, &words, look).await;
        listed.map_or(Ok(None), |seen| seen.map(Some))
    }

    /// Looks until it sees what it looks for. `Err` is the last that it saw in its place; a look that fails
    /// ends the wait.
    async fn until<T, W>(
        self,
        console: &Console,
        words: &str,
        mut look: impl AsyncFnMut() -> anyhow::Result<Result<T, W>>,
    ) -> Result<anyhow::Result<T>, W> {
        let waiting = |_: &W| Some(words.to_owned());
        let attempt = async || match look().await {
            Ok(Ok(seen)) => Ok(Ok(seen)),
            Ok(Err(other)) => Err(other),
            Err(error) => Ok(Err(error)),
        };
        self.retry(console, waiting, attempt).await
    }
}

/// From 0 to 1; good enough to keep two processes apart.
fn random() -> f64 {
    let bits = u32::try_from(RandomState::new().hash_one(0_u8) >> 32).unwrap_or_default();
    f64::from(bits) / f64::from(u32::MAX)
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

    /// Runs attempts that fail with these errors one after the other, and the last of them for ever.
    fn attempts(errors: &[&str]) -> (Result<(), String>, usize, Duration) {
        let mut tried = 0;
        let start = std::time::Instant::now();
        let result = block_on(async |console| {
            let passing = |error: &String| (error == "passing").then(|| "it passes".to_owned());
            let attempt = async || {
                tried += 1;
                match errors.get(tried - 1).or(errors.last()) {
                    None | Some(&"") => Ok(()),
                    Some(error) => Err((*error).to_owned()),
                }
            };
            SHORT.retry(console, passing, attempt).await
        });
        (result, tried, start.elapsed())
    }

    #[test]
    fn tries_again_only_while_the_error_heals() {
        assert_eq!(attempts(&[""]).1, 1);
        let (result, tried, _) = attempts(&["passing", "passing", ""]);
        assert_eq!((result, tried), (Ok(()), 3));
        let (result, tried, _) = attempts(&["passing", "fatal"]);
        assert_eq!((result, tried), (Err("fatal".to_owned()), 2));
    }

    #[test]
    fn ends_with_the_last_error_in_bounded_time() {
        let (result, tried, elapsed) = attempts(&["passing"]);
        assert_eq!(result, Err("passing".to_owned()));
        assert!(tried > 10, "{tried}");
        assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    }

    #[test]
    fn what_was_set_is_looked_for_until_it_is_shown() {
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
    fn what_somebody_else_made_is_looked_for_until_it_is_listed() {
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

    #[test]
    fn random_numbers_spread() {
        let numbers: Vec<f64> = (0..50).map(|_| random()).collect();
        assert!(numbers.iter().all(|number| (0.0..=1.0).contains(number)));
        assert!(numbers.iter().any(|number| *number < 0.5) && numbers.iter().any(|number| *number > 0.5));
    }
}
