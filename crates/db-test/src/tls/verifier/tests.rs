//! libpq's rules, each with a certificate that only one of them accepts. The expectations were measured with libpq.

use super::*;
use rustls::crypto::ring;
use rustls::internal::msgs::codec::{Codec, Reader};
use rustls_pki_types::pem::PemObject;

/// In the order of the file.
const NAMES: [&str; 10] = [
    "root",
    // The same name as `root`, another key.
    "other",
    // For db.example, localhost and 127.0.0.1.
    "good",
    // For elsewhere.example.
    "elsewhere",
    // Version 1: no extensions, so only a common name, db.example.
    "v1",
    // Version 3, with only that common name.
    "name-only",
    // Self-signed, with CA:TRUE; common name db.example.
    "authority",
    // Signed by `root`, with CA:TRUE, for db.example.
    "chained",
    // A CA below `root`.
    "middle",
    // Signed by `middle`, for db.example.
    "below",
];

fn der(name: &str) -> CertificateDer<'static> {
    let mut all = CertificateDer::pem_slice_iter(include_bytes!("../certificates.pem"));
    let at = NAMES.iter().position(|known| *known == name).unwrap();
    all.nth(at).unwrap().unwrap()
}

/// 2050: long before they expire.
const THEN: Duration = Duration::from_secs(2_524_608_000);
/// 2150: after that.
const TOO_LATE: Duration = Duration::from_secs(5_680_281_600);

fn verifier(trusted: &[&str], verification: Verification, host: &str, now: Duration) -> Verifier {
    let certificates = trusted.iter().map(|name| der(name)).collect();
    Verifier {
        algorithms: ring::default_provider().signature_verification_algorithms,
        trust: TrustStore::new(certificates, String::new(), now).map(Arc::new),
        verification,
        host: host.to_owned(),
        peer: SharedPeerInfo::default(),
    }
}

fn verify(shown: &str, trusted: &[&str], verification: Verification, host: &str, now: Duration) -> String {
    let verifier = verifier(trusted, verification, host, now);
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let result = verifier.verify_server_cert(&der(shown), &[], &name, &[], UnixTime::since_unix_epoch(now));
    assert!(verifier.peer.get().certificate.is_some(), "{shown}");
    match result {
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
fn the_chain_is_verified_as_libpq_does() {
    for (shown, trusted, expected) in [
        ("good", &["root"][..], "ok"),
        ("good", &["other", "root"], "ok"),
        ("good", &["other"], "BadSignature"),
        ("good", &["authority"], "UnknownIssuer"),
        // A chain has to end with a self-signed certificate.
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
        // libpq accepts the first of these two.
        ("v1", &["root"], "Other(OtherError(Version1))"),
        ("v1", &["v1"], "Other(OtherError(Version1))"),
        ("authority", &["authority"], "ok"),
        ("authority", &["root", "authority"], "ok"),
        ("authority", &["root"], "Other(OtherError(CaUsedAsEndEntity))"),
        ("chained", &["root"], "Other(OtherError(CaUsedAsEndEntity))"),
    ] {
        let found = verify(shown, trusted, Verification::Chain, "db.example", THEN);
        assert_eq!(found, expected, "{shown} with {trusted:?}");
        let late = verify(shown, trusted, Verification::Chain, "db.example", TOO_LATE);
        assert_ne!(late, "ok", "{shown} with {trusted:?}, too late");
        if expected == "ok" {
            assert_eq!(late, "Expired", "{shown} with {trusted:?}");
        }
    }
}

#[test]
fn the_name_is_verified_as_libpq_does() {
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
        ("authority", "authority", "db.example", "ok"),
        ("authority", "authority", "other.example", "NotValidForName"),
    ] {
        let found = verify(shown, &[trusted], Verification::ChainAndName, host, THEN);
        assert_eq!(found, expected, "{shown} for {host}");
        // Only the name was wrong.
        assert_eq!(
            verify(shown, &[trusted], Verification::Chain, host, THEN),
            "ok",
            "{shown}"
        );
    }
}

#[test]
fn without_verification_every_certificate_is_accepted_and_recorded() {
    for name in NAMES {
        assert_eq!(
            verify(name, &[], Verification::Nothing, "other.example", TOO_LATE),
            "ok",
            "{name}"
        );
    }
}

/// `a message`, signed with the keys of three certificates before the keys were deleted.
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

/// A TLS signature by `ecdsa_secp256r1_sha256`, from hexadecimal digits.
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

/// Certificates are public: the signature proves that the server holds the key.
#[test]
fn the_server_has_to_have_the_key_of_its_certificate() {
    for (name, _) in SIGNATURES {
        for (signer, signature) in SIGNATURES {
            for message in ["a message", "another message"] {
                let verifier = verifier(&[], Verification::Nothing, "db.example", THEN);
                let certificate = der(name);
                let server = ServerName::try_from("db.example").unwrap();
                let now = UnixTime::since_unix_epoch(THEN);
                verifier
                    .verify_server_cert(&certificate, &[], &server, &[], now)
                    .unwrap();
                let signature = signed(signature);
                let results = [
                    verifier.verify_tls12_signature(message.as_bytes(), &certificate, &signature),
                    verifier.verify_tls13_signature(message.as_bytes(), &certificate, &signature),
                ];
                let expected = name == signer && message == "a message";
                for result in results {
                    assert_eq!(result.is_ok(), expected, "{name} by {signer}, {message}");
                }
                assert_eq!(verifier.peer.get().version, "TLSv1.3");
            }
        }
    }
}
