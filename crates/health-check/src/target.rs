//! The URL, and the addresses behind its host.

use crate::error::ProbeError;
use cli::duration;
use cli::{ErrorKind, Exit, Failure};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use ureq::http::Uri;

/// The share of the timeout for each of more addresses would be too short.
const MAX_ADDRESSES: usize = 8;

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) uri: Uri,
    host: String,
    port: u16,
    shown: String,
}

impl Target {
    /// Reads an `http://` URL.
    ///
    /// # Errors
    /// When it is invalid or not supported. The messages don't repeat it: it may contain a password.
    pub(crate) fn parse(url: &str) -> Result<Self, Failure> {
        let refused = |why: &str, hint: &str| {
            Failure::new(Exit::Negative, format!("failed to read `--url`: {why}"))
                .kind(ErrorKind::Usage)
                .code("usage")
                .hint(hint)
        };
        let example = "write it like http://localhost:4567/api/health-check";
        if !url.contains("://") {
            return Err(refused("not an http:// URL", example));
        }
        let uri: Uri = url
            .trim()
            .parse()
            .map_err(|error: ureq::http::uri::InvalidUri| refused(&error.to_string(), example))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(refused(
                    "this probe speaks plain HTTP, not TLS",
                    "probe the app itself over http://, behind the proxy that terminates TLS",
                ));
            }
            _ => return Err(refused("not an http:// URL", example)),
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(refused(
                "a user name or password in the URL is not supported",
                "make the health endpoint available without credentials",
            ));
        }
        let port = match uri.port() {
            Some(port) => port.as_u16(),
            // The parser gives no port for `host:`, `host:x` and numbers above 65535.
            None if authority.rsplit(']').next().is_some_and(|end| end.contains(':')) => {
                return Err(refused("the port is not a number from 1 to 65535", example));
            }
            None => 80,
        };
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || port == 0 {
            return Err(refused("the host or the port is missing", example));
        }
        // A query may hold a token.
        let query = if uri.query().is_some() { "?…" } else { "" };
        let shown = format!("http://{authority}{}{query}", uri.path());
        Ok(Target {
            uri,
            host,
            port,
            shown,
        })
    }

    /// The URL without its query, for messages.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// In the order in which they are tried.
    pub(crate) fn addresses(&self, timeout: Duration) -> Result<Vec<SocketAddr>, ProbeError> {
        let addresses = |list: &[IpAddr]| list.iter().map(|ip| SocketAddr::new(*ip, self.port)).collect();
        if let Ok(address) = self.host.parse::<IpAddr>() {
            return Ok(addresses(&[address]));
        }
        // Not looked up: an image may have no hosts file, or one without `localhost`.
        if self.host.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
            return Ok(addresses(&[
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ]));
        }
        self.look_up(timeout)
    }

    /// The system's resolver has no timeout: it runs in a thread, which ends with the process.
    fn look_up(&self, timeout: Duration) -> Result<Vec<SocketAddr>, ProbeError> {
        let failed = |why: &str| {
            let message = format!("failed to look up `{}`: {why}", self.host);
            ProbeError::unreachable(ErrorKind::Network, "dns", message)
        };
        let (sender, receiver) = mpsc::sync_channel(1);
        let name = (self.host.clone(), self.port);
        thread::Builder::new()
            .spawn(move || sender.send(name.to_socket_addrs()))
            .map_err(|error| failed(&error.to_string()))?;
        let found = receiver
            .recv_timeout(timeout)
            .map_err(|_| failed(&format!("no response within {}", duration::show(timeout))))?
            .map_err(|error| {
                let text = error.to_string();
                failed(text.trim_start_matches("failed to lookup address information: "))
            })?;
        let mut all: Vec<SocketAddr> = Vec::new();
        for address in found {
            if all.len() < MAX_ADDRESSES && !all.contains(&address) {
                all.push(address);
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<(String, Vec<String>), String> {
        let target = Target::parse(url).map_err(|failure| failure.to_string())?;
        let addresses = target.addresses(Duration::from_secs(5)).unwrap();
        let addresses = addresses.iter().map(ToString::to_string).collect();
        Ok((target.shown().to_owned(), addresses))
    }

    #[test]
    fn literal_addresses_and_localhost_need_no_look_up() {
        let both = |port: u16| vec![format!("127.0.0.1:{port}"), format!("[::1]:{port}")];
        for (url, shown, addresses) in [
            (
                "http://localhost:4567/api/health-check",
                "http://localhost:4567/api/health-check",
                both(4567),
            ),
            (" http://localhost/\n", "http://localhost/", both(80)),
            ("http://LocalHost.:81", "http://LocalHost.:81/", both(81)),
            (
                "http://10.0.0.1:1/x",
                "http://10.0.0.1:1/x",
                vec!["10.0.0.1:1".into()],
            ),
            ("http://[::1]/", "http://[::1]/", vec!["[::1]:80".into()]),
            (
                "http://[fe80::1]:65535/a?token=secret#f",
                "http://[fe80::1]:65535/a?…",
                vec!["[fe80::1]:65535".into()],
            ),
        ] {
            assert_eq!(read(url), Ok((shown.to_owned(), addresses)), "{url}");
        }
    }

    #[test]
    fn a_look_up_ends_at_the_timeout() {
        let target = Target::parse("http://nowhere.invalid/").unwrap();
        let error = target.look_up(Duration::ZERO).unwrap_err();
        assert_eq!(
            error.message,
            "failed to look up `nowhere.invalid`: no response within 0 ms"
        );
        assert_eq!(error.code, "dns");
    }

    #[test]
    fn other_urls_are_refused_and_not_repeated() {
        for (url, why) in [
            ("", "not an http:// URL"),
            ("localhost", "not an http:// URL"),
            ("localhost:4567", "not an http:// URL"),
            ("/api/health-check", "not an http:// URL"),
            ("ftp://localhost/", "not an http:// URL"),
            ("https://localhost/", "plain HTTP, not TLS"),
            ("http://", "failed to read `--url`: "),
            ("http:///x", "failed to read `--url`: "),
            ("http://:80/", "is missing"),
            ("http://localhost:0/", "is missing"),
            ("http://localhost:65536/", "the port is not a number"),
            ("http://localhost:/", "the port is not a number"),
            ("http://[::1]:99999/", "the port is not a number"),
            ("http://localhost:x/", "the port is not a number"),
            ("http://u:hunter2@localhost/", "a user name or password"),
            ("http://hunter2@localhost:4567/", "a user name or password"),
            ("http://a b/", "invalid uri character"),
        ] {
            let failure = Target::parse(url)
                .map(|target| target.shown)
                .map_err(|failure| failure.to_string());
            let failure = failure.expect_err(url);
            assert!(failure.contains(why), "`{url}`: {failure}");
            assert!(!failure.contains("hunter2"), "`{url}`: {failure}");
        }
    }
}
