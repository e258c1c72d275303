//! libpq's rules, each with a certificate that only one of them lets through. What is expected was seen with libpq.

use super::*;
use crate::trust;
use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject;

/// In the order of the file.
const NAMES: [&str; 10] = [
    "root",
    // Of the same name as `root`, with another key.
    "other",
    // For db.example, localhost and 127.0.0.1.
    "good",
    // For elsewhere.example.
    "elsewhere",
    // Of version 1: no extensions, so only a common name, db.example.
    "v1",
    // Of version 3, with nothing but that common name.
    "name-only",
    // Signed by itself, with CA:TRUE; common name db.example.
    "authority",
    // Signed by `root`, with CA:TRUE, for db.example.
    "chained",
    // An authority below `root`.
    "middle",
    // Signed by `middle`, for db.example.
    "below",
];

fn der(name: &str) -> CertificateDer<'static> {
    let mut all = CertificateDer::pem_slice_iter(include_bytes!("certificates.pem"));
    let at = NAMES.iter().position(|known| *known == name).unwrap();
    all.nth(at).unwrap().unwrap()
}

/// 2050: long before their end.
const THEN: Duration = Duration::from_secs(2_524_608_000);
/// 2150: after it.
const TOO_LATE: Duration = Duration::from_secs(5_680_281_600);

fn judge(shown: &str, trusted: &[&str], check: Check, host: &str, now: Duration) -> String {
    let certificates = trusted.iter().map(|name| der(name)).collect();
    let verifier = Verifier {
        algorithms: ring::default_provider().signature_verification_algorithms,
        trust: trust::trust(certificates, String::new()).map(Arc::new),
        check,
        host: host.to_owned(),
        sight: Sight::default(),
    };
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let verdict = verifier.verify_server_cert(&der(shown), &[], &name, &[], UnixTime::since_unix_epoch(now));
    assert!(seen(&verifier.sight).certificate.is_some(), "{shown}");
    match verdict {
        Ok(_) => "ok".to_owned(),
        Err(Error::InvalidCertificate(error)) => {
            let text = format!("{error:?}");
            let end = text.find([' ', '{']).unwrap_or(text.len());
            text[..end].trim_end_matches("Context").to_owned()
        }
        Err(other) => other.to_string(),
    }
}

#[test]
fn the_authority_is_checked_as_libpq_does() {
    for (shown, trusted, expected) in [
        ("good", &["root"][..], "ok"),
        ("good", &["other", "root"], "ok"),
        ("good", &["other"], "BadSignature"),
        ("good", &["authority"], "UnknownIssuer"),
        // A chain ends with what has signed itself.
        ("good", &["good"], "UnknownIssuer"),
        ("below", &["root"], "UnknownIssuer"),
        ("below", &["middle"], "UnknownIssuer"),
        ("below", &["middle", "root"], "ok"),
        ("below", &["root", "middle"], "ok"),
        ("below", &["v1", "root", "middle"], "ok"),
        ("good", &["v1"], "UnknownIssuer"),
        ("good", &[], "UnknownIssuer"),
        ("elsewhere", &["root"], "ok"),
        ("name-only", &["root"], "ok"),
        ("v1", &["root"], "ok"),
        ("v1", &["authority", "root"], "ok"),
        ("v1", &["other"], "UnknownIssuer"),
        ("v1", &["authority"], "UnknownIssuer"),
        ("v1", &["v1"], "UnknownIssuer"),
        ("v1", &["v1", "root"], "ok"),
        ("authority", &["authority"], "ok"),
        ("authority", &["root", "authority"], "ok"),
        ("authority", &["root"], "Other(OtherError(CaUsedAsEndEntity))"),
        ("chained", &["root"], "Other(OtherError(CaUsedAsEndEntity))"),
    ] {
        let found = judge(shown, trusted, Check::Authority, "db.example", THEN);
        assert_eq!(found, expected, "{shown} with {trusted:?}");
        let late = judge(shown, trusted, Check::Authority, "db.example", TOO_LATE);
        assert_ne!(late, "ok", "{shown} with {trusted:?}, too late");
        if expected == "ok" {
            assert_eq!(late, "Expired", "{shown} with {trusted:?}");
        }
    }
}

#[test]
fn the_name_is_checked_as_libpq_does() {
    for (shown, trusted, host, expected) in [
        ("good", "root", "db.example", "ok"),
        ("good", "root", "DB.Example", "ok"),
        ("good", "root", "localhost", "ok"),
        ("good", "root", "127.0.0.1", "ok"),
        ("good", "root", "127.0.0.2", "NotValidForName"),
        ("good", "root", "other.example", "NotValidForName"),
        ("elsewhere", "root", "db.example", "NotValidForName"),
        ("name-only", "root", "db.example", "ok"),
        ("name-only", "root", "other.example", "NotValidForName"),
        ("v1", "root", "db.example", "ok"),
        ("v1", "root", "other.example", "NotValidForName"),
        ("authority", "authority", "db.example", "ok"),
        ("authority", "authority", "other.example", "NotValidForName"),
    ] {
        let found = judge(shown, &[trusted], Check::AuthorityAndName, host, THEN);
        assert_eq!(found, expected, "{shown} for {host}");
        // Nothing but the name was wrong.
        assert_eq!(
            judge(shown, &[trusted], Check::Authority, host, THEN),
            "ok",
            "{shown}"
        );
    }
}

#[test]
fn without_a_check_everything_goes_and_is_seen() {
    for name in NAMES {
        assert_eq!(
            judge(name, &[], Check::Nothing, "other.example", TOO_LATE),
            "ok",
            "{name}"
        );
    }
}
