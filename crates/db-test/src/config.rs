//! What the probe reads before it uses the network: the connection string and the files that it names.

use crate::args::Args;
use crate::tls::trust_store::{self, TrustStore};
use cli::args::is_variable_name;
use cli::{Console, ErrorKind, Failure};
use conninfo::{ConnInfo, Host, ParseError, RootCert, SessionAttrs, SslMode, Target};
use secrecy::ExposeSecret;
use std::sync::Arc;

pub(crate) struct ProbeConfig {
    /// The variable that holds the connection string.
    pub(crate) variable: String,
    pub(crate) info: ConnInfo,
    pub(crate) user: String,
    pub(crate) trust: Option<Arc<TrustStore>>,
}

impl ProbeConfig {
    /// # Errors
    /// When the command line, the connection string or a file that it names leaves nothing to try.
    pub(crate) fn read(args: &Args, console: &Console) -> Result<Self, Failure> {
        let usage = |message: &str| {
            Failure::error(message)
                .kind(ErrorKind::Usage)
                .code("usage")
                .hint("CONNECTION_URL=postgresql://… db-test, or db-test --url-env NAME")
        };
        if !args.positional.is_empty() {
            return Err(usage(
                "the connection string is not accepted on the command line, where every user of the machine can read it",
            ));
        }
        // A URL given as the name of the variable must not be repeated in an error.
        let variable = args.url_env.to_str().filter(|name| is_variable_name(name));
        let variable =
            variable.ok_or_else(|| usage("the value of `--url-env` is not a valid variable name"))?;
        let text = read(variable)?;
        let environment = |name: &str| std::env::var(name).ok();
        let info = conninfo::parse(&text, &environment).map_err(|error| invalid(variable, error))?;
        if let Some(password) = &info.password {
            console.redact(password.expose_secret());
        }
        for warning in &info.warnings {
            console.warn(warning);
        }
        let user = match &info.user {
            Some(user) => user.clone(),
            None => whoami::username().map_err(|error| {
                Failure::error("failed to find a user name: none is in the connection string or in PGUSER")
                    .kind(ErrorKind::Config)
                    .code("no-user")
                    .hint("write postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
                    .source(error)
            })?,
        };
        let is_remote = |target: &Target| target.address.is_some() || matches!(target.host, Host::Name(_));
        // The driver gives no access to the traffic of a Unix socket: its requests can't be checked before it responds.
        if info.require_auth.is_some() && !info.targets.iter().all(is_remote) {
            return Err(Failure::error(
                "`require_auth` can't be enforced: a host is a socket, or none is named",
            )
            .kind(ErrorKind::Config)
            .code("unsupported")
            .hint("name a host, for example 127.0.0.1, or remove require_auth and PGREQUIREAUTH"));
        }
        let trust = if info.ssl_mode != SslMode::Disable && info.targets.iter().any(is_remote) {
            trust_store::load(&info, console)?.map(Arc::new)
        } else {
            None
        };
        if let Some(trust) = &trust {
            console.debug(format!(
                "{} trusted certificates from {}",
                trust.len(),
                trust.origin
            ));
        }
        Ok(ProbeConfig {
            variable: variable.to_owned(),
            info,
            user,
            trust,
        })
    }

    /// The server's default is the user name.
    pub(crate) fn database(&self) -> &str {
        self.info.dbname.as_deref().unwrap_or(&self.user)
    }

    /// `host:port` of all hosts, for messages.
    pub(crate) fn target_name(&self) -> String {
        let names = self.info.targets.iter().map(|target| match &target.host {
            Host::Name(name) if name.contains(':') => format!("[{name}]:{}", target.port),
            Host::Name(name) => format!("{name}:{}", target.port),
            Host::Socket(directory) => format!("{}:{}", directory.display(), target.port),
            Host::Default => format!("local socket:{}", target.port),
        });
        names.collect::<Vec<_>>().join(",")
    }

    /// For the config stage: every parameter but the password.
    pub(crate) fn describe(&self) -> String {
        let info = &self.info;
        let list = |show: &dyn Fn(&Target) -> String| {
            let all: Vec<String> = info.targets.iter().map(show).collect();
            all.join(",")
        };
        let mut parts = vec![
            format!("user={}", self.user),
            format!("host={}", list(&|target| host_name(&target.host))),
            format!("port={}", list(&|target| target.port.to_string())),
            format!("dbname={}", self.database()),
            format!("sslmode={}", info.ssl_mode.as_str()),
        ];
        match &info.ssl_root_cert {
            Some(RootCert::System) => parts.push("sslrootcert=system".to_owned()),
            Some(RootCert::File(path)) => parts.push(format!("sslrootcert={}", path.display())),
            None => {}
        }
        if info.target_session_attrs != SessionAttrs::Any {
            parts.push(format!(
                "target_session_attrs={}",
                info.target_session_attrs.as_str()
            ));
        }
        parts.push(format!(
            "password={}",
            if info.password.is_some() { "set" } else { "none" }
        ));
        format!("{} (from ${})", parts.join(" "), self.variable)
    }
}

/// For messages.
pub(crate) fn host_name(host: &Host) -> String {
    match host {
        Host::Name(name) => name.clone(),
        Host::Socket(directory) => directory.display().to_string(),
        Host::Default => "(local socket)".to_owned(),
    }
}

/// The error is in the connection string in `variable`, or in a `PG*` variable.
fn invalid(variable: &str, error: ParseError) -> Failure {
    let message = match error.variable() {
        Some(name) => format!("failed to read `${name}`"),
        None => format!("failed to read the connection string in `${variable}`"),
    };
    let (code, otherwise) = match (error.is_unsupported(), error.variable()) {
        (true, _) => (
            "unsupported",
            "psql and psycopg may accept it: db-test does not support it".to_owned(),
        ),
        (false, Some(name)) => (
            "malformed",
            format!("correct it, or unset {name}; the connection string has precedence"),
        ),
        (false, None) => (
            "malformed",
            "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…".to_owned(),
        ),
    };
    Failure::error(message)
        .kind(ErrorKind::Config)
        .code(code)
        .hint(error.hint().map_or(otherwise, str::to_owned))
        .source(error)
}

fn read(variable: &str) -> Result<String, Failure> {
    let failure = |why: &str, code: &str| {
        Failure::error(format!(
            "failed to read the connection string: `${variable}` {why}"
        ))
        .kind(ErrorKind::Config)
        .code(code)
        .hint(format!(
            "export {variable}=postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        ))
    };
    match std::env::var_os(variable) {
        None => Err(failure("is not set", "unset")),
        Some(value) => match value.into_string() {
            Err(_) => Err(failure("is not UTF-8", "malformed")),
            Ok(text) if text.trim().is_empty() => Err(failure("is empty", "unset")),
            Ok(text) => Ok(text),
        },
    }
}
