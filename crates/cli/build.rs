//! Finds the git commit for `--version`: from `$OPS_COMMIT`, from git, or, in an archive made by
//! `git archive`, from the line that git itself has put into `commit.txt`.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=OPS_COMMIT");
    let commit = std::env::var("OPS_COMMIT").ok().filter(|value| !value.is_empty());
    let commit = commit
        .or_else(from_git)
        .or_else(from_archive)
        .unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=OPS_COMMIT={commit}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn from_git() -> Option<String> {
    // A tarball that is unpacked inside another repository must not get that repository's commit.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    let ours = Path::new("../..").canonicalize().ok()?;
    if Path::new(&top).canonicalize().ok()? != ours {
        return None;
    }
    // `logs/HEAD` grows with each commit, HEAD changes with each checkout.
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file])
            && Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn from_archive() -> Option<String> {
    println!("cargo::rerun-if-changed=commit.txt");
    let line = std::fs::read_to_string("commit.txt").ok()?;
    let line = line.trim();
    (!line.is_empty() && !line.contains('$')).then(|| line.to_owned())
}
