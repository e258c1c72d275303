//! The build context: the files of a folder, as a tar archive that is the same for the same files.
//!
//! Names are sorted, and owners are root, as with `docker build`, so that what a user or a machine is called
//! has no part in an image. Modes are kept. Times are kept too, in whole seconds: the engine's cache does not
//! look at them, but web servers make ETags of them, and with a fixed one browsers would keep old files.
//! `SOURCE_DATE_EPOCH`, when set, is the latest time that a file gets.

mod ignore;
mod pattern;

pub(crate) use ignore::Ignore;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use cli::{ErrorKind, Failure};
use futures_util::Stream;
use std::fs::{self, File, FileType};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// The size from which people have usually forgotten something in `.dockerignore`.
pub(crate) const LARGE: u64 = 200 * 1000 * 1000;

/// How much goes to the engine at once.
const CHUNK: usize = 128 * 1024;

/// How many chunks wait for the engine, so that reading and sending overlap.
const CHUNKS: usize = 8;

/// What of a folder is sent.
#[derive(Debug)]
pub(crate) struct Context {
    folder: PathBuf,
    entries: Vec<Entry>,
    latest: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    /// Below the folder.
    path: PathBuf,
    kind: Kind,
    mode: u32,
    modified: u64,
    size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
    Link,
}

impl Context {
    /// Lists `folder`, without what `ignore` leaves out. The paths in `keep` are the engine's own business
    /// and stay: the Dockerfile and `.dockerignore`, which it takes out itself when they are excluded.
    ///
    /// # Errors
    /// When a folder or a file cannot be read; with its name.
    pub(crate) fn list(folder: &Path, ignore: &Ignore, keep: &[&str], latest: Option<u64>) -> Result<Self> {
        let mut context = Context {
            folder: folder.to_owned(),
            entries: Vec::new(),
            latest,
        };
        context.add_folder(Path::new(""), ignore, keep)?;
        Ok(context)
    }

    fn add_folder(&mut self, below: &Path, ignore: &Ignore, keep: &[&str]) -> Result<()> {
        let folder = self.folder.join(below);
        let failed = || format!("failed to read folder `{}`", folder.display());
        let mut names = fs::read_dir(&folder)
            .and_then(|entries| {
                entries
                    .map(|entry| entry.map(|entry| entry.file_name()))
                    .collect::<io::Result<Vec<_>>>()
            })
            .with_context(failed)?;
        // The system lists them in any order.
        names.sort();
        for name in names {
            let path = below.join(name);
            let text = path.to_string_lossy();
            let kept = !ignore.excludes(&text) || keep.contains(&&*text);
            let full = self.folder.join(&path);
            let metadata = fs::symlink_metadata(&full)
                .with_context(|| format!("failed to read `{}`", full.display()))?;
            let Some(kind) = kind_of(metadata.file_type()) else {
                continue;
            };
            let enter = kind == Kind::Folder
                && (kept
                    || ignore.may_bring_back(&text)
                    || keep.iter().any(|file| Path::new(file).starts_with(&path)));
            let at = self.entries.len();
            if kept || enter {
                self.entries.push(Entry {
                    kind,
                    mode: metadata.mode() & 0o7777,
                    modified: u64::try_from(metadata.mtime()).unwrap_or_default(),
                    size: if kind == Kind::File { metadata.len() } else { 0 },
                    path: path.clone(),
                });
            }
            if kept && kind == Kind::File {
                // Before anything is sent: the engine would only see the stream break.
                File::open(&full).with_context(|| format!("failed to read `{}`", full.display()))?;
            }
            if enter {
                self.add_folder(&path, ignore, keep)?;
                // Entered for an exception that it does not have.
                if !kept && self.entries.len() == at + 1 {
                    self.entries.truncate(at);
                }
            }
        }
        Ok(())
    }

    /// How many bytes the files have.
    pub(crate) fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }

    /// The largest file or folder right below the context's own folder, and its bytes.
    pub(crate) fn largest(&self) -> Option<(String, u64)> {
        let mut sizes: Vec<(String, u64)> = Vec::new();
        for entry in &self.entries {
            let Some(top) = entry.path.components().next() else {
                continue;
            };
            let top = top.as_os_str().to_string_lossy().into_owned();
            match sizes.last_mut() {
                Some((name, size)) if *name == top => *size += entry.size,
                _ => sizes.push((top, entry.size)),
            }
        }
        sizes.into_iter().max_by_key(|(_, size)| *size)
    }

    /// Writes the archive.
    ///
    /// # Errors
    /// When a file cannot be read or has changed its size since, or the other end is closed.
    fn write(&self, writer: impl Write) -> io::Result<()> {
        let mut archive = tar::Builder::new(writer);
        for entry in &self.entries {
            self.append(&mut archive, entry).map_err(|error| {
                let path = self.folder.join(&entry.path);
                io::Error::new(
                    error.kind(),
                    format!("failed to send `{}`: {error}", path.display()),
                )
            })?;
        }
        archive.into_inner()?.flush()
    }

    fn append(&self, archive: &mut tar::Builder<impl Write>, entry: &Entry) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_mode(entry.mode);
        header.set_mtime(
            self.latest
                .map_or(entry.modified, |latest| latest.min(entry.modified)),
        );
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(entry.size);
        let full = self.folder.join(&entry.path);
        match entry.kind {
            Kind::Folder => {
                header.set_entry_type(tar::EntryType::Directory);
                archive.append_data(&mut header, entry.path.join(""), io::empty())
            }
            Kind::Link => {
                header.set_entry_type(tar::EntryType::Symlink);
                archive.append_link(&mut header, &entry.path, fs::read_link(full)?)
            }
            Kind::File => {
                header.set_entry_type(tar::EntryType::Regular);
                let content = Exactly {
                    file: File::open(full)?,
                    left: entry.size,
                };
                archive.append_data(&mut header, &entry.path, content)
            }
        }
    }

    /// The archive, made while it is sent: it is never in memory as a whole. `sent` is told the bytes so far.
    pub(crate) fn into_stream(
        self,
        sent: impl Fn(u64) + Send + 'static,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (sender, receiver) = mpsc::channel(CHUNKS);
        std::thread::spawn(move || {
            let writer = BufWriter::with_capacity(CHUNK, Sender(sender.clone()));
            // When the receiver is gone, nobody wants to know of it either.
            if let Err(error) = self.write(writer) {
                let _ = sender.blocking_send(Err(error));
            }
        });
        futures_util::stream::unfold((receiver, 0, sent), |(mut receiver, total, sent)| async move {
            let chunk: io::Result<Bytes> = receiver.recv().await?;
            let total = total + chunk.as_ref().map_or(0, |bytes| bytes.len() as u64);
            sent(total);
            Some((chunk, (receiver, total, sent)))
        })
    }
}

fn kind_of(kind: FileType) -> Option<Kind> {
    if kind.is_dir() {
        Some(Kind::Folder)
    } else if kind.is_symlink() {
        Some(Kind::Link)
    } else if kind.is_file() {
        Some(Kind::File)
    } else {
        // A socket, a pipe or a device is no part of an app.
        None
    }
}

/// A file of the size that its header says. A log that grows is cut off there; one that shrank is an error.
struct Exactly {
    file: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let read = Read::by_ref(&mut self.file).take(self.left).read(buffer)?;
        if read == 0 {
            return Err(io::Error::other("it became shorter while it was read"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

struct Sender(mpsc::Sender<io::Result<Bytes>>);

impl Write for Sender {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(buffer)))
            .map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `SOURCE_DATE_EPOCH`: the latest time that a file may have, in seconds since 1970.
///
/// # Errors
/// When it is set to anything but a number.
pub(crate) fn latest_time(value: Option<&str>) -> Result<Option<u64>> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let seconds = value.parse().map_err(|_| {
        Failure::error("failed to read $SOURCE_DATE_EPOCH: not a number of seconds")
            .kind(ErrorKind::Usage)
            .code("usage")
    })?;
    Ok(Some(seconds))
}

#[cfg(test)]
mod tests;
