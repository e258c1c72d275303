//! How fast calls follow each other. SSM permits bursts, and then a few writes a second, which nobody can
//! ask it for. So calls go out at once, and only when one is refused as too many do they slow down: to half
//! the rate on each refusal, and up again by a little on each success.

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use cli::Console;
use common::aws::{code_of, is_throttling};
use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

/// Calls under way at the same time.
pub(crate) const AT_ONCE: usize = 5;

/// Calls a second after the first refusal.
const FIRST: f64 = 10.0;

/// It gets no slower; then the attempts run out.
const SLOWEST: f64 = 0.5;

/// What a success adds to the calls a second.
const STEP: f64 = 0.1;

/// Calls of one kind, which share a limit.
pub(crate) struct Pacer<'a> {
    rhythm: RefCell<Rhythm>,
    attempts: u32,
    console: &'a Console,
}

impl<'a> Pacer<'a> {
    /// No call is sent more often than `attempts` times.
    pub(crate) fn new(attempts: u32, console: &'a Console) -> Self {
        Pacer {
            rhythm: RefCell::default(),
            attempts,
            console,
        }
    }

    /// Sends, and sends again as long as it is refused as too many.
    ///
    /// # Errors
    /// Any other error at once, and the refusal when the attempts run out.
    pub(crate) async fn call<T, E, R, F>(&self, send: impl Fn() -> F) -> Result<T, SdkError<E, R>>
    where
        E: ProvideErrorMetadata,
        F: Future<Output = Result<T, SdkError<E, R>>>,
    {
        let mut attempt = 1;
        loop {
            let now = Instant::now();
            let turn = self.rhythm.borrow_mut().turn(now, jitter());
            if turn > now {
                tokio::time::sleep_until(turn.into()).await;
            }
            let sent = Instant::now();
            let answer = send().await;
            let throttled = answer
                .as_ref()
                .err()
                .is_some_and(|error| code_of(error).is_some_and(is_throttling));
            let mut rhythm = self.rhythm.borrow_mut();
            if throttled {
                if rhythm.rate.is_none() {
                    let tool = self.console.tool();
                    self.console.info(format!(
                        "{tool}: note: SSM takes fewer calls at a time: slowing down"
                    ));
                }
                rhythm.throttled(sent, Instant::now());
            } else {
                rhythm.succeeded();
            }
            if !throttled || attempt >= self.attempts {
                return answer;
            }
            attempt += 1;
        }
    }
}

/// From 0 to 1, so that two runs that are refused together do not come back together.
fn jitter() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    random as f64 / u64::MAX as f64
}

/// The rate, as a function of what happened; the time is told from outside.
#[derive(Debug, Default)]
struct Rhythm {
    /// Calls a second; none is no limit.
    rate: Option<f64>,
    next: Option<Instant>,
    slowed: Option<Instant>,
}

impl Rhythm {
    /// When the next call may be sent.
    fn turn(&mut self, now: Instant, jitter: f64) -> Instant {
        let Some(rate) = self.rate else {
            return now;
        };
        let turn = self.next.map_or(now, |next| next.max(now));
        self.next = Some(turn + Duration::from_secs_f64((1.0 + jitter / 4.0) / rate));
        turn
    }

    /// Those that were under way together say the same thing, and count once.
    fn throttled(&mut self, sent: Instant, now: Instant) {
        if self.slowed.is_some_and(|slowed| sent < slowed) {
            return;
        }
        let rate = self.rate.map_or(FIRST, |rate| (rate / 2.0).max(SLOWEST));
        self.rate = Some(rate);
        self.slowed = Some(now);
        self.next = Some(now + Duration::from_secs_f64(1.0 / rate));
    }

    fn succeeded(&mut self) {
        if let Some(rate) = &mut self.rate {
            *rate += STEP;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limit as AWS has it: so many calls a second, and a burst.
    struct Bucket {
        rate: f64,
        burst: f64,
        tokens: f64,
        at: Instant,
    }

    impl Bucket {
        fn takes(&mut self, now: Instant) -> bool {
            let since = now.saturating_duration_since(self.at).as_secs_f64();
            self.tokens = (self.tokens + since * self.rate).min(self.burst);
            self.at = now;
            let taken = self.tokens >= 1.0;
            self.tokens -= f64::from(u8::from(taken));
            taken
        }
    }

    /// Sends `calls`, five at a time, each taking 30 ms; gives the seconds they took, the refusals, and the
    /// most attempts that one call needed.
    fn simulate(calls: u32, rate: f64, burst: f64) -> (f64, u32, u32) {
        let start = Instant::now();
        let mut bucket = Bucket {
            rate,
            burst,
            tokens: burst,
            at: start,
        };
        let mut rhythm = Rhythm::default();
        // When each of the five is free, and how often its call has been tried.
        let mut workers = [(start, 0_u32); AT_ONCE];
        let (mut done, mut refused, mut most, mut end) = (0, 0, 0, start);
        while done < calls {
            let (free, tries) = workers.iter_mut().min_by_key(|(free, _)| *free).unwrap();
            let sent = rhythm.turn(*free, 0.5);
            let answered = sent + Duration::from_millis(30);
            *free = answered;
            *tries += 1;
            most = most.max(*tries);
            if bucket.takes(sent) {
                rhythm.succeeded();
                *tries = 0;
                done += 1;
                end = end.max(answered);
            } else {
                refused += 1;
                rhythm.throttled(sent, answered);
            }
        }
        (end.duration_since(start).as_secs_f64(), refused, most)
    }

    #[test]
    fn a_few_go_out_at_once() {
        let (seconds, refused, _) = simulate(5, 3.0, 5.0);
        assert!(seconds < 0.05, "{seconds}");
        assert_eq!(refused, 0);
    }

    #[test]
    fn a_thousand_follow_the_permitted_rate() {
        for (rate, burst) in [(3.0, 5.0), (3.0, 40.0), (10.0, 10.0), (40.0, 40.0)] {
            let (seconds, refused, most) = simulate(1000, rate, burst);
            let ideal = (1000.0 - burst) / rate;
            assert!(seconds < ideal * 1.7, "{rate}/{burst}: {seconds} of {ideal}");
            assert!(refused < 100, "{rate}/{burst}: {refused} refused");
            assert!(most <= 6, "{rate}/{burst}: {most} attempts");
        }
    }

    #[test]
    fn refusals_of_one_burst_count_once() {
        let now = Instant::now();
        let later = |milliseconds| now + Duration::from_millis(milliseconds);
        let mut rhythm = Rhythm::default();
        rhythm.throttled(now, later(30));
        rhythm.throttled(later(1), later(31));
        assert_eq!(rhythm.rate, Some(FIRST));
        rhythm.throttled(later(130), later(160));
        assert_eq!(rhythm.rate, Some(FIRST / 2.0));
        assert_eq!(rhythm.turn(later(160), 0.0), later(360));
        assert_eq!(rhythm.turn(later(160), 0.0), later(560));
        for _ in 0..9 {
            rhythm.throttled(later(1_000_000), later(1_000_000));
        }
        assert_eq!(rhythm.rate, Some(SLOWEST));
    }
}
