//! Where credentials are stored for Docker, and storing them there.

use crate::credentials::Credentials;
use crate::docker_config::DockerConfig;
use crate::helper;
use crate::members::{Member, Members};
use anyhow::{Context, Result, bail};
use cli::Failure;
use runtime::critical_section;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::geteuid;
use secrecy::ExposeSecret;
use serde_json::json;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How the names of temporary files begin; six letters or digits follow.
const TEMPORARY: &str = ".config.json";

/// How long to wait for the lock of another login.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// The amazon-ecr-credential-helper, which requests ECR tokens when Docker asks for them and stores none.
const ECR_HELPER: &str = "ecr-login";

/// Where the credentials of a host are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialStore {
    /// `config.json` itself.
    ConfigFile(PathBuf),
    /// The credential helper of this name.
    Helper(String),
    /// The credential helper of this name, which requests tokens itself: nothing is stored.
    SelfManaged(String),
}

impl CredentialStore {
    /// Where [`store`] puts the credentials of `host`.
    pub fn of(config: &DockerConfig, host: &str) -> Self {
        match config.helper_for(host) {
            Some(name) if name == ECR_HELPER => CredentialStore::SelfManaged(name.to_owned()),
            Some(name) => CredentialStore::Helper(name.to_owned()),
            None => CredentialStore::ConfigFile(config.path.clone()),
        }
    }
}

/// The result of [`store`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where the credentials are.
    pub store: CredentialStore,
    /// Whether the credentials, or the mode of the file, were different before.
    pub changed: bool,
}

/// Reads the configuration at `path`, which [`store`] is to change.
///
/// # Errors
/// When [`store`] would refuse it.
pub fn read_to_store(path: &Path) -> Result<DockerConfig> {
    target_of(path)?;
    let config = DockerConfig::read(path)?;
    config.members()?;
    Ok(config)
}

/// Stores `credentials` where Docker looks for the credentials of `host`: in the helper that is configured for the
/// host, else in the file at `path`. The text of other members, and their order, is kept. The file is replaced
/// atomically and only its owner can read it.
///
/// # Errors
/// When the file is malformed, has a key twice or cannot be written, or the helper fails.
pub fn store(path: &Path, host: &str, credentials: &Credentials) -> Result<Stored> {
    let target = target_of(path)?;
    let folder = target
        .parent()
        .context("failed to find the folder of docker's configuration")?;
    let opened =
        open_folder(folder).with_context(|| format!("failed to create the folder `{}`", folder.display()))?;
    let _lock = lock(folder, &opened)?;
    remove_leftovers(folder);
    let config = DockerConfig::read(&target)?;
    // Before a helper is asked to store something.
    let (mut document, mut auths) = config.members()?;
    let store = match CredentialStore::of(&config, host) {
        CredentialStore::ConfigFile(_) => CredentialStore::ConfigFile(path.to_owned()),
        other => other,
    };
    let entry = match &store {
        CredentialStore::SelfManaged(_) => {
            return Ok(Stored {
                store,
                changed: false,
            });
        }
        CredentialStore::Helper(name) => {
            helper::store(name, host, credentials)?;
            // Docker writes an empty entry into the file for credentials that a helper stores.
            json!({})
        }
        CredentialStore::ConfigFile(_) => json!({ "auth": credentials.to_basic().expose_secret() }),
    };
    let stored = config.document.get("auths").and_then(|auths| auths.get(host));
    let differs = stored != Some(&entry) || !is_private(&target);
    if differs {
        auths.set(host, Member::New(entry));
        document.set("auths", Member::Object(auths));
        replace(&target, folder, &document)?;
    }
    // Helpers do not report whether they had the same credentials before.
    let changed = differs || matches!(store, CredentialStore::Helper(_));
    Ok(Stored { store, changed })
}

/// Whether the mode of the file is 0600.
fn is_private(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o777 == 0o600)
}

/// The file that a login replaces. A device, a pipe or a folder is refused: the rename would remove a device.
fn target_of(path: &Path) -> Result<PathBuf> {
    let target = resolve_links(path)?;
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
        let message = format!(
            "failed to read docker's configuration `{}`: `{}` is not a regular file",
            path.display(),
            target.display()
        );
        let failure = Failure::error(message)
            .kind(cli::ErrorKind::Config)
            .code("docker-config");
        return Err(failure
            .hint("remove it, or set DOCKER_CONFIG to another folder")
            .into());
    }
    Ok(target)
}

/// Resolves symbolic links of `path` itself. The link is kept, and the temporary file has to be in the folder of
/// the real file, because a rename does not cross file systems.
fn resolve_links(path: &Path) -> Result<PathBuf> {
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

/// Opens the folder, and makes it when it is missing: each new one is private, and belongs to the owner of the folder that
/// it is in. No step goes by a path, which that owner could replace by a link between two steps of a login by root.
fn open_folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let (parent, name) = match (rustix::fs::open(path, flags, Mode::empty()), path.file_name()) {
        (Ok(folder), _) => return Ok(folder.into()),
        (Err(Errno::NOENT), Some(name)) => (path.parent().unwrap_or(Path::new("/")), name),
        (Err(error), _) => return Err(error.into()),
    };
    let parent = open_folder(if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    })?;
    let made = rustix::fs::mkdirat(&parent, name, Mode::RWXU);
    if made != Err(Errno::EXIST) {
        made?;
    }
    let folder = File::from(rustix::fs::openat(
        &parent,
        name,
        flags | OFlags::NOFOLLOW,
        Mode::empty(),
    )?);
    if made.is_ok() {
        let _ = give_to_owner_of(&parent, &folder);
    }
    Ok(folder)
}

/// Behind a login by root (`sudo`), the owner of the folder must be able to use what is new in it. Others may not change
/// the owner, and need not.
fn give_to_owner_of(folder: &File, new: &File) -> io::Result<()> {
    let owner = folder.metadata()?;
    fchown(new, Some(owner.uid()), Some(owner.gid()))
}

/// Locks the configuration against other logins: two processes that read, change and replace the file at the same
/// time would lose an entry. The lock is a separate file, because the configuration file is replaced by a rename.
fn lock(folder: &Path, opened: &File) -> Result<File> {
    let path = folder.join("config.json.lock");
    let mut options = fs::OpenOptions::new();
    options.write(true).mode(0o600);
    let file = match options.clone().create_new(true).open(&path) {
        // Only a file that is new here is given away: another one may be a link that the owner of the folder has put here.
        Ok(file) => {
            let _ = give_to_owner_of(opened, &file);
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(&path),
        Err(error) => Err(error),
    };
    let file = file.with_context(|| format!("failed to open the lock file `{}`", path.display()))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::error(format!(
                    "failed to lock `{}`: another login has held the lock for {} s",
                    path.display(),
                    LOCK_TIMEOUT.as_secs()
                ))
                .kind(cli::ErrorKind::Conflict)
                .code("locked")
                .hint(format!(
                    "find the process with `fuser -v {}`; it may be waiting for a credential helper",
                    path.display()
                ))
                .into());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("failed to lock `{}`", path.display()));
            }
        }
    }
}

/// Removes what logins have left that were killed while they replaced the file: the passwords of other registries. Only
/// the holder of the lock writes such a file, so none of them is in use, whatever its age. Docker's own have no dot in
/// front. Another user's are left alone, except by root, whose files are given to the owner of the configuration.
fn remove_leftovers(folder: &Path) {
    let user = geteuid();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let random = name.to_str().and_then(|name| name.strip_prefix(TEMPORARY));
        let is_leftover = random.is_some_and(|random| {
            random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        let is_own = |metadata: fs::Metadata| {
            metadata.is_file() && (user.is_root() || metadata.uid() == user.as_raw())
        };
        if is_leftover && entry.metadata().is_ok_and(is_own) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn replace(target: &Path, folder: &Path, document: &Members<'_>) -> Result<()> {
    let context = || format!("failed to write docker's configuration `{}`", target.display());
    let _section = critical_section::enter();
    // The temporary file has mode 0600 from the start, and is removed when a step below fails.
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempfile_in(folder)
        .with_context(context)?;
    // A login by root (`sudo`) must not change the owner of another user's file, and a new one is the folder's owner's:
    // from the start, so that what a killed login leaves is theirs too.
    if let Ok(like) = fs::metadata(target).or_else(|_| fs::metadata(folder)) {
        let own = file.as_file().metadata().with_context(context)?;
        let changed = fchown(file.as_file(), Some(like.uid()), Some(like.gid()));
        // The group of one's own file may be one that the user is not in; with mode 0600 it has no meaning.
        if like.uid() != own.uid() && target.exists() {
            changed.with_context(context)?;
        }
    }
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
