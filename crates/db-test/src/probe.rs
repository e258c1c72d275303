//! The test as a command: its options, and what it reports.

use crate::fault::{Fault, Kind};
use crate::limit::Limit;
use crate::round::Round;
use crate::setup::Setup;
use crate::stages::{Journal, Stage, Status};
use clap::Parser;
use cli::OutputArgs;
use cli::duration;
use cli::{Console, Exit, Failure, Item, Outcome, Report};
use std::ffi::OsString;
use std::time::{Duration, Instant};

/// Test the connection to PostgreSQL, stage by stage
///
/// Connects as the app would: the connection string from $CONNECTION_URL means
/// what it means to psql and psycopg (PostgreSQL's libpq), PG* variables
/// included. Says at which stage it fails, why, and what to do about it.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Variable that holds the connection string
    #[arg(long, value_name = "NAME", default_value = "CONNECTION_URL")]
    pub(crate) url_env: OsString,
    /// Give up after this time, whatever is going on
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse)]
    timeout: Duration,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    // Taken so that it can be refused without being repeated.
    #[arg(hide = true)]
    pub(crate) refused: Vec<OsString>,
}

const HELP: &str = "\
The connection string is a URL, postgresql://USER:PASSWORD@HOST:PORT/DATABASE,
or a list of key=value pairs. sslmode=verify-full checks the server's
certificate; sslrootcert=FILE names the authorities, sslrootcert=system takes
the system's. It is never printed, and never taken from the command line.

Examples:
  CONNECTION_URL=postgresql://… db-test
  db-test --url-env PROD_CONNECTION_URL --timeout 3s
  docker exec backend-flask db-test
  db-test -o json -q | jq .error.code

Exit codes:
  0  connected, logged in, and a query was answered
  1  not reached, or refused
  2  could not try: usage, no or malformed connection string, certificate file
  3  no answer in time: --timeout, or connect_timeout of the connection string";

/// Does it.
///
/// # Errors
/// When there is nothing that could be tried.
pub(crate) fn run(args: &Args, console: &Console) -> anyhow::Result<Report> {
    let start = Instant::now();
    let mut journal = Journal::new(console);
    match Setup::new(args, console) {
        Ok(setup) => {
            if !console.is_json() {
                // At once, not with the report: what follows may take a while.
                console.stdout("attempting connection");
            }
            let detail = setup.describe();
            journal.add(Stage::Config, Status::Ok, None, &detail, Some(start.elapsed()));
            let deadline = Limit::new(start, args.timeout, "--timeout");
            Ok(test(&setup, deadline, console, journal))
        }
        Err(failure) => {
            let error = anyhow::Error::from(failure);
            let detail = format!("{error:#}");
            journal.keep(
                Stage::Config,
                Status::Failed,
                None,
                &detail,
                Some(start.elapsed()),
            );
            let report = Report::new(Outcome::Failed).detail("stages", journal.into_json());
            Ok(console.failed(&error, report))
        }
    }
}

/// Tries, and makes the report.
fn test(setup: &Setup, deadline: Limit, console: &Console, journal: Journal<'_>) -> Report {
    let mut round = Round {
        setup,
        deadline,
        console,
        journal,
        failed: Vec::new(),
    };
    let result = round.all();
    let (journal, failed) = (round.journal, round.failed);
    let item = |action: &str| {
        Item::new("database", setup.database(), action)
            .detail("target", setup.target_name())
            .detail("user", setup.user.as_str())
            .detail("sslmode", setup.info.ssl_mode.as_str())
    };
    match result {
        Ok((label, session)) => {
            let mut report = Report::new(Outcome::Ok)
                .line("Connection successful!")
                .detail("stages", journal.into_json());
            report.items.push(
                item("connected")
                    .detail("place", label)
                    .detail("tls", session.tls)
                    .detail("login", session.login)
                    .detail("server_version", session.version)
                    .detail("read_only", session.is_read_only)
                    .detail("in_recovery", session.is_in_recovery),
            );
            report
        }
        Err(fault) => {
            let reason = summary(&failed, &fault);
            let mut report = Report::new(Outcome::No)
                .line(format!("Unable to connect to the database: {reason}"))
                .detail("stages", journal.into_json());
            report.items.push(item("failed"));
            let exit = match fault.kind {
                Kind::Silent => Exit::Deadline,
                _ => Exit::Negative,
            };
            let mut failure = Failure::new(
                exit,
                format!(
                    "failed to connect to database `{}` at `{}`: {reason}",
                    setup.database(),
                    setup.target_name()
                ),
            )
            .code(fault.code);
            if let Some(hint) = fault.hint {
                failure = failure.hint(hint);
            }
            console.failed(&failure.into(), report)
        }
    }
}

/// One line for all tries; with one try there is no need to name its place.
fn summary(failed: &[(String, String)], last: &Fault) -> String {
    let mut all = failed.to_vec();
    all.dedup();
    if all.len() < 2 {
        return last.line();
    }
    let all = all.iter().map(|(place, line)| format!("{place}: {line}"));
    all.collect::<Vec<_>>().join("; ")
}
