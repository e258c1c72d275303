//! Runs the probe and makes its report.

use crate::args::Args;
use crate::attempts::ConnectionAttempts;
use crate::config::ProbeConfig;
use crate::connect_error::{ConnectError, FailureClass};
use crate::deadline::Deadline;
use crate::session::Session;
use crate::stages::{Stage, StageLog, Status};
use cli::{Console, Exit, Failure, Item, Outcome, Report};
use std::time::Instant;

pub(crate) fn run(args: &Args, console: &Console) -> Report {
    let start = Instant::now();
    let mut log = StageLog::new(console);
    let config = match ProbeConfig::read(args, console) {
        Ok(config) => config,
        Err(failure) => {
            let error = anyhow::Error::from(failure);
            let detail = format!("{error:#}");
            log.record(
                Stage::Config,
                Status::Failed,
                None,
                &detail,
                Some(start.elapsed()),
            );
            let report = Report::new(Outcome::Failed).detail("stages", log.into_json());
            return console.failed(&error, report);
        }
    };
    if !console.is_json() {
        // Printed at once instead of with the report: the attempts may take a while.
        console.stdout("attempting connection");
    }
    let detail = config.describe();
    log.add(Stage::Config, Status::Ok, None, &detail, Some(start.elapsed()));
    let mut attempts = ConnectionAttempts {
        config: &config,
        deadline: Deadline::new(start, args.timeout, "--timeout"),
        console,
        log,
        failed: Vec::new(),
    };
    match attempts.run() {
        Ok((endpoint, session)) => connected(&config, endpoint, session, attempts.log, console),
        Err(error) => failed(&config, &attempts.failed, *error, attempts.log, console),
    }
}

/// The console leaves the names of items as they are; the database's may equal the password.
fn item(config: &ProbeConfig, action: &str, console: &Console) -> Item {
    Item::new("database", console.printable(config.database()), action)
        .detail("target", config.target_name())
        .detail("user", config.user.as_str())
        .detail("sslmode", config.info.ssl_mode.as_str())
}

fn connected(
    config: &ProbeConfig,
    endpoint: String,
    session: Session,
    log: StageLog<'_>,
    console: &Console,
) -> Report {
    let mut report = Report::new(Outcome::Ok)
        .line("Connection successful!")
        .detail("stages", log.into_json());
    report.items.push(
        item(config, "connected", console)
            .detail("place", endpoint)
            .detail("tls", session.tls)
            .detail("login", session.login)
            .detail("server_version", session.version)
            .detail("read_only", session.is_read_only)
            .detail("in_recovery", session.is_in_recovery),
    );
    report
}

fn failed(
    config: &ProbeConfig,
    failed: &[(String, String)],
    error: ConnectError,
    log: StageLog<'_>,
    console: &Console,
) -> Report {
    let reason = summarize(failed, &error);
    let mut report = Report::new(Outcome::No)
        .line(format!("Unable to connect to the database: {reason}"))
        .detail("stages", log.into_json());
    report.items.push(item(config, "failed", console));
    let exit = match error.class {
        FailureClass::Timeout => Exit::Deadline,
        _ => Exit::Negative,
    };
    let message = format!(
        "failed to connect to database `{}` at `{}`: {reason}",
        config.database(),
        config.target_name()
    );
    let mut failure = Failure::new(exit, message).kind(error.kind).code(error.code);
    if let Some(hint) = error.hint {
        failure = failure.hint(hint);
    }
    console.failed(&failure.into(), report)
}

/// One line for all failed attempts. A single one needs no label.
fn summarize(failed: &[(String, String)], last: &ConnectError) -> String {
    let mut all = failed.to_vec();
    all.dedup();
    if all.len() < 2 {
        return last.line();
    }
    let all = all.iter().map(|(label, line)| format!("{label}: {line}"));
    all.collect::<Vec<_>>().join("; ")
}
