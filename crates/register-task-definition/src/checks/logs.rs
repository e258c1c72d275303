//! The log groups: without them a task does not start.

use super::{Checks, Findings, Missing, is_denied};
use anyhow::{Context, Result};
use aws_config::Region;
use aws_documents::Field;
use aws_sdk_cloudwatchlogs::Client;
use common::aws::{call, code_of};
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// What became of one question.
enum Answer {
    There,
    Missing,
    Denied,
}

pub(super) async fn check(checks: &Checks<'_>) -> Result<Findings> {
    // Containers share a group as a rule: it is asked for once.
    let mut wanted: BTreeMap<(String, String), Vec<Field>> = BTreeMap::new();
    for container in checks.containers() {
        let Some(logs) = container
            .get("logConfiguration")
            .filter(|logs| logs.text_of("logDriver") == Some("awslogs"))
        else {
            continue;
        };
        let Some(options) = logs.get("options") else {
            continue;
        };
        let Some(group) = options.get("awslogs-group") else {
            continue;
        };
        // The task makes it then.
        if options.text_of("awslogs-create-group") == Some("true") {
            continue;
        }
        let region = options.text_of("awslogs-region").unwrap_or(&checks.place.region);
        let key = (region.to_owned(), group.text().unwrap_or_default().to_owned());
        wanted.entry(key).or_default().push(group);
    }
    let answers = wanted.keys().map(|(region, group)| ask(checks, region, group));
    let answers = join_all(answers).await;
    let mut findings = Findings::default();
    let own = checks.config.schema.log_group.as_ref();
    for (((region, group), fields), answer) in wanted.iter().zip(answers) {
        match answer? {
            Answer::There => {}
            Answer::Denied => {
                findings.denied(
                    format!("whether log group `{group}` exists"),
                    "logs:DescribeLogGroups",
                );
            }
            Answer::Missing => {
                let here = *region == checks.place.region;
                let is_own = here && own.is_some_and(|own| own.name == *group);
                let place = if here {
                    String::new()
                } else {
                    format!(" in {region}")
                };
                for field in fields {
                    let missing = Missing {
                        kind: "log-group",
                        name: group.clone(),
                        message: format!("there is no log group `{group}`{place}"),
                        created_by: is_own.then_some("create-log-group"),
                        hint: "make it, or write ${log_group.name}".into(),
                    };
                    checks.missing(&mut findings, field, missing);
                }
            }
        }
    }
    Ok(findings)
}

/// AWS finds by prefix; only the exact name counts.
async fn ask(checks: &Checks<'_>, region: &str, group: &str) -> Result<Answer> {
    let config = aws_sdk_cloudwatchlogs::config::Builder::from(&checks.aws.sdk);
    let client = Client::from_conf(config.region(Region::new(region.to_owned())).build());
    let request = client.describe_log_groups().log_group_name_prefix(group);
    let mut pages = request.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) if is_denied(code_of(&error)) => return Ok(Answer::Denied),
            Err(error) => {
                return Err(call("logs:DescribeLogGroups")(error))
                    .with_context(|| format!("failed to describe log group `{group}`"));
            }
        };
        if page
            .log_groups()
            .iter()
            .any(|one| one.log_group_name() == Some(group))
        {
            return Ok(Answer::There);
        }
    }
    Ok(Answer::Missing)
}
