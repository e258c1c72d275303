//! `put-params` writes the parameters of `ops.toml` to SSM's Parameter Store.
//!
//! Every value is read and checked before the first call to AWS, and all errors are reported at once. Then the
//! existing parameters are read, and only what differs is written. Values are held in secret types from the source
//! to the call: no message, report or log contains one.
//!
//! stdout: a line for each parameter: name, what was done, version, source.
//! stderr: warnings, errors, and a note that running tasks keep the old values.

mod args;
mod aws_keys;
mod entry;
mod error;
mod fetch;
mod name;
mod plan;
mod put;
mod rate;
mod row;
mod source;
mod ssm_error;
mod store;
mod value;
mod writer;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<args::Args>("put-params") {
        Ok(args) => {
            let console = Console::new("put-params", &args.common.output);
            runtime::run(&console, args.timeout, put::run(&args, &console))
        }
        Err(code) => code,
    }
}
