//! What a server's certificate says of itself, for people and for the cases in which libpq is less strict than
//! rustls.

mod authority;

pub(crate) use authority::Objection;

use authority::Authority;
use rustls::pki_types::SignatureVerificationAlgorithm;
use std::net::IpAddr;
use std::time::Duration;
use x509_cert::Version;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierOwned;

/// `commonName`, as X.520 numbers it.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The readable parts of a certificate.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// Its common name, or its whole subject.
    pub(crate) subject: String,
    /// The same of who signed it.
    pub(crate) issuer: String,
    /// The first moment after its end, in words.
    pub(crate) ends: String,
    /// Version 1 has no extensions, and rustls does not read it.
    pub(crate) is_version_1: bool,
    /// The bare key, for what rustls does not read.
    pub(crate) public_key: Vec<u8>,
    key_algorithm: Vec<u8>,
    subject_name: Vec<u8>,
    issuer_name: Vec<u8>,
    /// What the issuer has signed, how, and the signature.
    signed: Vec<u8>,
    signature_algorithm: Vec<u8>,
    signature: Vec<u8>,
    /// The names and addresses it is for.
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    common_name: Option<String>,
    not_before: Duration,
    not_after: Duration,
    authority: Authority,
}

impl Certificate {
    /// Reads one, if it can be read.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let whole = x509_cert::Certificate::from_der(der).ok()?;
        let certificate = &whole.tbs_certificate;
        let (mut names, mut addresses) = (Vec::new(), Vec::new());
        if let Ok(Some((_, SubjectAltName(all)))) = certificate.get::<SubjectAltName>() {
            for name in all {
                match name {
                    GeneralName::DnsName(name) => names.push(name.to_string()),
                    GeneralName::IpAddress(bytes) => addresses.extend(address(bytes.as_bytes())),
                    _ => {}
                }
            }
        }
        let key = &certificate.subject_public_key_info;
        Some(Certificate {
            subject: readable(&certificate.subject),
            issuer: readable(&certificate.issuer),
            ends: certificate.validity.not_after.to_string(),
            is_version_1: certificate.version == Version::V1,
            public_key: key.subject_public_key.raw_bytes().to_vec(),
            key_algorithm: identifier(&key.algorithm)?,
            subject_name: certificate.subject.to_der().ok()?,
            issuer_name: certificate.issuer.to_der().ok()?,
            signed: certificate.to_der().ok()?,
            signature_algorithm: identifier(&whole.signature_algorithm)?,
            signature: whole.signature.raw_bytes().to_vec(),
            names,
            addresses,
            common_name: common_name(&certificate.subject),
            not_before: certificate.validity.not_before.to_unix_duration(),
            not_after: certificate.validity.not_after.to_unix_duration(),
            authority: Authority::read(certificate),
        })
    }

    /// Whether `now`, counted from 1970, is within its life.
    pub(crate) fn is_valid_at(&self, now: Duration) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// Whether it names itself as who signed it: the end of a chain.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer_name == self.subject_name
    }

    /// Whether it is signed with a key that libpq finds no digest for, and so no channel binding: Ed25519 and Ed448,
    /// as RFC 8410 numbers them.
    pub(crate) fn has_no_digest(&self) -> bool {
        [[6, 3, 0x2b, 0x65, 0x70], [6, 3, 0x2b, 0x65, 0x71]]
            .iter()
            .any(|identifier| self.signature_algorithm == identifier)
    }

    /// Whether `authority` has signed it itself. rustls finds that out for every certificate but those of version 1.
    pub(crate) fn is_signed_by(
        &self,
        authority: &Certificate,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> bool {
        let fits = |algorithm: &&&dyn SignatureVerificationAlgorithm| {
            algorithm.signature_alg_id().as_ref() == self.signature_algorithm
                && algorithm.public_key_alg_id().as_ref() == authority.key_algorithm
        };
        self.issuer_name == authority.subject_name
            && algorithms.iter().filter(fits).any(|algorithm| {
                algorithm
                    .verify_signature(&authority.public_key, &self.signed, &self.signature)
                    .is_ok()
            })
    }

    /// Whether libpq takes it for `host` where rustls, which wants a name of the host's own kind, does not: an
    /// address that stands among the names, or the common name of a certificate without names of that kind.
    pub(crate) fn is_for_by_old_rules(&self, host: &str) -> bool {
        let is_address = host.parse::<IpAddr>().is_ok();
        let has_own_kind = if is_address {
            !self.addresses.is_empty()
        } else {
            !self.names.is_empty()
        };
        let by_name = is_address && self.names.iter().any(|name| name.eq_ignore_ascii_case(host));
        let common_name = self.common_name.as_deref().filter(|_| !has_own_kind);
        by_name || common_name.is_some_and(|pattern| matches(pattern, host))
    }

    /// All it is for, in words: `localhost, 127.0.0.1`.
    pub(crate) fn is_for(&self) -> String {
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        let all: Vec<String> = self.names.iter().cloned().chain(addresses).collect();
        match (&self.common_name, all.is_empty()) {
            (_, false) => all.join(", "),
            (Some(name), true) => name.clone(),
            (None, true) => "no name at all".to_owned(),
        }
    }
}

/// Without its outer tag and length, as rustls has it. No algorithm takes 128 bytes.
fn identifier(algorithm: &AlgorithmIdentifierOwned) -> Option<Vec<u8>> {
    let whole = algorithm.to_der().ok()?;
    match whole.as_slice() {
        [_, length, inner @ ..] if usize::from(*length) == inner.len() => Some(inner.to_vec()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// As libpq: letters of either case, and a `*.` in front for exactly one label.
fn matches(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.to_ascii_lowercase(), host.to_ascii_lowercase());
    match pattern.strip_prefix("*.") {
        Some(parent) => host
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
        None => pattern == host,
    }
}

fn common_name(name: &Name) -> Option<String> {
    let mut parts = name.0.iter().flat_map(|part| part.0.iter());
    let value = parts.rfind(|part| part.oid == COMMON_NAME)?;
    Some(String::from_utf8_lossy(value.value.value()).into_owned())
}

fn readable(name: &Name) -> String {
    common_name(name).unwrap_or_else(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn certificate(common_name: &str, names: &[&str], addresses: &[&str]) -> Certificate {
        Certificate {
            subject: common_name.to_owned(),
            issuer: String::new(),
            ends: String::new(),
            is_version_1: false,
            public_key: Vec::new(),
            key_algorithm: Vec::new(),
            subject_name: Vec::new(),
            issuer_name: Vec::new(),
            signed: Vec::new(),
            signature_algorithm: Vec::new(),
            signature: Vec::new(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            common_name: Some(common_name.to_owned()),
            not_before: Duration::from_secs(10),
            not_after: Duration::from_secs(20),
            authority: Authority::SELF_MADE,
        }
    }

    #[test]
    fn the_common_name_counts_only_without_names_of_the_hosts_kind() {
        for (common_name, names, addresses, host, expected) in [
            ("db.example", &[][..], &[][..], "db.example", true),
            ("DB.Example", &[], &[], "db.eXample", true),
            ("db.example", &[], &[], "other.example", false),
            ("db.example", &["other.example"], &[], "db.example", false),
            ("db.example", &[], &["10.0.0.1"], "db.example", true),
            ("*.example", &[], &[], "db.example", true),
            ("*.example", &[], &[], "a.db.example", false),
            ("*.example", &[], &[], ".example", false),
            ("*", &[], &[], "example", false),
            ("*.example", &[], &[], "example", false),
            ("10.0.0.1", &[], &[], "10.0.0.1", true),
            ("10.0.0.1", &[], &["10.0.0.2"], "10.0.0.1", false),
            ("x", &["10.0.0.1"], &[], "10.0.0.1", true),
            ("x", &["db.example"], &[], "10.0.0.1", false),
        ] {
            let certificate = certificate(common_name, names, addresses);
            assert_eq!(
                certificate.is_for_by_old_rules(host),
                expected,
                "{common_name} {names:?} {addresses:?} {host}"
            );
        }
    }

    #[test]
    fn says_what_it_is_for_and_when() {
        let both = certificate("c", &["db.example"], &["10.0.0.1"]);
        assert_eq!(both.is_for(), "db.example, 10.0.0.1");
        assert_eq!(certificate("c", &[], &[]).is_for(), "c");
        for (now, expected) in [(9, false), (10, true), (20, true), (21, false)] {
            assert_eq!(both.is_valid_at(Duration::from_secs(now)), expected, "{now}");
        }
        assert_eq!(address(&[10, 0, 0, 1]), Some("10.0.0.1".parse().unwrap()));
        assert_eq!(address(&[0; 16]), Some("::".parse().unwrap()));
        assert_eq!(address(&[1, 2, 3]), None);
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        assert!(Certificate::read(b"").is_none());
        assert!(Certificate::read(&[0x30, 0x82, 0xff, 0xff]).is_none());
    }
}
