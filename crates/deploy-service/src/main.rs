//! `deploy-service` creates the ECS service of `ops.toml`, or updates it, and waits until the new deployment is the one
//! that runs.
//!
//! Success is decided by identity: the deployment that this run started has completed, and the primary deployment runs
//! the task definition that was asked for. A service that only looks stable may have been rolled back.
//!
//! stdout: the ARN of the service; the lines of a log for `run` and `logs`.
//! stderr: what differs, field by field; what the deployment does, and why tasks stop.

mod apply;
mod args;
mod cadence;
mod context;
mod deploy;
mod deployer;
mod desired;
mod evaluator;
mod events;
mod log_stream;
mod logs;
mod manual_commands;
mod outcome;
mod plan;
mod poll;
mod rollback;
mod rollback_target;
mod rollout;
mod run;
mod service;
mod status;
mod stopped_task;
mod waiter;

use anyhow::Result;
use args::{Args, Command};
use cli::{Console, Report};
use context::InvalidDocument;
use runtime::Deadline;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match cli::parse::<Args>("deploy-service") {
        Ok(args) => args,
        Err(code) => return code,
    };
    let console = Console::new("deploy-service", &args.service().common.output);
    let deadline = Deadline::new(args.service().timeout);
    let work = async {
        let result = work(&args, &console, &deadline).await;
        result.or_else(|error| Ok(*error.downcast::<InvalidDocument>()?.0))
    };
    runtime::run(&console, deadline.clone(), work)
}

async fn work(args: &Args, console: &Console, deadline: &Deadline) -> Result<Report> {
    let (config, timeout) = context::load(args.service())?;
    deadline.set(Some(timeout));
    match &args.command {
        None => deploy::run(&args.deploy, &config, console).await,
        Some(Command::Status(status)) => status::run(status, &config, console).await,
        Some(Command::Rollback(rollback)) => rollback::run(rollback, &config, console).await,
        Some(Command::Run(run)) => run::run(run, &config, console).await,
        Some(Command::Logs(logs)) => {
            if logs.follow && logs.service.timeout.is_none() {
                deadline.set(None);
            }
            logs::run(logs, &config, console).await
        }
    }
}
