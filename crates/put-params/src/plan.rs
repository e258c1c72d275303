//! The differences between `ops.toml` and Parameter Store. No I/O.

use crate::error::ValidationError;
use cli::Change;
use cli::redact::MASK;
use common::config::{ParameterTier, ParameterType};
use reconcile::{Plan, Step, Tags, tags};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// A parameter as `ops.toml` describes it.
#[derive(Debug)]
pub(crate) struct Desired {
    pub(crate) name: String,
    pub(crate) value: SecretString,
    pub(crate) r#type: ParameterType,
    /// Only for a SecureString. Absent leaves the key as it is; a new parameter gets the account's default key.
    pub(crate) kms_key: Option<String>,
    pub(crate) tier: Option<ParameterTier>,
    pub(crate) description: Option<String>,
}

/// The fields that `ssm:GetParameters` returns.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) value: SecretString,
    /// In SSM's spelling.
    pub(crate) r#type: String,
    pub(crate) version: i64,
    pub(crate) data_type: Option<String>,
}

/// The fields that only `ssm:DescribeParameters` returns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) kms_key: Option<String>,
    pub(crate) tier: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) allowed_pattern: Option<String>,
}

/// A parameter that exists.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) stored: Stored,
    /// Absent when the plan does not need it, or the caller may not read it.
    pub(crate) metadata: Option<Metadata>,
    pub(crate) tags: Option<Tags>,
}

/// One call that updates a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Writes a new version.
    Put,
    /// Sets these tags.
    Tag(Tags),
}

/// A type in SSM's spelling.
pub(crate) fn type_name(r#type: ParameterType) -> &'static str {
    match r#type {
        ParameterType::SecureString => "SecureString",
        ParameterType::String => "String",
        ParameterType::StringList => "StringList",
    }
}

/// A tier in SSM's spelling.
pub(crate) fn tier_name(tier: ParameterTier) -> &'static str {
    match tier {
        ParameterTier::Standard => "Standard",
        ParameterTier::Advanced => "Advanced",
        ParameterTier::IntelligentTiering => "Intelligent-Tiering",
    }
}

/// Whether the plan of an existing parameter needs `ssm:DescribeParameters`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Not at all.
    No,
    /// To compare key, tier and description with the file.
    Compare,
    /// To write a new version with the key and the tier that it has now: without them SSM uses the account's
    /// defaults.
    Keep,
}

/// Whether the metadata of a parameter is needed.
pub(crate) fn need(desired: &Desired, stored: &Stored) -> Need {
    let secure = desired.r#type == ParameterType::SecureString;
    let keeps = (secure && desired.kms_key.is_none()) || desired.tier.is_none();
    let compares = desired.kms_key.is_some() || desired.tier.is_some() || desired.description.is_some();
    if is_downgrade(desired, stored) {
        Need::No
    } else if (value_differs(desired, stored) || stored.r#type != type_name(desired.r#type)) && keeps {
        Need::Keep
    } else if compares {
        // A difference in one of them is written together with the others.
        Need::Compare
    } else {
        Need::No
    }
}

/// Compares. Tags, keys, tiers and descriptions that the file does not name stay as they are.
///
/// # Errors
/// When the parameter can't become what the file describes.
pub(crate) fn plan(
    desired: &Desired,
    desired_tags: &Tags,
    observed: Option<&Observed>,
) -> Result<Plan<Action>, ValidationError> {
    let Some(observed) = observed else {
        return Ok(Plan::Create(settings(desired, desired_tags), Vec::new()));
    };
    check_update(desired, observed)?;
    let mut changes = Vec::new();
    if value_differs(desired, &observed.stored) {
        changes.push(Change::new("value", MASK, MASK));
    }
    let desired_type = type_name(desired.r#type);
    if observed.stored.r#type != desired_type {
        changes.push(Change::new("type", observed.stored.r#type.as_str(), desired_type));
    }
    if let Some(metadata) = &observed.metadata {
        changes.extend(metadata_changes(desired, metadata));
    }
    // Tags that the caller may not read are not compared.
    let tag = observed.tags.as_ref().and_then(|observed| {
        let differing = tags::differing(desired_tags, observed);
        let changes = tags::changes(&differing, observed);
        Step::of(Action::Tag(differing), changes)
    });
    let put = Step::of(Action::Put, changes);
    Ok(Plan::update(put.into_iter().chain(tag).collect()))
}

/// What a new parameter is created with.
fn settings(desired: &Desired, tags: &Tags) -> Vec<Change> {
    let new = |path: &str, to: &str| Change::new(path, Value::Null, to);
    let mut changes = vec![new("value", MASK), new("type", type_name(desired.r#type))];
    changes.extend(desired.kms_key.as_deref().map(|key| new("kms_key", key)));
    changes.extend(desired.tier.map(|tier| new("tier", tier_name(tier))));
    changes.extend(
        desired
            .description
            .as_deref()
            .map(|text| new("description", text)),
    );
    changes.extend(tags::changes(tags, &Tags::new()));
    changes
}

fn value_differs(desired: &Desired, stored: &Stored) -> bool {
    desired.value.expose_secret() != stored.value.expose_secret()
}

/// Whether a secret would become plain text.
fn is_downgrade(desired: &Desired, stored: &Stored) -> bool {
    stored.r#type == type_name(ParameterType::SecureString) && desired.r#type != ParameterType::SecureString
}

/// Refuses what SSM would refuse, and what would expose a secret.
fn check_update(desired: &Desired, observed: &Observed) -> Result<(), ValidationError> {
    let metadata = observed.metadata.as_ref();
    let tier = metadata.and_then(|metadata| metadata.tier.as_deref());
    let delete = format!(
        "if that is intended, delete it first: aws ssm delete-parameter --name {}",
        desired.name
    );
    if is_downgrade(desired, &observed.stored) {
        let message = format!(
            "it is a SecureString; as {} its value would be stored in plain text",
            type_name(desired.r#type)
        );
        return Err(ValidationError::new("type", message).hint(delete));
    }
    if desired.tier == Some(ParameterTier::Standard) && tier == Some("Advanced") {
        let message = "it has the tier Advanced, which SSM can't change back to Standard";
        let hint = format!("set `tier = \"Advanced\"` in [params]; {delete}");
        return Err(ValidationError::new("tier", message).hint(hint));
    }
    Ok(())
}

fn metadata_changes(desired: &Desired, metadata: &Metadata) -> Vec<Change> {
    let mut changes = Vec::new();
    let old = |value: &Option<String>| value.clone().map_or(Value::Null, Value::String);
    if let Some(key) = &desired.kms_key
        && metadata.kms_key.as_deref().map(plain_key) != Some(plain_key(key))
    {
        changes.push(Change::new("kms_key", old(&metadata.kms_key), key.as_str()));
    }
    // SSM resolves Intelligent-Tiering to one of the other two when it stores a value.
    if let Some(tier) = desired
        .tier
        .filter(|tier| *tier != ParameterTier::IntelligentTiering)
    {
        let now = metadata.tier.as_deref().unwrap_or("Standard");
        if now != tier_name(tier) {
            changes.push(Change::new("tier", now, tier_name(tier)));
        }
    }
    if let Some(description) = &desired.description
        && metadata.description.as_deref().unwrap_or_default() != description
    {
        let old = old(&metadata.description);
        changes.push(Change::new("description", old, description.as_str()));
    }
    changes
}

/// The id or the alias of a key, also from the ARN of either.
fn plain_key(key: &str) -> &str {
    let resource = arn::split(key).map_or(key, |arn| arn.resource);
    resource.strip_prefix("key/").unwrap_or(resource)
}

#[cfg(test)]
mod tests;
