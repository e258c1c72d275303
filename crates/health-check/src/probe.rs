//! One question, asked of each address until one of them answers.

use crate::exchange::{self, Answer, Fault, Limits};
use crate::target::Target;
use clap::Parser;
use cli::OutputArgs;
use cli::duration;
use cli::{Console, Exit, Failure, Item, Outcome, Report};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Ask the Flask app whether it is healthy
///
/// Sends one GET request. Only the status 200 counts as healthy, whatever the
/// body says. No proxy is used, whatever the environment says; no redirect is
/// followed; and `localhost` is 127.0.0.1, then ::1, without a look-up, so that
/// this works in an image that holds nothing else.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// What to ask: plain HTTP
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://localhost:4567/api/health-check"
    )]
    url: String,
    /// Give up after this time: look-up, connection and the whole answer
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration::parse)]
    timeout: Duration,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const HELP: &str = "\
Examples:
  health-check
  health-check --url http://localhost:8080/health --timeout 500ms
  health-check -o json

In a task definition or a Dockerfile, without a shell:
  \"healthCheck\": { \"command\": [\"CMD\", \"/usr/local/bin/health-check\"] }
  HEALTHCHECK CMD [\"/usr/local/bin/health-check\"]

Exit codes:
  0  the app answered 200
  1  it did not, or the command line is wrong; no other code is used, because
     container engines reserve the rest";

/// Longer is no health check, and far longer overflows the clock of the HTTP client.
const LONGEST: Duration = Duration::from_secs(3600);

/// What came of one address.
struct Attempt {
    address: SocketAddr,
    elapsed: Duration,
    result: Result<Answer, Fault>,
}

/// Asks, and says how it went.
pub(crate) fn run(args: &Args, console: &Console) -> Report {
    let target = match Target::parse(&args.url) {
        Ok(target) => target,
        // Nothing was asked, so there is no verdict on stdout.
        Err(failure) => {
            let mut report = console.failed(&failure.into(), Report::new(Outcome::No));
            report.outcome = Outcome::Failed;
            return report;
        }
    };
    let started = Instant::now();
    let timeout = args.timeout.min(LONGEST);
    let addresses = match target.addresses(timeout) {
        Ok(addresses) => addresses,
        Err(fault) => return not_running(console, &target, Vec::new(), &fault.text, fault.code),
    };

    let mut attempts: Vec<Attempt> = Vec::with_capacity(addresses.len());
    for (at, address) in addresses.iter().enumerate() {
        let left = timeout.saturating_sub(started.elapsed());
        let limits = Limits {
            total: timeout,
            left,
            // An address where nothing answers must leave some time to the ones after it.
            connecting: left / u32::try_from(addresses.len() - at).unwrap_or(1),
        };
        let began = Instant::now();
        let result = exchange::ask(&target, *address, limits);
        let attempt = Attempt {
            address: *address,
            elapsed: began.elapsed(),
            result,
        };
        console.debug(format!(
            "{} ({})",
            attempt.words(),
            duration::show(attempt.elapsed)
        ));
        let answered = attempt.is_final();
        attempts.push(attempt);
        if answered {
            break;
        }
    }
    conclude(console, &target, &attempts)
}

fn conclude(console: &Console, target: &Target, attempts: &[Attempt]) -> Report {
    let items: Vec<Item> = attempts.iter().map(Attempt::item).collect();
    // The last one is what ended the search.
    match attempts.last().map(|attempt| &attempt.result) {
        Some(Ok(_)) => {
            let mut report = Report::new(Outcome::Ok)
                .line("Flask server is running")
                .detail("url", target.shown());
            report.items = items;
            report
        }
        Some(Err(last)) => {
            let causes: Vec<String> = attempts.iter().map(Attempt::words).collect();
            not_running(console, target, items, &causes.join("; "), last.code)
        }
        None => not_running(console, target, items, "it has no address", "dns"),
    }
}

fn not_running(console: &Console, target: &Target, items: Vec<Item>, why: &str, code: &str) -> Report {
    let mut report = Report::new(Outcome::No)
        .line("Flask server is not running")
        .detail("url", target.shown());
    report.items = items;
    let message = format!("failed to check `{}`: {why}", target.shown());
    console.failed(&Failure::new(Exit::Negative, message).code(code).into(), report)
}

impl Attempt {
    /// Whether something took the connection: then it is the app, and no other address is asked.
    fn is_final(&self) -> bool {
        self.result
            .as_ref()
            .map_or_else(|fault| fault.connected, |_| true)
    }

    fn words(&self) -> String {
        match &self.result {
            Ok(answer) => format!("{}: answered {}", self.address, answer.status),
            Err(fault) => format!("{}: {}", self.address, fault.text),
        }
    }

    fn item(&self) -> Item {
        let milliseconds = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX);
        let item = Item::new("address", self.address.to_string(), "get").detail("milliseconds", milliseconds);
        match &self.result {
            Ok(answer) => item.detail("status", answer.status.as_u16()),
            Err(fault) => item
                .detail("status", fault.status)
                .detail("code", fault.code)
                .detail("cause", fault.text.clone()),
        }
    }
}
