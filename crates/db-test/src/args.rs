//! The command line.

use clap::Parser;
use cli::{OutputArgs, duration};
use std::ffi::OsString;
use std::time::Duration;

/// Test the connection to PostgreSQL, stage by stage
///
/// Connects as the app would: the connection string in $CONNECTION_URL means
/// what it means to psql and psycopg (PostgreSQL's libpq), PG* variables
/// included. Reports the stage that fails, the cause and the next step.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Environment variable that holds the connection string
    #[arg(long, value_name = "NAME", default_value = "CONNECTION_URL")]
    pub(crate) url_env: OsString,
    /// Time limit for the whole run
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    // Accepted only to be rejected with an error that does not repeat the value, as clap's own error would.
    #[arg(hide = true)]
    pub(crate) positional: Vec<OsString>,
}

const HELP: &str = "\
The connection string is a URL, postgresql://USER:PASSWORD@HOST:PORT/DATABASE,
or a list of key=value pairs. sslmode=verify-full verifies the server's
certificate; sslrootcert=FILE names the CA certificates, sslrootcert=system
uses the system's. The string is never printed, and never accepted on the
command line.

Examples:
  CONNECTION_URL=postgresql://… db-test
  db-test --url-env PROD_CONNECTION_URL --timeout 3s
  docker exec backend-flask db-test
  db-test -o json -q | jq .error.code

Exit codes:
  0  connected, logged in, and a query was answered
  1  not reached, or refused
  2  could not try: usage, no or malformed connection string, certificate file
  3  no response in time: --timeout, or connect_timeout of the connection string";
