//! What differs between `ops.toml` and Parameter Store. No I/O.

use crate::fault::Flaw;
use cli::Change;
use cli::redact::MASK;
use common::config::{ParameterTier, ParameterType};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::collections::BTreeMap;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// A parameter as the file wants it.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) value: SecretString,
    pub(crate) r#type: ParameterType,
    /// Only for a SecureString; absent leaves the key as it is, and means the account's own for a new one.
    pub(crate) kms_key: Option<String>,
    pub(crate) tier: Option<ParameterTier>,
    pub(crate) description: Option<String>,
}

/// What `ssm:GetParameters` tells.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) value: SecretString,
    /// SSM's own word.
    pub(crate) r#type: String,
    pub(crate) version: i64,
    pub(crate) data_type: Option<String>,
}

/// What only `ssm:DescribeParameters` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) kms_key: Option<String>,
    pub(crate) tier: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) allowed_pattern: Option<String>,
}

/// What is known of a parameter that is there.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) stored: Stored,
    /// Absent when nobody needed to know, or nobody may.
    pub(crate) metadata: Option<Metadata>,
    pub(crate) tags: Option<Tags>,
}

/// What is to be done for one parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plan {
    Create,
    Update(Update),
    Nothing,
    /// It can't become what the file wants.
    Blocked(Flaw),
}

/// What differs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Update {
    /// Whether a new version has to be written; otherwise only tags are set.
    pub(crate) put: bool,
    /// The tags that are missing or different.
    pub(crate) tags: Tags,
    pub(crate) changes: Vec<Change>,
}

/// SSM's word for a type.
pub(crate) fn word(r#type: ParameterType) -> &'static str {
    match r#type {
        ParameterType::SecureString => "SecureString",
        ParameterType::String => "String",
        ParameterType::StringList => "StringList",
    }
}

/// SSM's word for a tier.
pub(crate) fn tier_word(tier: ParameterTier) -> &'static str {
    match tier {
        ParameterTier::Standard => "Standard",
        ParameterTier::Advanced => "Advanced",
        ParameterTier::IntelligentTiering => "Intelligent-Tiering",
    }
}

/// How much `ssm:DescribeParameters` is needed for a parameter that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Nothing depends on it.
    No,
    /// To see whether key, tier and description are as the file says.
    ToJudge,
    /// To write a new version with the key and the tier that it has now: without them SSM takes the
    /// account's default ones.
    ToKeep,
}

/// Whether the metadata of a parameter have to be known.
pub(crate) fn need(wanted: &Wanted, stored: &Stored) -> Need {
    let secure = wanted.r#type == ParameterType::SecureString;
    let keeps = (secure && wanted.kms_key.is_none()) || wanted.tier.is_none();
    let judges = wanted.kms_key.is_some() || wanted.tier.is_some() || wanted.description.is_some();
    if is_downgrade(wanted, stored) {
        Need::No
    } else if (value_differs(wanted, stored) || stored.r#type != word(wanted.r#type)) && keeps {
        Need::ToKeep
    } else if judges {
        // A difference in one of them would be written together with the others.
        Need::ToJudge
    } else {
        Need::No
    }
}

/// Compares. Tags, keys, tiers and descriptions that the file does not name stay.
pub(crate) fn plan(wanted: &Wanted, tags: &Tags, current: Option<&Current>) -> Plan {
    let Some(current) = current else {
        return Plan::Create;
    };
    if let Some(flaw) = obstacle(wanted, current) {
        return Plan::Blocked(flaw);
    }
    let mut changes = Vec::new();
    if value_differs(wanted, &current.stored) {
        changes.push(Change::new("value", MASK, MASK));
    }
    let wanted_type = word(wanted.r#type);
    if current.stored.r#type != wanted_type {
        changes.push(Change::new("type", current.stored.r#type.as_str(), wanted_type));
    }
    if let Some(metadata) = &current.metadata {
        changes.extend(metadata_changes(wanted, metadata));
    }
    let put = !changes.is_empty();
    let mut missing = Tags::new();
    for (key, value) in tags {
        let old = current.tags.as_ref().map(|tags| tags.get(key));
        // Tags that nobody may read are not judged.
        if let Some(old) = old.filter(|old| *old != Some(value)) {
            changes.push(Change::new(format!("tags.{key}"), old.cloned(), value.as_str()));
            missing.insert(key.clone(), value.clone());
        }
    }
    if changes.is_empty() {
        Plan::Nothing
    } else {
        Plan::Update(Update {
            put,
            tags: missing,
            changes,
        })
    }
}

/// What a new parameter is made with, for the report.
pub(crate) fn settings(wanted: &Wanted, tags: &Tags) -> Vec<Change> {
    let new = |path: &str, to: &str| Change::new(path, Value::Null, to);
    let mut changes = vec![new("value", MASK), new("type", word(wanted.r#type))];
    changes.extend(wanted.kms_key.as_deref().map(|key| new("kms_key", key)));
    changes.extend(wanted.tier.map(|tier| new("tier", tier_word(tier))));
    changes.extend(wanted.description.as_deref().map(|text| new("description", text)));
    changes.extend(tags.iter().map(|(key, value)| new(&format!("tags.{key}"), value)));
    changes
}

fn value_differs(wanted: &Wanted, stored: &Stored) -> bool {
    wanted.value.expose_secret() != stored.value.expose_secret()
}

/// A secret would stand there in the clear.
fn is_downgrade(wanted: &Wanted, stored: &Stored) -> bool {
    stored.r#type == word(ParameterType::SecureString) && wanted.r#type != ParameterType::SecureString
}

/// What SSM would refuse, or what must not be done.
fn obstacle(wanted: &Wanted, current: &Current) -> Option<Flaw> {
    let tier = current
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.tier.as_deref());
    let by_hand =
        |name: &str| format!("if it has to be, delete it first: aws ssm delete-parameter --name {name}");
    if is_downgrade(wanted, &current.stored) {
        let message = format!(
            "it is a SecureString, and as {} its value would stand there in the clear",
            word(wanted.r#type)
        );
        Some(Flaw::new("type", message).hint(by_hand(&wanted.name)))
    } else if wanted.tier == Some(ParameterTier::Standard) && tier == Some("Advanced") {
        let message = "it has the tier Advanced, and SSM makes none of those Standard again";
        Some(Flaw::new("tier", message).hint(format!(
            "set `tier = \"Advanced\"` in [params]; {}",
            by_hand(&wanted.name)
        )))
    } else {
        None
    }
}

fn metadata_changes(wanted: &Wanted, metadata: &Metadata) -> Vec<Change> {
    let mut changes = Vec::new();
    let old = |value: &Option<String>| value.clone().map_or(Value::Null, Value::String);
    if let Some(key) = &wanted.kms_key
        && metadata.kms_key.as_deref().map(plain_key) != Some(plain_key(key))
    {
        changes.push(Change::new("kms_key", old(&metadata.kms_key), key.as_str()));
    }
    // Intelligent-Tiering becomes one of the others when a value is stored.
    if let Some(tier) = wanted
        .tier
        .filter(|tier| *tier != ParameterTier::IntelligentTiering)
    {
        let now = metadata.tier.as_deref().unwrap_or("Standard");
        if now != tier_word(tier) {
            changes.push(Change::new("tier", now, tier_word(tier)));
        }
    }
    if let Some(description) = &wanted.description
        && metadata.description.as_deref().unwrap_or_default() != description
    {
        let old = old(&metadata.description);
        changes.push(Change::new("description", old, description.as_str()));
    }
    changes
}

/// A key is named by its id, its alias, or the ARN of either.
fn plain_key(key: &str) -> &str {
    let resource = match key.starts_with("arn:") {
        true => key.splitn(6, ':').nth(5).unwrap_or(key),
        false => key,
    };
    resource.strip_prefix("key/").unwrap_or(resource)
}

#[cfg(test)]
mod tests;
