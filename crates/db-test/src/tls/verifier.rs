//! Verifies the server's certificate as libpq does, and records what the handshake shows of the server.

use crate::tls::certificate::Certificate;
use crate::tls::peer::{PeerInfo, SharedPeerInfo};
use crate::tls::trust_store::{TrustStore, Verification};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The server's certificate is of X.509 version 1. webpki does not parse those, so that its chain can't be verified.
#[derive(Debug)]
pub(crate) struct Version1;

impl fmt::Display for Version1 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("it is an X.509 version 1 certificate, which can't be verified here")
    }
}

impl std::error::Error for Version1 {}

#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
    pub(crate) trust: Option<Arc<TrustStore>>,
    pub(crate) verification: Verification,
    /// The host as the connection string names it.
    pub(crate) host: String,
    pub(crate) peer: SharedPeerInfo,
}

impl Verifier {
    fn verify_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        certificate: Option<&Certificate>,
        now: UnixTime,
    ) -> Result<(), CertificateError> {
        let Some(trust) = &self.trust else {
            return Err(CertificateError::UnknownIssuer);
        };
        if let Some(certificate) = certificate {
            // A self-signed certificate that is trusted itself. webpki refuses those with CA:TRUE as a server's.
            if trust.contains(end_entity) {
                return certificate.check_validity(Duration::from_secs(now.as_secs()));
            }
            if certificate.is_version_1 {
                return Err(other(Version1));
            }
        }
        let intermediates = [intermediates, trust.intermediates.as_slice()].concat();
        let result = ParsedCertificate::try_from(end_entity).and_then(|end_entity| {
            verify_server_cert_signed_by_trust_anchor(
                &end_entity,
                &trust.roots,
                &intermediates,
                now,
                self.algorithms.all,
            )
        });
        result.map_err(|error| match error {
            // A root that was rejected when the store was made is the better explanation.
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => trust
                .rejection(std::iter::once(end_entity).chain(&intermediates))
                .map_or(CertificateError::UnknownIssuer, other),
            Error::InvalidCertificate(error) => error,
            error => other(error),
        })
    }

    fn verify_name(
        &self,
        end_entity: &CertificateDer<'_>,
        certificate: Option<&Certificate>,
        name: &ServerName<'_>,
    ) -> Result<(), Error> {
        let result =
            ParsedCertificate::try_from(end_entity).and_then(|parsed| verify_server_name(&parsed, name));
        match certificate {
            Some(certificate) if result.is_err() && certificate.matches_by_legacy_rules(&self.host) => Ok(()),
            // Here the result is webpki's error about the version.
            Some(certificate) if certificate.is_version_1 => Err(CertificateError::NotValidForName.into()),
            _ => result,
        }
    }

    /// Verifies that the server holds the key of its certificate, by `rustls` where it can.
    fn verify_signature(
        &self,
        version: &'static str,
        message: &[u8],
        signature: &DigitallySignedStruct,
        rustls: impl FnOnce() -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.peer.update(|peer| peer.version = version);
        match self.peer.get() {
            PeerInfo {
                certificate: Some(certificate),
                ..
            } if certificate.is_version_1 => {
                let mapping = self.algorithms.mapping.iter();
                let mut algorithms = mapping
                    .filter(|(scheme, _)| *scheme == signature.scheme)
                    .flat_map(|(_, algorithms)| algorithms.iter());
                let is_valid = algorithms.any(|algorithm| {
                    algorithm
                        .verify_signature(&certificate.public_key, message, signature.signature())
                        .is_ok()
                });
                match is_valid {
                    true => Ok(HandshakeSignatureValid::assertion()),
                    false => Err(CertificateError::BadSignature.into()),
                }
            }
            _ => rustls(),
        }
    }
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> CertificateError {
    CertificateError::Other(OtherError(Arc::new(error)))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = Certificate::parse(end_entity.as_ref());
        self.peer.update(|peer| peer.certificate.clone_from(&certificate));
        if self.verification != Verification::Nothing {
            self.verify_chain(end_entity, intermediates, certificate.as_ref(), now)?;
        }
        if self.verification == Verification::ChainAndName {
            self.verify_name(end_entity, certificate.as_ref(), name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature("TLSv1.2", message, signature, || {
            verify_tls12_signature(message, certificate, signature, &self.algorithms)
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature("TLSv1.3", message, signature, || {
            verify_tls13_signature(message, certificate, signature, &self.algorithms)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
