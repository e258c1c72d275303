//! `scripts/check` itself, in a clone whose steps are stand-ins: what happens when one of them fails.

use rustix::process::Signal;
use std::fs;
use support::{Tool, executable, root, wait_for};
use tempfile::TempDir;

/// A clone in which every step notes its name and its words in `calls`.
struct Clone {
    folder: TempDir,
}

impl Clone {
    fn new() -> Self {
        let clone = Clone {
            folder: TempDir::new().unwrap(),
        };
        let real = ["scripts/check", "scripts/lib/messages.sh"];
        for path in real {
            executable(
                &clone.folder.path().join(path),
                &fs::read_to_string(root().join(path)).unwrap(),
            );
        }
        let stand_ins =
            ["install-deps", "dist", "sandbox", "base-image"].map(|name| format!("scripts/{name}"));
        let programs = ["cargo", "git", "shellcheck"].map(|name| format!("fake/{name}"));
        for path in stand_ins.iter().chain(&programs) {
            clone.step(path, "");
        }
        clone
    }

    /// A stand-in that does `then`, where `$*` are its words.
    fn step(&self, path: &str, then: &str) {
        let name = path.rsplit('/').next().unwrap();
        let calls = self.folder.path().join("calls");
        executable(
            &self.folder.path().join(path),
            &format!("#!/bin/sh\necho \"{name} $*\" >>'{}'\n{then}\n", calls.display()),
        );
    }

    fn check(&self) -> Tool {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().join("fake").display());
        Tool::new(self.folder.path().join("scripts/check")).env("PATH", path)
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

const DOWN: &str = "sandbox --region us-west-2 down";

/// A second profile, or a second set of features, would compile the SDK again.
#[test]
fn every_step_builds_in_one_profile_and_with_the_lock_file() {
    let clone = Clone::new();
    clone.check().run().exits(0);
    let calls = clone.calls();
    let builds = calls
        .iter()
        .filter(|call| call.starts_with("cargo ") && !call.starts_with("cargo fmt"));
    let builds: Vec<_> = builds.collect();
    assert!(builds.len() >= 5, "{builds:?}");
    for call in builds {
        assert!(call.contains(" --release --locked"), "{call}");
        assert!(
            !call.contains("--package") || call.contains("--package e2e"),
            "{call}"
        );
    }
}

#[test]
fn a_step_that_fails_is_named_and_the_sandbox_goes_down() {
    let cases = [
        ("fake/cargo", "[ \"$1\" != fmt ]", "format", false),
        ("fake/cargo", "[ \"$1\" != clippy ] || exit 101", "clippy", false),
        (
            "fake/shellcheck",
            "case \"$*\" in *--external*) exit 1 ;; esac",
            "scripts",
            false,
        ),
        ("scripts/dist", "exit 2", "static probes", false),
        (
            "scripts/sandbox",
            "[ \"$3\" != up ] || exit 2",
            "sandbox in us-west-2",
            true,
        ),
        ("scripts/sandbox", "[ \"$3\" != run ]", "base image", true),
        (
            "fake/cargo",
            "case \"$*\" in *e2e) exit 101 ;; esac",
            "end-to-end tests",
            true,
        ),
    ];
    for (path, then, name, down) in cases {
        let clone = Clone::new();
        clone.step(path, then);
        let output = clone.check().run().exits(1);
        let last = clone.calls().pop().unwrap();
        output.says(&format!("check: error: step `{name}` failed with exit code "));
        assert_eq!(last == DOWN, down, "{name}: {last}");
    }
}

#[test]
fn a_signal_takes_the_sandbox_down() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let clone = Clone::new();
        // The tests run for a while, as a terminal's Ctrl-C would find them.
        let waiting = clone.folder.path().join("waiting");
        let wait = format!(
            "case \"$*\" in *e2e) : >'{}'; sleep 0.3 ;; esac",
            waiting.display()
        );
        clone.step("fake/cargo", &wait);
        let running = clone.check().spawn();
        wait_for("the last step", || waiting.exists().then_some(()));
        running.signal(signal);
        running.wait().exits(code);
        assert_eq!(clone.calls().last().unwrap(), DOWN);
    }
}
