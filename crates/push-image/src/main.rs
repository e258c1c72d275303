//! `push-image` brings the images of `ops.toml` into the account's private ECR registry: it copies them from
//! another registry or builds them, through the Docker engine, and pushes what ECR does not have yet.
//!
//! It gets its own login from ECR, which goes to the engine and nowhere else. ECR is asked before anything is
//! pushed, and again afterwards: what is printed is the digest that ECR has.
//!
//! stdout: `REPOSITORY_URI@sha256:…`, one line an image; with `--dry-run`, `REPOSITORY_URI:TAG would be pushed`
//! for one that is not there yet.
//! stderr: the steps of a build, the layers of a pull and a push, and what became of each image.

mod context;
mod desired;
mod destination;
mod dockerfile;
mod done;
mod ecr;
mod engine;
mod plan;
mod push;
mod pusher;
mod remote;
mod secret;
mod source;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<push::Args>("push-image") {
        Ok(args) => {
            let console = Console::new("push-image", &args.output);
            let work = async { Ok(push::run(&args, &console).await) };
            runtime::run(&console, Some(args.timeout), work)
        }
        Err(code) => code,
    }
}
