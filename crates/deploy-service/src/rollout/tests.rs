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

fn ours(before: Option<&str>) -> Ours {
    Ours {
        id: "new".into(),
        desired: "web:2".into(),
        before: before.map(str::to_owned),
        rolls_back: true,
    }
}

/// Each answer of ECS with what it means, from first to last.
#[track_caller]
fn sequence(ours: &Ours, answers: &[(&[&str], Progress)]) {
    let mut seen = false;
    for (answer, expected) in answers {
        let deployments: Vec<Deployment> = answer.iter().map(|text| deployment(text)).collect();
        assert_eq!(progress(&deployments, ours, seen), *expected, "{answer:?}");
        seen |= deployments.iter().any(|one| one.id == ours.id);
    }
}

fn back(reason: &str) -> Progress {
    Progress::RolledBack {
        to: "web:1".into(),
        reason: reason.into(),
    }
}

fn going_back() -> Progress {
    Progress::RollingBack("web:1".into())
}

#[test]
fn a_deployment_that_goes_well() {
    sequence(
        &ours(Some("web:1")),
        &[
            // The answer is older than the deployment: a stable service, and not ours.
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
        &ours(None),
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
        &ours(Some("web:1")),
        &[
            (
                &["new PRIMARY 2 IN_PROGRESS", "old ACTIVE 1 COMPLETED"],
                Progress::Pending,
            ),
            (
                &["new PRIMARY 2 FAILED | x", "old ACTIVE 1 COMPLETED"],
                going_back(),
            ),
            (
                &[
                    "back PRIMARY 1 IN_PROGRESS | rolling back to deploymentId old",
                    &failed,
                ],
                going_back(),
            ),
            (&["back PRIMARY 1 COMPLETED | completed.", &failed], back(reason)),
            // Nothing but the rollback is left: one deployment, COMPLETED, as many tasks as desired.
            (
                &["back PRIMARY 1 COMPLETED | ECS deployment completed."],
                back(""),
            ),
        ],
    );
}

#[test]
fn a_rollback_to_the_same_revision_is_one() {
    let ours = Ours {
        before: Some("web:2".into()),
        ..ours(None)
    };
    sequence(
        &ours,
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
    let ours = Ours {
        rolls_back: false,
        ..ours(Some("web:1"))
    };
    sequence(
        &ours,
        &[(
            &["new PRIMARY 2 FAILED | x", "old ACTIVE 1 COMPLETED"],
            Progress::Failed("x".into()),
        )],
    );
}

#[test]
fn a_rollback_that_fails_says_so() {
    sequence(
        &ours(Some("web:1")),
        &[(
            &["back PRIMARY 1 FAILED | y", "new ACTIVE 2 FAILED | x"],
            Progress::Failed("going back to `web:1` failed too: y".into()),
        )],
    );
}

#[test]
fn somebody_elses_deployment_is_not_ours() {
    let other = Progress::Superseded {
        by: "other".into(),
        task_definition: "web:3".into(),
    };
    sequence(
        &ours(Some("web:1")),
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
    let same = Ours {
        desired: "web:1".into(),
        ..ours(Some("web:1"))
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
    // When ours failed, it is one.
    sequence(
        &same,
        &[(
            &["back PRIMARY 1 COMPLETED", "new ACTIVE 1 FAILED | x"],
            back("x"),
        )],
    );
}

#[test]
fn the_wrong_revision_is_no_success() {
    sequence(
        &ours(None),
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
    assert_eq!(progress(&[one.clone()], &ours(None), true), Progress::Pending);
    one.running = 3;
    assert_eq!(progress(&[one], &ours(None), true), Progress::Done);
}

#[test]
fn what_ecs_does_not_say_is_not_done() {
    let mut one = deployment("new PRIMARY 2 -");
    assert_eq!(progress(&[one.clone()], &ours(None), true), Progress::Pending);
    one.primary = false;
    assert_eq!(progress(&[one], &ours(None), true), Progress::Pending);
}

#[test]
fn counts_are_shown_when_there_are_any() {
    let mut one = deployment("new PRIMARY 2 IN_PROGRESS");
    assert_eq!(one.counts(), "IN_PROGRESS, 0 of 1 running");
    (one.pending, one.failed) = (1, 3);
    assert_eq!(one.counts(), "IN_PROGRESS, 0 of 1 running, 1 pending, 3 failed");
}
