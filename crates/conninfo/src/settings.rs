//! What a connection string means, with libpq's defaults and libpq's checks.

use crate::error::ParseError;
use crate::keys::Parameters;
use crate::required_auth::RequiredAuth;
use crate::targets::{self, Target};
use secrecy::SecretString;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that a client needs to connect.
#[derive(Clone, Debug)]
pub struct ConnInfo {
    /// Where, in the order to try. Never empty.
    pub targets: Vec<Target>,
    /// The user; libpq takes the operating system's without one.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
    /// The database; the server takes the user's name without one.
    pub dbname: Option<String>,
    /// Whether and how to use TLS.
    pub ssl_mode: SslMode,
    /// The certificates to trust.
    pub ssl_root_cert: Option<RootCert>,
    /// How TLS begins.
    pub ssl_negotiation: SslNegotiation,
    /// Whether the host's name is sent in the clear for the server to choose a certificate.
    pub ssl_sni: bool,
    /// The lowest version of TLS.
    pub ssl_min_version: Option<TlsVersion>,
    /// The highest version of TLS.
    pub ssl_max_version: Option<TlsVersion>,
    /// Whether the login is tied to the TLS connection.
    pub channel_binding: ChannelBinding,
    /// The ways to log in that the server may ask for; none means all.
    pub require_auth: Option<RequiredAuth>,
    /// The limit of each attempt; none means no limit.
    pub connect_timeout: Option<Duration>,
    /// What the session must be like.
    pub target_session_attrs: SessionAttrs,
    /// Whether to try the targets in a random order.
    pub load_balance_hosts: bool,
    /// Options for the server.
    pub options: Option<String>,
    /// The name that the server shows for the session.
    pub application_name: Option<String>,
    /// What was accepted and has no effect.
    pub warnings: Vec<String>,
}

macro_rules! choices {
    ($(#[$doc:meta])* $type:ident $key:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $type {
            const KEY: &'static str = $key;
            const ALL: &'static [(&'static str, $type)] = &[$(($text, $type::$variant),)*];

            /// The value in a connection string.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($type::$variant => $text,)*
                }
            }

            fn read(parameters: &Parameters) -> Result<Option<$type>, ParseError> {
                choose($type::KEY, parameters, $type::ALL)
            }
        }
    };
}

choices! {
    /// `sslmode`.
    SslMode "sslmode" {
        /// Never.
        Disable = "disable",
        /// Only when the server refuses a connection without.
        Allow = "allow",
        /// When the server can.
        Prefer = "prefer",
        /// Always; the certificate is not looked at.
        Require = "require",
        /// Always, with a certificate from a trusted authority.
        VerifyCa = "verify-ca",
        /// Always, with a certificate from a trusted authority for this host.
        VerifyFull = "verify-full",
    }
}

choices! {
    /// `sslnegotiation`.
    SslNegotiation "sslnegotiation" {
        /// The server is asked first.
        Postgres = "postgres",
        /// At once.
        Direct = "direct",
    }
}

choices! {
    /// `channel_binding`.
    ChannelBinding "channel_binding" {
        /// Never.
        Disable = "disable",
        /// When the server can.
        Prefer = "prefer",
        /// Always.
        Require = "require",
    }
}

choices! {
    /// `target_session_attrs`.
    SessionAttrs "target_session_attrs" {
        /// Whatever answers.
        Any = "any",
        /// One that takes writes.
        ReadWrite = "read-write",
        /// One that takes none.
        ReadOnly = "read-only",
        /// No standby.
        Primary = "primary",
        /// A standby.
        Standby = "standby",
        /// A standby, or whatever answers when there is none.
        PreferStandby = "prefer-standby",
    }
}

/// A version of TLS that is still spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// `sslrootcert`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootCert {
    /// A file of certificates.
    File(PathBuf),
    /// The system's trust store.
    System,
}

/// Gives the parameters their meaning.
pub(crate) fn resolve(parameters: &Parameters, warnings: Vec<String>) -> Result<ConnInfo, ParseError> {
    refuse_what_is_not_spoken(parameters)?;
    let text = |key: &str| parameters.get(key).map(str::to_owned);
    let from = |key: &str| parameters.variable(key);
    let ssl_root_cert = parameters.get("sslrootcert").map(|path| match path {
        "system" => RootCert::System,
        path => RootCert::File(path.into()),
    });
    let system = ssl_root_cert == Some(RootCert::System);
    let default_mode = if system {
        SslMode::VerifyFull
    } else {
        SslMode::Prefer
    };
    let ssl_mode = SslMode::read(parameters)?.unwrap_or(default_mode);
    if system && ssl_mode != SslMode::VerifyFull {
        return Err(ParseError::malformed(format!(
            "weak sslmode \"{}\" may not be used with sslrootcert=system (use \"verify-full\")",
            ssl_mode.as_str()
        ))
        .in_variable(from("sslmode").or(from("sslrootcert"))));
    }
    let ssl_negotiation = SslNegotiation::read(parameters)?.unwrap_or(SslNegotiation::Postgres);
    let weak = matches!(ssl_mode, SslMode::Disable | SslMode::Allow | SslMode::Prefer);
    if ssl_negotiation == SslNegotiation::Direct && weak {
        return Err(ParseError::malformed(format!(
            "weak sslmode \"{}\" may not be used with sslnegotiation=direct (use \"require\", \"verify-ca\", or \"verify-full\")",
            ssl_mode.as_str()
        ))
        .in_variable(from("sslmode").or(from("sslnegotiation"))));
    }
    let (ssl_min_version, ssl_max_version) = tls_versions(parameters)?;
    Ok(ConnInfo {
        targets: targets::resolve(parameters, ssl_mode == SslMode::VerifyFull)?,
        user: text("user"),
        password: text("password").map(SecretString::from),
        dbname: text("dbname"),
        ssl_mode,
        ssl_root_cert,
        ssl_negotiation,
        ssl_sni: parameters
            .given("sslsni")
            .is_none_or(|value| value.starts_with('1')),
        ssl_min_version,
        ssl_max_version,
        channel_binding: ChannelBinding::read(parameters)?.unwrap_or(ChannelBinding::Prefer),
        require_auth: RequiredAuth::read(parameters)?,
        connect_timeout: connect_timeout(parameters)?,
        target_session_attrs: SessionAttrs::read(parameters)?.unwrap_or(SessionAttrs::Any),
        load_balance_hosts: choose(
            "load_balance_hosts",
            parameters,
            &[("disable", false), ("random", true)],
        )?
        .unwrap_or(false),
        options: text("options"),
        application_name: text("application_name").or_else(|| text("fallback_application_name")),
        warnings,
    })
}

/// Values that libpq can follow and this crate can't.
fn refuse_what_is_not_spoken(parameters: &Parameters) -> Result<(), ParseError> {
    let refused = |pair: &str, why: &str| {
        let key = pair.split('=').next().unwrap_or_default();
        Err(ParseError::unsupported(format!("`{pair}` can't be used: {why}"))
            .in_variable(parameters.variable(key)))
    };
    let encryption = [("disable", false), ("prefer", false), ("require", true)];
    if choose("gssencmode", parameters, &encryption)? == Some(true) {
        return refused("gssencmode=require", "GSSAPI is not supported");
    }
    let certificate = [("disable", false), ("allow", false), ("require", true)];
    if choose("sslcertmode", parameters, &certificate)? == Some(true) {
        return refused("sslcertmode=require", "client certificates are not supported");
    }
    let off = |value: &str| matches!(value.to_ascii_lowercase().as_str(), "false" | "off" | "no" | "0");
    if parameters.get("replication").is_some_and(|value| !off(value)) {
        return refused("replication", "replication connections take no queries");
    }
    Ok(())
}

/// One of `choices`, or an error that names them. As in libpq an empty value is none of them.
fn choose<T: Copy>(
    key: &str,
    parameters: &Parameters,
    choices: &[(&str, T)],
) -> Result<Option<T>, ParseError> {
    let Some(value) = parameters.given(key) else {
        return Ok(None);
    };
    if let Some((_, choice)) = choices.iter().find(|(text, _)| *text == value) {
        return Ok(Some(*choice));
    }
    let names: Vec<&str> = choices.iter().map(|(text, _)| *text).collect();
    let shown = if value.is_empty() { ": \"\"" } else { "" };
    Err(ParseError::malformed(format!("invalid {key} value{shown}"))
        .with_hint(format!("one of {}, in this spelling", names.join(", ")))
        .in_variable(parameters.variable(key)))
}

/// As libpq: whole seconds; zero and less is no limit.
fn connect_timeout(parameters: &Parameters) -> Result<Option<Duration>, ParseError> {
    let seconds = parameters.integer("connect_timeout")?;
    Ok(seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs))
}

/// The oldest and the newest version that is allowed. libpq begins with TLS 1.2 when nothing is said; versions before
/// that are valid words, and nothing here speaks them.
fn tls_versions(parameters: &Parameters) -> Result<(Option<TlsVersion>, Option<TlsVersion>), ParseError> {
    let all = [("TLSv1", 0), ("TLSv1.1", 1), ("TLSv1.2", 2), ("TLSv1.3", 3)];
    let version = |key| match parameters.get(key) {
        Some(_) => choose(key, parameters, &all),
        None => Ok(None),
    };
    let lowest = version("ssl_min_protocol_version")?;
    let highest = version("ssl_max_protocol_version")?;
    if highest.is_some_and(|highest| highest < lowest.unwrap_or(2)) {
        return Err(
            ParseError::malformed("invalid SSL protocol version range").in_variable(
                parameters
                    .variable("ssl_max_protocol_version")
                    .or(parameters.variable("ssl_min_protocol_version")),
            ),
        );
    }
    if highest.is_some_and(|highest| highest < 2) {
        return Err(ParseError::unsupported(
            "`ssl_max_protocol_version` can't be used: TLS 1.2 is the oldest version that is supported",
        )
        .in_variable(parameters.variable("ssl_max_protocol_version")));
    }
    let spoken = |version| match version {
        Some(2) => Some(TlsVersion::Tls12),
        Some(3) => Some(TlsVersion::Tls13),
        _ => None,
    };
    Ok((spoken(lowest), spoken(highest)))
}
