//! How one attempt uses TLS, and in which order libpq tries the ways that `sslmode` allows.

use conninfo::{ConnInfo, SslMode, SslNegotiation};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// No TLS.
    Disabled,
    /// Ask the server for TLS, and go on without when it has none.
    Preferred,
    /// Ask the server for TLS, and fail when it has none.
    Required,
    /// Start the TLS handshake without asking (`sslnegotiation=direct`).
    Direct,
}

impl TlsMode {
    /// The mode of the first attempt at an endpoint, and that of the fallback. libpq never uses TLS over a Unix
    /// socket.
    pub(crate) fn sequence(info: &ConnInfo, is_socket: bool) -> (TlsMode, Option<TlsMode>) {
        if is_socket {
            return (TlsMode::Disabled, None);
        }
        match info.ssl_mode {
            SslMode::Disable => (TlsMode::Disabled, None),
            SslMode::Allow => (TlsMode::Disabled, Some(TlsMode::Required)),
            SslMode::Prefer => (TlsMode::Preferred, Some(TlsMode::Disabled)),
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => match info.ssl_negotiation {
                SslNegotiation::Postgres => (TlsMode::Required, None),
                SslNegotiation::Direct => (TlsMode::Direct, None),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sslmode_has_its_sequence() {
        for (mode, expected) in [
            ("disable", (TlsMode::Disabled, None)),
            ("allow", (TlsMode::Disabled, Some(TlsMode::Required))),
            ("prefer", (TlsMode::Preferred, Some(TlsMode::Disabled))),
            ("require", (TlsMode::Required, None)),
            ("verify-ca", (TlsMode::Required, None)),
            ("verify-full", (TlsMode::Required, None)),
            ("require sslnegotiation=direct", (TlsMode::Direct, None)),
        ] {
            let info = conninfo::parse(&format!("host=h sslmode={mode}"), &|_| None).unwrap();
            assert_eq!(TlsMode::sequence(&info, false), expected, "{mode}");
            let socket = TlsMode::sequence(&info, true);
            assert_eq!(socket, (TlsMode::Disabled, None), "{mode}");
        }
    }
}
