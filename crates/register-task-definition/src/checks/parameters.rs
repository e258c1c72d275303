//! The parameters behind `secrets`: whether they exist. No value is decrypted or read.

use super::context::{Checks, Findings, Missing};
use anyhow::{Context, Result};
use aws_documents::Field;
use cli::{ErrorKind, Failure};
use common::aws::Client;
use common::aws::service::SSM;
use common::json::list;
use futures_util::future::join_all;
use serde_json::json;
use std::collections::BTreeMap;

/// The most names that GetParameters takes (its API reference).
const NAMES_PER_CALL: usize = 10;

/// The fields that name a parameter, by region and by the name for the call.
type References<'a> = BTreeMap<String, BTreeMap<String, Vec<Field<'a>>>>;

pub(super) async fn check(checks: &Checks<'_>) -> Result<Findings> {
    let mut findings = Findings::default();
    let references = references(checks, &mut findings);
    let mut calls = Vec::new();
    for (region, names) in &references {
        let all: Vec<&String> = names.keys().collect();
        for chunk in all.chunks(NAMES_PER_CALL) {
            calls.push((region, chunk.iter().map(ToString::to_string).collect::<Vec<_>>()));
        }
    }
    let answers = calls
        .into_iter()
        .map(|(region, names)| look_up(checks, region, names));
    for answer in join_all(answers).await {
        let (region, missing) = match answer? {
            Parameters::Missing(region, missing) => (region, missing),
            Parameters::Denied(names) => {
                let what = match names.as_slice() {
                    [only] => format!("whether parameter `{only}` exists"),
                    several => format!("whether {} parameters exist", several.len()),
                };
                findings.denied(what, "ssm:GetParameters");
                continue;
            }
        };
        for name in missing {
            let fields = references.get(&region).and_then(|names| names.get(&name));
            let is_own = region == checks.target.region && is_own(checks, &name);
            // Without a slash it may be the value itself, in the wrong place.
            let message = if name.starts_with('/') || is_own {
                format!("there is no parameter `{name}` in {region}")
            } else {
                format!("there is no parameter of this name in {region}: is it the value itself?")
            };
            for field in fields.into_iter().flatten() {
                let missing = Missing {
                    kind: "parameter",
                    name: name.clone(),
                    message: message.clone(),
                    created_by: is_own.then_some("put-params"),
                    hint: "create it, or correct its name".into(),
                };
                checks.missing(&mut findings, field, missing);
            }
        }
    }
    Ok(findings)
}

enum Parameters {
    /// These do not exist in this region.
    Missing(String, Vec<String>),
    Denied(Vec<String>),
}

async fn look_up(checks: &Checks<'_>, region: &str, names: Vec<String>) -> Result<Parameters> {
    let client = Client::new(&checks.aws.in_region(region), &SSM);
    let body = json!({"Names": names, "WithDecryption": false});
    match client.call("GetParameters", &body).await {
        // Parameters that do not exist come with status 200.
        Ok(answer) => {
            let missing = list(&answer, "InvalidParameters").iter();
            let missing = missing.filter_map(|name| name.as_str().map(str::to_owned));
            Ok(Parameters::Missing(region.to_owned(), missing.collect()))
        }
        Err(error) if error.kind() == ErrorKind::Denied => Ok(Parameters::Denied(names)),
        Err(error) => Err(Failure::from(error)).context("failed to find the parameters"),
    }
}

/// All references to parameters. Those to other services are not checked.
fn references<'a>(checks: &'a Checks, findings: &mut Findings) -> References<'a> {
    let mut references = References::new();
    for container in checks.containers() {
        let options = container
            .get("logConfiguration")
            .map(|logs| logs.list("secretOptions"))
            .unwrap_or_default();
        for secret in container.list("secrets").into_iter().chain(options) {
            let Some(field) = secret.get("valueFrom") else {
                continue;
            };
            let text = field.text().unwrap_or_default().to_owned();
            let (region, name) = match arn::split(&text) {
                None => (checks.target.region.clone(), text),
                Some(parts) if parts.service == "ssm" => {
                    let name = name_of(parts.resource);
                    let name = if parts.account == checks.target.account {
                        name
                    } else {
                        text.clone()
                    };
                    (parts.region.to_owned(), name)
                }
                Some(_) => {
                    findings.not_checked.push(format!(
                        "whether secret `{text}` exists: only parameters are checked"
                    ));
                    continue;
                }
            };
            if region != checks.target.region {
                let message = format!(
                    "it is read from {region} whenever a task starts in {}",
                    checks.target.region
                );
                let hint = "write ${AWS_REGION}, unless it is meant so";
                findings.warning(checks.document, &field, message, hint);
            }
            references
                .entry(region)
                .or_default()
                .entry(name)
                .or_default()
                .push(field);
        }
    }
    references
}

/// The name in an ARN: `parameter/a/b` is `/a/b`, and `parameter/a` is `a`.
fn name_of(resource: &str) -> String {
    let name = resource.strip_prefix("parameter/").unwrap_or(resource);
    if name.contains('/') {
        format!("/{name}")
    } else {
        name.to_owned()
    }
}

/// Whether `put-params` writes it.
fn is_own(checks: &Checks, name: &str) -> bool {
    let Some(params) = &checks.config.schema.params else {
        return false;
    };
    let key = name
        .strip_prefix(params.prefix.as_str())
        .and_then(|rest| rest.strip_prefix('/'));
    key.is_some_and(|key| params.entry.iter().any(|(entry, _)| entry == key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_the_name_without_its_first_slash() {
        assert_eq!(name_of("parameter/a/b"), "/a/b");
        assert_eq!(name_of("parameter/a"), "a");
    }
}
