//! One GET request to one address.

use crate::error::ProbeError;
use crate::target::Target;
use cli::{ErrorKind, duration};
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

/// The client's defaults are 128 KB each, for downloads. The head of the response has to fit into one buffer.
const BUFFER: usize = 8 * 1024;

/// A longer body is not read to its end.
const MAX_BODY: u64 = 64 * 1024;

/// A `Location` may have any length; ECS keeps only the first kilobyte of the output.
const MAX_LOCATION: usize = 120;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// `--timeout`, for messages.
    pub(crate) total: Duration,
    /// What remains of it.
    pub(crate) remaining: Duration,
    /// The share of that for connecting to this address.
    pub(crate) connect: Duration,
}

/// The status, if the app is healthy.
///
/// # Errors
/// With any other status, or without a complete response in time.
pub(crate) fn send(target: &Target, address: SocketAddr, limits: Limits) -> Result<StatusCode, ProbeError> {
    if limits.connect.is_zero() {
        return Err(ProbeError::unreachable(
            ErrorKind::Timeout,
            "timeout",
            "not tried: no time was left",
        ));
    }
    let connected = Arc::new(AtomicBool::new(false));
    let connector = RecordingConnector {
        connector: TcpConnector::default(),
        connected: Arc::clone(&connected),
    };
    let agent = Agent::with_parts(config(limits), connector, FixedResolver(address));
    let response = agent
        .get(target.uri.clone())
        // There is no second request: the server can release its worker.
        .header(header::CONNECTION, "close")
        .call();
    let response = response.map_err(|error| {
        if connected.load(Ordering::Relaxed) {
            no_response(&error, limits.total)
        } else {
            no_connection(&error, limits.connect)
        }
    })?;
    evaluate(response, limits.total)
}

fn config(limits: Limits) -> Config {
    Agent::config_builder()
        // The client would send even `localhost` through $HTTP_PROXY, whose response is not the app's.
        .proxy(None)
        .timeout_global(Some(limits.remaining))
        .timeout_connect(Some(limits.connect))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .input_buffer_size(BUFFER)
        .output_buffer_size(BUFFER)
        // With the full size the client reports a longer head as a closed connection.
        .max_response_header_size(BUFFER - 1)
        .max_idle_connections(0)
        .user_agent(concat!("health-check/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Only the status 200 is healthy, with a body that is complete or longer than [`MAX_BODY`].
fn evaluate(mut response: Response<Body>, total: Duration) -> Result<StatusCode, ProbeError> {
    let status = response.status();
    if status != StatusCode::OK {
        let mut text = format!("answered {status}, not 200");
        let location = response.headers().get(header::LOCATION);
        if let Some(location) = location.filter(|_| status.is_redirection()) {
            let location = shortened(location.to_str().unwrap_or("?"));
            text = format!("answered {status}, a redirect to `{location}`, which is not followed");
        }
        return Err(ProbeError::connected(ErrorKind::Service, "status", text).status(status.as_u16()));
    }
    let mut body = io::Read::take(response.body_mut().as_reader(), MAX_BODY);
    match io::copy(&mut body, &mut io::sink()) {
        Ok(_) => Ok(status),
        Err(error) => {
            let (kind, code, why) = match ureq::Error::from(error) {
                ureq::Error::Timeout(_) => (
                    ErrorKind::Timeout,
                    "timeout",
                    format!("incomplete after {}", duration::show(total)),
                ),
                error => (ErrorKind::Unparseable, "broken-answer", describe(&error)),
            };
            let message = format!("answered {status}, but the body broke off: {why}");
            Err(ProbeError::connected(kind, code, message).status(status.as_u16()))
        }
    }
}

fn no_connection(error: &ureq::Error, limit: Duration) -> ProbeError {
    match error {
        ureq::Error::Timeout(_) => {
            // Rounded up: some microseconds have always passed, and 1 s would be shown as 999 ms.
            let rounded = duration::show(limit + Duration::from_micros(999));
            ProbeError::unreachable(
                ErrorKind::Timeout,
                "timeout",
                format!("no connection within {rounded}"),
            )
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            ProbeError::unreachable(ErrorKind::Network, "connection-refused", "connection refused")
        }
        error => ProbeError::unreachable(ErrorKind::Network, "not-reached", describe(error)),
    }
}

fn no_response(error: &ureq::Error, total: Duration) -> ProbeError {
    let broken = |kind, message: String| ProbeError::connected(kind, "broken-answer", message);
    match error {
        ureq::Error::Timeout(_) => ProbeError::connected(
            ErrorKind::Timeout,
            "timeout",
            format!("connected, but no response within {}", duration::show(total)),
        ),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => broken(
            ErrorKind::Network,
            "closed the connection without a response".to_owned(),
        ),
        ureq::Error::Protocol(_) | ureq::Error::Http(_) => broken(
            ErrorKind::Unparseable,
            format!("not an HTTP response: {}", describe(error)),
        ),
        ureq::Error::LargeResponseHeader(..) => broken(
            ErrorKind::Unparseable,
            format!("the head of the response is longer than {} KB", BUFFER / 1024),
        ),
        error => broken(ErrorKind::Network, describe(error)),
    }
}

/// `connection refused` rather than `io: Connection refused (os error 111)`.
fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => match error.kind() {
            kind @ (io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::TimedOut)
                if error.raw_os_error().is_some() =>
            {
                kind.to_string()
            }
            _ => error.to_string(),
        },
        error => error.to_string(),
    }
}

/// A `Location` without its query, which may hold a token, without user and password, and cut at [`MAX_LOCATION`].
fn shortened(location: &str) -> String {
    let location = without_user(location);
    let (path, query) = location
        .split_once('?')
        .map_or((location.as_str(), ""), |(path, _)| (path, "?…"));
    match path.char_indices().nth(MAX_LOCATION) {
        Some((end, _)) => format!("{}…", path.get(..end).unwrap_or_default()),
        None => format!("{path}{query}"),
    }
}

/// `//user:password@host/` as `//host/`. Everything up to the last `@` before the path is removed, since a password
/// may contain unescaped delimiters.
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

/// Records that the connection is open: the same error has another cause after that.
#[derive(Debug)]
struct RecordingConnector {
    connector: TcpConnector,
    connected: Arc<AtomicBool>,
}

impl Connector for RecordingConnector {
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

/// Resolves every host to this address.
struct FixedResolver(SocketAddr);

impl Resolver for FixedResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(self.0);
        Ok(addresses)
    }
}

impl fmt::Debug for FixedResolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_cut_and_without_its_query() {
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
        assert_eq!(long.chars().count(), MAX_LOCATION + 1);
    }

    #[test]
    fn system_errors_have_no_number_where_they_have_a_kind() {
        let error = |error: io::Error| describe(&ureq::Error::Io(error));
        assert_eq!(error(io::Error::from_raw_os_error(101)), "network unreachable");
        assert_eq!(error(io::Error::from_raw_os_error(99)), "address not available");
        assert_eq!(error(io::Error::other("x")), "x");
        // EMFILE has no kind of its own.
        assert!(error(io::Error::from_raw_os_error(24)).contains("(os error 24)"));
    }
}
