//! What is settled before the network is used: the connection string and the files it names.

use crate::probe::Args;
use crate::trust::{self, Trust};
use cli::{Console, ErrorKind, Failure};
use conninfo::{ConnInfo, Host, ParseError, RootCert, SessionAttrs, SslMode, Target};
use secrecy::ExposeSecret;
use std::sync::Arc;

/// All that is settled before the network is used.
pub(crate) struct Setup {
    /// Where the connection string is from.
    pub(crate) variable: String,
    pub(crate) info: ConnInfo,
    pub(crate) user: String,
    pub(crate) trust: Option<Arc<Trust>>,
}

impl Setup {
    /// Reads the variable and what its value names.
    ///
    /// # Errors
    /// When there is nothing that could be tried.
    pub(crate) fn new(args: &Args, console: &Console) -> Result<Setup, Failure> {
        let usage = |message: &str| {
            Failure::error(message)
                .kind(ErrorKind::Usage)
                .code("usage")
                .hint("CONNECTION_URL=postgresql://… db-test, or db-test --url-env NAME")
        };
        if !args.refused.is_empty() {
            return Err(usage(
                "the connection string is not taken from the command line, where every user of the machine can read it",
            ));
        }
        let variable = args.url_env.to_str().filter(|name| is_variable(name));
        let variable = variable.ok_or_else(|| {
            usage("`--url-env` takes the name of a variable, and what it was given is none")
        })?;
        let text = read(variable)?;
        // What is no connection string at all may be a word that messages need.
        if text.contains(['=', '@']) {
            console.redact(text.trim());
        }
        let environment = |name: &str| std::env::var(name).ok();
        let info = conninfo::parse(&text, &environment).map_err(|error| unusable(variable, error))?;
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
                    .code("no-user")
                    .hint("write postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
                    .source(error)
            })?,
        };
        let is_remote = |target: &Target| target.address.is_some() || matches!(target.host, Host::Name(_));
        // The driver keeps the traffic of a socket to itself, and would have sent the password by then.
        if info.require_auth.is_some() && !info.targets.iter().all(is_remote) {
            return Err(Failure::error(
                "`require_auth` can't be honoured: a host is a socket, or none is named",
            )
            .code("unsupported")
            .hint("name a host, 127.0.0.1 say; or take require_auth and PGREQUIREAUTH away"));
        }
        let trust = if info.ssl_mode != SslMode::Disable && info.targets.iter().any(is_remote) {
            trust::load(&info, console)?.map(Arc::new)
        } else {
            None
        };
        if let Some(trust) = &trust {
            console.debug(format!(
                "{} trusted certificates from {}",
                trust.roots.len() + trust.intermediates.len(),
                trust.origin
            ));
        }
        Ok(Setup {
            variable: variable.to_owned(),
            info,
            user,
            trust,
        })
    }

    /// The database: the server takes the user's name without one.
    pub(crate) fn database(&self) -> &str {
        self.info.dbname.as_deref().unwrap_or(&self.user)
    }

    /// `host:port` of all hosts.
    pub(crate) fn target_name(&self) -> String {
        let names = self.info.targets.iter().map(|target| match &target.host {
            Host::Name(name) if name.contains(':') => format!("[{name}]:{}", target.port),
            Host::Name(name) => format!("{name}:{}", target.port),
            Host::Socket(folder) => format!("{}:{}", folder.display(), target.port),
            Host::Default => format!("local socket:{}", target.port),
        });
        names.collect::<Vec<_>>().join(",")
    }

    /// The line of the config stage: everything but the secret.
    pub(crate) fn describe(&self) -> String {
        let info = &self.info;
        let list = |show: &dyn Fn(&Target) -> String| {
            let all: Vec<String> = info.targets.iter().map(show).collect();
            all.join(",")
        };
        let host = list(&|target| match &target.host {
            Host::Name(name) => name.clone(),
            Host::Socket(folder) => folder.display().to_string(),
            Host::Default => "(local socket)".to_owned(),
        });
        let mut parts = vec![
            format!("user={}", self.user),
            format!("host={host}"),
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

/// Somebody may write the URL where its variable's name belongs; it must not come back in an error.
fn is_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The fault of the connection string in `variable`, or of a variable of libpq's that fills what it leaves open.
fn unusable(variable: &str, error: ParseError) -> Failure {
    let message = match error.variable() {
        Some(name) => format!("failed to read `${name}`"),
        None => format!("failed to read the connection string in `${variable}`"),
    };
    let (code, otherwise) = match (error.is_unsupported(), error.variable()) {
        (true, _) => (
            "unsupported",
            "psql and psycopg may take it: db-test can't stand for them here".to_owned(),
        ),
        (false, Some(name)) => (
            "malformed",
            format!("correct it, or unset {name}; what the connection string says counts more"),
        ),
        (false, None) => (
            "malformed",
            "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…".to_owned(),
        ),
    };
    Failure::error(message)
        .code(code)
        .hint(error.hint().map_or(otherwise, str::to_owned))
        .source(error)
}

fn read(variable: &str) -> Result<String, Failure> {
    let failure = |why: &str, code: &str| {
        Failure::error(format!(
            "failed to read the connection string: `${variable}` {why}"
        ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_no_name_of_a_variable() {
        for (name, expected) in [
            ("CONNECTION_URL", true),
            ("_x1", true),
            ("", false),
            ("1X", false),
            ("postgresql://u:p@h/db", false),
            ("A B", false),
            ("$X", false),
        ] {
            assert_eq!(is_variable(name), expected, "{name}");
        }
    }
}
