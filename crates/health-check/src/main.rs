//! `health-check` asks an HTTP endpoint whether the app is well: the container's own health check.
//!
//! stdout: `Flask server is running` or `Flask server is not running`.
//! stderr: nothing when it runs, one line with the cause for each address when it does not.
//!
//! Exit codes: 0 and 1 alone, for a wrong command line too, because container engines reserve the rest.

mod exchange;
mod probe;
mod target;

use cli::{Console, Exit};
use std::process::ExitCode;

const TOOL: &str = "health-check";

fn main() -> ExitCode {
    match cli::parse_from::<probe::Args>(TOOL, std::env::args_os(), Exit::Negative) {
        Ok(args) => {
            let console = Console::new(TOOL, &args.output).on_write_error(Exit::Negative);
            console.finish(Ok(probe::run(&args, &console)))
        }
        Err(code) => code,
    }
}
