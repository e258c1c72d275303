//! libpq's rules, each with a certificate that only one of them lets through. What is expected was seen with libpq.

use super::*;
use crate::trust;
use rustls::crypto::ring;
use rustls::internal::msgs::codec::{Codec, Reader};
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

fn verifier(trusted: &[&str], check: Check, host: &str) -> Verifier {
    let certificates = trusted.iter().map(|name| der(name)).collect();
    Verifier {
        algorithms: ring::default_provider().signature_verification_algorithms,
        trust: trust::trust(certificates, String::new()).map(Arc::new),
        check,
        host: host.to_owned(),
        sight: Sight::default(),
    }
}

fn judge(shown: &str, trusted: &[&str], check: Check, host: &str, now: Duration) -> String {
    let verifier = verifier(trusted, check, host);
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

/// `a message`, signed with the key of each certificate before it was thrown away.
const SIGNATURES: [(&str, &str); 3] = [
    (
        "good",
        "3046022100cfcf30c796089ae569c58b87f12781feb2f7aa200c157d378e420b9347aa80f9022100b0178a78ffc5608c8063f705f8f0a98bc4d4f08a9b940db73ca66a6b50ac5924",
    ),
    (
        "v1",
        "3045022100e814e9a0ae38ae4178c59a862fa40d4c972fc3eb82b38e13dad4d33d6fbc0d560220594b5d64fc5fc385eaa4afa06c844a5deba964ee6671c218c2e4b31323bbaa83",
    ),
    (
        "authority",
        "3045022100e2b9daf782a081f71b6c6543ab6d90b2390d32b5374b07adda761d809c55202f02207d244e86ce2b84d4b08cf7fb8638cd911a93ad8943666fc029a4edbe8ec56e68",
    ),
];

/// `ecdsa_secp256r1_sha256` in TLS, and a signature in its hexadecimal form.
fn signed(hexadecimal: &str) -> DigitallySignedStruct {
    let digits: Vec<u32> = hexadecimal
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    let signature: Vec<u8> = digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect();
    let length = u16::try_from(signature.len()).unwrap();
    let bytes = [&[4, 3], &length.to_be_bytes()[..], &signature].concat();
    DigitallySignedStruct::read(&mut Reader::init(&bytes)).unwrap()
}

/// A certificate is public: only who has its key is the server.
#[test]
fn the_server_has_to_have_the_key_of_its_certificate() {
    for (name, _) in SIGNATURES {
        for (signer, signature) in SIGNATURES {
            for message in ["a message", "another message"] {
                let verifier = verifier(&[], Check::Nothing, "db.example");
                let certificate = der(name);
                let server = ServerName::try_from("db.example").unwrap();
                let now = UnixTime::since_unix_epoch(THEN);
                verifier
                    .verify_server_cert(&certificate, &[], &server, &[], now)
                    .unwrap();
                let signature = signed(signature);
                let verdicts = [
                    verifier.verify_tls12_signature(message.as_bytes(), &certificate, &signature),
                    verifier.verify_tls13_signature(message.as_bytes(), &certificate, &signature),
                ];
                let expected = name == signer && message == "a message";
                for verdict in verdicts {
                    assert_eq!(verdict.is_ok(), expected, "{name} by {signer}, {message}");
                }
                assert_eq!(seen(&verifier.sight).version, "TLSv1.3");
            }
        }
    }
}
