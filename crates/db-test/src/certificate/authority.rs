//! What a trusted root has to be to end a chain. rustls asks nothing of one: who names a root is to know. libpq, which
//! is OpenSSL here, asks of it what it asks of every authority.

use super::Certificate;
use std::fmt;
use std::time::Duration;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::{TbsCertificate, Version};

/// `serverAuth`, and the two that servers had before it.
const SERVES: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1"),
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.10.3.3"),
    ObjectIdentifier::new_unwrap("2.16.840.1.113730.4.1"),
];

/// What a certificate may do as an authority.
#[derive(Clone, Copy, Debug)]
pub(super) struct Authority {
    may_sign: bool,
    /// How many certificates there may be between it and a server's.
    path_length: Option<u8>,
}

impl Authority {
    pub(super) const SELF_MADE: Authority = Authority {
        may_sign: true,
        path_length: None,
    };

    /// What its extensions say; one that can't be read allows nothing.
    pub(super) fn read(certificate: &TbsCertificate) -> Self {
        // Before there were extensions, every root was one.
        if certificate.version == Version::V1 {
            return Self::SELF_MADE;
        }
        let may_sign = match certificate.get::<KeyUsage>() {
            Ok(usage) => usage.map(|(_, usage)| usage.key_cert_sign()),
            Err(_) => Some(false),
        };
        let may_serve = match certificate.get::<ExtendedKeyUsage>() {
            Ok(None) => true,
            Ok(Some((_, ExtendedKeyUsage(all)))) => all.iter().any(|usage| SERVES.contains(usage)),
            Err(_) => false,
        };
        let (is_authority, path_length) = match certificate.get::<BasicConstraints>() {
            Ok(Some((_, constraints))) => (
                constraints.ca && may_sign != Some(false),
                constraints.path_len_constraint,
            ),
            // Of a root OpenSSL then takes the word of its key's usage.
            Ok(None) => (may_sign == Some(true), None),
            Err(_) => (false, None),
        };
        Authority {
            may_sign: is_authority && may_serve,
            path_length,
        }
    }
}

/// Why a chain can't end with a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Objection {
    Ended { root: String, ends: String },
    NotYet { root: String },
    NoAuthority { root: String },
    TooFar { root: String, allowed: u8 },
}

impl Objection {
    /// What can be done about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Objection::Ended { .. } => {
                "take a newer certificate of the authority into sslrootcert, or look at this machine's clock"
            }
            Objection::NotYet { .. } => "look at this machine's clock",
            Objection::NoAuthority { .. } => {
                "make the authority with basicConstraints CA:TRUE, and put it into sslrootcert"
            }
            Objection::TooFar { .. } => {
                "issue the server's certificate nearer to the authority, or make it with a larger pathlen"
            }
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Objection::Ended { root, ends } => write!(formatter, "its authority `{root}` ended at {ends}"),
            Objection::NotYet { root } => write!(formatter, "its authority `{root}` is not valid yet"),
            Objection::NoAuthority { root } => {
                write!(
                    formatter,
                    "`{root}`, which signed it, is no authority for servers"
                )
            }
            Objection::TooFar { root, allowed } => write!(
                formatter,
                "its authority `{root}` is too far away: it allows {allowed} certificates in between"
            ),
        }
    }
}

impl std::error::Error for Objection {}

impl Certificate {
    /// What speaks, `now`, against a chain that ends with this root after `between` others.
    pub(crate) fn objection(&self, between: usize, now: Duration) -> Option<Objection> {
        let root = self.subject.clone();
        match self.authority {
            Authority { may_sign: false, .. } => Some(Objection::NoAuthority { root }),
            Authority {
                path_length: Some(allowed),
                ..
            } if between > usize::from(allowed) => Some(Objection::TooFar { root, allowed }),
            _ if now < self.not_before => Some(Objection::NotYet { root }),
            _ if now > self.not_after => Some(Objection::Ended {
                root,
                ends: self.ends.clone(),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::tests::certificate;

    #[test]
    fn a_root_is_valid_an_authority_and_near_enough() {
        let with = |may_sign, path_length| Certificate {
            authority: Authority {
                may_sign,
                path_length,
            },
            ..certificate("root", &[], &[])
        };
        let root = || "root".to_owned();
        let no_authority = Some(Objection::NoAuthority { root: root() });
        let too_far = |allowed| {
            Some(Objection::TooFar {
                root: root(),
                allowed,
            })
        };
        let ended = Some(Objection::Ended {
            root: root(),
            ends: String::new(),
        });
        for (may_sign, path_length, between, now, expected) in [
            (true, None, 0, 10, None),
            (true, None, 9, 20, None),
            (true, Some(0), 0, 15, None),
            (true, Some(2), 2, 15, None),
            (true, Some(0), 1, 15, too_far(0)),
            (true, Some(2), 3, 15, too_far(2)),
            (false, None, 0, 15, no_authority),
            (true, None, 0, 21, ended),
            (true, None, 0, 9, Some(Objection::NotYet { root: root() })),
        ] {
            let found = with(may_sign, path_length).objection(between, Duration::from_secs(now));
            assert_eq!(found, expected, "{may_sign} {path_length:?} {between} {now}");
        }
    }
}
