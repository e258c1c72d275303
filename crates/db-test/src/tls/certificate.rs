//! The parts of an X.509 certificate that messages show and that libpq's rules need beyond rustls.

use rustls::CertificateError;
use std::net::IpAddr;
use std::time::Duration;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::{TbsCertificate, Version};

/// `commonName`, X.520.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Ed25519 and Ed448, RFC 8410.
const EDWARDS_CURVES: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("1.3.101.112"),
    ObjectIdentifier::new_unwrap("1.3.101.113"),
];

#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// The common name, or the whole subject of a certificate without one.
    pub(crate) subject: String,
    /// The same of the issuer.
    pub(crate) issuer: String,
    /// `notAfter`, printable.
    pub(crate) expires: String,
    /// webpki does not parse version 1.
    pub(crate) is_version_1: bool,
    /// Whether OpenSSL accepts it as a CA, if it is a root.
    pub(crate) is_ca: bool,
    pub(crate) public_key: Vec<u8>,
    pub(crate) subject_name: Vec<u8>,
    pub(crate) issuer_name: Vec<u8>,
    signature_algorithm: ObjectIdentifier,
    dns_names: Vec<String>,
    addresses: Vec<IpAddr>,
    common_name: Option<String>,
    not_before: Duration,
    not_after: Duration,
}

impl Certificate {
    pub(crate) fn parse(der: &[u8]) -> Option<Self> {
        let parsed = x509_cert::Certificate::from_der(der).ok()?;
        let certificate = &parsed.tbs_certificate;
        let (mut dns_names, mut addresses) = (Vec::new(), Vec::new());
        if let Ok(Some((_, SubjectAltName(names)))) = certificate.get::<SubjectAltName>() {
            for name in names {
                match name {
                    GeneralName::DnsName(name) => dns_names.push(name.to_string()),
                    GeneralName::IpAddress(bytes) => addresses.extend(ip_address(bytes.as_bytes())),
                    _ => {}
                }
            }
        }
        let public_key = &certificate.subject_public_key_info.subject_public_key;
        Some(Certificate {
            subject: display_name(&certificate.subject),
            issuer: display_name(&certificate.issuer),
            expires: certificate.validity.not_after.to_string(),
            is_version_1: certificate.version == Version::V1,
            is_ca: is_ca(certificate),
            public_key: public_key.raw_bytes().to_vec(),
            subject_name: certificate.subject.to_der().ok()?,
            issuer_name: certificate.issuer.to_der().ok()?,
            signature_algorithm: parsed.signature_algorithm.oid,
            dns_names,
            addresses,
            common_name: common_name(&certificate.subject),
            not_before: certificate.validity.not_before.to_unix_duration(),
            not_after: certificate.validity.not_after.to_unix_duration(),
        })
    }

    /// # Errors
    /// When `now`, counted from 1970, is before `notBefore` or after `notAfter`.
    pub(crate) fn check_validity(&self, now: Duration) -> Result<(), CertificateError> {
        match now {
            _ if now < self.not_before => Err(CertificateError::NotValidYet),
            _ if now > self.not_after => Err(CertificateError::Expired),
            _ => Ok(()),
        }
    }

    /// Whether subject and issuer are the same, as in a root.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer_name == self.subject_name
    }

    /// Whether libpq can't compute a channel binding for it: OpenSSL has no digest for these signatures.
    pub(crate) fn lacks_channel_binding(&self) -> bool {
        EDWARDS_CURVES.contains(&self.signature_algorithm)
    }

    /// Whether libpq accepts it for `host` by the rules that webpki does not have: an address among the DNS names,
    /// or the common name of a certificate without alternative names of the host's own kind.
    pub(crate) fn matches_by_legacy_rules(&self, host: &str) -> bool {
        let is_address = host.parse::<IpAddr>().is_ok();
        let has_own_kind = if is_address {
            !self.addresses.is_empty()
        } else {
            !self.dns_names.is_empty()
        };
        let mut dns_names = self.dns_names.iter();
        let by_dns_name = is_address && dns_names.any(|name| name.eq_ignore_ascii_case(host));
        let common_name = self.common_name.as_deref().filter(|_| !has_own_kind);
        by_dns_name || common_name.is_some_and(|pattern| matches(pattern, host))
    }

    /// The names that it is valid for: `localhost, 127.0.0.1`.
    pub(crate) fn names(&self) -> String {
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        let all: Vec<String> = self.dns_names.iter().cloned().chain(addresses).collect();
        match (&self.common_name, all.is_empty()) {
            (_, false) => all.join(", "),
            (Some(name), true) => name.clone(),
            (None, true) => "no name".to_owned(),
        }
    }
}

/// OpenSSL's rule for roots: `basicConstraints`, without which `keyUsage` decides, and `keyUsage` may only restrict.
/// Version 1 has no extensions and passes. An extension that can't be parsed fails.
fn is_ca(certificate: &TbsCertificate) -> bool {
    let constraints = certificate.get::<BasicConstraints>();
    let usage = certificate.get::<KeyUsage>();
    let (Ok(constraints), Ok(usage)) = (constraints, usage) else {
        return false;
    };
    let may_sign = usage.map(|(_, usage)| usage.key_cert_sign());
    match constraints {
        Some((_, constraints)) => constraints.ca && may_sign != Some(false),
        None => certificate.version == Version::V1 || may_sign == Some(true),
    }
}

fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// As in libpq: case does not count, and a leading `*.` stands for exactly one label.
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

fn display_name(name: &Name) -> String {
    common_name(name).unwrap_or_else(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(common_name: &str, dns_names: &[&str], addresses: &[&str]) -> Certificate {
        Certificate {
            subject: common_name.to_owned(),
            issuer: String::new(),
            expires: String::new(),
            is_version_1: false,
            is_ca: false,
            public_key: Vec::new(),
            subject_name: Vec::new(),
            issuer_name: Vec::new(),
            signature_algorithm: COMMON_NAME,
            dns_names: dns_names.iter().map(|name| (*name).to_owned()).collect(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            common_name: Some(common_name.to_owned()),
            not_before: Duration::from_secs(10),
            not_after: Duration::from_secs(20),
        }
    }

    #[test]
    fn the_common_name_counts_only_without_names_of_the_hosts_kind() {
        for (common_name, dns_names, addresses, host, expected) in [
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
            let certificate = certificate(common_name, dns_names, addresses);
            assert_eq!(
                certificate.matches_by_legacy_rules(host),
                expected,
                "{common_name} {dns_names:?} {addresses:?} {host}"
            );
        }
    }

    #[test]
    fn has_names_and_a_validity() {
        let both = certificate("c", &["db.example"], &["10.0.0.1"]);
        assert_eq!(both.names(), "db.example, 10.0.0.1");
        assert_eq!(certificate("c", &[], &[]).names(), "c");
        for (now, expected) in [
            (9, Err(CertificateError::NotValidYet)),
            (10, Ok(())),
            (20, Ok(())),
            (21, Err(CertificateError::Expired)),
        ] {
            assert_eq!(both.check_validity(Duration::from_secs(now)), expected, "{now}");
        }
        assert_eq!(ip_address(&[10, 0, 0, 1]), Some("10.0.0.1".parse().unwrap()));
        assert_eq!(ip_address(&[0; 16]), Some("::".parse().unwrap()));
        assert_eq!(ip_address(&[1, 2, 3]), None);
    }

    #[test]
    fn what_can_t_be_parsed_is_none() {
        assert!(Certificate::parse(b"").is_none());
        assert!(Certificate::parse(&[0x30, 0x82, 0xff, 0xff]).is_none());
    }
}
