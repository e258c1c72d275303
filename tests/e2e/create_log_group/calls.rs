//! The calls of the tool, for the tests of all calls.

use super::cloudwatch::{Group, KEY, Logs, keeping};
use crate::create_tools::Call;
use support::aws::logs;

const GROUP: &str = " for log group `cruddur`";

pub(crate) fn calls() -> Vec<Call> {
    let untagged = || Group {
        tags: [].into(),
        ..Group::right()
    };
    let with_key = || Group {
        key: Some(KEY.into()),
        ..Group::right()
    };
    let key = format!("kms_key = \"{KEY}\"");
    let call = |action: &'static str, context, group: Option<Group>, retention: &'static str, line: &str| {
        let line = line.to_owned();
        let target = logs(action.trim_start_matches("logs:"));
        Call::read(action, target, context, move || {
            let (aws, _) = Logs::with(group.clone().map(|group| ("cruddur", group)));
            let config =
                super::CONFIG.replace("retention_days = 1", &format!("retention_days = {retention}"));
            let tool = aws
                .tool("create-log-group")
                .config_text(&format!("{config}{line}\n"));
            (aws, tool.arg("--yes"))
        })
    };
    let right = || Some(Group::right());
    let describe = "failed to describe log group `cruddur`";
    let tags = "failed to read the tags of log group `cruddur`";
    let create = "failed to create log group `cruddur`";
    let set = "failed to set the retention of log group `cruddur`";
    let remove = "failed to remove the retention of log group `cruddur`";
    let set_key = "failed to set the KMS key of log group `cruddur`";
    let remove_key = "failed to remove the KMS key of log group `cruddur`";
    let protect = "failed to set the deletion protection of log group `cruddur`";
    let protection = "deletion_protection = true";
    let tag = "failed to tag log group `cruddur`";
    vec![
        call("logs:DescribeLogGroups", describe, None, "1", ""),
        call("logs:ListTagsForResource", tags, right(), "1", ""),
        call("logs:CreateLogGroup", create, None, "1", "").write(GROUP),
        call("logs:PutRetentionPolicy", set, Some(keeping(Some(30))), "1", "").write(GROUP),
        call("logs:DeleteRetentionPolicy", remove, right(), "\"never\"", "").write(GROUP),
        call("logs:AssociateKmsKey", set_key, right(), "1", &key).write(GROUP),
        call(
            "logs:DisassociateKmsKey",
            remove_key,
            Some(with_key()),
            "1",
            "kms_key = \"none\"",
        )
        .write(GROUP),
        call(
            "logs:PutLogGroupDeletionProtection",
            protect,
            right(),
            "1",
            protection,
        )
        .write(GROUP),
        call("logs:TagResource", tag, Some(untagged()), "1", "").write(GROUP),
    ]
}
