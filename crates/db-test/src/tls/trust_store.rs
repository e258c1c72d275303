//! The certificates that are trusted, and how much of a server's certificate is verified, by libpq's rules.

use crate::tls::certificate::Certificate;
use cli::{Console, ErrorKind, Failure};
use conninfo::{ConnInfo, RootCert, SslMode};
use rustls::{CertificateError, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How much of a server's certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    Nothing,
    /// The chain to a trusted root.
    Chain,
    /// The chain and the host name.
    ChainAndName,
}

impl Verification {
    /// With trusted certificates libpq verifies the chain even in the modes that promise nothing, for compatibility
    /// with its older versions.
    pub(crate) fn of(mode: SslMode, has_roots: bool) -> Self {
        match mode {
            SslMode::VerifyFull => Verification::ChainAndName,
            SslMode::VerifyCa => Verification::Chain,
            SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require if has_roots => {
                Verification::Chain
            }
            SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require => Verification::Nothing,
        }
    }
}

/// Why OpenSSL, and so libpq, does not accept a root of the trust store. webpki would: it verifies nothing of a
/// trust anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CaRejection {
    Expired { root: String, at: String },
    NotYetValid { root: String },
    NotCa { root: String },
}

impl CaRejection {
    fn of(root: &Certificate, now: Duration) -> Option<Self> {
        let name = root.subject.clone();
        match root.check_validity(now) {
            _ if !root.is_ca => Some(CaRejection::NotCa { root: name }),
            Err(CertificateError::Expired) => Some(CaRejection::Expired {
                root: name,
                at: root.expires.clone(),
            }),
            Err(_) => Some(CaRejection::NotYetValid { root: name }),
            Ok(()) => None,
        }
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self {
            CaRejection::Expired { .. } => {
                "put the newer certificate of the CA into sslrootcert, or check this machine's clock"
            }
            CaRejection::NotYetValid { .. } => "check this machine's clock",
            CaRejection::NotCa { .. } => {
                "create the CA certificate with basicConstraints CA:TRUE, and put it into sslrootcert"
            }
        }
    }
}

impl fmt::Display for CaRejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CaRejection::Expired { root, at } => write!(formatter, "its CA `{root}` expired at {at}"),
            CaRejection::NotYetValid { root } => write!(formatter, "its CA `{root}` is not valid yet"),
            CaRejection::NotCa { root } => write!(formatter, "its issuer `{root}` is not a CA certificate"),
        }
    }
}

impl std::error::Error for CaRejection {}

/// As in OpenSSL, a chain has to end with a self-issued certificate; the others of the store may be part of it.
#[derive(Debug)]
pub(crate) struct TrustStore {
    /// The roots that OpenSSL accepts.
    pub(crate) roots: RootCertStore,
    pub(crate) intermediates: Vec<CertificateDer<'static>>,
    /// All self-issued certificates.
    self_issued: Vec<CertificateDer<'static>>,
    /// Those of them that OpenSSL does not accept as roots.
    rejected: Vec<(Certificate, CaRejection)>,
    /// The file, for messages.
    pub(crate) origin: String,
}

impl TrustStore {
    /// `now` is counted from 1970. `None` without certificates.
    pub(crate) fn new(
        certificates: Vec<CertificateDer<'static>>,
        origin: String,
        now: Duration,
    ) -> Option<Self> {
        if certificates.is_empty() {
            return None;
        }
        let mut store = TrustStore {
            roots: RootCertStore::empty(),
            intermediates: Vec::new(),
            self_issued: Vec::new(),
            rejected: Vec::new(),
            origin,
        };
        for der in certificates {
            match Certificate::parse(&der) {
                // webpki fails at an intermediate of version 1, which is no CA anyway.
                Some(certificate) if !certificate.is_self_issued() => {
                    if !certificate.is_version_1 {
                        store.intermediates.push(der);
                    }
                    continue;
                }
                Some(certificate) => match CaRejection::of(&certificate, now) {
                    Some(rejection) => store.rejected.push((certificate, rejection)),
                    None => _ = store.roots.add_parsable_certificates([der.clone()]),
                },
                // What only webpki can parse.
                None => _ = store.roots.add_parsable_certificates([der.clone()]),
            }
            store.self_issued.push(der);
        }
        Some(store)
    }

    pub(crate) fn len(&self) -> usize {
        self.self_issued.len() + self.intermediates.len()
    }

    /// Whether the server's own certificate is trusted: a self-signed one that `sslrootcert` names.
    pub(crate) fn contains(&self, certificate: &CertificateDer<'_>) -> bool {
        self.self_issued.iter().any(|own| own == certificate)
    }

    /// The rejected root that has issued one of these certificates, by its name.
    pub(crate) fn rejection<'a>(
        &self,
        chain: impl IntoIterator<Item = &'a CertificateDer<'a>>,
    ) -> Option<CaRejection> {
        let mut chain = chain.into_iter().filter_map(|der| Certificate::parse(der));
        chain.find_map(|certificate| {
            let mut rejected = self.rejected.iter();
            let issuer = rejected.find(|(root, _)| root.subject_name == certificate.issuer_name);
            issuer.map(|(_, rejection)| rejection.clone())
        })
    }
}

/// Reads the trusted certificates: `sslrootcert`, the system's, or `~/.postgresql/root.crt` where it exists.
///
/// # Errors
/// When the file is required and does not exist, or holds no certificate.
pub(crate) fn load(info: &ConnInfo, console: &Console) -> Result<Option<TrustStore>, Failure> {
    let (path, is_named) = match &info.ssl_root_cert {
        Some(RootCert::System) => return system().map(Some),
        Some(RootCert::File(path)) => (Some(path.clone()), true),
        None => (default_file(), false),
    };
    let is_required = matches!(info.ssl_mode, SslMode::VerifyCa | SslMode::VerifyFull);
    match path {
        Some(path) if path.exists() => read_file(&path).map(Some),
        Some(path) if is_required => Err(missing(&path.display().to_string())),
        None if is_required => Err(missing("~/.postgresql/root.crt")),
        Some(path) if is_named => {
            console.warn(format!(
                "the root certificate file `{}` does not exist: with sslmode={} the server's certificate is not verified",
                path.display(),
                info.ssl_mode.as_str()
            ));
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// libpq's default for `sslrootcert`.
fn default_file() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
    Some(Path::new(&home).join(".postgresql/root.crt"))
}

fn failure(message: String, hint: &str) -> Failure {
    Failure::error(message)
        .kind(ErrorKind::Config)
        .code("root-certificate")
        .hint(hint)
}

fn missing(path: &str) -> Failure {
    failure(
        format!("root certificate file `{path}` does not exist"),
        "name the CA certificates of the server with sslrootcert=FILE (for RDS its global-bundle.pem), or use the \
         system's with sslrootcert=system",
    )
}

fn unreadable(path: &Path, why: impl fmt::Display, hint: &str) -> Failure {
    let path = path.display();
    failure(
        format!("failed to read the root certificate file `{path}`: {why}"),
        hint,
    )
}

fn read_file(path: &Path) -> Result<TrustStore, Failure> {
    let hint = "sslrootcert names a file of certificates in PEM form";
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, error, hint))?;
    // Reading a pipe or a terminal may block for ever.
    if !metadata.is_file() {
        return Err(unreadable(path, "not a regular file", hint));
    }
    let text = std::fs::read(path).map_err(|error| unreadable(path, error, hint))?;
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(path, error, hint))?;
    TrustStore::new(certificates, format!("`{}`", path.display()), now())
        .ok_or_else(|| unreadable(path, "no certificate found in it", hint))
}

fn system() -> Result<TrustStore, Failure> {
    if let Some(path) = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from)
        && std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file())
    {
        let hint = "SSL_CERT_FILE names a file of certificates in PEM form";
        return Err(unreadable(&path, "not a regular file", hint));
    }
    let found = rustls_native_certs::load_native_certs();
    let why = found.errors.first().map(|error| format!(": {error}"));
    TrustStore::new(found.certs, "the system's CA certificates".to_owned(), now()).ok_or_else(|| {
        failure(
            format!(
                "no trusted certificate found on this system{}",
                why.unwrap_or_default()
            ),
            "an image without ca-certificates has none: name a file with sslrootcert=FILE or SSL_CERT_FILE",
        )
    })
}

fn now() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_make_the_weak_modes_verify_the_chain() {
        use Verification::{Chain, ChainAndName, Nothing};
        for (mode, without, with) in [
            (SslMode::Allow, Nothing, Chain),
            (SslMode::Prefer, Nothing, Chain),
            (SslMode::Require, Nothing, Chain),
            (SslMode::VerifyCa, Chain, Chain),
            (SslMode::VerifyFull, ChainAndName, ChainAndName),
        ] {
            assert_eq!(Verification::of(mode, false), without, "{mode:?}");
            assert_eq!(Verification::of(mode, true), with, "{mode:?}");
        }
    }
}
