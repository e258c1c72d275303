use super::*;

/// `ID STATUS REVISION STATE`
fn deployment(text: &str) -> Deployment {
    let (line, reason) = text.split_once(" | ").unwrap_or((text, ""));
    let words: Vec<&str> = line.split(' ').collect();
    Deployment::of(&json!({
        "id": words[0],
        "status": words[1],
        "taskDefinition": format!("arn:aws:ecs:us-east-1:123456789012:task-definition/web:{}", words[2]),
        "rolloutState": words[3],
        "rolloutStateReason": reason,
        "desiredCount": 1,
        "runningCount": i32::from(words[3] == "COMPLETED"),
    }))
}

fn tracked(last_good: Option<&str>) -> TrackedDeployment {
    TrackedDeployment {
        id: "new".into(),
        desired: "web:2".into(),
        last_good: last_good.map(str::to_owned),
        rolls_back: true,
    }
}

/// The responses of ECS one after the other, each with the state that it shows.
#[track_caller]
fn sequence(tracked: &TrackedDeployment, answers: &[(&[&str], Progress)]) {
    let mut seen = false;
    for (answer, expected) in answers {
        let deployments: Vec<Deployment> = answer.iter().map(|text| deployment(text)).collect();
        assert_eq!(progress(&deployments, tracked, seen), *expected, "{answer:?}");
        seen |= deployments.iter().any(|one| one.id == tracked.id);
    }
}

fn rolled_back(reason: &str) -> Progress {
    Progress::RolledBack {
        to: "web:1".into(),
        reason: reason.into(),
    }
}

fn rolling_back() -> Progress {
    Progress::RollingBack("web:1".into())
}

#[test]
fn a_deployment_that_goes_well() {
    sequence(
        &tracked(Some("web:1")),
        &[
            // The answer is older than the deployment: a stable service, without the tracked one.
            (&["old PRIMARY 1 COMPLETED"], Progress::Pending),
            (
                &["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"],
                Progress::Pending,
            ),
            // All of the new tasks run, the old ones still drain.
            (
                &["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"],
                Progress::Pending,
            ),
            (&["new PRIMARY 2 COMPLETED"], Progress::Done),
        ],
    );
}

#[test]
fn a_first_deployment() {
    sequence(
        &tracked(None),
        &[
            (&[], Progress::Pending),
            (&["new PRIMARY 2 IN_PROGRESS"], Progress::Pending),
            (
                &["new PRIMARY 2 FAILED | circuit breaker: tasks failed to start."],
                Progress::Failed("circuit breaker: tasks failed to start.".into()),
            ),
        ],
    );
}

#[test]
fn a_rollback_is_never_taken_for_success() {
    let reason = "circuit breaker: tasks failed to start.";
    let failed = format!("new ACTIVE 2 FAILED | {reason}");
    sequence(
        &tracked(Some("web:1")),
        &[
            (
                &["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"],
                Progress::Pending,
            ),
            (
                &["new PRIMARY 2 FAILED | x", "old ACTIVE 1 COMPLETED"],
                rolling_back(),
            ),
            (
                &[
                    "back PRIMARY 1 IN_PROGRESS | rolling back to deploymentId old",
                    &failed,
                ],
                rolling_back(),
            ),
            (
                &["back PRIMARY 1 COMPLETED | completed.", &failed],
                rolled_back(reason),
            ),
            // Nothing but the rollback is left: one deployment, COMPLETED, as many tasks as desired.
            (
                &["back PRIMARY 1 COMPLETED | ECS deployment completed."],
                rolled_back(""),
            ),
        ],
    );
}

#[test]
fn a_rollback_to_the_same_revision_is_one() {
    let tracked = TrackedDeployment {
        last_good: Some("web:2".into()),
        ..tracked(None)
    };
    sequence(
        &tracked,
        &[
            (
                &["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 2 COMPLETED"],
                Progress::Pending,
            ),
            (
                &["back PRIMARY 2 COMPLETED", "new ACTIVE 2 FAILED | x"],
                Progress::RolledBack {
                    to: "web:2".into(),
                    reason: "x".into(),
                },
            ),
        ],
    );
}

#[test]
fn without_rollback_a_failure_is_final() {
    let tracked = TrackedDeployment {
        rolls_back: false,
        ..tracked(Some("web:1"))
    };
    sequence(
        &tracked,
        &[(
            &["new PRIMARY 2 FAILED | x", "old ACTIVE 1 COMPLETED"],
            Progress::Failed("x".into()),
        )],
    );
}

#[test]
fn a_rollback_that_fails_says_so() {
    sequence(
        &tracked(Some("web:1")),
        &[(
            &["back PRIMARY 1 FAILED | y", "new ACTIVE 2 FAILED | x"],
            Progress::Failed("the rollback to `web:1` failed too: y".into()),
        )],
    );
}

#[test]
fn a_deployment_of_another_caller_supersedes_it() {
    let other = Progress::Superseded {
        by: "other".into(),
        task_definition: "web:3".into(),
    };
    sequence(
        &tracked(Some("web:1")),
        &[
            (
                &["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"],
                Progress::Pending,
            ),
            (
                &["other PRIMARY 3 IN_PROGRESS", "new ACTIVE 2 IN_PROGRESS"],
                other.clone(),
            ),
            (&["other PRIMARY 3 COMPLETED"], other),
        ],
    );
}

#[test]
fn another_deployment_of_the_same_revision_is_no_way_back() {
    let same = TrackedDeployment {
        desired: "web:1".into(),
        ..tracked(Some("web:1"))
    };
    sequence(
        &same,
        &[
            (
                &["new PRIMARY 1 IN_PROGRESS", "old ACTIVE 1 COMPLETED"],
                Progress::Pending,
            ),
            (
                &["other PRIMARY 1 COMPLETED"],
                Progress::Superseded {
                    by: "other".into(),
                    task_definition: "web:1".into(),
                },
            ),
        ],
    );
    // When the tracked one failed, it is one.
    sequence(
        &same,
        &[(
            &["back PRIMARY 1 COMPLETED", "new ACTIVE 1 FAILED | x"],
            rolled_back("x"),
        )],
    );
}

#[test]
fn the_wrong_revision_is_no_success() {
    sequence(
        &tracked(None),
        &[(
            &["new PRIMARY 1 COMPLETED"],
            Progress::Failed("it runs `web:1` instead of `web:2`".into()),
        )],
    );
}

#[test]
fn a_service_that_grows_is_done_when_all_its_tasks_run() {
    let mut one = deployment("new PRIMARY 2 COMPLETED");
    one.desired = 3;
    assert_eq!(progress(&[one.clone()], &tracked(None), true), Progress::Pending);
    one.running = 3;
    assert_eq!(progress(&[one], &tracked(None), true), Progress::Done);
}

#[test]
fn what_ecs_does_not_say_is_not_done() {
    let mut one = deployment("new PRIMARY 2 -");
    assert_eq!(progress(&[one.clone()], &tracked(None), true), Progress::Pending);
    one.primary = false;
    assert_eq!(progress(&[one], &tracked(None), true), Progress::Pending);
}

#[test]
fn counts_are_shown_when_there_are_any() {
    let mut one = deployment("new PRIMARY 2 IN_PROGRESS");
    assert_eq!(one.counts(), "IN_PROGRESS, 0 of 1 running");
    (one.pending, one.failed) = (1, 3);
    assert_eq!(one.counts(), "IN_PROGRESS, 0 of 1 running, 1 pending, 3 failed");
}
