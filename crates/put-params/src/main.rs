//! `put-params` writes the parameters of `ops.toml` to SSM's Parameter Store.
//!
//! Every value is read and checked before the first call to AWS, and all faults are told at once. Then it
//! reads what is there, and writes only what differs. Values are held in secret types from the source to
//! the call: no message, report or log shows one.
//!
//! stdout: a line for each parameter: name, what was done, version, source.
//! stderr: warnings, what is wrong, and that running tasks keep the old values.

mod aws_keys;
mod entry;
mod fault;
mod listing;
mod name;
mod pace;
mod params;
mod plan;
mod refusal;
mod source;
mod store;
mod survey;
mod value;
mod writer;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<params::Args>("put-params") {
        Ok(args) => {
            let console = Console::new("put-params", &args.output);
            runtime::run(&console, Some(args.timeout), params::run(&args, &console))
        }
        Err(code) => code,
    }
}
