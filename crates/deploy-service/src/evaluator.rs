//! Evaluates the responses of ECS one after the other, until the tracked deployment has come to its end. No I/O.

use crate::cadence::{CONFIRMATION, ROLLBACK_START, STALE_READS};
use crate::rollout::{Progress, TrackedDeployment, progress};
use crate::service::{Service, Status};
use tokio::time::Instant;

/// Keeps what earlier responses showed. ECS is eventually consistent: a response may be older than the one before it. So
/// an end that a stale read could show counts after reads have shown it for [`CONFIRMATION`]; until a read has listed the
/// deployment, not before [`STALE_READS`] after the start. An end in a read that lists the deployment counts at once.
#[derive(Debug)]
pub(crate) struct RolloutEvaluator<'a> {
    tracked: &'a TrackedDeployment,
    /// When the call that started the deployment was answered.
    start: Instant,
    /// Whether a read has listed the deployment.
    seen: bool,
    /// Since when reads omit the deployment.
    missing_since: Option<Instant>,
    /// Since when reads show no active service.
    gone_since: Option<Instant>,
    /// Since when reads show a failure that no rollback follows.
    failed_since: Option<Instant>,
}

impl<'a> RolloutEvaluator<'a> {
    /// For a deployment that was started at `start`.
    pub(crate) fn new(tracked: &'a TrackedDeployment, start: Instant) -> Self {
        RolloutEvaluator {
            tracked,
            start,
            seen: false,
            missing_since: None,
            gone_since: None,
            failed_since: None,
        }
    }

    /// The state that the next response shows, at `now`; `service` is `None` when ECS lists none of this name. The
    /// response of the call that started the deployment, at `start`, is the first one.
    pub(crate) fn next(&mut self, service: Option<&Service>, now: Instant) -> Progress {
        let deployments = service.map(|service| service.deployments.as_slice());
        let deployments = deployments.unwrap_or_default();
        let own = deployments.iter().find(|one| one.id == self.tracked.id);
        let elapsed = |since: &mut Option<Instant>| now.saturating_duration_since(*since.get_or_insert(now));
        let is_fresh = now.saturating_duration_since(self.start) < STALE_READS;
        if service.is_none_or(|service| service.status != Status::Active) {
            let is_confirmed = elapsed(&mut self.gone_since) >= CONFIRMATION;
            // A response that lists the deployment is not a stale one.
            let is_gone = own.is_some() || (is_confirmed && (self.seen || !is_fresh));
            return if is_gone {
                Progress::Deleted
            } else {
                Progress::Pending
            };
        }
        self.gone_since = None;
        // Reads after `start` count, because the next one may be older than the response of the call.
        self.seen |= !is_fresh || (own.is_some() && now > self.start);
        let progress = progress(deployments, self.tracked, self.seen);
        if own.is_some() {
            self.missing_since = None;
        } else if elapsed(&mut self.missing_since) < CONFIRMATION && progress.is_end() {
            return Progress::Pending;
        }
        if let (Progress::RollingBack(to), Some(own)) = (&progress, own)
            && own.primary
            && elapsed(&mut self.failed_since) >= ROLLBACK_START
        {
            return Progress::Failed(format!("{}: ECS does not roll back to `{to}`", own.reason));
        }
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::time::Duration;

    /// `STATUS` of the service, and `ID STATUS REVISION STATE` of its deployments; an empty list is no service.
    fn answer(texts: &[&str]) -> Option<Service> {
        let (status, deployments) = texts.split_first()?;
        let deployments = deployments.iter().map(|text| {
            let words: Vec<&str> = text.split(' ').collect();
            json!({
                "id": words[0], "status": words[1], "taskDefinition": format!("web:{}", words[2]),
                "rolloutState": words[3], "rolloutStateReason": "x", "desiredCount": 1,
                "runningCount": i32::from(words[3] == "COMPLETED"),
            })
        });
        let deployments: Value = deployments.collect();
        Some(Service::of(json!({"status": status, "deployments": deployments})))
    }

    /// The state that the last of these responses shows, after all others have shown one to wait in. The first
    /// response is that of the call; the others arrive every `interval` seconds.
    #[track_caller]
    fn after(interval: u64, answers: &[&[&str]]) -> Progress {
        let tracked = TrackedDeployment {
            id: "new".into(),
            desired: "web:2".into(),
            last_good: Some("web:1".into()),
            rolls_back: true,
        };
        let mut now = Instant::now();
        let mut evaluator = RolloutEvaluator::new(&tracked, now);
        let (last, others) = answers.split_last().unwrap();
        for (at, texts) in others.iter().enumerate() {
            let progress = evaluator.next(answer(texts).as_ref(), now);
            assert!(!progress.is_end(), "{at}: {progress:?}");
            now += Duration::from_secs(interval);
        }
        evaluator.next(answer(last).as_ref(), now)
    }

    /// [`BEGUN`], and then `read` so often.
    fn repeated(read: &'static [&'static str], reads: u64) -> Vec<&'static [&'static str]> {
        let mut answers = vec![BEGUN];
        answers.resize(answers.len() + usize::try_from(reads).unwrap(), read);
        answers
    }

    const BEGUN: &[&str] = &["ACTIVE", "new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"];
    const BEFORE: &[&str] = &["ACTIVE", "old PRIMARY 1 COMPLETED"];
    const MISSING: &[&str] = &[];
    const INACTIVE: &[&str] = &["INACTIVE"];

    #[test]
    fn a_single_read_may_be_stale() {
        assert_eq!(after(5, &[BEGUN, BEGUN, BEFORE]), Progress::Pending);
        let rolled_back = Progress::RolledBack {
            to: "web:1".into(),
            reason: String::new(),
        };
        assert_eq!(after(5, &[BEGUN, BEGUN, BEFORE, BEFORE]), rolled_back);
        assert_eq!(after(1, &[BEGUN, BEGUN, BEFORE, BEFORE]), Progress::Pending);
        assert_eq!(after(1, &[BEGUN, BEGUN, BEFORE, BEFORE, BEFORE]), rolled_back);
        // Until the deployment has been listed once, for 30 s, whatever the interval.
        for interval in [1, 5, 10] {
            let reads = 30 / interval;
            assert_eq!(after(interval, &repeated(BEFORE, reads - 1)), Progress::Pending);
            assert_eq!(after(interval, &repeated(BEFORE, reads)), rolled_back);
        }
    }

    #[test]
    fn a_service_that_is_deleted_is_not_waited_for() {
        for gone in [MISSING, INACTIVE, &["DRAINING"]] {
            assert_eq!(after(5, &[BEGUN, BEGUN, gone]), Progress::Pending);
            assert_eq!(after(5, &[BEGUN, BEGUN, gone, gone]), Progress::Deleted);
            assert_eq!(after(1, &[BEGUN, BEGUN, gone, gone]), Progress::Pending);
            // A stale read in between.
            assert_eq!(after(5, &[BEGUN, BEGUN, gone, BEGUN, gone]), Progress::Pending);
            // A service that was created again may be read as the deleted one for a while.
            for interval in [1, 5, 10] {
                let reads = 30 / interval;
                assert_eq!(after(interval, &repeated(gone, reads - 1)), Progress::Pending);
                assert_eq!(after(interval, &repeated(gone, reads)), Progress::Deleted);
            }
        }
        // A response that lists the deployment is not stale.
        for status in ["DRAINING", "INACTIVE"] {
            let gone = &[status, "new PRIMARY 2 IN_PROGRESS"];
            assert_eq!(after(5, &[BEGUN, gone]), Progress::Deleted);
        }
    }

    #[test]
    fn a_rollback_that_does_not_start_is_not_waited_for() {
        let failed: &[&str] = &["ACTIVE", "new PRIMARY 2 FAILED", "old ACTIVE 1 COMPLETED"];
        for interval in [1, 5, 10] {
            let reads = 30 / interval;
            assert_eq!(
                after(interval, &repeated(failed, reads)),
                Progress::RollingBack("web:1".into())
            );
            assert_eq!(
                after(interval, &repeated(failed, reads + 1)),
                Progress::Failed("x: ECS does not roll back to `web:1`".into())
            );
        }
    }
}
