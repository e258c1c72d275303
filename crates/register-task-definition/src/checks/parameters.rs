//! The parameters behind `secrets`: their names only. No value is decrypted, and none is looked at.

use super::{Checks, Findings, Missing, is_denied};
use anyhow::{Context, Result};
use aws_config::Region;
use aws_documents::Field;
use aws_sdk_ssm::Client;
use common::aws::{call, code_of};
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// As many names as one call takes.
const AT_ONCE: usize = 10;

/// The fields that name a parameter, by region and by the name for the call.
type Wanted<'a> = BTreeMap<String, BTreeMap<String, Vec<Field<'a>>>>;

pub(super) async fn check(checks: &Checks<'_>) -> Result<Findings> {
    let mut findings = Findings::default();
    let wanted = wanted(checks, &mut findings);
    let mut questions = Vec::new();
    for (region, names) in &wanted {
        let all: Vec<&String> = names.keys().collect();
        for some in all.chunks(AT_ONCE) {
            questions.push((region, some.iter().map(ToString::to_string).collect::<Vec<_>>()));
        }
    }
    let answers = questions
        .into_iter()
        .map(|(region, names)| ask(checks, region, names));
    for answer in join_all(answers).await {
        let (region, missing) = match answer? {
            Answer::Missing(region, missing) => (region, missing),
            Answer::Denied(names) => {
                let what = match names.as_slice() {
                    [only] => format!("whether parameter `{only}` exists"),
                    several => format!("whether {} parameters exist", several.len()),
                };
                findings.denied(what, "ssm:GetParameters");
                continue;
            }
        };
        for name in missing {
            let fields = wanted.get(&region).and_then(|names| names.get(&name));
            let is_own = region == checks.place.region && is_own(checks, &name);
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
                    hint: "put it, or correct its name".into(),
                };
                checks.missing(&mut findings, field, missing);
            }
        }
    }
    Ok(findings)
}

enum Answer {
    /// In this region these are not there.
    Missing(String, Vec<String>),
    Denied(Vec<String>),
}

async fn ask(checks: &Checks<'_>, region: &str, names: Vec<String>) -> Result<Answer> {
    let config = aws_sdk_ssm::config::Builder::from(&checks.aws.sdk);
    let client = Client::from_conf(config.region(Region::new(region.to_owned())).build());
    let request = client
        .get_parameters()
        .with_decryption(false)
        .set_names(Some(names.clone()));
    match request.send().await {
        // Who is not there comes with status 200.
        Ok(answer) => Ok(Answer::Missing(
            region.to_owned(),
            answer.invalid_parameters.unwrap_or_default(),
        )),
        Err(error) if is_denied(code_of(&error)) => Ok(Answer::Denied(names)),
        Err(error) => Err(call("ssm:GetParameters")(error)).context("failed to find the parameters"),
    }
}

/// All references to parameters; those to other services are not findings.
fn wanted<'a>(checks: &'a Checks, findings: &mut Findings) -> Wanted<'a> {
    let mut wanted = Wanted::new();
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
                None => (checks.place.region.clone(), text),
                Some(parts) if parts.service == "ssm" => {
                    let name = name_of(parts.resource);
                    let name = if parts.account == checks.place.account {
                        name
                    } else {
                        text.clone()
                    };
                    (parts.region.to_owned(), name)
                }
                Some(_) => {
                    findings.not_checked.push(format!(
                        "whether secret `{text}` exists: only parameters are asked for"
                    ));
                    continue;
                }
            };
            if region != checks.place.region {
                let message = format!(
                    "it is read from {region} whenever a task starts in {}",
                    checks.place.region
                );
                let hint = "write ${AWS_REGION}, unless it is meant so";
                findings.warning(checks.document, &field, message, hint);
            }
            wanted
                .entry(region)
                .or_default()
                .entry(name)
                .or_default()
                .push(field);
        }
    }
    wanted
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

/// Whether `put-params` puts it.
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
