//! The rate of calls. SSM allows bursts, then a few writes a second, and no API returns these limits. So calls are
//! sent at once, and slow down only when one is throttled: half the rate at each throttling, a little more at each
//! success (additive increase, multiplicative decrease).

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use cli::Console;
use common::aws::{code_of, is_throttling};
use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

/// Calls in flight at the same time.
pub(crate) const CONCURRENCY: usize = 5;

/// Calls a second after the first throttling.
const FIRST_RATE: f64 = 10.0;

/// The lowest rate, in calls a second. Below it the attempts run out.
const LOWEST_RATE: f64 = 0.5;

/// What a success adds to the rate.
const INCREASE: f64 = 0.1;

/// Limits the rate of calls that share a limit of the service.
pub(crate) struct RateLimiter<'a> {
    state: RefCell<RateState>,
    attempts: u32,
    console: &'a Console,
}

impl<'a> RateLimiter<'a> {
    /// Sends no call more than `attempts` times.
    pub(crate) fn new(attempts: u32, console: &'a Console) -> Self {
        RateLimiter {
            state: RefCell::default(),
            attempts,
            console,
        }
    }

    /// Sends a call, and again while it is throttled.
    ///
    /// # Errors
    /// Any other error at once, and the throttling when the attempts run out.
    pub(crate) async fn call<T, E, R, F>(&self, send: impl Fn() -> F) -> Result<T, SdkError<E, R>>
    where
        E: ProvideErrorMetadata,
        F: Future<Output = Result<T, SdkError<E, R>>>,
    {
        let mut attempt = 1;
        loop {
            let now = Instant::now();
            let turn = self.state.borrow_mut().next_turn(now, jitter());
            if turn > now {
                tokio::time::sleep_until(turn.into()).await;
            }
            let sent = Instant::now();
            let answer = send().await;
            let throttled = answer
                .as_ref()
                .err()
                .is_some_and(|error| code_of(error).is_some_and(is_throttling));
            let mut state = self.state.borrow_mut();
            if throttled {
                if state.rate.is_none() {
                    let tool = self.console.tool();
                    self.console
                        .info(format!("{tool}: note: SSM is throttling; slowing down"));
                }
                state.throttled(sent, Instant::now());
            } else {
                state.succeeded();
            }
            if !throttled || attempt >= self.attempts {
                return answer;
            }
            attempt += 1;
        }
    }
}

/// From 0 to 1, so that two runs that are throttled together do not retry together.
fn jitter() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    random as f64 / u64::MAX as f64
}

/// The rate as a function of the answers. The caller passes the time, so that tests need no clock.
#[derive(Debug, Default)]
struct RateState {
    /// Calls a second; without one there is no limit.
    rate: Option<f64>,
    next: Option<Instant>,
    slowed: Option<Instant>,
}

impl RateState {
    /// When the next call may be sent.
    fn next_turn(&mut self, now: Instant, jitter: f64) -> Instant {
        let Some(rate) = self.rate else {
            return now;
        };
        let turn = self.next.map_or(now, |next| next.max(now));
        self.next = Some(turn + Duration::from_secs_f64((1.0 + jitter / 4.0) / rate));
        turn
    }

    /// Calls that were in flight together are throttled for the same reason, and count once.
    fn throttled(&mut self, sent: Instant, now: Instant) {
        if self.slowed.is_some_and(|slowed| sent < slowed) {
            return;
        }
        let rate = self.rate.map_or(FIRST_RATE, |rate| (rate / 2.0).max(LOWEST_RATE));
        self.rate = Some(rate);
        self.slowed = Some(now);
        self.next = Some(now + Duration::from_secs_f64(1.0 / rate));
    }

    fn succeeded(&mut self) {
        if let Some(rate) = &mut self.rate {
            *rate += INCREASE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limit as AWS has it: calls a second, and a burst.
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

    /// Sends `calls`, five at a time, each taking 30 ms. The result is the seconds, the throttled attempts, and the
    /// most attempts of one call.
    fn simulate(calls: u32, rate: f64, burst: f64) -> (f64, u32, u32) {
        let start = Instant::now();
        let mut bucket = Bucket {
            rate,
            burst,
            tokens: burst,
            at: start,
        };
        let mut state = RateState::default();
        // When each of the five can send again, and the attempts of its call.
        let mut workers = [(start, 0_u32); CONCURRENCY];
        let (mut done, mut throttled, mut most, mut end) = (0, 0, 0, start);
        while done < calls {
            let (free, tries) = workers.iter_mut().min_by_key(|(free, _)| *free).unwrap();
            let sent = state.next_turn(*free, 0.5);
            let answered = sent + Duration::from_millis(30);
            *free = answered;
            *tries += 1;
            most = most.max(*tries);
            if bucket.takes(sent) {
                state.succeeded();
                *tries = 0;
                done += 1;
                end = end.max(answered);
            } else {
                throttled += 1;
                state.throttled(sent, answered);
            }
        }
        (end.duration_since(start).as_secs_f64(), throttled, most)
    }

    #[test]
    fn a_few_go_out_at_once() {
        let (seconds, throttled, _) = simulate(5, 3.0, 5.0);
        assert!(seconds < 0.05, "{seconds}");
        assert_eq!(throttled, 0);
    }

    #[test]
    fn a_thousand_follow_the_permitted_rate() {
        for (rate, burst) in [(3.0, 5.0), (3.0, 40.0), (10.0, 10.0), (40.0, 40.0)] {
            let (seconds, throttled, most) = simulate(1000, rate, burst);
            let ideal = (1000.0 - burst) / rate;
            assert!(seconds < ideal * 1.7, "{rate}/{burst}: {seconds} of {ideal}");
            assert!(throttled < 100, "{rate}/{burst}: {throttled} throttled");
            assert!(most <= 6, "{rate}/{burst}: {most} attempts");
        }
    }

    #[test]
    fn throttlings_of_one_burst_count_once() {
        let now = Instant::now();
        let later = |milliseconds| now + Duration::from_millis(milliseconds);
        let mut state = RateState::default();
        state.throttled(now, later(30));
        state.throttled(later(1), later(31));
        assert_eq!(state.rate, Some(FIRST_RATE));
        state.throttled(later(130), later(160));
        assert_eq!(state.rate, Some(FIRST_RATE / 2.0));
        assert_eq!(state.next_turn(later(160), 0.0), later(360));
        assert_eq!(state.next_turn(later(160), 0.0), later(560));
        for _ in 0..9 {
            state.throttled(later(1_000_000), later(1_000_000));
        }
        assert_eq!(state.rate, Some(LOWEST_RATE));
    }
}
