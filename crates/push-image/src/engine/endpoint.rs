//! The address of the Docker engine, found as the `docker` command finds it.

use anyhow::{Context as _, Result};
use cli::{ErrorKind, Failure};
use registry::DockerConfig;
use serde_json::Value;
use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// The engine's default socket.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The default port of an engine without TLS.
const DEFAULT_PORT: u16 = 2375;

/// The context name that selects the default socket.
const NO_CONTEXT: &str = "default";

/// The hint for addresses that are not supported.
const FORWARD_SOCKET: &str = "forward its socket: `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST`, then \
     DOCKER_HOST=unix:///tmp/docker.sock";

/// The address of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// A host and a port, without TLS.
    Tcp { host: String, port: u16 },
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Unix(path) => write!(formatter, "unix://{}", path.display()),
            Endpoint::Tcp { host, port } if host.contains(':') => write!(formatter, "tcp://[{host}]:{port}"),
            Endpoint::Tcp { host, port } => write!(formatter, "tcp://{host}:{port}"),
        }
    }
}

impl Endpoint {
    /// `$DOCKER_HOST`, else the context of `$DOCKER_CONTEXT` or of docker's configuration, else the socket.
    ///
    /// # Errors
    /// When the context does not exist, or the address has a form that this tool does not support.
    pub(crate) fn find() -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let tls = variable("DOCKER_TLS_VERIFY").is_some();
        if let Some(host) = variable("DOCKER_HOST") {
            return Self::parse(&host, tls).map_err(|failure| at(failure, "$DOCKER_HOST"));
        }
        // Without HOME there is no configuration and no context.
        let Ok(path) = DockerConfig::locate() else {
            return Ok(Self::default());
        };
        let context = match variable("DOCKER_CONTEXT") {
            Some(name) => Some(name),
            None => DockerConfig::read(&path)?
                .text("currentContext")
                .map(str::to_owned),
        };
        match context.filter(|name| !name.is_empty() && name != NO_CONTEXT) {
            Some(name) => Self::of_context(path.parent().unwrap_or(Path::new(".")), &name),
            None => Ok(Self::default()),
        }
    }

    /// The endpoint of the context `name`. The folders of contexts have hashes as names, so all are searched.
    fn of_context(folder: &Path, name: &str) -> Result<Self> {
        let contexts = folder.join("contexts/meta");
        let failed = || format!("failed to read the docker contexts in `{}`", contexts.display());
        let absent = || {
            Failure::error(format!("failed to find the docker context `{name}`"))
                .kind(ErrorKind::NotFound)
                .code("engine")
                .hint(
                    "`docker context ls` lists the contexts; `docker context use default` selects the default socket",
                )
        };
        let entries = match fs::read_dir(&contexts) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(absent().into()),
            Err(error) => return Err(error).with_context(failed),
        };
        for entry in entries {
            let entry = entry.with_context(failed)?;
            // Files that are not docker's are skipped.
            let Ok(text) = fs::read_to_string(entry.path().join("meta.json")) else {
                continue;
            };
            let Ok(document) = serde_json::from_str::<Value>(&text) else {
                continue;
            };
            if document.get("Name").and_then(Value::as_str) == Some(name) {
                let host = document.pointer("/Endpoints/docker/Host").and_then(Value::as_str);
                let host = host.ok_or_else(|| {
                    Failure::error(format!(
                        "failed to use the docker context `{name}`: it has no engine endpoint"
                    ))
                    .code("engine")
                })?;
                let certificates = folder.join("contexts/tls").join(entry.file_name()).join("docker");
                return Self::parse(host, certificates.is_dir())
                    .map_err(|failure| at(failure, &format!("the docker context `{name}`")));
            }
        }
        Err(absent().into())
    }

    fn parse(text: &str, tls: bool) -> Result<Self, Failure> {
        let invalid = |why: &str| {
            Failure::error(format!("`{text}`: {why}"))
                .kind(ErrorKind::Config)
                .code("engine")
        };
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        match scheme {
            "unix" if !rest.is_empty() => Ok(Endpoint::Unix(PathBuf::from(rest))),
            "tcp" | "http" if tls => {
                Err(invalid("this version does not support TLS to the engine").hint(FORWARD_SOCKET))
            }
            "tcp" | "http" => {
                let (host, port) =
                    host_and_port(rest.trim_end_matches('/')).ok_or_else(|| invalid("expected HOST:PORT"))?;
                Ok(Endpoint::Tcp { host, port })
            }
            "ssh" => Err(invalid("this version does not support ssh to the engine").hint(FORWARD_SOCKET)),
            _ => Err(invalid("expected unix:// or tcp://")),
        }
    }

    /// Whether the engine is on another machine.
    pub(crate) fn is_remote(&self) -> bool {
        match self {
            Endpoint::Unix(_) => false,
            Endpoint::Tcp { host, .. } => !is_loopback(host),
        }
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Endpoint::Unix(PathBuf::from(DEFAULT_SOCKET))
    }
}

fn at(failure: Failure, place: &str) -> anyhow::Error {
    anyhow::Error::new(failure).context(format!("failed to use the Docker engine of {place}"))
}

/// Whether `host` is a loopback address or `localhost`.
pub(crate) fn is_loopback(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => Ipv4Addr::is_loopback(&address),
        Ok(IpAddr::V6(address)) => Ipv6Addr::is_loopback(&address),
        Err(_) => host == "localhost",
    }
}

/// A host without its port and without the brackets of an IPv6 address.
pub(crate) fn name_of(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    };
    name.trim_matches(['[', ']'])
}

fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => text
            .split_once(':')
            .map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Some(DEFAULT_PORT), |port| port.parse().ok())?;
    (!host.is_empty() && !host.contains(['/', '@'])).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_dockers_addresses() {
        for (text, expected) in [
            ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
            (
                "unix:///run/user/1000/docker.sock",
                "unix:///run/user/1000/docker.sock",
            ),
            ("tcp://127.0.0.1:2375", "tcp://127.0.0.1:2375"),
            ("tcp://engine", "tcp://engine:2375"),
            ("tcp://engine/", "tcp://engine:2375"),
            ("http://[::1]:99", "tcp://[::1]:99"),
            ("engine:99", "tcp://engine:99"),
        ] {
            assert_eq!(
                Endpoint::parse(text, false).unwrap().to_string(),
                expected,
                "{text}"
            );
        }
        for text in [
            "unix://",
            "ssh://me@host",
            "fd://",
            "npipe:////./pipe/docker_engine",
            "tcp://",
            "tcp://host:port",
            "tcp://host:1/prefix",
        ] {
            assert!(Endpoint::parse(text, false).is_err(), "{text}");
        }
        assert!(Endpoint::parse("tcp://host:2376", true).is_err());
        assert!(Endpoint::parse("unix:///x", true).is_ok());
    }

    #[test]
    fn an_address_that_is_not_loopback_is_remote() {
        let remote = |text| Endpoint::parse(text, false).unwrap().is_remote();
        assert!(!remote("unix:///x"));
        assert!(!remote("tcp://127.0.0.2:1"));
        assert!(!remote("tcp://[::1]:1"));
        assert!(!remote("tcp://localhost:1"));
        assert!(remote("tcp://10.0.0.1:1"));
        assert!(remote("tcp://localhost.example.com:1"));
    }

    #[test]
    fn finds_a_context_by_the_name_inside_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |hash: &str, text: &str| {
            let folder = folder.path().join("contexts/meta").join(hash);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("meta.json"), text).unwrap();
        };
        let of = |name: &str| Endpoint::of_context(folder.path(), name).map(|endpoint| endpoint.to_string());
        assert!(format!("{:#}", of("colima").unwrap_err()).contains("`colima`"));
        write(
            "aa",
            r#"{"Name":"other","Endpoints":{"docker":{"Host":"unix:///other"}}}"#,
        );
        write("bb", "not JSON");
        write(
            "cc",
            r#"{"Name":"colima","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///colima.sock"}}}"#,
        );
        write(
            "dd",
            r#"{"Name":"remote","Endpoints":{"docker":{"Host":"tcp://host:2376"}}}"#,
        );
        write("ee", r#"{"Name":"none","Endpoints":{}}"#);
        fs::create_dir_all(folder.path().join("contexts/tls/dd/docker")).unwrap();
        assert_eq!(of("colima").unwrap(), "unix:///colima.sock");
        assert!(format!("{:#}", of("remote").unwrap_err()).contains("TLS"));
        assert!(format!("{:#}", of("none").unwrap_err()).contains("has no engine endpoint"));
        assert!(of("absent").is_err());
    }
}
