//! `rollback`: the previous revision again.

use crate::apply::{Job, Sent};
use crate::command::RollbackArgs;
use crate::commands::Commands;
use crate::deploy::{Found, connect, deployable, find, within};
use crate::desired::{self, Names};
use crate::ecs::{Ecs, service_arn};
use crate::events::Events;
use crate::ongoing::Ongoing;
use crate::plan::Plan;
use crate::rollout::{State, short};
use crate::service::{Status, text};
use crate::target::{self, Target};
use anyhow::Result;
use cli::{Change, Console, Failure, Outcome, Report};
use common::config::{Config, Variables};
use reconcile::Tags;
use reconcile::confirm::{can_ask, confirm};
use serde_json::{Value, json};

/// Does it, within the time that the flag or the file gives.
///
/// # Errors
/// When nothing could be done.
pub(crate) async fn run(args: &RollbackArgs, console: &Console, ongoing: &Ongoing) -> Result<Report> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let timeout = args.common.timeout(&config)?;
    within(timeout, console, ongoing, work(args, &config, console, ongoing)).await
}

async fn work(args: &RollbackArgs, config: &Config, console: &Console, ongoing: &Ongoing) -> Result<Report> {
    desired::names(config, &Variables::preview(&config.schema))?;
    let (aws, place) = connect(&args.common, config, console).await?;
    let names = desired::names(config, &Variables::new(&config.schema, &place))?;
    let ecs = Ecs::new(aws_sdk_ecs::Client::new(&aws.sdk), &names.cluster);
    let service = match find(&ecs, &names.service, false, console).await? {
        Found::Service(Some(service)) if service.status == Status::Active => *service,
        _ => {
            let message = format!("failed to roll back service `{}`: there is none", names.service);
            return Err(Failure::error(message)
                .code("no-service")
                .hint("run deploy-service")
                .into());
        }
    };
    let present = short(text(&service.value, "taskDefinition")).to_owned();
    let report = Report::new(Outcome::Unchanged)
        .detail("account", place.account.as_str())
        .detail("region", place.region.as_str())
        .detail("cluster", names.cluster.as_str());
    console.begin(&report);
    let (definition, why) = match &args.task_definition {
        Some(given) => {
            let given = Names {
                task_definition: present.clone(),
                ..names.clone()
            }
            .chosen(Some(given));
            let definition = ecs.task_definition(&given).await?;
            (deployable(definition, &given, &names.service)?, None)
        }
        None => {
            let Target { definition, why } =
                target::find(&ecs, &service, &present, &names.service, console).await?;
            console.info(format!("{}: {why}", names.service));
            (definition, Some(why))
        }
    };
    let target = short(text(&definition, "taskDefinitionArn")).to_owned();
    let no_tags = Tags::new();
    let job = Job {
        ecs: &ecs,
        aws: &aws,
        console,
        ongoing,
        name: &names.service,
        arn: service_arn(&place, &names.cluster, &names.service),
        value: &Value::Null,
        tags: &no_tags,
        definition: &definition,
        force: false,
        wait: !args.no_wait,
        poll: args.common.poll,
        commands: Commands::of(
            &args.common,
            &place.region,
            &names.cluster,
            &names.service,
            can_ask(),
        ),
        leaves: Some(&present),
    };
    let done = target == present;
    let plan = if done {
        // It runs, or its deployment goes on.
        let completed = service.primary().is_some_and(|one| one.state == State::Completed);
        if completed { Plan::Nothing } else { Plan::Await }
    } else {
        Plan::Update {
            fields: json!({"taskDefinition": text(&definition, "taskDefinitionArn")}),
            tags: Tags::new(),
            changes: vec![Change::new("taskDefinition", present.as_str(), target.as_str())],
            later: false,
        }
    };
    let with_why = |mut report: Report| {
        if let (Some(item), Some(why)) = (report.items.last_mut(), &why) {
            item.details.insert("why".into(), why.as_str().into());
        }
        report
    };
    if args.plan.plan_only() {
        return Ok(with_why(job.announce(&plan, report)).checked(args.plan.check));
    }
    let events = Events::before(Some(&service));
    let before = service.last_good();
    let Plan::Update { fields, .. } = &plan else {
        let report = with_why(job.changed(&plan, report));
        return Ok(job.follow(&plan, service, before, events, report).await);
    };
    let action = format!(
        "roll service `{}` back from `{present}` to `{target}`",
        names.service
    );
    confirm(console, args.confirm.yes, &action).await?;
    match job.update(service, fields).await? {
        Sent::Service(made) => {
            console.info(format!(
                "{}: a later run of deploy-service deploys the latest revision again, unless it is told another one",
                names.service
            ));
            let report = with_why(job.changed(&plan, report));
            Ok(job.follow(&plan, *made, before, events, report).await)
        }
        Sent::Outdated => Err(Failure::error(format!(
            "failed to roll back service `{}`: it was deleted in the meantime",
            names.service
        ))
        .into()),
    }
}
