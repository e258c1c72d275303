//! Sends the request to each address in turn, until one accepts the connection.

use crate::args::Args;
use crate::error::ProbeError;
use crate::request::{self, Limits};
use crate::target::Target;
use cli::duration;
use cli::{Console, ErrorKind, Exit, Failure, Item, Outcome, Report};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use ureq::http::StatusCode;

/// The HTTP client overflows with far longer timeouts, and no health check needs one.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

struct Attempt {
    address: SocketAddr,
    elapsed: Duration,
    result: Result<StatusCode, ProbeError>,
}

pub(crate) fn run(args: &Args, console: &Console) -> Report {
    let target = match Target::parse(&args.url) {
        Ok(target) => target,
        // Nothing was probed: stdout stays empty.
        Err(failure) => {
            let mut report = console.failed(&failure.into(), Report::new(Outcome::No));
            report.outcome = Outcome::Failed;
            return report;
        }
    };
    let run_start = Instant::now();
    let timeout = args.timeout.min(MAX_TIMEOUT);
    let addresses = match target.addresses(timeout) {
        Ok(addresses) => addresses,
        Err(error) => return not_running(console, &target, Vec::new(), &error.message, &error),
    };

    let mut attempts: Vec<Attempt> = Vec::with_capacity(addresses.len());
    for (at, address) in addresses.iter().enumerate() {
        let remaining = timeout.saturating_sub(run_start.elapsed());
        let limits = Limits {
            total: timeout,
            remaining,
            // An address that does not respond has to leave time for the remaining ones.
            connect: remaining / u32::try_from(addresses.len() - at).unwrap_or(1),
        };
        let start = Instant::now();
        let result = request::send(&target, *address, limits);
        let attempt = Attempt {
            address: *address,
            elapsed: start.elapsed(),
            result,
        };
        console.debug(format!(
            "{} ({})",
            attempt.describe(),
            duration::show(attempt.elapsed)
        ));
        let is_final = attempt.is_final();
        attempts.push(attempt);
        if is_final {
            break;
        }
    }
    conclude(console, &target, &attempts)
}

fn conclude(console: &Console, target: &Target, attempts: &[Attempt]) -> Report {
    let items: Vec<Item> = attempts.iter().map(Attempt::item).collect();
    // Only the last attempt can have connected.
    match attempts.last().map(|attempt| &attempt.result) {
        Some(Ok(_)) => {
            let mut report = Report::new(Outcome::Ok)
                .line("Flask server is running")
                .detail("url", target.shown());
            report.items = items;
            report
        }
        Some(Err(last)) => {
            let causes: Vec<String> = attempts.iter().map(Attempt::describe).collect();
            not_running(console, target, items, &causes.join("; "), last)
        }
        None => {
            let error = ProbeError::unreachable(ErrorKind::Network, "dns", "the host has no address");
            not_running(console, target, items, &error.message, &error)
        }
    }
}

fn not_running(
    console: &Console,
    target: &Target,
    items: Vec<Item>,
    causes: &str,
    error: &ProbeError,
) -> Report {
    let mut report = Report::new(Outcome::No)
        .line("Flask server is not running")
        .detail("url", target.shown());
    report.items = items;
    let message = format!("failed to check `{}`: {causes}", target.shown());
    let failure = Failure::new(Exit::Negative, message)
        .kind(error.kind)
        .code(error.code);
    console.failed(&failure.into(), report)
}

impl Attempt {
    /// Whether the connection was accepted: the app has been found, and no other address is tried.
    fn is_final(&self) -> bool {
        self.result
            .as_ref()
            .map_or_else(|error| error.is_connected, |_| true)
    }

    fn describe(&self) -> String {
        match &self.result {
            Ok(status) => format!("{}: answered {status}", self.address),
            Err(error) => format!("{}: {}", self.address, error.message),
        }
    }

    fn item(&self) -> Item {
        let milliseconds = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX);
        let item = Item::new("address", self.address.to_string(), "get").detail("milliseconds", milliseconds);
        match &self.result {
            Ok(status) => item.detail("status", status.as_u16()),
            Err(error) => item
                .detail("status", error.status)
                .detail("code", error.code)
                .detail("cause", error.message.clone()),
        }
    }
}
