//! Describe, compare, change.

use crate::plan::{Current, Plan, fault_of_name, plan, word};
use crate::store::{self, Created};
use anyhow::Result;
use aws_sdk_ecr::Client;
use clap::Parser;
use common::aws::Aws;
use common::cli::{AwsArgs, ConfigArgs, OutputArgs, PlanArgs};
use common::config::{Config, Place, Repository, Variables, select};
use common::{Change, Console, Failure, Item, Outcome, Report};
use futures_util::future::try_join_all;
use std::collections::BTreeMap;
use std::time::Duration;

/// Make the private ECR repositories of ops.toml, and keep them as it says
///
/// Describes each repository first and changes only what differs: tag
/// mutability, scan on push, tags. What the file does not name stays as it is,
/// and nothing is deleted. A second run changes nothing and says so.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Names from [[repository]] [default: all of them]
    names: Vec<String>,
    #[command(flatten)]
    plan: PlanArgs,
    /// Print lines for a shell, `export NAME=URI`, by the names in `export`
    #[arg(long)]
    export: bool,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = common::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const HELP: &str = "\
Examples:
  create-repository                      all of ops.toml; prints their URIs
  create-repository backend-flask --dry-run
  eval \"$(create-repository --export)\"    sets ECR_PYTHON_URL and the others

Permissions: ecr:DescribeRepositories, ecr:ListTagsForResource,
ecr:CreateRepository, ecr:TagResource, ecr:PutImageTagMutability,
ecr:PutImageScanningConfiguration

Exit codes:
  0  done, or nothing to do
  1  differences under --check
  2  could not: usage, configuration, credentials, permission, network
  3  not done within --timeout
  4  some repositories were changed and others could not be";

/// What became of one repository.
struct Done {
    uri: String,
    outcome: Outcome,
    action: &'static str,
    changes: Vec<Change>,
}

/// Does it.
///
/// # Errors
/// When nothing could be done. Where some went through, the report carries the error.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let config = Config::find(args.config.config.as_deref())?;
    let preview = Variables::preview(&config.schema);
    check(&select(
        "repository",
        config.repositories(&preview)?,
        name_of,
        &args.names,
    )?)?;
    config.tags(&preview)?;

    let aws = Aws::load(&args.aws, Some(&config), console).await?;
    let caller = identity::caller(&aws).await?;
    let place = aws.place(&caller.account)?;
    let variables = Variables::new(&config.schema, &place);
    let repositories = select(
        "repository",
        config.repositories(&variables)?,
        name_of,
        &args.names,
    )?;
    check(&repositories)?;
    let tags: BTreeMap<String, String> = config.tags(&variables)?.0.into_iter().collect();
    let client = Client::new(&aws.sdk);
    let current = try_join_all(
        repositories
            .iter()
            .map(|repository| store::describe(&client, &repository.name)),
    )
    .await?;

    let mut report = Report::new(Outcome::Unchanged)
        .detail("account", place.account.as_str())
        .detail("region", place.region.as_str())
        .detail("identity", caller.arn);
    for (repository, current) in repositories.iter().zip(current) {
        let done = if args.plan.plan_only() {
            Ok(announce(repository, &tags, current.as_ref(), &place))
        } else {
            apply(&client, repository, &tags, current).await
        };
        let done = match done {
            Ok(done) => done,
            Err(error) if report.outcome == Outcome::Changed => return Ok(console.partly(&error, report)),
            Err(error) => return Err(error),
        };
        note(repository, &done, console);
        if done.outcome != Outcome::Unchanged {
            report.outcome = done.outcome;
        }
        report.lines.extend(line(repository, &done.uri, args.export));
        report.items.push(
            Item::new("repository", &repository.name, done.action)
                .changes(done.changes)
                .detail("uri", done.uri),
        );
    }
    Ok(report.checked(args.plan.check))
}

fn name_of(repository: &Repository) -> &str {
    &repository.name
}

/// What can be said before the first call.
fn check(repositories: &[Repository]) -> Result<()> {
    for repository in repositories {
        let name = &repository.name;
        if let Some(fault) = fault_of_name(name) {
            return Err(
                Failure::could_not(format!("failed to use the repository name `{name}`: {fault}"))
                    .code("config")
                    .into(),
            );
        }
        let later = [
            (
                "mutability_exclusions",
                !repository.mutability_exclusions.is_empty(),
            ),
            ("encryption", repository.encryption.is_some()),
            ("lifecycle_policy", repository.lifecycle_policy.is_some()),
            ("policy", repository.policy.is_some()),
        ];
        // To leave a key out silently would look like success.
        if let Some((key, _)) = later.iter().find(|(_, set)| *set) {
            return Err(Failure::could_not(format!(
                "failed to use `{key}` of repository `{name}`: this version does not set it"
            ))
            .code("config")
            .hint("take the key out, and set it with the AWS CLI")
            .into());
        }
    }
    Ok(())
}

/// `--dry-run`: what would be done.
fn announce(
    repository: &Repository,
    tags: &BTreeMap<String, String>,
    current: Option<&Current>,
    place: &Place,
) -> Done {
    let uri = current.map_or_else(
        || format!("{}/{}", place.ecr_registry(), repository.name),
        |current| current.uri.clone(),
    );
    let (outcome, action, changes) = match plan(repository, tags, current) {
        Plan::Create(_) => (Outcome::Planned, "create", Vec::new()),
        Plan::Update(update) => (Outcome::Planned, "update", update.changes),
        Plan::Nothing => (Outcome::Unchanged, "none", Vec::new()),
    };
    Done {
        uri,
        outcome,
        action,
        changes,
    }
}

async fn apply(
    client: &Client,
    repository: &Repository,
    tags: &BTreeMap<String, String>,
    current: Option<Current>,
) -> Result<Done> {
    let name = &repository.name;
    let mut current = current;
    if let Plan::Create(wanted) = plan(repository, tags, current.as_ref()) {
        match store::create(client, name, &wanted).await? {
            Created::New(uri) => {
                let changes = vec![
                    Change::new(
                        "tag_mutability",
                        serde_json::Value::Null,
                        word(wanted.tag_mutability),
                    ),
                    Change::new("scan_on_push", serde_json::Value::Null, wanted.scan_on_push),
                ];
                return Ok(Done {
                    uri,
                    outcome: Outcome::Changed,
                    action: "create",
                    changes,
                });
            }
            // Two runs at the same time: the other one won, and the repository is compared like any other.
            Created::Exists => current = store::describe(client, name).await?,
        }
    }
    let current = current.ok_or_else(|| {
        Failure::could_not(format!(
            "repository `{name}` comes and goes: somebody else is deleting it"
        ))
    })?;
    match plan(repository, tags, Some(&current)) {
        Plan::Update(update) => {
            store::update(client, name, &current, &update).await?;
            Ok(Done {
                uri: current.uri,
                outcome: Outcome::Changed,
                action: "update",
                changes: update.changes,
            })
        }
        Plan::Nothing | Plan::Create(_) => Ok(Done {
            uri: current.uri,
            outcome: Outcome::Unchanged,
            action: "none",
            changes: Vec::new(),
        }),
    }
}

fn note(repository: &Repository, done: &Done, console: &Console) {
    let word = match (done.outcome, done.action) {
        (Outcome::Planned, "create") => "would be created",
        (Outcome::Planned, _) => "would be updated",
        (_, "create") => "created",
        (_, "update") => "updated",
        _ => "unchanged",
    };
    console.note(format!("{}: {word}", repository.name));
    if done.action == "update" {
        done.changes
            .iter()
            .for_each(|change| console.note(format!("  {change}")));
    }
}

fn line(repository: &Repository, uri: &str, export: bool) -> Option<String> {
    match (export, &repository.export) {
        (false, _) => Some(uri.to_owned()),
        (true, Some(name)) => Some(format!("export {name}={uri}")),
        (true, None) => None,
    }
}
