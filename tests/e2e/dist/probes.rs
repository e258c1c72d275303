//! The binaries that `scripts/dist` has built for the gate.

use std::fs;
use std::path::PathBuf;
use support::{Tool, program, root};

const PROBES: [&str; 2] = ["health-check", "db-test"];

fn built(probe: &str) -> PathBuf {
    let path = root().join("backend-flask/bin").join(probe);
    assert!(path.is_file(), "`{}` is not built: make dist", path.display());
    path
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Without an interpreter in the ELF header, a binary needs no loader and no library.
#[test]
fn the_probes_are_static() {
    const INTERPRETER: u64 = 3;
    for probe in PROBES {
        let bytes = fs::read(built(probe)).unwrap();
        assert_eq!(&bytes[..6], b"\x7fELF\x02\x01", "{probe}");
        let (start, size, count) = (
            number(&bytes[32..40]),
            number(&bytes[54..56]),
            number(&bytes[56..58]),
        );
        let kinds: Vec<u64> = (0..count)
            .map(|at| usize::try_from(start + at * size).unwrap())
            .map(|at| number(&bytes[at..at + 4]))
            .collect();
        assert!(kinds.contains(&1), "{probe}: {kinds:?}");
        assert!(!kinds.contains(&INTERPRETER), "{probe} requires a loader");
    }
}

#[test]
fn the_probes_contain_no_path_of_this_machine() {
    let home = std::env::var("HOME").unwrap();
    let root = root().canonicalize().unwrap().display().to_string();
    for probe in PROBES {
        let bytes = fs::read(built(probe)).unwrap();
        for folder in [format!("{root}/"), format!("{home}/.cargo")] {
            let found = bytes.windows(folder.len()).any(|part| part == folder.as_bytes());
            assert!(!found, "{probe} names {folder}");
        }
        assert!(bytes.len() < 4_000_000, "{probe}: {} bytes", bytes.len());
    }
}

#[test]
fn the_checksums_are_those_of_the_files() {
    let check = program("sha256sum").args(["--check", "--strict", "SHA256SUMS"]);
    let output = check.current_dir(root().join("dist")).run().exits(0);
    for probe in PROBES {
        assert!(
            output.stdout.contains(&format!("{probe}-")),
            "{}",
            output.transcript()
        );
    }
}

#[test]
fn the_probes_run_without_an_environment_and_print_their_commit() {
    for probe in PROBES {
        let version = Tool::new(built(probe))
            .without("PATH")
            .without("HOME")
            .arg("--version")
            .run()
            .exits(0);
        let start = format!("{probe} 0.1.0 (");
        assert!(version.stdout.starts_with(&start), "{}", version.transcript());
        assert!(!version.stdout.contains("(unknown)"), "{}", version.transcript());
    }
}
