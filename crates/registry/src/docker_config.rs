//! Docker's `config.json`: who is signed in where.

use crate::credentials::Credentials;
use crate::helper;
use anyhow::{Context, Result, bail};
use cli::Failure;
use runtime::critical_section;
use rustix::fs::{FlockOperation, flock};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long to wait for another login that holds the lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// The key under which Docker Hub is kept.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The helper that gets ECR tokens by itself, and has nothing to store.
const ECR_HELPER: &str = "ecr-login";

/// `config.json` as it was read. It has no `Debug`: it holds passwords.
#[derive(Clone)]
pub struct DockerConfig {
    path: PathBuf,
    document: Map<String, Value>,
}

/// Where credentials are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The file itself.
    File(PathBuf),
    /// The helper of this name.
    Helper(String),
    /// The helper of this name, which gets tokens by itself: there is nothing to store.
    Itself(String),
}

/// What [`store`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where the credentials are now.
    pub keeper: Keeper,
    /// Whether they, or the file's mode, were others before.
    pub changed: bool,
}

impl DockerConfig {
    /// Where Docker looks: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`.
    ///
    /// # Errors
    /// When neither `DOCKER_CONFIG` nor `HOME` is set.
    pub fn locate() -> Result<PathBuf> {
        let named = std::env::var_os("DOCKER_CONFIG")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from);
        let folder = match named {
            Some(folder) => folder,
            None => std::env::home_dir()
                .filter(|home| !home.as_os_str().is_empty())
                .context("failed to find docker's configuration: neither DOCKER_CONFIG nor HOME is set")?
                .join(".docker"),
        };
        Ok(folder.join("config.json"))
    }

    /// Reads the file at `path`; one that does not exist is empty.
    ///
    /// # Errors
    /// When it cannot be read or is no JSON object. Such a file is never written over.
    pub fn read(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => SecretString::from(text),
            Err(error) if error.kind() == ErrorKind::NotFound => SecretString::from("{}"),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("failed to read docker's configuration `{}`", path.display()));
            }
        };
        let text = if text.expose_secret().trim().is_empty() {
            "{}".into()
        } else {
            text
        };
        // serde_json quotes what it did not expect: the place alone is told.
        let document = serde_json::from_str(text.expose_secret()).map_err(|error| {
            anyhow::anyhow!(
                "failed to read docker's configuration `{}`: no JSON object, line {}",
                path.display(),
                error.line()
            )
        })?;
        Ok(DockerConfig {
            path: path.to_owned(),
            document,
        })
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A text at the top of the file, `currentContext` say.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.document.get(key).and_then(Value::as_str)
    }

    /// The proxies that a build on the engine at `engine` (`unix:///var/run/docker.sock`) gets as arguments, by
    /// their names in small and in capital letters. A URL can hold a password.
    pub fn proxies(&self, engine: &str) -> Vec<(String, String)> {
        const KEYS: [(&str, &str); 5] = [
            ("httpProxy", "http_proxy"),
            ("httpsProxy", "https_proxy"),
            ("noProxy", "no_proxy"),
            ("ftpProxy", "ftp_proxy"),
            ("allProxy", "all_proxy"),
        ];
        let all = self.document.get("proxies");
        let own = all.and_then(|all| all.get(engine).or_else(|| all.get("default")));
        let set = KEYS.into_iter().filter_map(|(key, name)| {
            let value = own?.get(key)?.as_str().filter(|value| !value.is_empty())?;
            Some((name, value))
        });
        set.flat_map(|(name, value)| {
            [name.to_owned(), name.to_ascii_uppercase()].map(|name| (name, value.to_owned()))
        })
        .collect()
    }

    /// The hosts that have an entry or a helper of their own.
    pub fn hosts(&self) -> Vec<String> {
        let keys = |key| {
            self.document
                .get(key)
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(Map::keys)
        };
        let mut hosts: Vec<String> = keys("auths")
            .chain(keys("credHelpers"))
            .map(|key| host_of(key).to_owned())
            .collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }

    /// The helper that Docker asks for `host`. When there is one, Docker ignores the file's own entry,
    /// even if the helper has nothing.
    pub fn helper_for(&self, host: &str) -> Option<&str> {
        let helpers = self.document.get("credHelpers");
        // Docker asks for Docker Hub under its long name; people write the short one.
        let own = [key_of(host), host]
            .into_iter()
            .find_map(|key| helpers?.get(key)?.as_str().filter(|name| !name.is_empty()));
        own.or_else(|| self.text("credsStore").filter(|name| !name.is_empty()))
    }

    /// Where [`store`] puts the credentials of `host`.
    pub fn keeper_of(&self, host: &str) -> Keeper {
        match self.helper_for(host) {
            Some(name) if name == ECR_HELPER => Keeper::Itself(name.to_owned()),
            Some(name) => Keeper::Helper(name.to_owned()),
            None => Keeper::File(self.path.clone()),
        }
    }

    /// The credentials for `host`, found in Docker's own order: `$DOCKER_AUTH_CONFIG`, the helper, the entry.
    ///
    /// # Errors
    /// When a helper fails.
    pub fn credentials_for(&self, host: &str) -> Result<Option<Credentials>> {
        let over = std::env::var("DOCKER_AUTH_CONFIG")
            .ok()
            .and_then(|text| serde_json::from_str::<Value>(&text).ok());
        if let Some(found) = over
            .as_ref()
            .and_then(|document| entry(document.get("auths")?, host))
        {
            return Ok(Some(found));
        }
        match self.helper_for(host) {
            Some(name) => helper::get(name, key_of(host)),
            None => Ok(self.document.get("auths").and_then(|auths| entry(auths, host))),
        }
    }
}

/// The credentials of `host` in an `auths` object.
fn entry(auths: &Value, host: &str) -> Option<Credentials> {
    let auths = auths.as_object()?;
    let exact = auths.get(key_of(host)).or_else(|| auths.get(host));
    // Old files have `https://host/v2/`.
    let entry = exact.or_else(|| {
        auths
            .iter()
            .find(|(key, _)| host_of(key) == host)
            .map(|(_, entry)| entry)
    })?;
    let text = |key: &str| {
        entry
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    if let Some(token) = text("identitytoken") {
        return Some(Credentials::identity_token(token));
    }
    match text("auth") {
        Some(auth) => Credentials::from_basic(auth),
        None => Some(Credentials::new(text("username")?, text("password")?)),
    }
}

/// The name under which docker keeps the login for `host`: for Docker Hub a URL of its own.
pub fn key_of(host: &str) -> &str {
    if host == "docker.io" { DOCKER_HUB } else { host }
}

fn host_of(key: &str) -> &str {
    if key == DOCKER_HUB {
        return "docker.io";
    }
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

/// Stores `credentials` where `docker` will find them for `host`: with the helper that covers it, else in
/// the file at `path`. All else in the file, and its order, stays; the file is replaced in one step and
/// readable by its owner alone.
///
/// # Errors
/// When the file is malformed or cannot be written, or the helper refuses.
pub fn store(path: &Path, host: &str, credentials: &Credentials) -> Result<Stored> {
    let target = follow(path)?;
    let folder = target
        .parent()
        .context("failed to find the folder of docker's configuration")?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("failed to create the folder `{}`", folder.display()))?;
    let _lock = lock(folder)?;
    let mut config = DockerConfig::read(&target)?;
    let (entry, keeper) = match config.keeper_of(host) {
        Keeper::Itself(name) => {
            return Ok(Stored {
                keeper: Keeper::Itself(name),
                changed: false,
            });
        }
        Keeper::Helper(name) => {
            helper::store(&name, host, credentials)?;
            // Docker marks in the file what a helper holds.
            (json!({}), Keeper::Helper(name))
        }
        Keeper::File(_) => (
            json!({ "auth": credentials.to_basic().expose_secret() }),
            Keeper::File(path.to_owned()),
        ),
    };
    let auths = config.document.entry("auths").or_insert_with(|| json!({}));
    let Some(auths) = auths.as_object_mut() else {
        bail!(
            "failed to read docker's configuration `{}`: `auths` is no object",
            path.display()
        );
    };
    let differs = auths.get(host) != Some(&entry) || !is_private(&target);
    if differs {
        auths.insert(host.to_owned(), entry);
        replace(&target, folder, &config.document)?;
    }
    // What a helper held before is not known.
    let changed = differs || matches!(keeper, Keeper::Helper(_));
    Ok(Stored { keeper, changed })
}

/// Whether the file is its owner's alone.
fn is_private(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o777 == 0o600)
}

/// The file that `path` leads to. The link itself must stay, and the new file must come to lie beside the
/// old one: a rename does not cross file systems.
fn follow(path: &Path) -> Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..40 {
        match fs::read_link(&target) {
            Ok(next) => target = target.parent().unwrap_or(Path::new("/")).join(next),
            Err(_) => return Ok(target),
        }
    }
    bail!(
        "failed to read docker's configuration `{}`: too many symbolic links",
        path.display()
    )
}

/// Holds off other logins: two that read, change and replace the file at once would lose an entry. The
/// lock is a file of its own, since a lock on a file that is replaced locks nothing.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("config.json.lock");
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("failed to open the lock file `{}`", path.display()))?;
    let start = Instant::now();
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) if start.elapsed() < LOCK_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(Failure::error(format!(
                    "failed to lock `{}`: another login holds it, for {} s now",
                    path.display(),
                    LOCK_TIMEOUT.as_secs()
                ))
                .code("locked")
                .hint(format!(
                    "see which one with `fuser -v {}`; it may wait for a credential helper",
                    path.display()
                ))
                .into());
            }
            Err(error) => return Err(error).with_context(|| format!("failed to lock `{}`", path.display())),
        }
    }
}

fn replace(target: &Path, folder: &Path, document: &Map<String, Value>) -> Result<()> {
    let context = || format!("failed to write docker's configuration `{}`", target.display());
    let _section = critical_section::enter();
    // A temporary file is 0600 from the start, and is removed when anything below fails.
    let mut file = tempfile::Builder::new()
        .prefix(".config.json")
        .tempfile_in(folder)
        .with_context(context)?;
    let mut text = Vec::new();
    // Docker indents with tabs.
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    serde::Serialize::serialize(
        document,
        &mut serde_json::Serializer::with_formatter(&mut text, formatter),
    )
    .with_context(context)?;
    file.write_all(&text)
        .and_then(|()| file.as_file().sync_all())
        .with_context(context)?;
    if let Ok(old) = fs::metadata(target) {
        let own = file.as_file().metadata().with_context(context)?;
        // Root that logs in for somebody must not take the file away from them.
        if (old.uid(), old.gid()) != (own.uid(), own.gid()) {
            chown(file.path(), Some(old.uid()), Some(old.gid())).with_context(context)?;
        }
    }
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(0o600))
        .with_context(context)?;
    file.persist(target)
        .map_err(|error| error.error)
        .with_context(context)?;
    Ok(())
}

#[cfg(test)]
mod tests;
