//! The build context: the files of a folder, as a tar archive that is the same for the same files.
//!
//! Entries are sorted by name, and their owner is root, as with `docker build`, so that names of users and groups are
//! not part of an image. Modes are kept. Modification times are kept in whole seconds: the engine's cache ignores them,
//! but web servers derive ETags from them, and with a constant time browsers would keep old files.
//! `SOURCE_DATE_EPOCH`, when set, is the maximum of the times.

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

/// From this size on, `.dockerignore` is likely to lack an entry.
pub(crate) const LARGE: u64 = 200 * 1000 * 1000;

/// The size of the parts that are sent to the engine.
const CHUNK: usize = 128 * 1024;

/// How many parts are read ahead, so that reading and sending overlap.
const CHUNKS: usize = 8;

/// The files of a folder that are sent.
#[derive(Debug)]
pub(crate) struct Context {
    folder: PathBuf,
    entries: Vec<Entry>,
    latest: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    /// The path, relative to the folder.
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
    /// Lists `folder`, without the paths that `ignore` excludes. The paths in `keep`, the Dockerfile and
    /// `.dockerignore`, are always sent: the engine needs them, and removes them itself when they are excluded.
    ///
    /// # Errors
    /// When a folder or a file cannot be read. The message has its path.
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
        // The order of `read_dir` is arbitrary.
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
                    || ignore.may_include_below(&text)
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
                // Checked before the upload, in which an error would only break the stream.
                File::open(&full).with_context(|| format!("failed to read `{}`", full.display()))?;
            }
            if enter {
                self.add_folder(&path, ignore, keep)?;
                // The folder was entered because of an exception, but has no file that matches it.
                if !kept && self.entries.len() == at + 1 {
                    self.entries.truncate(at);
                }
            }
        }
        Ok(())
    }

    /// The total size of the files.
    pub(crate) fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }

    /// The largest entry directly in the folder, and its size.
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
    /// When a file cannot be read or is shorter than when it was listed, or the receiver is closed.
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
                let content = ExactSize {
                    file: File::open(full)?,
                    remaining: entry.size,
                };
                archive.append_data(&mut header, &entry.path, content)
            }
        }
    }

    /// The archive as a stream, written while it is sent. `sent` is called with the number of bytes so far.
    pub(crate) fn into_stream(
        self,
        sent: impl Fn(u64) + Send + 'static,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (sender, receiver) = mpsc::channel(CHUNKS);
        std::thread::spawn(move || {
            let writer = BufWriter::with_capacity(CHUNK, Sender(sender.clone()));
            // Without a receiver the error has no use.
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
        // Sockets, pipes and devices are not sent.
        None
    }
}

/// Reads a file up to the size in its header. A file that has grown is truncated; one that has shrunk is an error.
struct ExactSize {
    file: File,
    remaining: u64,
}

impl Read for ExactSize {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.remaining == 0 {
            return Ok(0);
        }
        let read = Read::by_ref(&mut self.file).take(self.remaining).read(buffer)?;
        if read == 0 {
            return Err(io::Error::other("the file became shorter while it was read"));
        }
        self.remaining -= read as u64;
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

/// Parses `SOURCE_DATE_EPOCH`, the maximum of the modification times, in seconds since 1970.
///
/// # Errors
/// When it is not a number.
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
