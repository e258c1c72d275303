//! What differs between `ops.toml` and CloudWatch Logs. No I/O.

use crate::check::NO_KEY;
use cli::{Change, ErrorKind, Failure};
use common::config::{LogClass, LogGroup, Retention};
use reconcile::Tags;
use reconcile::plan::{self, Step};
use serde_json::Value;

/// A log group as the file wants it. What it does not name is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Desired {
    pub(crate) name: String,
    pub(crate) retention: Option<Retention>,
    pub(crate) key: Option<Key>,
    pub(crate) class: Option<LogClass>,
    pub(crate) tags: Tags,
}

/// What is to encrypt the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// The KMS key of this ARN.
    Arn(String),
    /// CloudWatch's own.
    None,
}

impl Desired {
    pub(crate) fn new(group: LogGroup, tags: Tags) -> Self {
        Desired {
            name: group.name,
            retention: group.retention_days,
            key: group
                .kms_key
                .map(|key| if key == NO_KEY { Key::None } else { Key::Arn(key) }),
            class: group.class,
            tags,
        }
    }

    /// As messages name it.
    pub(crate) fn label(&self) -> String {
        format!("log group `{}`", self.name)
    }
}

/// A log group as CloudWatch has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Observed {
    /// The days; `None` means that events are kept for ever.
    pub(crate) retention: Option<i32>,
    /// The account's retention policy that decides instead of the group.
    pub(crate) account_policy: Option<String>,
    pub(crate) key: Option<String>,
    /// CloudWatch's own word.
    pub(crate) class: String,
    pub(crate) tags: Tags,
    /// In milliseconds since 1970.
    pub(crate) created: Option<i64>,
}

/// What is to be done.
pub(crate) type Plan = plan::Plan<Action>;

/// What a call does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// PutRetentionPolicy; `shorter` when it deletes events that are kept today.
    Retain { days: u16, shorter: bool },
    /// DeleteRetentionPolicy.
    RetainForEver,
    /// AssociateKmsKey, in the place of `old`.
    Associate { key: String, old: Option<String> },
    /// DisassociateKmsKey.
    Disassociate { old: String },
    /// TagResource.
    Tag(Tags),
}

/// The retention in days, when the plan makes it shorter.
pub(crate) fn deletes_after(plan: &Plan) -> Option<u16> {
    plan.steps().iter().find_map(|step| match step.action {
        Action::Retain { days, shorter: true } => Some(days),
        _ => None,
    })
}

/// Compares. Tags that the file does not name belong to somebody else and stay.
///
/// # Errors
/// When something differs that cannot be changed.
pub(crate) fn plan(desired: &Desired, observed: Option<&Observed>) -> Result<Plan, Failure> {
    let Some(observed) = observed else {
        return Ok(Plan::Create(
            changes_of_creation(desired),
            first_retention(desired).into_iter().collect(),
        ));
    };
    possible(desired, observed)?;
    let steps = [
        retention(desired, observed),
        key(desired, observed),
        tags(desired, observed),
    ];
    Ok(Plan::update(steps.into_iter().flatten().collect()))
}

fn changes_of_creation(desired: &Desired) -> Vec<Change> {
    let none = || Value::Null;
    let never = (desired.retention == Some(Retention::Never))
        .then(|| Change::new("retention_days", none(), shown(Retention::Never)));
    let key = match &desired.key {
        Some(Key::Arn(arn)) => Some(Change::new("kms_key", none(), arn.as_str())),
        Some(Key::None) | None => None,
    };
    let class = desired
        .class
        .map(|class| Change::new("class", none(), class.as_str()));
    let tags = reconcile::tags::changes(&desired.tags, &Tags::new());
    let own = [never, key, class].into_iter().flatten();
    own.chain(tags).collect()
}

/// The retention of a new group is a call of its own; without it events are kept for ever.
fn first_retention(desired: &Desired) -> Option<Step<Action>> {
    let Some(Retention::Days(days)) = desired.retention else {
        return None;
    };
    let action = Action::Retain { days, shorter: false };
    Step::of(action, vec![Change::new("retention_days", Value::Null, days)])
}

/// Whether nothing differs that is fixed for good.
fn possible(desired: &Desired, observed: &Observed) -> Result<(), Failure> {
    let name = &desired.name;
    if let Some(class) = desired
        .class
        .map(LogClass::as_str)
        .filter(|class| *class != observed.class)
    {
        return Err(Failure::error(format!(
            "failed to change the class of log group `{name}` from {} to {class}: a class is chosen for good when the group is made",
            observed.class
        ))
        .kind(ErrorKind::Conflict).code("not-changeable")
        .hint("take `class` out of [log_group], name another group, or delete this one with all its events"));
    }
    let differs = desired
        .retention
        .is_some_and(|retention| days_of(retention) != observed.retention);
    if let Some(policy) = observed.account_policy.as_deref().filter(|_| differs) {
        return Err(Failure::error(format!(
            "failed to change the retention of log group `{name}`: the account's retention policy `{policy}` decides it"
        ))
        .kind(ErrorKind::Conflict).code("not-changeable")
        .hint("take `retention_days` out of [log_group], or change that policy"));
    }
    Ok(())
}

fn retention(desired: &Desired, observed: &Observed) -> Option<Step<Action>> {
    let to = desired.retention?;
    if days_of(to) == observed.retention {
        return None;
    }
    let action = match to {
        Retention::Never => Action::RetainForEver,
        Retention::Days(days) => Action::Retain {
            days,
            shorter: observed.retention.is_none_or(|now| i32::from(days) < now),
        },
    };
    let from = observed
        .retention
        .map_or_else(|| Value::from("never"), Value::from);
    Step::of(action, vec![Change::new("retention_days", from, shown(to))])
}

fn key(desired: &Desired, observed: &Observed) -> Option<Step<Action>> {
    let old = observed.key.clone();
    let (action, from, to) = match (desired.key.as_ref()?, old) {
        (Key::Arn(key), old) if old.as_ref() != Some(key) => {
            let from = old.as_deref().map_or(Value::Null, Value::from);
            let to = Value::from(key.as_str());
            (
                Action::Associate {
                    key: key.clone(),
                    old,
                },
                from,
                to,
            )
        }
        (Key::None, Some(old)) => {
            let from = Value::from(old.as_str());
            (Action::Disassociate { old }, from, Value::Null)
        }
        _ => return None,
    };
    Step::of(action, vec![Change::new("kms_key", from, to)])
}

fn tags(desired: &Desired, observed: &Observed) -> Option<Step<Action>> {
    let differing = reconcile::tags::differing(&desired.tags, &observed.tags);
    let changes = reconcile::tags::changes(&differing, &observed.tags);
    Step::of(Action::Tag(differing), changes)
}

fn days_of(retention: Retention) -> Option<i32> {
    match retention {
        Retention::Days(days) => Some(days.into()),
        Retention::Never => None,
    }
}

fn shown(retention: Retention) -> Value {
    match retention {
        Retention::Days(days) => days.into(),
        Retention::Never => "never".into(),
    }
}

/// Days for people.
pub(crate) fn shown_days(days: u16) -> String {
    if days == 1 {
        "1 day".into()
    } else {
        format!("{days} days")
    }
}

#[cfg(test)]
mod tests;
