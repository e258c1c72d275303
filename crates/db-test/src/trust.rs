//! The certificates that are trusted, and how much of a server's certificate is checked: libpq's rules.

use crate::certificate::{Certificate, Objection};
use cli::{Console, Failure};
use conninfo::{ConnInfo, RootCert, SslMode};
use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is checked of a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Nothing,
    /// That a trusted authority has signed it.
    Authority,
    /// That, and that it is for the host.
    AuthorityAndName,
}

/// The certificates that are trusted. As in OpenSSL a chain has to end with one that has signed itself; others may be
/// on the way to it.
#[derive(Debug)]
pub(crate) struct Trust {
    /// Those that have signed themselves, in rustls's form.
    pub(crate) authorities: RootCertStore,
    /// The same as they are: a server may present one of them itself.
    pub(crate) roots: Vec<CertificateDer<'static>>,
    /// The others.
    pub(crate) intermediates: Vec<CertificateDer<'static>>,
    /// Where they are from, for people.
    pub(crate) origin: String,
}

impl Trust {
    /// What speaks, `now`, against a chain that ends with `anchor` after `between` others. A root that was renewed
    /// with its key may be there twice: one that is right will do.
    pub(crate) fn objection(
        &self,
        anchor: &TrustAnchor<'_>,
        between: usize,
        now: Duration,
    ) -> Option<Objection> {
        let is_anchor = |root: &&CertificateDer<'_>| {
            webpki::anchor_from_trusted_cert(root).is_ok_and(|own| own == *anchor)
        };
        let mut objection = None;
        for root in self.roots.iter().filter(is_anchor) {
            // What can't be read in full can't be judged, and was named by the user.
            objection = Some(Certificate::read(root)?.objection(between, now)?);
        }
        objection
    }
}

/// What is checked, given whether there are trusted certificates. With them even the modes that promise nothing
/// check the authority: libpq's way of being compatible with its past.
pub(crate) fn check(mode: SslMode, has_roots: bool) -> Check {
    match mode {
        SslMode::VerifyFull => Check::AuthorityAndName,
        SslMode::VerifyCa => Check::Authority,
        SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require if has_roots => {
            Check::Authority
        }
        SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require => Check::Nothing,
    }
}

/// Reads the trusted certificates: `sslrootcert`, the system's, or `~/.postgresql/root.crt` where it exists.
///
/// # Errors
/// When the file is needed and not there, or holds no certificate.
pub(crate) fn load(info: &ConnInfo, console: &Console) -> Result<Option<Trust>, Failure> {
    let (path, is_named) = match &info.ssl_root_cert {
        Some(RootCert::System) => return system().map(Some),
        Some(RootCert::File(path)) => (Some(path.clone()), true),
        None => (default_file(), false),
    };
    let is_needed = matches!(info.ssl_mode, SslMode::VerifyCa | SslMode::VerifyFull);
    match path {
        Some(path) if path.exists() => file(&path).map(Some),
        Some(path) if is_needed => Err(missing(&path.display().to_string())),
        None if is_needed => Err(missing("~/.postgresql/root.crt")),
        Some(path) if is_named => {
            console.warn(format!(
                "the root certificate file `{}` does not exist: with sslmode={} the server's certificate is not checked",
                path.display(),
                info.ssl_mode.as_str()
            ));
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// Where libpq looks when nothing is said.
fn default_file() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
    Some(Path::new(&home).join(".postgresql/root.crt"))
}

fn missing(path: &str) -> Failure {
    Failure::error(format!("root certificate file `{path}` does not exist"))
        .code("root-certificate")
        .hint(
            "name the server's authority with sslrootcert=FILE (for RDS its global-bundle.pem), or trust the system's with \
             sslrootcert=system",
        )
}

fn file(path: &Path) -> Result<Trust, Failure> {
    let unreadable = |why: String| {
        Failure::error(format!(
            "failed to read the root certificate file `{}`: {why}",
            path.display()
        ))
        .code("root-certificate")
        .hint("sslrootcert names a file of certificates in PEM form")
    };
    // A pipe or a terminal may never come to an end.
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is no regular file".to_owned()));
    }
    let text = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(error.to_string()))?;
    trust(certificates, format!("`{}`", path.display()))
        .ok_or_else(|| unreadable("no certificate found in it".to_owned()))
}

fn system() -> Result<Trust, Failure> {
    if let Some(path) = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from)
        && std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file())
    {
        return Err(Failure::error(format!(
            "failed to read the root certificate file `{}`: it is no regular file",
            path.display()
        ))
        .code("root-certificate")
        .hint("SSL_CERT_FILE names a file of certificates in PEM form"));
    }
    let found = rustls_native_certs::load_native_certs();
    let why = found.errors.first().map(|error| format!(": {error}"));
    trust(found.certs, "the system's authorities".to_owned()).ok_or_else(|| {
        Failure::error(format!(
            "no trusted certificate found on this system{}",
            why.unwrap_or_default()
        ))
        .code("root-certificate")
        .hint("an image without ca-certificates has none: name a file with sslrootcert=FILE or SSL_CERT_FILE")
    })
}

/// `None` when there is not one.
pub(crate) fn trust(certificates: Vec<CertificateDer<'static>>, origin: String) -> Option<Trust> {
    let (intermediates, roots): (Vec<_>, Vec<_>) = certificates
        .into_iter()
        .partition(|der| Certificate::read(der).is_some_and(|certificate| !certificate.is_self_issued()));
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(roots.iter().cloned());
    (!roots.is_empty() || !intermediates.is_empty()).then_some(Trust {
        authorities,
        roots,
        intermediates,
        origin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_make_the_weak_modes_check_the_authority() {
        for (mode, without, with) in [
            (SslMode::Allow, Check::Nothing, Check::Authority),
            (SslMode::Prefer, Check::Nothing, Check::Authority),
            (SslMode::Require, Check::Nothing, Check::Authority),
            (SslMode::VerifyCa, Check::Authority, Check::Authority),
            (
                SslMode::VerifyFull,
                Check::AuthorityAndName,
                Check::AuthorityAndName,
            ),
        ] {
            assert_eq!(check(mode, false), without, "{mode:?}");
            assert_eq!(check(mode, true), with, "{mode:?}");
        }
    }
}
