//! The main job: check the file, compare it with the latest revision, register a new one.

mod registration;

pub(crate) use registration::describe;

use crate::args::RegisterArgs;
use crate::checks::{self, Checks, Findings};
use crate::images::{Ecr, show_planned_digest};
use crate::plan::Plan;
use crate::source::{Source, app_tags, take_tags};
use anyhow::{Context, Result};
use aws_documents::{Diagnostic, Values, task_definition};
use cli::{Change, Console, Item, Outcome, Report};
use common::config::{Config, Variables};
use common::documents::{name_unknown, report_errors};
use common::session::Session;
use ecs::{EcsClient, TaskDefinition};
use reconcile::Tags;
use registration::{Registered, Registration};
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a role counts as new. IAM documents no bound; its changes are usually visible everywhere within seconds.
const NEW_ROLE: Duration = Duration::from_secs(300);

/// Registers the file when it differs from the latest revision, or prints the plan.
///
/// # Errors
/// When the plan can't be made, or the registration failed.
pub(crate) async fn run(args: &RegisterArgs, console: &Console) -> Result<Report> {
    let config = Config::find(args.options.common.config.config.as_deref())?;
    let found = preview(args, &config)?;
    if let Some(report) = report_errors(&found, console) {
        return Ok(report);
    }

    let session = Session::open(&args.options.common.aws, &config, console).await?;
    let (aws, target) = (&session.aws, &session.target);
    let mut variables = Variables::new(&config.schema, target);
    let tags = app_tags(&config, &variables)?.0;
    // A second time, now that account and region are known: names may contain them.
    let source = Source::read(&config, &variables, &args.images)?.map_err(Diagnostic::into_failure)?;
    let family = source.family(&variables)?;
    let ecs = EcsClient::new(aws);
    let ecr = Ecr {
        sdk: &aws.sdk,
        target,
    };
    // Both at once; an error of ECS is reported before one of ECR.
    let images = async { Ok(ecr.resolve(&source.images).await) };
    let (latest, images) = tokio::try_join!(describe(&ecs, &family), images)?;
    let images = images?;
    for (name, reference) in &images.references {
        variables.set(format!("image.{name}"), reference);
    }
    // The warnings have been printed.
    let (document, found) = match source.expand(&variables) {
        Ok((document, found)) => (Some(document), found),
        Err(found) => (None, found),
    };
    let errors: Vec<Diagnostic> = found.into_iter().filter(Diagnostic::is_error).collect();
    if let Some(report) = report_errors(&errors, console) {
        return Ok(report);
    }
    let document = document.context("failed to expand the task definition")?;
    let mut definition = document.to_value();
    let values = args.options.values();
    if values == Values::Hidden {
        // An error message of ECS may repeat a value.
        for secret in task_definition::secrets(&definition) {
            console.redact(&secret);
        }
    }
    let tags = take_tags(&mut definition, &tags);
    let plan = Plan::new(&definition, &tags, latest.as_ref(), values);

    let mut report = session.report();
    let mut role_is_new = None;
    if matches!(plan, Plan::Register(_)) {
        let checks = Checks {
            aws,
            target,
            config: &config,
            document: &document,
            images: &images,
            plan_only: args.plan.plan_only(),
        };
        let findings = checks::run(&checks).await?;
        print_findings(&findings, &mut report, console);
        role_is_new = findings.youngest_role.map(|created| is_new(created.secs()));
        if let Some(rejected) = report_errors(&findings.diagnostics, console) {
            return Ok(rejected);
        }
    }
    let reconciler = Reconciler {
        ecs: &ecs,
        console,
        family: &family,
        definition: &definition,
        tags: &tags,
        values,
    };
    if args.plan.plan_only() {
        return Ok(reconciler
            .announce(&plan, latest.as_ref(), report)
            .checked(args.plan.check));
    }
    reconciler.apply(plan, latest, role_is_new, report).await
}

/// What is wrong with the file, as far as it can be seen without a call to AWS.
fn preview(args: &RegisterArgs, config: &Config) -> Result<Vec<Diagnostic>> {
    let mut variables = Variables::preview(&config.schema);
    let mut found = app_tags(config, &variables)?.1;
    match Source::read(config, &variables, &args.images)? {
        Err(diagnostic) => found.push(diagnostic),
        Ok(source) => {
            for image in &source.images {
                if let Some(given) = &image.given {
                    variables.set(format!("image.{}", image.name), given);
                }
            }
            found.extend(match source.expand(&variables) {
                Ok((_, found)) | Err(found) => found,
            });
        }
    }
    Ok(found.into_iter().map(name_unknown).collect())
}

/// What an earlier step is planned to create, and what could not be checked.
fn print_findings(findings: &Findings, report: &mut Report, console: &Console) {
    for planned in &findings.planned {
        let (kind, name, after) = (planned.kind.replace('-', " "), &planned.name, planned.after);
        console.info(format!("{kind} `{name}`: planned (after {after})"));
        report.items.push(planned.item());
    }
    for what in &findings.not_checked {
        console.warn(format!("not judged: {what}"));
    }
}

fn is_new(created: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let created = Duration::from_secs(u64::try_from(created).unwrap_or_default());
    now.saturating_sub(created) < NEW_ROLE
}

/// Brings ECS to the desired task definition.
struct Reconciler<'a> {
    ecs: &'a EcsClient,
    console: &'a Console,
    family: &'a str,
    definition: &'a Value,
    tags: &'a Tags,
    values: Values,
}

impl Reconciler<'_> {
    /// Prints the plan of `--dry-run`.
    fn announce(&self, plan: &Plan, latest: Option<&TaskDefinition>, mut report: Report) -> Report {
        let item = self.item(plan, plan.action(latest), latest);
        self.console.announce(&item, true);
        if *plan != Plan::Nothing {
            report.outcome = Outcome::Planned;
        }
        // A revision that is not registered has no ARN yet.
        if let (Plan::Nothing | Plan::Tag(..), Some(latest)) = (plan, latest) {
            report.lines.push(latest.arn().to_owned());
        }
        report.items.push(item);
        report
    }

    async fn apply(
        &self,
        plan: Plan,
        latest: Option<TaskDefinition>,
        role_is_new: Option<bool>,
        mut report: Report,
    ) -> Result<Report> {
        self.console.begin(&report);
        let mut action = plan.action(latest.as_ref());
        let mut plan = plan;
        let revision = match &plan {
            Plan::Nothing => latest,
            Plan::Tag(tags, _) => {
                let arn = latest.as_ref().map(TaskDefinition::arn).unwrap_or_default();
                let words = format!("ecs:TagResource for task definition `{arn}`");
                self.console.in_flight(words, self.tag(arn, tags)).await?;
                latest
            }
            Plan::Register(_) => match self.registration().register(role_is_new).await? {
                Registered::New(registered) => {
                    self.verify(&registered);
                    Some(registered)
                }
                Registered::Existing(registered) => {
                    action = "none";
                    plan = Plan::Nothing;
                    Some(registered)
                }
            },
        };
        if plan != Plan::Nothing {
            report.outcome = Outcome::Changed;
        }
        let item = self.item(&plan, action, revision.as_ref());
        self.console.announce(&item, false);
        report.items.push(item);
        report
            .lines
            .extend(revision.map(|revision| revision.arn().to_owned()));
        Ok(report)
    }

    fn registration(&self) -> Registration<'_> {
        Registration {
            ecs: self.ecs,
            console: self.console,
            family: self.family,
            definition: self.definition,
            tags: self.tags,
        }
    }

    async fn tag(&self, arn: &str, tags: &Tags) -> Result<()> {
        let tagged = self.ecs.tag_resource(arn, tags).await;
        tagged.map_err(|error| error.context(format!("failed to tag task definition `{arn}`")))
    }

    /// Warns when ECS stored something else than was sent: every run would register another revision.
    fn verify(&self, registered: &TaskDefinition) {
        for change in task_definition::difference(&registered.definition, self.definition, self.values) {
            let Change { path, from, to } = &change;
            let from = if from.is_null() {
                "nothing".to_owned()
            } else {
                from.to_string()
            };
            self.console.warn(format!(
                "ECS keeps `{path}` as {from}, and the file has {to}: the next run will register another revision"
            ));
        }
    }

    fn item(&self, plan: &Plan, action: &str, revision: Option<&TaskDefinition>) -> Item {
        let mut changes = plan.changes().to_vec();
        for change in &mut changes {
            if let Value::String(text) = &mut change.to {
                *text = show_planned_digest(text);
            }
        }
        let item = Item::new("task-definition", self.family, action).changes(changes);
        let Some(revision) = revision else { return item };
        item.detail("arn", revision.arn())
            .detail("revision", revision.revision())
    }
}
