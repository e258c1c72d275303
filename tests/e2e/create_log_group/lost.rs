//! The answer to the creation is lost, and the call is sent again.

use super::cloudwatch::{Group, Logs, keeping, writes};
use super::tool;
use serde_json::json;
use support::aws::logs;

#[test]
fn what_this_run_has_made_is_created_though_the_answer_was_lost() {
    let lost = |made: Group| {
        let (aws, logs_) = Logs::with([]);
        let all = logs_.clone();
        aws.lose_once(logs("CreateLogGroup"), move |_| {
            all.lock().insert("cruddur".into(), made.clone());
            (200, json!({}))
        });
        (aws, logs_)
    };
    let (aws, logs_) = lost(keeping(None));
    tool(&aws)
        .run()
        .exits(0)
        .says_once("cruddur: created\n")
        .says("  retention_days: (none) -> 1\n");
    assert_eq!(
        writes(&aws),
        ["CreateLogGroup", "CreateLogGroup", "PutRetentionPolicy"]
    );
    assert_eq!(logs_.group().retention, Some(1));

    // The group of another caller has other tags.
    let other = Group {
        tags: [].into(),
        ..Group::right()
    };
    let (aws, _) = lost(other);
    tool(&aws)
        .run()
        .exits(0)
        .says("cruddur: updated\n  tags.app: (none) -> e2e\n")
        .does_not_say("created");
}
