//! `create-repository` makes the private ECR repositories of `ops.toml`, and keeps them as the file says.
//!
//! It describes each repository first and changes only what differs: tag mutability, scan on push,
//! tags. What the file does not name stays as it is; nothing is deleted.
//!
//! stdout: the URI of each repository, or with `--export` lines for a shell (`export NAME=URI`).
//! stderr: what was created or changed, field by field.

mod plan;
mod repository;
mod store;

use common::{Console, cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<repository::Args>("create-repository") {
        Ok(args) => {
            let console = Console::new("create-repository", &args.output);
            common::runtime::run(&console, Some(args.timeout), repository::run(&args, &console))
        }
        Err(code) => code,
    }
}
