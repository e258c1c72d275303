//! The log groups, without which a task does not start.

use super::context::{Checks, Findings, Missing};
use anyhow::{Context, Result};
use aws_documents::Field;
use cli::{ErrorKind, Failure};
use common::aws::Client;
use common::aws::service::LOGS;
use common::json::{list, text};
use futures_util::future::join_all;
use serde_json::json;
use std::collections::BTreeMap;

/// What is known of a log group.
enum LogGroup {
    Found,
    Missing,
    Denied,
}

pub(super) async fn check(checks: &Checks<'_>) -> Result<Findings> {
    // By region and name: containers usually share a group, which is then looked up once.
    let mut groups: BTreeMap<(String, String), Vec<Field>> = BTreeMap::new();
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
        // The task creates the group then.
        if options.text_of("awslogs-create-group") == Some("true") {
            continue;
        }
        let region = options.text_of("awslogs-region").unwrap_or(&checks.target.region);
        let key = (region.to_owned(), group.text().unwrap_or_default().to_owned());
        groups.entry(key).or_default().push(group);
    }
    let answers = groups
        .keys()
        .map(|(region, group)| look_up(checks, region, group));
    let answers = join_all(answers).await;
    let mut findings = Findings::default();
    let own = checks.config.schema.log_group.as_ref();
    for (((region, group), fields), answer) in groups.iter().zip(answers) {
        match answer? {
            LogGroup::Found => {}
            LogGroup::Denied => {
                findings.denied(
                    format!("whether log group `{group}` exists"),
                    "logs:DescribeLogGroups",
                );
            }
            LogGroup::Missing => {
                let here = *region == checks.target.region;
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
                        hint: "create it, or write ${log_group.name}".into(),
                    };
                    checks.missing(&mut findings, field, missing);
                }
            }
        }
    }
    Ok(findings)
}

/// DescribeLogGroups finds names by their prefix; only the exact name counts.
async fn look_up(checks: &Checks<'_>, region: &str, group: &str) -> Result<LogGroup> {
    let client = Client::new(&checks.aws.in_region(region), &LOGS);
    let mut body = json!({"logGroupNamePrefix": group});
    loop {
        let page = match client.call("DescribeLogGroups", &body).await {
            Ok(page) => page,
            Err(error) if error.kind() == ErrorKind::Denied => return Ok(LogGroup::Denied),
            Err(error) => {
                return Err(Failure::from(error))
                    .with_context(|| format!("failed to describe log group `{group}`"));
            }
        };
        let mut names = list(&page, "logGroups")
            .iter()
            .map(|one| text(one, "logGroupName"));
        if names.any(|name| name == group) {
            return Ok(LogGroup::Found);
        }
        match text(&page, "nextToken") {
            "" => return Ok(LogGroup::Missing),
            token => body["nextToken"] = token.into(),
        }
    }
}
