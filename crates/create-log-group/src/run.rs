//! One run: the file, the account, and the loop.

use crate::args::Args;
use crate::plan::Desired;
use crate::resource::CloudWatchLogGroup;
use crate::validation::validate;
use anyhow::Result;
use cli::{Console, Report};
use common::aws::Client;
use common::aws::service::LOGS;
use common::config::{Config, LogGroup, Variables};
use common::session::Session;
use reconcile::{Mode, reconcile};
use std::cell::Cell;

/// Makes the log group what `ops.toml` says.
///
/// # Errors
/// When nothing could be done. Where something was changed, the report carries the error.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let preview = Variables::preview(&config.schema);
    log_group(&config, &preview)?;
    config.tags(&preview)?;

    let session = Session::open(&args.common.aws, &config, console).await?;
    let variables = Variables::new(&config.schema, &session.target);
    let tags = config.tags(&variables)?.0.into_iter().collect();
    let desired = Desired::new(log_group(&config, &variables)?, tags, &session.target);
    let resource = CloudWatchLogGroup {
        client: Client::new(&session.aws, &LOGS),
        console,
        desired,
        region: &session.target.region,
        is_empty: Cell::default(),
    };
    let mode = Mode {
        plan: args.plan,
        yes: args.confirm.yes,
    };
    reconcile(console, &[resource], mode, session.report()).await
}

/// `[log_group]`, checked.
fn log_group(config: &Config, variables: &Variables) -> Result<LogGroup> {
    let group = config
        .log_group(variables)?
        .ok_or_else(|| config.no_table("log_group"))?;
    validate(&group)?;
    Ok(group)
}
