//! What the end-to-end tests share.
//!
//! - [`aws::FakeAws`] is a scripted AWS endpoint, and starts tools that call it.
//! - [`tool`] starts one binary, [`launcher`] one of `bin/`, in an environment of its own.
//! - [`sandbox::sandbox`] is the sandbox of the gate: emulator, registry, PostgreSQL, Docker engine.
//! - [`engine::FakeEngine`] is a scripted Docker engine.
//! - [`canary::Canary`] looks for a secret in everything that was printed.

#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

pub mod aws;
pub mod canary;
pub mod engine;
pub mod sandbox;
pub mod tool;
pub mod transcript;

pub use tool::{Output, Running, Tool, launcher, program, tool};

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folder of the built binaries.
pub fn bin_dir() -> PathBuf {
    let named = std::env::var_os("OPS_BIN_DIR").filter(|value| !value.is_empty());
    named.map_or_else(|| root().join("target/release"), PathBuf::from)
}

/// Calls `ready` until it returns a value.
///
/// # Panics
/// When there is none after 20 s; the message contains `what`.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ready() {
            return answer;
        }
        assert!(Instant::now() < end, "waited 20 s for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Writes an executable script.
///
/// # Panics
/// When it can't be written.
pub fn executable(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Another process writes it. A child that another test starts meanwhile would inherit the open file, and the kernel
    // executes no file that is open for writing (ETXTBSY).
    let script = r#"umask 022; printf '%s' "$2" >"$1.new" && chmod +x "$1.new" && mv "$1.new" "$1""#;
    let written = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(path)
        .arg(text)
        .status();
    assert!(written.unwrap().success(), "failed to write `{}`", path.display());
}
