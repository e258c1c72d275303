//! The main job: judge, describe, compare, check ahead, register.

mod registration;

use crate::checks::{Checks, Judged};
use crate::command::RegisterArgs;
use crate::ecs::{Ecs, Registered};
use crate::images::{Ecr, name_planned};
use crate::plan::Plan;
use crate::source::{Source, app_tags, take_tags};
use anyhow::{Context, Result};
use aws_documents::expand::name_unknown;
use aws_documents::{Fault, refuse, task_definition};
use cli::{Change, Console, Item, Outcome, Report};
use common::aws::Aws;
use common::config::{Config, Variables};
use reconcile::Tags;
use registration::Done;
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a role counts as new: IAM has told everybody by then.
const NEW: Duration = Duration::from_secs(300);

/// Does it.
///
/// # Errors
/// When nothing could be done.
pub(crate) async fn run(args: &RegisterArgs, console: &Console) -> Result<Report> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let mut preview = Variables::preview(&config.schema);
    let mut faults = app_tags(&config, &preview)?.1;
    match Source::read(&config, &preview, &args.images)? {
        Err(fault) => faults.push(fault),
        Ok(source) => {
            for image in &source.images {
                if let Some(given) = &image.given {
                    preview.set(format!("image.{}", image.name), given);
                }
            }
            let expanded = source.expand(&preview);
            faults.extend(expanded.map_or_else(|faults| faults, |(_, faults)| faults));
        }
    }
    let faults: Vec<Fault> = faults.into_iter().map(name_unknown).collect();
    if let Some(report) = refuse(&faults, console) {
        return Ok(report);
    }

    let aws = Aws::load(&args.common.aws, Some(&config), console).await?;
    let caller = common::identity::caller(&aws).await?;
    let place = aws.place(&caller.account)?;
    let mut variables = Variables::new(&config.schema, &place);
    let tags = app_tags(&config, &variables)?.0;
    // Again, now that account and region are known: names may be made of them.
    let source = Source::read(&config, &variables, &args.images)?.map_err(Fault::into_failure)?;
    let family = source.family(&variables)?;
    let ecs = Ecs::new(aws_sdk_ecs::Client::new(&aws.sdk));
    let ecr = Ecr {
        sdk: &aws.sdk,
        place: &place,
    };
    // Both at once; that ECS can't be asked is told first.
    let images = async { Ok(ecr.resolve(&source.images).await) };
    let (latest, images) = tokio::try_join!(ecs.describe(&family), images)?;
    let images = images?;
    for (name, reference) in &images.references {
        variables.set(format!("image.{name}"), reference);
    }
    // The warnings have been told.
    let (document, faults) = match source.expand(&variables) {
        Ok((document, faults)) => (Some(document), faults),
        Err(faults) => (None, faults),
    };
    let errors: Vec<Fault> = faults.into_iter().filter(Fault::is_error).collect();
    if let Some(report) = refuse(&errors, console) {
        return Ok(report);
    }
    let document = document.context("failed to expand the task definition")?;
    let mut definition = document.to_value();
    // ECS may repeat what it does not like.
    task_definition::secrets(&definition)
        .iter()
        .for_each(|secret| console.redact(secret));
    let tags = take_tags(&mut definition, &tags);
    let plan = Plan::new(&definition, &tags, latest.as_ref());

    let mut report = Report::new(Outcome::Unchanged)
        .detail("account", place.account.as_str())
        .detail("region", place.region.as_str())
        .detail("identity", caller.arn);
    let mut role_is_new = None;
    if matches!(plan, Plan::Register(_)) {
        let checks = Checks {
            sdk: &aws.sdk,
            place: &place,
            config: &config,
            document: &document,
            images: &images,
            plan_only: args.plan.plan_only(),
        };
        let judged = checks.run().await?;
        tell(&judged, &mut report, console);
        role_is_new = judged.youngest_role.map(|made| is_new(made.secs()));
        if let Some(refused) = refuse(&judged.faults, console) {
            return Ok(refused);
        }
    }
    let job = Job {
        ecs: &ecs,
        console,
        family: &family,
        definition: &definition,
        tags: &tags,
    };
    if args.plan.plan_only() {
        return Ok(job
            .announce(&plan, latest.as_ref(), report)
            .checked(args.plan.check));
    }
    job.apply(plan, latest, role_is_new, report).await
}

/// What is only planned, and what could not be judged.
fn tell(judged: &Judged, report: &mut Report, console: &Console) {
    for planned in &judged.planned {
        let (kind, name, after) = (planned.kind.replace('-', " "), &planned.name, planned.after);
        console.info(format!("{kind} `{name}`: planned (after {after})"));
        report.items.push(planned.item());
    }
    for what in &judged.not_judged {
        console.warn(format!("not judged: {what}"));
    }
}

fn is_new(made: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let made = Duration::from_secs(u64::try_from(made).unwrap_or_default());
    now.saturating_sub(made) < NEW
}

/// One task definition, on its way to ECS.
struct Job<'a> {
    ecs: &'a Ecs,
    console: &'a Console,
    family: &'a str,
    definition: &'a Value,
    tags: &'a Tags,
}

impl Job<'_> {
    /// `--dry-run`: what would be done.
    fn announce(&self, plan: &Plan, latest: Option<&Registered>, mut report: Report) -> Report {
        let item = self.item(plan, plan.action(latest), latest);
        self.console.announce(&item, true);
        if *plan != Plan::Nothing {
            report.outcome = Outcome::Planned;
        }
        // What is to be registered has no ARN yet.
        if let (Plan::Nothing | Plan::Tag(..), Some(latest)) = (plan, latest) {
            report.lines.push(latest.arn().to_owned());
        }
        report.items.push(item);
        report
    }

    async fn apply(
        &self,
        plan: Plan,
        latest: Option<Registered>,
        role_is_new: Option<bool>,
        mut report: Report,
    ) -> Result<Report> {
        self.console.begin(&report);
        let mut action = plan.action(latest.as_ref());
        let mut plan = plan;
        let revision = match &plan {
            Plan::Nothing => latest,
            Plan::Tag(tags, _) => {
                let arn = latest.as_ref().map(Registered::arn).unwrap_or_default();
                let words = format!("ecs:TagResource for task definition `{arn}`");
                self.console.in_flight(words, self.ecs.tag(arn, tags)).await?;
                latest
            }
            Plan::Register(_) => match self.register(role_is_new).await? {
                Done::New(registered) => {
                    self.verify(&registered);
                    Some(registered)
                }
                Done::Same(registered) => {
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

    /// What ECS made of it must be what was sent: else every run would register another one.
    fn verify(&self, registered: &Registered) {
        for change in task_definition::difference(&registered.definition, self.definition) {
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

    fn item(&self, plan: &Plan, action: &str, revision: Option<&Registered>) -> Item {
        let mut changes = plan.changes().to_vec();
        for change in &mut changes {
            if let Value::String(text) = &mut change.to {
                *text = name_planned(text);
            }
        }
        let item = Item::new("task-definition", self.family, action).changes(changes);
        let Some(revision) = revision else { return item };
        item.detail("arn", revision.arn())
            .detail("revision", revision.revision())
    }
}
