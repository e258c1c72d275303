//! One run: the files, the account, the loop over the roles, and the simulation.

use crate::args::Args;
use crate::client::Iam;
use crate::desired::load;
use crate::resource::Role;
use crate::simulate::{Question, simulate};
use anyhow::Result;
use aws_documents::Diagnostic;
use cli::{Console, Failure, Item, Report};
use common::aws::Client;
use common::aws::service::IAM;
use common::config::{AwsTarget, Config, Variables, partition_of};
use common::documents::{name_unknown, report_errors};
use common::session::Session;
use reconcile::{Mode, reconcile};
use serde_json::Value;

/// Makes the roles what `ops.toml` says.
///
/// # Errors
/// When nothing could be done. Where something was changed, the report carries the error.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let preview = Variables::preview(&config.schema);
    let mut diagnostics = load(&config, &args.names, &preview, None)?.diagnostics;
    if args.simulate {
        let question = Question::read(&config, &AwsTarget::unknown())?;
        diagnostics.extend(question.err().unwrap_or_default());
    }
    let diagnostics: Vec<Diagnostic> = diagnostics.into_iter().map(name_unknown).collect();
    if let Some(report) = report_errors(&diagnostics, console) {
        return Ok(report);
    }

    let session = Session::open(&args.common.aws, &config, console).await?;
    let target = &session.target;
    let variables = Variables::new(&config.schema, target);
    let loaded = load(
        &config,
        &args.names,
        &variables,
        Some(partition_of(&target.region)),
    )?;
    // The warnings have been printed.
    let errors: Vec<Diagnostic> = loaded
        .diagnostics
        .into_iter()
        .filter(Diagnostic::is_error)
        .collect();
    if let Some(report) = report_errors(&errors, console) {
        return Ok(report);
    }

    let iam = Iam {
        client: Client::new(&session.aws, &IAM),
        console,
    };
    let roles = loaded.roles.into_iter().map(|desired| Role {
        iam: &iam,
        desired,
        target,
        prune: args.prune,
    });
    let roles: Vec<Role> = roles.collect();
    let mode = Mode {
        plan: args.plan,
        yes: args.confirm.yes,
    };
    let report = reconcile(console, &roles, mode, session.report()).await?;
    if !args.simulate || report.error.is_some() {
        return Ok(report);
    }
    let question = Question::read(&config, target)?;
    let question =
        question.map_err(|_| Failure::error("failed to read the task definition a second time"))?;
    if args.plan.plan_only() && is_planned(&question, &report) {
        console.warn(format!("not judged: role `{}` is only planned", question.name()));
        return Ok(report);
    }
    simulate(&iam, &question, report).await
}

/// Whether the plan creates the role that is simulated.
fn is_planned(question: &Question, report: &Report) -> bool {
    let is_it = |item: &Item| {
        item.action == "create" && item.details.get("arn").and_then(Value::as_str) == Some(question.role())
    };
    report.items.iter().any(is_it)
}
