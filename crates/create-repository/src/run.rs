//! One run: the files, the account, and the loop over the repositories.

use crate::args::Args;
use crate::client::Ecr;
use crate::desired::load;
use crate::resource::EcrRepository;
use anyhow::Result;
use aws_documents::Diagnostic;
use aws_sdk_ecr::Client;
use cli::{Console, Report};
use common::config::{Config, Variables, partition_of};
use common::documents::report_errors;
use common::session::Session;
use reconcile::{Mode, reconcile};
use std::cell::OnceCell;

/// Makes the repositories what `ops.toml` says.
///
/// # Errors
/// When nothing could be done. Where something was changed, the report carries the error.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let preview = load(&config, &args.names, &Variables::preview(&config.schema), None)?;
    // Warnings are printed once, when the partition is known.
    let errors: Vec<_> = preview
        .diagnostics
        .into_iter()
        .filter(Diagnostic::is_error)
        .collect();
    if let Some(report) = report_errors(&errors, console) {
        return Ok(report);
    }

    let session = Session::open(&args.common.aws, &config, console).await?;
    let partition = partition_of(&session.target.region);
    let variables = Variables::new(&config.schema, &session.target);
    let loaded = load(&config, &args.names, &variables, Some(partition))?;
    if let Some(report) = report_errors(&loaded.diagnostics, console) {
        return Ok(report);
    }
    let report = session.report();
    let ecr = Ecr {
        client: Client::new(&session.aws.sdk),
        console,
        target: session.target,
    };
    let repositories = loaded.repositories.into_iter().map(|desired| EcrRepository {
        ecr: &ecr,
        desired,
        export: args.export,
        forecast: OnceCell::new(),
    });
    let repositories: Vec<EcrRepository> = repositories.collect();
    let mode = Mode {
        plan: args.plan,
        yes: args.confirm.yes,
    };
    reconcile(console, &repositories, mode, report).await
}
