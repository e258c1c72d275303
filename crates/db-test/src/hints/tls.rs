//! Words and advice about TLS and certificates.

use crate::certificate::{Certificate, Objection};
use crate::fault::Context;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError};

/// A message and what to do about it.
pub(crate) struct Words {
    pub(crate) text: String,
    pub(crate) hint: Option<String>,
}

/// Where Amazon publishes the authorities of RDS.
const RDS_BUNDLE: &str = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem";

fn is_rds(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.ends_with(".rds.amazonaws.com") || host.ends_with(".rds.amazonaws.com.cn")
}

/// An RDS Proxy has a certificate of the public kind.
fn is_rds_proxy(host: &str) -> bool {
    is_rds(host) && host.to_ascii_lowercase().contains(".proxy-")
}

/// A code, words and a hint for what rustls reports.
pub(crate) fn of_tls(
    error: &Error,
    certificate: Option<&Certificate>,
    context: &Context<'_>,
) -> (&'static str, Words) {
    let words = |text: String, hint: String| Words {
        text,
        hint: Some(hint),
    };
    let issuer = certificate.map_or("an unknown authority", |certificate| certificate.issuer.as_str());
    let ends = certificate.map_or("an unknown time", |certificate| certificate.ends.as_str());
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => (
            "certificate-authority",
            words(
                format!("certificate verify failed: it is issued by `{issuer}`, which is not trusted"),
                of_unknown_issuer(context.host),
            ),
        ),
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            let names = certificate.map_or_else(|| "other names".to_owned(), Certificate::is_for);
            (
                "certificate-name",
                words(
                    format!(
                        "certificate verify failed: it is for {names}, and not for the host `{}`",
                        context.host
                    ),
                    "connect by a name that the certificate holds: on RDS the endpoint's own, no alias and no address"
                        .to_owned(),
                ),
            )
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => (
            "certificate-expired",
            words(
                format!("certificate verify failed: it ended at {ends}"),
                "renew the server's certificate, or look at this machine's clock".to_owned(),
            ),
        ),
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => (
            "certificate-not-yet",
            words(
                "certificate verify failed: it is not valid yet".to_owned(),
                "look at this machine's clock".to_owned(),
            ),
        ),
        Error::InvalidCertificate(other) => match objection(other) {
            Some(objection) => (
                "certificate-authority",
                words(
                    format!("certificate verify failed: {objection}"),
                    objection.hint().to_owned(),
                ),
            ),
            None => ("certificate", of_strange_certificate(other)),
        },
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) => (
            "tls-handshake",
            words(
                "the server refused the TLS handshake: it expects another protocol".to_owned(),
                "is this the right port?".to_owned(),
            ),
        ),
        Error::AlertReceived(AlertDescription::ProtocolVersion) | Error::PeerIncompatible(_) => (
            "tls-version",
            words(
                format!("the TLS handshake failed: {error}"),
                "TLS 1.2 and 1.3 are spoken here: look at ssl_min_protocol_version on both sides".to_owned(),
            ),
        ),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => (
            "tls-handshake",
            words(
                "the TLS handshake failed: what came is not TLS".to_owned(),
                "is this the right port?".to_owned(),
            ),
        ),
        _ => (
            "tls-handshake",
            Words {
                text: format!("the TLS handshake failed: {error}"),
                hint: None,
            },
        ),
    }
}

/// What the verifier itself has to say against a root.
fn objection(error: &CertificateError) -> Option<&Objection> {
    match error {
        CertificateError::Other(OtherError(inner)) => inner.downcast_ref(),
        _ => None,
    }
}

/// The connection broke while the handshake was going on.
pub(crate) fn of_broken_handshake(reason: &str, is_end: bool) -> Words {
    let what = if is_end {
        "the server closed the connection"
    } else {
        reason
    };
    Words {
        text: format!("the TLS handshake failed: {what}"),
        hint: Some(
            "look into the server's log; sslnegotiation=direct takes PostgreSQL 17 or newer".to_owned(),
        ),
    }
}

fn of_unknown_issuer(host: &str) -> String {
    if is_rds_proxy(host) {
        "an RDS Proxy has a public certificate: use sslrootcert=system".to_owned()
    } else if is_rds(host) {
        format!(
            "RDS has an authority of its own: download {RDS_BUNDLE} and add sslrootcert=/path/global-bundle.pem"
        )
    } else {
        "sslrootcert=FILE has to hold the certificate of that authority".to_owned()
    }
}

/// What rustls does not take at all, though libpq does.
fn of_strange_certificate(error: &CertificateError) -> Words {
    let text = format!("{error:?}");
    let (why, hint) = if text.contains("CaUsedAsEndEntity") {
        (
            "it is an authority's own, which can't be verified here".to_owned(),
            "issue one for the server (CA:FALSE), or name this very certificate as sslrootcert",
        )
    } else {
        let why = match error {
            CertificateError::Other(other) => other.to_string(),
            other => other.to_string(),
        };
        (why, "sslmode=require does not verify it")
    };
    Words {
        text: format!("certificate verify failed: {why}"),
        hint: Some(hint.to_owned()),
    }
}
