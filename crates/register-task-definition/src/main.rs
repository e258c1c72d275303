//! `register-task-definition` registers the task definition of `ops.toml`, when it differs from the latest
//! revision of its family.
//!
//! The file has AWS's own shape; `${image.NAME}` becomes the digest that ECR has now. What Fargate would reject, and
//! what would fail only when a task starts, is reported before, all at once and with line and column. `init` writes the
//! file from a live revision, `diff` compares two of them.
//!
//! stdout: the ARN of the revision.
//! stderr: what differs, field by field; errors and warnings about the file.

mod args;
mod checks;
mod diff;
mod download;
mod images;
mod init;
mod placeholders;
mod plan;
mod register;
mod revision;
mod source;

use args::{Args, Command};
use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match cli::parse::<Args>("register-task-definition") {
        Ok(args) => args,
        Err(code) => return code,
    };
    let options = args.options();
    let console = Console::new("register-task-definition", &options.common.output);
    let work = async {
        match &args.command {
            None => register::run(&args.register, &console).await,
            Some(Command::Init(init)) => init::run(init, &console).await,
            Some(Command::Diff(diff)) => diff::run(diff, &console).await,
        }
    };
    runtime::run(&console, Some(options.timeout), work)
}
