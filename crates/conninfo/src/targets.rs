//! The targets: the lists of hosts, addresses and ports, combined.

use crate::error::{ENCODE, ParseError};
use crate::is_space;
use crate::keys::Parameters;
use std::net::IpAddr;
use std::path::PathBuf;

/// PostgreSQL's default port.
const DEFAULT_PORT: u16 = 5432;

/// A host as the connection string names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name or an address.
    Name(String),
    /// The directory of a Unix socket.
    Socket(PathBuf),
    /// No host: the socket of the local server, in the default directory.
    Default,
}

/// A host, address and port to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host; verify-full compares the certificate with it.
    pub host: Host,
    /// `hostaddr`: the address to use instead of resolving the host.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

/// Combines the lists as libpq does. With `names_required`, a target with only an address is an error.
pub(crate) fn resolve(parameters: &Parameters, names_required: bool) -> Result<Vec<Target>, ParseError> {
    let list = |key| {
        parameters
            .get(key)
            .map(|text| text.split(',').collect::<Vec<_>>())
    };
    let from = |key| parameters.variable(key);
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = addresses.as_ref().or(hosts.as_ref()).map_or(1, Vec::len);
    if let (Some(hosts), Some(addresses)) = (&hosts, &addresses)
        && hosts.len() != addresses.len()
    {
        return Err(ParseError::malformed(format!(
            "could not match {} host names to {} hostaddr values",
            hosts.len(),
            addresses.len()
        ))
        .in_variable(from("hostaddr").or(from("host"))));
    }
    let ports = ports.unwrap_or_else(|| vec![""]);
    if ports.len() != 1 && ports.len() != count {
        return Err(ParseError::malformed(format!(
            "could not match {} port numbers to {count} hosts",
            ports.len()
        ))
        .in_variable(from("port").or(from("hostaddr")).or(from("host"))));
    }
    let at = |list: &Option<Vec<&str>>, index: usize| -> String {
        let entry = list.as_ref().and_then(|list| list.get(index));
        entry.copied().unwrap_or_default().to_owned()
    };
    (0..count)
        .map(|index| {
            let address =
                address(&at(&addresses, index)).map_err(|error| error.in_variable(from("hostaddr")))?;
            let name = at(&hosts, index);
            if names_required && name.is_empty() && address.is_some() {
                return Err(ParseError::malformed(
                    "host name must be specified for a verified SSL connection",
                )
                .with_hint("name the host beside its hostaddr: the certificate is compared with the name")
                .in_variable(from("hostaddr")));
            }
            Ok(Target {
                host: host(&name, address, from("host"))?,
                address,
                port: port(
                    ports.get(index).or(ports.first()).copied().unwrap_or_default(),
                    from("port"),
                )?,
            })
        })
        .collect()
}

/// `variable` holds the text, unless the connection string does, where a part of a password may end up in it.
fn host(text: &str, address: Option<IpAddr>, variable: Option<&'static str>) -> Result<Host, ParseError> {
    let refused = |message: &str, hint: &str| {
        Err(ParseError::malformed(message)
            .with_hint(hint)
            .in_variable(variable))
    };
    let bare = "give one name or address, or several separated by commas";
    let advice = variable.map_or(ENCODE, |_| bare);
    match (text, address) {
        ("", None) => Ok(Host::Default),
        ("", Some(address)) => Ok(Host::Name(address.to_string())),
        // The address has precedence over a socket directory.
        (path, Some(address)) if path.starts_with('/') => Ok(Host::Name(address.to_string())),
        (path, None) if path.starts_with('/') => Ok(Host::Socket(path.into())),
        (name, _) if name.contains('@') => {
            let message = match variable {
                None => {
                    "a host name contains an `@`: the password seems to contain an unencoded `@`, or the host is an abstract socket"
                }
                Some(_) => "a host name contains an `@`",
            };
            refused(message, advice)
        }
        (name, _) if name.contains(':') && !is_ipv6(name) => refused(
            "a host name contains a `:`",
            "give the port with the key `port`; in a URL an IPv6 address is written in [brackets]",
        ),
        (name, _)
            if name
                .chars()
                .any(|letter| letter.is_whitespace() || "/?#&=\\\"'<>".contains(letter)) =>
        {
            refused("a host name contains an invalid character", advice)
        }
        (name, _) => Ok(Host::Name(name.to_owned())),
    }
}

/// A loose check: libpq leaves it to the resolver. A zone may follow, as in `fe80::1%eth0`.
fn is_ipv6(name: &str) -> bool {
    let address = name.split('%').next().unwrap_or_default();
    address
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b":.".contains(&byte))
        && address.matches(':').count() >= 2
}

fn address(text: &str) -> Result<Option<IpAddr>, ParseError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        ParseError::malformed("a hostaddr value is not a numeric address")
            .with_hint("give a name with the key `host`")
    })
}

fn port(text: &str, variable: Option<&'static str>) -> Result<u16, ParseError> {
    if text.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    match text.trim_matches(is_space).parse() {
        Ok(port) if port != 0 => Ok(port),
        _ => {
            let range = "a port is a number from 1 to 65535";
            let hint = match variable {
                // In a URL without the `@` the password is parsed as the port.
                None => format!("{range}; {ENCODE}"),
                Some(_) => range.to_owned(),
            };
            Err(ParseError::malformed("invalid port number")
                .with_hint(hint)
                .in_variable(variable))
        }
    }
}
