//! `push-image` brings the images of `ops.toml` into the account's private ECR registry: it copies them from
//! another registry or builds them, through the Docker engine, and pushes what ECR does not have yet.
//!
//! It requests its own login from ECR, and sends that login to the engine only. It reads ECR's tags before a push
//! and again after it, and prints the digest that ECR returned.
//!
//! stdout: `REPOSITORY_URI@sha256:…`, one line per image; with `--dry-run`, `REPOSITORY_URI:TAG would be pushed`
//! for an image that ECR does not have.
//! stderr: the steps of a build, the layers of a pull and a push, and the result of each image.

mod args;
mod build_input;
mod context;
mod desired;
mod destination;
mod dockerfile;
mod ecr;
mod engine;
mod image_context;
mod plan;
mod pusher;
mod remote;
mod result;
mod run;
mod secret_args;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<args::Args>("push-image") {
        Ok(args) => {
            let console = Console::new("push-image", &args.common.output);
            let work = async { Ok(run::run(&args, &console).await) };
            runtime::run(&console, args.timeout, work)
        }
        Err(code) => code,
    }
}
