//! Judges what ECS answers, one answer after the other, until our deployment has come to its end. No I/O.

use crate::rollout::{Ours, Progress, progress};
use crate::service::{Service, Status};

/// So many answers may be older than our deployment.
const UNSEEN: u32 = 6;

/// So many questions after a failure, with no rollback in sight, there will be none: a minute, usually.
const NO_ROLLBACK: u32 = 12;

/// Remembers what the answers before have shown.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    ours: &'a Ours,
    answers: u32,
    /// Whether an answer has shown our deployment.
    seen: bool,
    /// Answers in a row without it.
    missing: u32,
    /// Answers in a row without a service that runs.
    gone: u32,
    /// Answers with a failure that nothing follows.
    stuck: u32,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(ours: &'a Ours) -> Self {
        Judge {
            ours,
            answers: 0,
            seen: false,
            missing: 0,
            gone: 0,
            stuck: 0,
        }
    }

    /// What `service` means, as the next answer shows it; `None` when ECS lists none of this name. The first
    /// one is the answer of the call that began our deployment.
    pub(crate) fn next(&mut self, service: Option<&Service>) -> Progress {
        let asked = self.answers;
        self.answers += 1;
        let deployments = service.map(|service| service.deployments.as_slice());
        let deployments = deployments.unwrap_or_default();
        let own = deployments.iter().find(|one| one.id == self.ours.id);
        if service.is_none_or(|service| service.status != Status::Active) {
            return self.deleted(own.is_some());
        }
        self.gone = 0;
        let rollout = progress(deployments, self.ours, self.seen);
        // Only answers to the question count: the next one may be older than what the change was answered
        // with. What no answer shows any more has been there.
        self.seen |= (own.is_some() && asked > 0) || asked > UNSEEN;
        self.missing = if own.is_some() { 0 } else { self.missing + 1 };
        if self.missing == 1 && rollout.is_end() {
            // Once may be an old answer.
            return Progress::Pending;
        }
        if let (Progress::RollingBack(to), Some(own)) = (&rollout, own)
            && own.primary
        {
            self.stuck += 1;
            if self.stuck > NO_ROLLBACK {
                return Progress::Failed(format!("{}: ECS does not go back to `{to}`", own.reason));
            }
        }
        rollout
    }

    /// There is no service, or one that was deleted. `shown` says whether it has our deployment: then it is no
    /// old answer.
    fn deleted(&mut self, shown: bool) -> Progress {
        self.gone += 1;
        let patience = if self.seen { 1 } else { UNSEEN };
        if shown || self.gone > patience {
            Progress::Deleted
        } else {
            Progress::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// `STATUS` of the service, and `ID STATUS REVISION STATE` of its deployments; nothing is no service.
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

    /// What the last of these answers means, after all of them but the last have meant "go on".
    #[track_caller]
    fn after(answers: &[&[&str]]) -> Progress {
        let ours = Ours {
            id: "new".into(),
            desired: "web:2".into(),
            before: Some("web:1".into()),
            rolls_back: true,
        };
        let mut judge = Judge::new(&ours);
        let (last, others) = answers.split_last().unwrap();
        for (at, texts) in others.iter().enumerate() {
            let progress = judge.next(answer(texts).as_ref());
            assert!(!progress.is_end(), "{at}: {progress:?}");
        }
        judge.next(answer(last).as_ref())
    }

    const BEGUN: &[&str] = &["ACTIVE", "new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"];
    const BEFORE: &[&str] = &["ACTIVE", "old PRIMARY 1 COMPLETED"];
    const MISSING: &[&str] = &[];
    const INACTIVE: &[&str] = &["INACTIVE"];

    #[test]
    fn once_may_be_an_old_answer() {
        assert_eq!(after(&[BEGUN, BEGUN, BEFORE]), Progress::Pending);
        let back = Progress::RolledBack {
            to: "web:1".into(),
            reason: String::new(),
        };
        assert_eq!(after(&[BEGUN, BEGUN, BEFORE, BEFORE]), back);
        // Before the first answer with our deployment, more often.
        let mut answers = vec![BEGUN];
        answers.extend([BEFORE; 7]);
        assert_eq!(after(&answers), Progress::Pending);
        answers.push(BEFORE);
        assert_eq!(after(&answers), back);
    }

    #[test]
    fn a_service_that_is_deleted_is_not_waited_for() {
        for gone in [MISSING, INACTIVE, &["DRAINING"]] {
            assert_eq!(after(&[BEGUN, BEGUN, gone]), Progress::Pending);
            assert_eq!(after(&[BEGUN, BEGUN, gone, gone]), Progress::Deleted);
            // An old answer in between, and only then the end.
            assert_eq!(after(&[BEGUN, BEGUN, gone, BEGUN, gone]), Progress::Pending);
            // One that is made anew may be shown as what it was before for a while.
            let mut answers = vec![BEGUN];
            answers.extend([gone; 6]);
            assert_eq!(after(&answers), Progress::Pending);
            answers.push(gone);
            assert_eq!(after(&answers), Progress::Deleted);
        }
        // With our deployment in it, it is no old answer.
        for status in ["DRAINING", "INACTIVE"] {
            let gone = &[status, "new PRIMARY 2 IN_PROGRESS"];
            assert_eq!(after(&[BEGUN, gone]), Progress::Deleted);
        }
    }

    #[test]
    fn a_rollback_that_does_not_come_is_not_waited_for() {
        let failed: &[&str] = &["ACTIVE", "new PRIMARY 2 FAILED", "old ACTIVE 1 COMPLETED"];
        let mut answers = vec![BEGUN];
        answers.extend([failed; 12]);
        assert_eq!(after(&answers), Progress::RollingBack("web:1".into()));
        answers.push(failed);
        assert_eq!(
            after(&answers),
            Progress::Failed("x: ECS does not go back to `web:1`".into())
        );
    }
}
