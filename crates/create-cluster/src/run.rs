//! One run: the file, the account, and the loop.

use crate::args::Args;
use crate::plan::Desired;
use crate::resource::EcsCluster;
use crate::validation::validate;
use anyhow::Result;
use cli::{Console, Report};
use common::config::{Cluster, Config, Variables};
use common::session::Session;
use reconcile::{Mode, reconcile};

/// Makes the cluster what `ops.toml` says.
///
/// # Errors
/// When nothing could be done. Where something was changed, the report carries the error.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let preview = Variables::preview(&config.schema);
    cluster(&config, &preview)?;
    config.tags(&preview)?;

    let session = Session::open(&args.common.aws, &config, console).await?;
    let variables = Variables::new(&config.schema, &session.target);
    let tags = config.tags(&variables)?.0.into_iter().collect();
    let desired = Desired::new(cluster(&config, &variables)?, tags, &session.target);
    let resource = EcsCluster::new(&session, console, desired);
    let mode = Mode {
        plan: args.plan,
        yes: false,
    };
    reconcile(console, &[resource], mode, session.report()).await
}

/// `[cluster]`, checked.
fn cluster(config: &Config, variables: &Variables) -> Result<Cluster> {
    let cluster = config
        .cluster(variables)?
        .ok_or_else(|| config.no_table("cluster"))?;
    validate(&cluster)?;
    Ok(cluster)
}
