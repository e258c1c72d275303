//! Judges the server's certificate as libpq does, and keeps what was seen for the report.

use crate::certificate::{Certificate, Objection};
use crate::trust::{Check, Trust};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

/// What a handshake showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// `TLSv1.3`; empty before the server has proved its key.
    pub(crate) version: &'static str,
    /// The server's certificate, if it could be read.
    pub(crate) certificate: Option<Certificate>,
}

/// What was seen, shared with who asks for the handshake.
pub(crate) type Sight = Arc<Mutex<Seen>>;

/// What is known so far.
pub(crate) fn seen(sight: &Sight) -> Seen {
    sight.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A verifier with libpq's rules.
#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
    pub(crate) trust: Option<Arc<Trust>>,
    pub(crate) check: Check,
    /// The host as the connection string names it.
    pub(crate) host: String,
    pub(crate) sight: Sight,
}

impl Verifier {
    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.sight.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn signed_by_authority(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        certificate: Option<&Certificate>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let Some(trust) = &self.trust else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        // What rustls takes for no server's certificate, and libpq does: one of the trusted roots itself, mostly an
        // authority's own; and one of version 1, which PostgreSQL's manual shows how to make.
        if let Some(certificate) = certificate {
            let is_root = || {
                trust
                    .roots
                    .iter()
                    .any(|root| root.as_ref() == end_entity.as_ref())
            };
            let now = Duration::from_secs(now.as_secs());
            let is_known = match (certificate.is_self_issued(), certificate.is_version_1) {
                (true, is_version_1) => is_root().then_some(true).or(is_version_1.then_some(false)),
                // That it has ended itself says more than what is wrong with a root.
                (false, true) => {
                    Some(certificate.is_valid_at(now) && self.is_signed_by_root(certificate, trust, now)?)
                }
                (false, false) => None,
            };
            if let Some(is_known) = is_known {
                return match certificate.is_valid_at(now) {
                    true if is_known => Ok(()),
                    true => Err(CertificateError::UnknownIssuer.into()),
                    false => Err(CertificateError::Expired.into()),
                };
            }
        }
        // One of version 1 is no authority, and rustls would give up at it.
        let all: Vec<_> = intermediates
            .iter()
            .chain(&trust.intermediates)
            .filter(|der| Certificate::read(der).is_none_or(|certificate| !certificate.is_version_1))
            .cloned()
            .collect();
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &trust.authorities,
            &all,
            now,
            self.algorithms.all,
        )?;
        self.ends_well(end_entity, &all, trust, now)
    }

    /// Whether one of the roots has signed it itself, and may.
    fn is_signed_by_root(
        &self,
        certificate: &Certificate,
        trust: &Trust,
        now: Duration,
    ) -> Result<bool, Error> {
        let roots = trust.roots.iter().filter_map(|root| Certificate::read(root));
        let mut objection = None;
        for root in roots.filter(|root| certificate.is_signed_by(root, self.algorithms.all)) {
            match root.objection(0, now) {
                None => return Ok(true),
                found => objection = found,
            }
        }
        objection.map_or(Ok(false), |objection| Err(refused(objection)))
    }

    /// For a certificate that rustls accepts: whether one of its chains ends with a root that libpq accepts, too.
    fn ends_well(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        trust: &Trust,
        now: UnixTime,
    ) -> Result<(), Error> {
        let objection = RefCell::new(None);
        let judge = |path: &VerifiedPath<'_>| {
            // A certificate that an authority has issued to itself does not count.
            let between = path.intermediate_certificates();
            let between = between.filter(|certificate| certificate.subject() != certificate.issuer());
            match trust.objection(path.anchor(), between.count(), Duration::from_secs(now.as_secs())) {
                None => Ok(()),
                found => {
                    objection.replace(found);
                    Err(webpki::Error::UnknownIssuer)
                }
            }
        };
        let end_entity =
            EndEntityCert::try_from(end_entity).map_err(|_| Error::from(CertificateError::BadEncoding))?;
        let verdict = end_entity.verify_for_usage(
            self.algorithms.all,
            &trust.authorities.roots,
            intermediates,
            now,
            KeyUsage::server_auth(),
            None,
            Some(&judge),
        );
        match (verdict, objection.take()) {
            (Ok(_), _) => Ok(()),
            (Err(_), Some(objection)) => Err(refused(objection)),
            (Err(_), None) => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn is_for_host(
        &self,
        end_entity: &CertificateDer<'_>,
        certificate: Option<&Certificate>,
        name: &ServerName<'_>,
    ) -> Result<(), Error> {
        let strict =
            ParsedCertificate::try_from(end_entity).and_then(|parsed| verify_server_name(&parsed, name));
        match certificate {
            Some(certificate) if strict.is_err() && certificate.is_for_by_old_rules(&self.host) => Ok(()),
            // rustls complains of the version, but there the name was looked at.
            Some(certificate) if certificate.is_version_1 => Err(CertificateError::NotValidForName.into()),
            _ => strict,
        }
    }

    /// Whether a signature of the handshake was made with the key of the certificate.
    fn proved(
        &self,
        version: &'static str,
        message: &[u8],
        signature: &DigitallySignedStruct,
        by_rustls: impl FnOnce() -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note(|seen| seen.version = version);
        match seen(&self.sight).certificate {
            // rustls does not even read those.
            Some(certificate) if certificate.is_version_1 => {
                let known = self.algorithms.mapping.iter();
                known
                    .filter(|(scheme, _)| *scheme == signature.scheme)
                    .flat_map(|(_, algorithms)| algorithms.iter())
                    .find(|algorithm| {
                        algorithm
                            .verify_signature(&certificate.public_key, message, signature.signature())
                            .is_ok()
                    })
                    .map(|_| HandshakeSignatureValid::assertion())
                    .ok_or_else(|| CertificateError::BadSignature.into())
            }
            _ => by_rustls(),
        }
    }
}

/// In rustls's form.
fn refused(objection: Objection) -> Error {
    CertificateError::Other(OtherError(Arc::new(objection))).into()
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
        let certificate = Certificate::read(end_entity.as_ref());
        self.note(|seen| seen.certificate.clone_from(&certificate));
        if self.check != Check::Nothing {
            self.signed_by_authority(end_entity, intermediates, certificate.as_ref(), now)?;
        }
        if self.check == Check::AuthorityAndName {
            self.is_for_host(end_entity, certificate.as_ref(), name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.proved("TLSv1.2", message, signature, || {
            verify_tls12_signature(message, certificate, signature, &self.algorithms)
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.proved("TLSv1.3", message, signature, || {
            verify_tls13_signature(message, certificate, signature, &self.algorithms)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
