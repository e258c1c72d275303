//! One GET request over one address, within what is left of the time.

use cli::duration;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use ureq::config::Config;
use ureq::http::{Response, StatusCode, Uri, header};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, TcpConnector};
use ureq::{Agent, Body};

use crate::target::Target;

/// The client's own are 128 KB each, for downloads. The answer's head must fit in one.
const BUFFER: usize = 8 * 1024;

/// So much of the body is read. A health endpoint that says more is not asked to the end.
const MOST_BODY: u64 = 64 * 1024;

/// A `Location` may be of any length; the engine keeps the first kilobyte of the output.
const MOST_LOCATION: usize = 120;

/// A healthy answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
}

/// Why there was none.
#[derive(Debug)]
pub(crate) struct Fault {
    /// For programs.
    pub(crate) code: &'static str,
    /// For people, on one line.
    pub(crate) text: String,
    /// Whether the connection was taken, so that another address would be another program.
    pub(crate) connected: bool,
    /// The status, when one came.
    pub(crate) status: Option<u16>,
}

impl Fault {
    /// No connection came about.
    pub(crate) fn unreached(code: &'static str, text: impl Into<String>) -> Self {
        Fault {
            code,
            text: text.into(),
            connected: false,
            status: None,
        }
    }

    fn connected(code: &'static str, text: impl Into<String>) -> Self {
        Fault {
            connected: true,
            ..Self::unreached(code, text)
        }
    }
}

/// The time that this address gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Of all addresses together, as the user gave it.
    pub(crate) total: Duration,
    /// What is left of it.
    pub(crate) left: Duration,
    /// What connecting may take of that.
    pub(crate) connecting: Duration,
}

/// Asks `address`.
pub(crate) fn ask(target: &Target, address: SocketAddr, limits: Limits) -> Result<Answer, Fault> {
    if limits.connecting.is_zero() {
        return Err(Fault::unreached("timeout", "not asked: no time was left"));
    }
    let connected = Arc::new(AtomicBool::new(false));
    let connector = Noting {
        connector: TcpConnector::default(),
        connected: Arc::clone(&connected),
    };
    let agent = Agent::with_parts(config(limits), connector, Fixed(address));
    let response = agent
        .get(target.uri.clone())
        // One question a process: a server with few workers need not keep the connection.
        .header(header::CONNECTION, "close")
        .call();
    let response = response.map_err(|error| {
        if connected.load(Ordering::Relaxed) {
            no_answer(&error, limits.total)
        } else {
            no_connection(&error, limits.connecting)
        }
    })?;
    judge(response, limits.total)
}

fn config(limits: Limits) -> Config {
    Agent::config_builder()
        // The client would send `localhost` through $HTTP_PROXY, whose answer is not the app's.
        .proxy(None)
        .timeout_global(Some(limits.left))
        .timeout_connect(Some(limits.connecting))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        // One less than the buffer, or a longer head would look like a closed connection.
        .max_response_header_size(BUFFER - 1)
        .max_idle_connections(0)
        .user_agent(concat!("health-check/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Only 200 counts, and only a body that comes to its end or to the limit.
fn judge(mut response: Response<Body>, total: Duration) -> Result<Answer, Fault> {
    let status = response.status();
    if status != StatusCode::OK {
        let mut text = format!("answered {status}, not 200");
        let location = response.headers().get(header::LOCATION);
        if let Some(location) = location.filter(|_| status.is_redirection()) {
            let location = shortened(location.to_str().unwrap_or("?"));
            text = format!("answered {status}, a redirect to `{location}`, which is not followed");
        }
        return Err(Fault {
            status: Some(status.as_u16()),
            ..Fault::connected("status", text)
        });
    }
    let mut body = io::Read::take(response.body_mut().as_reader(), MOST_BODY);
    match io::copy(&mut body, &mut io::sink()) {
        Ok(_) => Ok(Answer { status }),
        Err(error) => {
            let (code, why) = match ureq::Error::from(error) {
                ureq::Error::Timeout(_) => ("timeout", format!("not whole within {}", duration::show(total))),
                error => ("broken-answer", describe(&error)),
            };
            Err(Fault {
                status: Some(status.as_u16()),
                ..Fault::connected(code, format!("answered {status}, but its body broke off: {why}"))
            })
        }
    }
}

fn no_connection(error: &ureq::Error, connecting: Duration) -> Fault {
    match error {
        ureq::Error::Timeout(_) => {
            // Some microseconds of the time are always gone: 1 s, not 999 ms.
            let rounded = duration::show(connecting + Duration::from_micros(999));
            let text = format!("no connection within {rounded}");
            Fault::unreached("timeout", text)
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Fault::unreached("connection-refused", "connection refused")
        }
        error => Fault::unreached("not-reached", describe(error)),
    }
}

fn no_answer(error: &ureq::Error, total: Duration) -> Fault {
    match error {
        ureq::Error::Timeout(_) => {
            let text = format!("connected, but no answer within {}", duration::show(total));
            Fault::connected("timeout", text)
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Fault::connected("broken-answer", "closed the connection without an answer")
        }
        ureq::Error::Protocol(_) | ureq::Error::Http(_) => {
            Fault::connected("broken-answer", format!("no HTTP answer: {}", describe(error)))
        }
        ureq::Error::LargeResponseHeader(..) => Fault::connected(
            "broken-answer",
            format!("the head of the answer is longer than {} KB", BUFFER / 1024),
        ),
        error => Fault::connected("broken-answer", describe(error)),
    }
}

/// `connection refused` rather than `io: Connection refused (os error 111)`.
fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => match error.kind() {
            // Their own words say more than the kind's `other error`.
            io::ErrorKind::Other => error.to_string(),
            kind if error.raw_os_error().is_some() && kind.to_string() != "uncategorized error" => {
                kind.to_string()
            }
            _ => error.to_string(),
        },
        error => error.to_string(),
    }
}

/// Without a query, which may hold a token, without a user and password, and not longer than [`MOST_LOCATION`].
fn shortened(location: &str) -> String {
    let location = without_user(location);
    let (path, query) = location
        .split_once('?')
        .map_or((location.as_str(), ""), |(path, _)| (path, "?…"));
    match path.char_indices().nth(MOST_LOCATION) {
        Some((end, _)) => format!("{}…", path.get(..end).unwrap_or_default()),
        None => format!("{path}{query}"),
    }
}

/// `//user:password@host/` as `//host/`. A password may hold what should have been escaped in it, so that rather too
/// much is cut than too little.
fn without_user(location: &str) -> String {
    let Some((scheme, rest)) = location
        .split_once("//")
        .filter(|(scheme, _)| !scheme.contains(['/', '?', '#']))
    else {
        return location.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}//{host}{path}")
}

/// Opens the connection, and notes when it stands: after that, a timeout has another reason.
#[derive(Debug)]
struct Noting {
    connector: TcpConnector,
    connected: Arc<AtomicBool>,
}

impl Connector for Noting {
    type Out = <TcpConnector as Connector>::Out;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let transport = self.connector.connect(details, chained)?;
        self.connected.store(true, Ordering::Relaxed);
        Ok(transport)
    }
}

/// The one address, whatever the host of the URL.
struct Fixed(SocketAddr);

impl Resolver for Fixed {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(self.0);
        Ok(addresses)
    }
}

impl fmt::Debug for Fixed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_shown_short_and_without_its_query() {
        assert_eq!(shortened("/login"), "/login");
        assert_eq!(shortened("/login?token=secret"), "/login?…");
        for (location, shown) in [
            ("http://u:hunter2@h:81/x?a=b", "http://h:81/x?…"),
            ("//hunter2@h", "//h"),
            ("https://u:hunter2?a@b@h/x", "https://h/x"),
            ("http://h/a@b//c@d", "http://h/a@b//c@d"),
            ("/a//b@c", "/a//b@c"),
            ("/login?to=http://u:hunter2@h/", "/login?…"),
        ] {
            assert_eq!(shortened(location), shown);
        }
        let long = shortened(&"é".repeat(500));
        assert_eq!(long.chars().count(), MOST_LOCATION + 1);
    }

    #[test]
    fn system_errors_are_told_in_words() {
        let error = |error: io::Error| describe(&ureq::Error::Io(error));
        assert_eq!(error(io::Error::from_raw_os_error(101)), "network unreachable");
        assert_eq!(error(io::Error::from_raw_os_error(99)), "address not available");
        assert_eq!(error(io::Error::other("their words")), "their words");
        // EMFILE has no kind of its own.
        assert!(error(io::Error::from_raw_os_error(24)).contains("(os error 24)"));
    }
}
