//! What differs between `ops.toml` and CloudWatch Logs. No I/O.

use crate::check::NO_KEY;
use common::config::{LogClass, LogGroup, Retention};
use common::plan::{self, Step};
use common::{Change, Failure, Tags};
use serde_json::Value;

/// A log group as the file wants it. What it does not name is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
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

impl Wanted {
    pub(crate) fn new(group: LogGroup, tags: Tags) -> Self {
        Wanted {
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
    pub(crate) fn thing(&self) -> String {
        format!("log group `{}`", self.name)
    }
}

/// A log group as CloudWatch has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Current {
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
pub(crate) type Plan = plan::Plan<Deed>;

/// What a call does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
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
    plan.steps().iter().find_map(|step| match step.deed {
        Deed::Retain { days, shorter: true } => Some(days),
        _ => None,
    })
}

/// Compares. Tags that the file does not name belong to somebody else and stay.
///
/// # Errors
/// When something differs that cannot be changed.
pub(crate) fn plan(wanted: &Wanted, current: Option<&Current>) -> Result<Plan, Failure> {
    let Some(current) = current else {
        return Ok(Plan::Create(
            changes_of_creation(wanted),
            first_retention(wanted).into_iter().collect(),
        ));
    };
    possible(wanted, current)?;
    let steps = [
        retention(wanted, current),
        key(wanted, current),
        tags(wanted, current),
    ];
    Ok(Plan::update(steps.into_iter().flatten().collect()))
}

fn changes_of_creation(wanted: &Wanted) -> Vec<Change> {
    let none = || Value::Null;
    let never = (wanted.retention == Some(Retention::Never))
        .then(|| Change::new("retention_days", none(), shown(Retention::Never)));
    let key = match &wanted.key {
        Some(Key::Arn(arn)) => Some(Change::new("kms_key", none(), arn.as_str())),
        Some(Key::None) | None => None,
    };
    let class = wanted
        .class
        .map(|class| Change::new("class", none(), class.as_str()));
    let tags = common::tags::changes(&wanted.tags, &Tags::new());
    let own = [never, key, class].into_iter().flatten();
    own.chain(tags).collect()
}

/// The retention of a new group is a call of its own; without it events are kept for ever.
fn first_retention(wanted: &Wanted) -> Option<Step<Deed>> {
    let Some(Retention::Days(days)) = wanted.retention else {
        return None;
    };
    let deed = Deed::Retain { days, shorter: false };
    Step::of(deed, vec![Change::new("retention_days", Value::Null, days)])
}

/// Whether nothing differs that is fixed for good.
fn possible(wanted: &Wanted, current: &Current) -> Result<(), Failure> {
    let name = &wanted.name;
    if let Some(class) = wanted
        .class
        .map(LogClass::as_str)
        .filter(|class| *class != current.class)
    {
        return Err(Failure::could_not(format!(
            "failed to change the class of log group `{name}` from {} to {class}: a class is chosen for good when the group is made",
            current.class
        ))
        .code("not-changeable")
        .hint("take `class` out of [log_group], name another group, or delete this one with all its events"));
    }
    let differs = wanted
        .retention
        .is_some_and(|retention| days_of(retention) != current.retention);
    if let Some(policy) = current.account_policy.as_deref().filter(|_| differs) {
        return Err(Failure::could_not(format!(
            "failed to change the retention of log group `{name}`: the account's retention policy `{policy}` decides it"
        ))
        .code("not-changeable")
        .hint("take `retention_days` out of [log_group], or change that policy"));
    }
    Ok(())
}

fn retention(wanted: &Wanted, current: &Current) -> Option<Step<Deed>> {
    let to = wanted.retention?;
    if days_of(to) == current.retention {
        return None;
    }
    let deed = match to {
        Retention::Never => Deed::RetainForEver,
        Retention::Days(days) => Deed::Retain {
            days,
            shorter: current.retention.is_none_or(|now| i32::from(days) < now),
        },
    };
    let from = current
        .retention
        .map_or_else(|| Value::from("never"), Value::from);
    Step::of(deed, vec![Change::new("retention_days", from, shown(to))])
}

fn key(wanted: &Wanted, current: &Current) -> Option<Step<Deed>> {
    let old = current.key.clone();
    let (deed, from, to) = match (wanted.key.as_ref()?, old) {
        (Key::Arn(key), old) if old.as_ref() != Some(key) => {
            let from = old.as_deref().map_or(Value::Null, Value::from);
            let to = Value::from(key.as_str());
            (
                Deed::Associate {
                    key: key.clone(),
                    old,
                },
                from,
                to,
            )
        }
        (Key::None, Some(old)) => {
            let from = Value::from(old.as_str());
            (Deed::Disassociate { old }, from, Value::Null)
        }
        _ => return None,
    };
    Step::of(deed, vec![Change::new("kms_key", from, to)])
}

fn tags(wanted: &Wanted, current: &Current) -> Option<Step<Deed>> {
    let differing = common::tags::differing(&wanted.tags, &current.tags);
    let changes = common::tags::changes(&differing, &current.tags);
    Step::of(Deed::Tag(differing), changes)
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
