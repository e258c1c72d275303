//! What differs between `ops.toml` and CloudWatch Logs. No I/O.

use crate::check::NO_KEY;
use common::config::{LogClass, LogGroup, Retention};
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
#[derive(Debug, PartialEq)]
pub(crate) enum Plan {
    /// It is not there.
    Create(Vec<Change>),
    /// It differs: one call after the other.
    Update(Vec<Step>),
    /// It is as it should be.
    Nothing,
}

/// One call that changes something.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    pub(crate) changes: Vec<Change>,
}

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

impl Plan {
    /// The retention in days, when the plan makes it shorter.
    pub(crate) fn deletes_after(&self) -> Option<u16> {
        let Plan::Update(steps) = self else {
            return None;
        };
        steps.iter().find_map(|step| match step.deed {
            Deed::Retain { days, shorter: true } => Some(days),
            _ => None,
        })
    }

    /// The word for the report.
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Plan::Create(_) => "create",
            Plan::Update(_) => "update",
            Plan::Nothing => "none",
        }
    }

    /// What differs, field by field.
    pub(crate) fn changes(&self) -> Vec<Change> {
        match self {
            Plan::Create(changes) => changes.clone(),
            Plan::Update(steps) => steps.iter().flat_map(|step| step.changes.clone()).collect(),
            Plan::Nothing => Vec::new(),
        }
    }
}

/// Compares. Tags that the file does not name belong to somebody else and stay.
///
/// # Errors
/// When something differs that cannot be changed.
pub(crate) fn plan(wanted: &Wanted, current: Option<&Current>) -> Result<Plan, Failure> {
    let Some(current) = current else {
        return Ok(Plan::Create(changes_of_creation(wanted)));
    };
    possible(wanted, current)?;
    let steps: Vec<Step> = [
        retention(wanted, current),
        key(wanted, current),
        tags(wanted, current),
    ]
    .into_iter()
    .flatten()
    .collect();
    Ok(if steps.is_empty() {
        Plan::Nothing
    } else {
        Plan::Update(steps)
    })
}

fn changes_of_creation(wanted: &Wanted) -> Vec<Change> {
    let none = || Value::Null;
    let retention = wanted
        .retention
        .map(|retention| Change::new("retention_days", none(), shown(retention)));
    let key = match &wanted.key {
        Some(Key::Arn(arn)) => Some(Change::new("kms_key", none(), arn.as_str())),
        Some(Key::None) | None => None,
    };
    let class = wanted
        .class
        .map(|class| Change::new("class", none(), class.as_str()));
    let tags = common::tags::changes(&wanted.tags, &Tags::new());
    [retention, key, class]
        .into_iter()
        .flatten()
        .chain(tags)
        .collect()
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

fn retention(wanted: &Wanted, current: &Current) -> Option<Step> {
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
    Some(Step {
        deed,
        changes: vec![Change::new("retention_days", from, shown(to))],
    })
}

fn key(wanted: &Wanted, current: &Current) -> Option<Step> {
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
    Some(Step {
        deed,
        changes: vec![Change::new("kms_key", from, to)],
    })
}

fn tags(wanted: &Wanted, current: &Current) -> Option<Step> {
    let differing = common::tags::differing(&wanted.tags, &current.tags);
    let changes = common::tags::changes(&differing, &current.tags);
    (!changes.is_empty()).then(|| Step {
        deed: Deed::Tag(differing),
        changes,
    })
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
