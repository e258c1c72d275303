//! Messages and hints for TLS and certificates.

use crate::hints::Context;
use crate::tls::certificate::Certificate;
use crate::tls::trust_store::CaRejection;
use crate::tls::verifier::Version1;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError};

pub(crate) struct Explanation {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Explanation {
    fn new(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Explanation {
            code,
            message: message.into(),
            hint: Some(hint.into()),
        }
    }
}

/// Amazon's file with the CA certificates of RDS.
const RDS_BUNDLE: &str = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem";

fn is_rds(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.ends_with(".rds.amazonaws.com") || host.ends_with(".rds.amazonaws.com.cn")
}

/// An RDS Proxy has a certificate of a public CA.
fn is_rds_proxy(host: &str) -> bool {
    is_rds(host) && host.to_ascii_lowercase().contains(".proxy-")
}

/// `certificate` is the server's, as far as the handshake has shown it.
pub(crate) fn explain(
    error: &Error,
    certificate: Option<&Certificate>,
    context: &Context<'_>,
) -> Explanation {
    match error {
        Error::InvalidCertificate(error) => {
            let mut explanation = of_certificate(error, certificate, context);
            explanation.message = format!("certificate verify failed: {}", explanation.message);
            explanation
        }
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) => Explanation::new(
            "tls-handshake",
            "the server refused the TLS handshake: it expects another protocol",
            "is this the right port?",
        ),
        Error::AlertReceived(AlertDescription::ProtocolVersion) | Error::PeerIncompatible(_) => {
            Explanation::new(
                "tls-version",
                format!("the TLS handshake failed: {error}"),
                "TLS 1.2 and 1.3 are supported: check ssl_min_protocol_version on both sides",
            )
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => Explanation::new(
            "tls-handshake",
            "the TLS handshake failed: the response is not TLS",
            "is this the right port?",
        ),
        _ => Explanation {
            code: "tls-handshake",
            message: format!("the TLS handshake failed: {error}"),
            hint: None,
        },
    }
}

fn of_certificate(
    error: &CertificateError,
    certificate: Option<&Certificate>,
    context: &Context<'_>,
) -> Explanation {
    let issuer = certificate.map_or("an unknown CA", |certificate| certificate.issuer.as_str());
    let expires = certificate.map_or("an unknown time", |certificate| certificate.expires.as_str());
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Explanation::new(
            "certificate-authority",
            format!("it is issued by `{issuer}`, which is not trusted"),
            of_unknown_issuer(context.host),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = certificate.map_or_else(|| "other names".to_owned(), Certificate::names);
            Explanation::new(
                "certificate-name",
                format!("it is for {names}, and not for the host `{}`", context.host),
                "connect by a name that the certificate holds: on RDS the endpoint's own, no alias and no address",
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Explanation::new(
            "certificate-expired",
            format!("it expired at {expires}"),
            "renew the server's certificate, or check this machine's clock",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Explanation::new(
            "certificate-not-yet",
            "it is not valid yet",
            "check this machine's clock",
        ),
        CertificateError::Other(OtherError(inner)) => of_other(inner.as_ref()),
        _ => Explanation::new("certificate", error.to_string(), UNVERIFIED),
    }
}

const UNVERIFIED: &str = "sslmode=require does not verify it";

/// The verifier's own errors, and those of webpki that rustls has no variant for.
fn of_other(error: &(dyn std::error::Error + 'static)) -> Explanation {
    if let Some(rejection) = error.downcast_ref::<CaRejection>() {
        return Explanation::new("certificate-authority", rejection.to_string(), rejection.hint());
    }
    if error.is::<Version1>() {
        return Explanation::new(
            "certificate",
            error.to_string(),
            "psql may still verify it; issue a version 3 certificate (openssl x509 -req with -extfile, and a \
             subjectAltName), or use sslmode=require, which does not verify it",
        );
    }
    if let Some(webpki::Error::CaUsedAsEndEntity) = error.downcast_ref() {
        return Explanation::new(
            "certificate",
            "it is a CA certificate, which can't be verified here",
            "issue a certificate for the server (CA:FALSE), or name this very certificate as sslrootcert",
        );
    }
    Explanation::new("certificate", error.to_string(), UNVERIFIED)
}

/// The connection broke during the handshake.
pub(crate) fn of_broken_handshake(reason: &str) -> Explanation {
    Explanation::new(
        "tls-handshake",
        format!("the TLS handshake failed: {reason}"),
        "check the server's log; sslnegotiation=direct requires PostgreSQL 17 or newer",
    )
}

fn of_unknown_issuer(host: &str) -> String {
    if is_rds_proxy(host) {
        "an RDS Proxy has a public certificate: use sslrootcert=system".to_owned()
    } else if is_rds(host) {
        format!("RDS has its own CA: download {RDS_BUNDLE} and add sslrootcert=/path/global-bundle.pem")
    } else {
        "sslrootcert=FILE has to hold the certificate of that CA".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rds_has_its_own_ca() {
        for (host, hint) in [
            (
                "cruddur.abc123.ca-central-1.rds.amazonaws.com",
                "global-bundle.pem",
            ),
            ("CRUDDUR.abc.us-east-1.RDS.amazonaws.com.", "global-bundle.pem"),
            ("cruddur.abc.cn-north-1.rds.amazonaws.com.cn", "global-bundle.pem"),
            ("pool.proxy-abc.us-east-1.rds.amazonaws.com", "sslrootcert=system"),
            ("db.example", "sslrootcert=FILE"),
            ("rds.amazonaws.com.example", "sslrootcert=FILE"),
        ] {
            let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
            let context = Context {
                host,
                port: 5432,
                variable: "CONNECTION_URL",
            };
            let explanation = explain(&unknown, None, &context);
            assert_eq!(explanation.code, "certificate-authority");
            let found = explanation.hint.unwrap();
            assert!(found.contains(hint), "{host}: {found}");
        }
    }
}
