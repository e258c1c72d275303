//! Where to connect: the lists of hosts, addresses and ports, put together.

use crate::error::{ENCODE, ParseError, quoted};
use crate::keys::Parameters;
use std::net::IpAddr;
use std::path::PathBuf;

/// PostgreSQL's own port.
const DEFAULT_PORT: u16 = 5432;

/// A host as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name or an address.
    Name(String),
    /// The folder of a Unix socket.
    Socket(PathBuf),
    /// None was named: the local server's socket, wherever it is.
    Default,
}

/// One place to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host, which is also the name that a certificate has to hold.
    pub host: Host,
    /// The address to use instead of looking the host up.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

/// Puts the lists together as libpq does.
pub(crate) fn resolve(parameters: &Parameters) -> Result<Vec<Target>, ParseError> {
    let list = |key| parameters.get(key).map(|text| text.split(',').map(str::trim).collect::<Vec<_>>());
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = hosts.as_ref().or(addresses.as_ref()).map_or(1, Vec::len);
    if let (Some(hosts), Some(addresses)) = (&hosts, &addresses) {
        if hosts.len() != addresses.len() {
            return Err(ParseError::malformed(format!(
                "could not match {} host names to {} hostaddr values",
                hosts.len(),
                addresses.len()
            )));
        }
    }
    let ports = ports.unwrap_or_else(|| vec![""]);
    if ports.len() != 1 && ports.len() != count {
        return Err(ParseError::malformed(format!(
            "could not match {} port numbers to {count} hosts",
            ports.len()
        )));
    }
    let at = |list: &Option<Vec<&str>>, index: usize| -> String {
        let entry = list.as_ref().and_then(|list| list.get(index));
        entry.copied().unwrap_or_default().to_owned()
    };
    (0..count)
        .map(|index| {
            let address = address(&at(&addresses, index))?;
            Ok(Target {
                host: host(&at(&hosts, index), address)?,
                address,
                port: port(ports.get(index).or(ports.first()).copied().unwrap_or_default())?,
            })
        })
        .collect()
}

fn host(text: &str, address: Option<IpAddr>) -> Result<Host, ParseError> {
    match (text, address) {
        ("", Some(address)) => Ok(Host::Name(address.to_string())),
        ("", None) => Ok(Host::Default),
        (path, _) if path.starts_with('/') => Ok(Host::Socket(path.into())),
        (name, _) if name.contains('@') => Err(ParseError::malformed(
            "a host name holds an `@`: the password seems to be cut in two, or an abstract socket is named",
        )
        .with_hint(ENCODE)),
        (name, _) if name.chars().any(|letter| letter.is_whitespace() || "?#&=\\\"'<>".contains(letter)) => {
            Err(ParseError::malformed("a host name holds a character that no host name has").with_hint(ENCODE))
        }
        (name, _) => Ok(Host::Name(name.to_owned())),
    }
}

fn address(text: &str) -> Result<Option<IpAddr>, ParseError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        ParseError::malformed("a hostaddr value is no numeric address").with_hint("a name belongs into `host`")
    })
}

fn port(text: &str) -> Result<u16, ParseError> {
    if text.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if port != 0 => Ok(port),
        // A number is shown, out of range as it is; anything else may be a password.
        _ => Err(ParseError::malformed(format!(
            "invalid port number{}",
            quoted(text, digits && text.len() <= 6)
        ))
        .with_hint(format!("a port is 1 to 65535; {ENCODE}"))),
    }
}
