//! What differs between `ops.toml` and CloudWatch Logs, and the calls that change it. No I/O.

use crate::validation::NO_KEY;
use cli::{Change, ErrorKind, Failure};
use common::config::{AwsTarget, LogClass, LogGroup, Retention, partition_of};
use reconcile::plan::{self, Step};
use reconcile::{Tags, tags};
use serde::Deserialize;
use serde_json::{Value, json};

/// A log group as the file has it. What the file does not name stays.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    pub(crate) group: LogGroup,
    pub(crate) tags: Tags,
    /// The ARN that the group has, or will have.
    pub(crate) arn: String,
}

impl Desired {
    pub(crate) fn new(group: LogGroup, tags: Tags, target: &AwsTarget) -> Self {
        let AwsTarget { account, region } = target;
        let partition = partition_of(region);
        let arn = format!("arn:{partition}:logs:{region}:{account}:log-group:{}", group.name);
        Desired { group, tags, arn }
    }

    /// The ARN of the KMS key that a new group gets.
    fn first_key(&self) -> Option<&str> {
        self.group.kms_key.as_deref().filter(|key| *key != NO_KEY)
    }

    /// The body of CreateLogGroup. The retention is a call of its own.
    pub(crate) fn creation(&self) -> Value {
        let mut body = json!({"logGroupName": self.group.name});
        if let Some(key) = self.first_key() {
            body["kmsKeyId"] = key.into();
        }
        if let Some(class) = self.group.class {
            body["logGroupClass"] = class.as_str().into();
        }
        if let Some(protection) = self.group.deletion_protection {
            body["deletionProtectionEnabled"] = protection.into();
        }
        if !self.tags.is_empty() {
            body["tags"] = json!(self.tags);
        }
        body
    }
}

/// A log group as DescribeLogGroups returns it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Observed {
    pub(crate) log_group_name: String,
    /// The days; `None` when events never expire.
    pub(crate) retention_in_days: Option<i32>,
    /// The account's retention policy, which overrides the retention of the group.
    pub(crate) retention_policy_name: Option<String>,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) log_group_class: Option<String>,
    pub(crate) deletion_protection_enabled: Option<bool>,
    /// From ListTagsForResource.
    #[serde(skip)]
    pub(crate) tags: Tags,
}

/// What is to be done.
pub(crate) type Plan = plan::Plan<Action>;

/// One call that changes the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) operation: &'static str,
    pub(crate) body: Value,
    /// The purpose of the call, in words that complete "failed to … log group `x`".
    pub(crate) purpose: &'static str,
    /// The new retention in days, when it deletes events that are kept now.
    pub(crate) deletes_after: Option<u16>,
    /// The key that the call replaces or removes.
    pub(crate) old_key: Option<String>,
}

impl Action {
    fn new(purpose: &'static str, operation: &'static str, body: Value) -> Self {
        Action {
            operation,
            body,
            purpose,
            deletes_after: None,
            old_key: None,
        }
    }
}

/// The retention in days, when the plan shortens it.
pub(crate) fn deletes_after(plan: &Plan) -> Option<u16> {
    plan.steps().iter().find_map(|step| step.action.deletes_after)
}

/// Compares. Tags that the file does not name stay.
///
/// # Errors
/// When a field differs that can't be changed.
pub(crate) fn plan(desired: &Desired, observed: Option<&Observed>) -> Result<Plan, Failure> {
    let Some(observed) = observed else {
        let steps = first_retention(&desired.group).into_iter().collect();
        return Ok(Plan::Create(changes_at_creation(desired), steps));
    };
    check_immutable_fields(&desired.group, observed)?;
    let tag = |tags: Tags| {
        let body = json!({"resourceArn": desired.arn, "tags": tags});
        Action::new("tag", "TagResource", body)
    };
    let steps = [
        retention(&desired.group, observed),
        key(&desired.group, observed),
        deletion_protection(&desired.group, observed),
        tags::step(&desired.tags, &observed.tags, tag),
    ];
    Ok(Plan::update(steps.into_iter().flatten().collect()))
}

fn changes_at_creation(desired: &Desired) -> Vec<Change> {
    let group = &desired.group;
    let never = (group.retention_days == Some(Retention::Never)).then(|| ("retention_days", "never".into()));
    let fields = [
        never,
        desired.first_key().map(|key| ("kms_key", Value::from(key))),
        group.class.map(|class| ("class", class.as_str().into())),
        group
            .deletion_protection
            .map(|protection| ("deletion_protection", protection.into())),
    ];
    let fields = fields.into_iter().flatten();
    fields
        .map(|(path, value)| Change::new(path, Value::Null, value))
        .chain(tags::changes(&desired.tags, &Tags::new()))
        .collect()
}

/// The retention of a new group is a call of its own; without it events never expire.
fn first_retention(group: &LogGroup) -> Option<Step<Action>> {
    let Some(Retention::Days(days)) = group.retention_days else {
        return None;
    };
    let change = Change::new("retention_days", Value::Null, days);
    Step::of(put_retention(group, days), vec![change])
}

fn put_retention(group: &LogGroup, days: u16) -> Action {
    let body = json!({"logGroupName": group.name, "retentionInDays": days});
    Action::new("set the retention of", "PutRetentionPolicy", body)
}

/// # Errors
/// When a field differs that is set only at creation, or that the account decides.
fn check_immutable_fields(group: &LogGroup, observed: &Observed) -> Result<(), Failure> {
    let name = &group.name;
    let refusal = |message: String| {
        Failure::error(message)
            .kind(ErrorKind::Conflict)
            .code("not-changeable")
    };
    let has = observed.log_group_class.as_deref().unwrap_or("STANDARD");
    let class = group.class.map(LogClass::as_str);
    if let Some(class) = class.filter(|class| *class != has) {
        return Err(refusal(format!(
            "failed to change the class of log group `{name}` from {has} to {class}: a class is set only at creation"
        ))
        .hint("take `class` out of [log_group], name another group, or delete this one with all its events"));
    }
    let differs = group
        .retention_days
        .is_some_and(|retention| days_of(retention) != observed.retention_in_days);
    let policy = observed.retention_policy_name.as_deref();
    if let Some(policy) = policy.filter(|_| differs) {
        return Err(refusal(format!(
            "failed to change the retention of log group `{name}`: the account's retention policy `{policy}` overrides it"
        ))
        .hint("take `retention_days` out of [log_group], or change that policy"));
    }
    Ok(())
}

fn retention(group: &LogGroup, observed: &Observed) -> Option<Step<Action>> {
    let (to, from) = (group.retention_days?, observed.retention_in_days);
    if days_of(to) == from {
        return None;
    }
    let action = match to {
        Retention::Never => {
            let body = json!({"logGroupName": group.name});
            Action::new("remove the retention of", "DeleteRetentionPolicy", body)
        }
        Retention::Days(days) => Action {
            deletes_after: from.is_none_or(|from| i32::from(days) < from).then_some(days),
            ..put_retention(group, days)
        },
    };
    let shown = |days: Option<i32>| days.map_or_else(|| Value::from("never"), Value::from);
    let change = Change::new("retention_days", shown(from), shown(days_of(to)));
    Step::of(action, vec![change])
}

fn key(group: &LogGroup, observed: &Observed) -> Option<Step<Action>> {
    let old = observed.kms_key_id.as_deref();
    let new = Some(group.kms_key.as_deref()?).filter(|key| *key != NO_KEY);
    if new == old {
        return None;
    }
    let mut body = json!({"logGroupName": group.name});
    let action = if let Some(key) = new {
        body["kmsKeyId"] = key.into();
        Action::new("set the KMS key of", "AssociateKmsKey", body)
    } else {
        Action::new("remove the KMS key of", "DisassociateKmsKey", body)
    };
    let action = Action {
        old_key: old.map(str::to_owned),
        ..action
    };
    let shown = |key: Option<&str>| key.map_or(Value::Null, Value::from);
    Step::of(action, vec![Change::new("kms_key", shown(old), shown(new))])
}

fn deletion_protection(group: &LogGroup, observed: &Observed) -> Option<Step<Action>> {
    let (to, from) = (
        group.deletion_protection?,
        observed.deletion_protection_enabled.unwrap_or(false),
    );
    if to == from {
        return None;
    }
    let body = json!({"logGroupIdentifier": group.name, "deletionProtectionEnabled": to});
    let action = Action::new(
        "set the deletion protection of",
        "PutLogGroupDeletionProtection",
        body,
    );
    Step::of(action, vec![Change::new("deletion_protection", from, to)])
}

fn days_of(retention: Retention) -> Option<i32> {
    match retention {
        Retention::Days(days) => Some(days.into()),
        Retention::Never => None,
    }
}

#[cfg(test)]
mod tests;
