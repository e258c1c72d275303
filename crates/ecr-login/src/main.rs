//! `ecr-login` signs `docker` in to the account's private ECR registry.
//!
//! It requests a token from ECR and stores it where `docker` looks for it: in the credential helper that is
//! configured for the host, else in docker's `config.json`. That file is replaced atomically, only its owner can
//! read it, and its other entries are kept.
//!
//! stdout: `HOST until TIME`, the registry and the time at which the token expires.
//! stderr: where the token was stored.
//! The token is never printed, and never part of a command line.

mod args;
mod login;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<args::Args>("ecr-login") {
        Ok(args) => {
            let console = Console::new("ecr-login", &args.common.output);
            runtime::run(&console, args.timeout, login::run(&args, &console))
        }
        Err(code) => code,
    }
}
