//! `ecr-login` signs `docker` in to the account's private ECR registry.
//!
//! It gets a token from ECR and stores it where `docker` will find it: with the credential helper that
//! covers the host, else in docker's `config.json`, which is replaced in one step, is readable by its
//! owner alone, and keeps everything else that stands in it.
//!
//! stdout: `HOST until TIME`, the registry and the end of the login.
//! stderr: where the token was stored.
//! The token is printed nowhere, and on no command line.

mod login;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<login::Args>("ecr-login") {
        Ok(args) => {
            let console = Console::new("ecr-login", &args.output);
            runtime::run(&console, Some(args.timeout), login::run(&args, &console))
        }
        Err(code) => code,
    }
}
