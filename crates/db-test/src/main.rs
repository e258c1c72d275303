//! `db-test` connects to PostgreSQL as the app would, and says at which stage it fails.
//!
//! The connection string comes from a variable, `$CONNECTION_URL` unless `--url-env` names another one, and means
//! what it means to libpq: hosts, addresses, sockets, `sslmode`, `PG*` variables. One deadline covers everything.
//!
//! stdout: `attempting connection`, then `Connection successful!` or `Unable to connect to the database: …`; nothing
//! when there is no connection string that makes sense.
//! stderr: the stages (config, dns, tcp, tls, auth, query), each with its time.
//! Neither holds the password or the connection string.

mod attempt;
mod certificate;
mod fault;
mod hints;
mod limit;
mod negotiation;
mod places;
mod probe;
mod progress;
mod round;
mod session;
mod setup;
mod stages;
mod trust;
mod verifier;
mod watch;
mod wire;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<probe::Args>("db-test") {
        Ok(args) => {
            let console = Console::new("db-test", &args.output);
            console.finish(probe::run(&args, &console))
        }
        Err(code) => code,
    }
}
