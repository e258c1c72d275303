//! `create-repository` makes the private ECR repositories of `ops.toml`, and keeps them as the file says.
//!
//! It describes each repository first and changes only what differs: tag mutability and its exceptions, scan on
//! push, repository policy, lifecycle policy, tags. Before a lifecycle policy is put, ECR's own preview shows
//! which images it would delete, and somebody has to say yes to that. What the file does not name stays as it is.
//!
//! stdout: the URI of each repository, or with `--export` lines for a shell (`export NAME=URI`).
//! stderr: what was created or changed, field by field.

mod apply;
mod check;
mod desired;
mod lifecycle;
mod plan;
mod preview;
mod repository;
mod store;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<repository::Args>("create-repository") {
        Ok(args) => {
            let console = Console::new("create-repository", &args.output);
            runtime::run(&console, Some(args.timeout), repository::run(&args, &console))
        }
        Err(code) => code,
    }
}
