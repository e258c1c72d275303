//! `health-check` asks an HTTP endpoint whether the app is healthy, as the health check of its container.
//!
//! stdout: `Flask server is running` or `Flask server is not running`.
//! stderr: nothing when the app is healthy, otherwise one line with the cause for each address.
//!
//! Exit codes: only 0 and 1, for usage errors too, because container engines reserve the rest.

mod args;
mod error;
mod probe;
mod request;
mod target;

use cli::{Console, Exit};
use std::process::ExitCode;

const TOOL: &str = "health-check";

fn main() -> ExitCode {
    match cli::parse_from::<args::Args>(TOOL, std::env::args_os(), Exit::Negative) {
        Ok(args) => {
            let console = Console::new(TOOL, &args.output).on_write_error(Exit::Negative);
            console.finish(Ok(probe::run(&args, &console)))
        }
        Err(code) => code,
    }
}
