//! `deploy-service` makes the ECS service of `ops.toml`, or updates it, and waits until the new deployment is
//! the one that runs.
//!
//! Success is decided by identity: our own deployment completed, and the primary one runs the task definition
//! that was asked for. A service that is merely stable may have been rolled back.
//!
//! stdout: the service's ARN; the lines of a log for `run` and `logs`.
//! stderr: what differs, field by field; what the deployment does, and why tasks stop.

mod apply;
mod command;
mod commands;
mod container;
mod deploy;
mod desired;
mod ecs;
mod events;
mod follow;
mod history;
mod judge;
mod log;
mod logs;
mod namespaces;
mod ongoing;
mod plan;
mod refusal;
mod rollback;
mod rollout;
mod run;
mod service;
mod status;
mod stopped;
mod target;
mod verdict;
mod watch;

use cli::Console;
use command::{Args, Command};
use ongoing::Ongoing;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match cli::parse::<Args>("deploy-service") {
        Ok(args) => args,
        Err(code) => return code,
    };
    let console = Console::new("deploy-service", &args.common().output);
    let ongoing = Ongoing::default();
    let work = async {
        match &args.command {
            None => deploy::run(&args.deploy, &console, &ongoing).await,
            Some(Command::Status(status)) => status::run(status, &console).await,
            Some(Command::Rollback(rollback)) => rollback::run(rollback, &console, &ongoing).await,
            Some(Command::Run(run)) => run::run(run, &console, &ongoing).await,
            Some(Command::Logs(logs)) => logs::run(logs, &console).await,
        }
    };
    // The deadline is our own: `ops.toml` may set it, and what goes on then has to be told. That of the command
    // line holds also where we are held up.
    let timeout = args.common().timeout;
    runtime::run_or_leave(&console, timeout, work, || ongoing.leave(&console))
}
