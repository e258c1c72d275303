//! `db-test` connects to PostgreSQL as the app would, and reports the stage at which the connection fails.
//!
//! It reads the connection string from an environment variable, `$CONNECTION_URL` unless `--url-env` names another
//! one, and interprets it as libpq does: hosts, addresses, sockets, `sslmode`, `PG*` variables. One deadline covers
//! the whole run.
//!
//! stdout: `attempting connection`, then `Connection successful!` or `Unable to connect to the database: …`; nothing
//! when the connection string is missing or invalid.
//! stderr: the stages (config, dns, tcp, tls, auth, query), each with its duration.
//! Neither stream ever holds the password or the connection string.

mod args;
mod attempt;
mod attempts;
mod auth_sniffer;
mod config;
mod connect_error;
mod deadline;
mod driver_error;
mod endpoint;
mod event;
mod hints;
mod login;
mod probe;
mod progress;
mod resolver;
mod session;
mod stages;
mod stream;
mod tls;
mod tls_hints;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<args::Args>("db-test") {
        Ok(args) => {
            let console = Console::new("db-test", &args.output);
            console.finish(Ok(probe::run(&args, &console)))
        }
        Err(code) => code,
    }
}
