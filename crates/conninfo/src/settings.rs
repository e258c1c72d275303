//! What a connection string means, with libpq's defaults and libpq's checks.

use crate::error::ParseError;
use crate::keys::Parameters;
use crate::required_auth::RequiredAuth;
use crate::targets::{self, Target};
use crate::uri;
use secrecy::SecretString;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that a client needs to connect.
#[derive(Clone, Debug)]
pub struct ConnInfo {
    /// In the order to try. Never empty.
    pub targets: Vec<Target>,
    /// The user; libpq's default is the operating system's user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
    /// The database; the server's default is the user name.
    pub dbname: Option<String>,
    /// Whether and how to use TLS.
    pub ssl_mode: SslMode,
    /// The certificates to trust.
    pub ssl_root_cert: Option<RootCert>,
    /// How TLS is negotiated.
    pub ssl_negotiation: SslNegotiation,
    /// Whether the host name is sent in the TLS handshake (server name indication).
    pub ssl_sni: bool,
    /// The lowest version of TLS.
    pub ssl_min_version: Option<TlsVersion>,
    /// The highest version of TLS.
    pub ssl_max_version: Option<TlsVersion>,
    /// Whether the login is bound to the TLS connection.
    pub channel_binding: ChannelBinding,
    /// The authentication methods that the server may request; `None` means all.
    pub require_auth: Option<RequiredAuth>,
    /// The time limit of each attempt; `None` means no limit.
    pub connect_timeout: Option<Duration>,
    /// The kind of session that is required.
    pub target_session_attrs: SessionAttrs,
    /// Whether to try the targets in a random order.
    pub load_balance_hosts: bool,
    /// Options for the server.
    pub options: Option<String>,
    /// The name that the server shows for the session.
    pub application_name: Option<String>,
    /// The encoding of the session, which the server may not know; `None` means its default or the locale's.
    pub client_encoding: Option<String>,
    /// About keys that have no effect.
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
        /// Only when the server refuses a connection without TLS.
        Allow = "allow",
        /// When the server supports it.
        Prefer = "prefer",
        /// Always, without verifying the certificate.
        Require = "require",
        /// Always, with a certificate from a trusted CA.
        VerifyCa = "verify-ca",
        /// Always, with a certificate from a trusted CA for this host.
        VerifyFull = "verify-full",
    }
}

choices! {
    /// `sslnegotiation`.
    SslNegotiation "sslnegotiation" {
        /// With an `SSLRequest` before the handshake.
        Postgres = "postgres",
        /// The handshake comes first.
        Direct = "direct",
    }
}

choices! {
    /// `channel_binding`.
    ChannelBinding "channel_binding" {
        /// Never.
        Disable = "disable",
        /// When the server supports it.
        Prefer = "prefer",
        /// Always.
        Require = "require",
    }
}

choices! {
    /// `target_session_attrs`.
    SessionAttrs "target_session_attrs" {
        /// Any session.
        Any = "any",
        /// A session that accepts writes.
        ReadWrite = "read-write",
        /// A read-only session.
        ReadOnly = "read-only",
        /// A server that is not a standby.
        Primary = "primary",
        /// A standby.
        Standby = "standby",
        /// A standby, or any server if none is a standby.
        PreferStandby = "prefer-standby",
    }
}

/// A supported version of TLS.
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

/// Interprets the parameters.
pub(crate) fn resolve(parameters: &Parameters, warnings: Vec<String>) -> Result<ConnInfo, ParseError> {
    refuse_unsupported_values(parameters)?;
    refuse_url_as_dbname(parameters)?;
    check_protocol_versions(parameters)?;
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
        client_encoding: text("client_encoding").filter(|encoding| encoding != "auto"),
        warnings,
    })
}

/// Values that libpq supports and this crate does not.
fn refuse_unsupported_values(parameters: &Parameters) -> Result<(), ParseError> {
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

/// For libpq it is a name like any other, and no server has such a database; every message would repeat its password.
fn refuse_url_as_dbname(parameters: &Parameters) -> Result<(), ParseError> {
    match parameters.get("dbname") {
        Some(name) if uri::after_scheme(name.trim_start()).is_some() => {
            Err(ParseError::malformed("the database name is a URL")
                .with_hint("give the URL as the whole connection string")
                .in_variable(parameters.variable("dbname")))
        }
        _ => Ok(()),
    }
}

/// One of `choices`, or an error that lists them. As in libpq, an empty value is invalid.
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

/// As in libpq: whole seconds; zero and negative values mean no limit.
fn connect_timeout(parameters: &Parameters) -> Result<Option<Duration>, ParseError> {
    let seconds = parameters.integer("connect_timeout")?;
    Ok(seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs))
}

/// They have no effect: the driver has one version.
fn check_protocol_versions(parameters: &Parameters) -> Result<(), ParseError> {
    let all = [("3.0", 0), ("3.2", 2), ("latest", 2)];
    let [lowest, highest] = ["min_protocol_version", "max_protocol_version"];
    if let (Some(low), Some(high)) = (
        choose(lowest, parameters, &all)?,
        choose(highest, parameters, &all)?,
    ) && low > high
    {
        return Err(
            ParseError::malformed(format!("\"{lowest}\" is greater than \"{highest}\""))
                .in_variable(parameters.variable(highest).or(parameters.variable(lowest))),
        );
    }
    Ok(())
}

/// The lowest and the highest allowed version, in any case. libpq's default minimum is TLS 1.2; older versions are valid values, and
/// not supported here.
fn tls_versions(parameters: &Parameters) -> Result<(Option<TlsVersion>, Option<TlsVersion>), ParseError> {
    let all = [("TLSv1", 0), ("TLSv1.1", 1), ("TLSv1.2", 2), ("TLSv1.3", 3)];
    let version = |key| match parameters.get(key) {
        Some(value) => match all.iter().find(|(text, _)| text.eq_ignore_ascii_case(value)) {
            Some((_, version)) => Ok(Some(*version)),
            None => choose(key, parameters, &all),
        },
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
    let supported = |version| match version {
        Some(2) => Some(TlsVersion::Tls12),
        Some(3) => Some(TlsVersion::Tls13),
        _ => None,
    };
    Ok((supported(lowest), supported(highest)))
}
