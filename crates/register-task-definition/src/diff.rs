//! `diff A B`: what differs between two revisions.

use crate::args::DiffArgs;
use crate::register::describe;
use crate::revision::Revision;
use crate::source::Source;
use anyhow::Result;
use aws_documents::{Diagnostic, task_definition::difference};
use cli::{Console, Exit, Failure, Item, Outcome, Report};
use common::aws::Aws;
use common::config::{Config, Variables};
use ecs::{EcsClient, TaskDefinition};
use reconcile::tags;
use serde_json::Value;

/// Prints the differences between two revisions.
///
/// # Errors
/// When one of them does not exist.
pub(crate) async fn run(args: &DiffArgs, console: &Console) -> Result<Report> {
    let flag = args.options.common.config.config.as_deref();
    let complete = args.from.family.is_some() && args.to.family.is_some();
    let config = match complete {
        true => Config::find_optional(flag)?,
        false => Some(Config::find(flag)?),
    };
    let aws = Aws::load(&args.options.common.aws, config.as_ref(), console).await?;
    let target = common::identity::target(&aws).await?;
    let (from, to) = match config.as_ref().filter(|_| !complete) {
        None => (args.from.clone(), args.to.clone()),
        Some(config) => {
            let variables = Variables::new(&config.schema, &target);
            let source = Source::read(config, &variables, &[])?.map_err(Diagnostic::into_failure)?;
            let family = source.family(&variables)?;
            (args.from.or_family(&family), args.to.or_family(&family))
        }
    };
    let ecs = EcsClient::new(&aws);
    let (one, other) = tokio::join!(described(&ecs, &from, LISTED), described(&ecs, &to, LISTED));
    let (one, other) = (one?, other?);
    let changes = difference(&with_tags(&one), &with_tags(&other), args.options.values());
    let same = changes.is_empty();
    let mut report = Report::new(if same { Outcome::Ok } else { Outcome::No });
    if same {
        console.info(format!("{} and {} are the same", name(&one), name(&other)));
    } else {
        report.exit = Some(Exit::Negative);
    }
    report.lines = changes.iter().map(ToString::to_string).collect();
    let action = if same { "none" } else { "differs" };
    let item = Item::new(
        "task-definition",
        format!("{} -> {}", name(&one), name(&other)),
        action,
    );
    let item = item
        .changes(changes)
        .detail("from", one.arn())
        .detail("to", other.arn());
    report.items.push(item);
    Ok(report)
}

/// The hint where to find a revision.
pub(crate) const LISTED: &str = "`aws ecs list-task-definitions` shows those of this account and region";

/// The revision, which must exist.
///
/// # Errors
/// With `hint` when it does not.
pub(crate) async fn described(ecs: &EcsClient, revision: &Revision, hint: &str) -> Result<TaskDefinition> {
    let found = describe(ecs, &revision.to_string()).await?;
    found.ok_or_else(|| {
        let message = format!("failed to find task definition `{revision}`: ECS has no such revision");
        Failure::error(message).code("not-found").hint(hint).into()
    })
}

/// The definition with its tags.
fn with_tags(registered: &TaskDefinition) -> Value {
    let mut definition = registered.definition.clone();
    if let Some(members) = definition.as_object_mut() {
        members.insert("tags".to_owned(), tags::to_json(&registered.tags));
    }
    definition
}

/// `backend-flask:7`
fn name(registered: &TaskDefinition) -> &str {
    registered.arn().rsplit('/').next().unwrap_or_default()
}
