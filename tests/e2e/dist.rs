//! `scripts/dist` in a clone with fake compilers; `probes` tests the binaries of the real one.

mod probes;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use support::{Output, Tool, executable, program, root};
use tempfile::TempDir;

/// A git clone with a fake `cargo build` that copies the file `source` to both probes.
struct Clone {
    folder: TempDir,
}

impl Clone {
    fn new() -> Self {
        let clone = Clone {
            folder: TempDir::new().unwrap(),
        };
        let real = [
            "scripts/dist",
            "scripts/lib/messages.sh",
            "scripts/lib/images.sh",
            "scripts/lib/toml.sh",
        ];
        for path in real {
            executable(&clone.path(path), &fs::read_to_string(root().join(path)).unwrap());
        }
        clone.platform("linux/amd64");
        for (path, text) in [
            ("source", "one"),
            ("crates/probe/src/lib.rs", ""),
            ("crates/other/src/lib.rs", ""),
            ("Cargo.toml", ""),
            ("Cargo.lock", ""),
            (
                ".gitignore",
                "/target/\n/dist/\n/backend-flask/bin/\n/fake/\n/calls\n/cargo/\n",
            ),
        ] {
            clone.write(path, text);
        }
        // PATH has only these, and not the machine's compilers.
        for name in [
            "awk",
            "bash",
            "cat",
            "cmp",
            "cp",
            "dirname",
            "env",
            "flock",
            "git",
            "grep",
            "install",
            "mkdir",
            "mv",
            "rm",
            "sed",
            "sh",
            "sha256sum",
            "sort",
            "stat",
        ] {
            let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
            let found = found.iter().find(|path| path.exists());
            let found = found.unwrap_or_else(|| panic!("no `{name}` on this machine"));
            fs::create_dir_all(clone.path("fake")).unwrap();
            symlink(found, clone.path("fake").join(name)).unwrap();
        }
        clone.fake("uname", "echo x86_64");
        clone.fake(
            "rustc",
            &format!("echo '{}'", clone.path("fake/sysroot").display()),
        );
        clone.fake("musl-gcc", ":");
        clone.fake("cargo", &clone.cargo());
        clone.target("x86_64");
        clone.git(&["init", "-q"]);
        clone.commit("first");
        clone
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn platform(&self, platform: &str) {
        let text = format!(
            "[[image]]\nname = \"cruddur-python\"\nfrom = \"python\"\n[[image]]\nname = \"backend-flask\"\n\
             build = {{ context = \"backend-flask\", platform = \"{platform}\" }}\n"
        );
        self.write("ops.toml", &text);
    }

    fn fake(&self, name: &str, script: &str) {
        executable(&self.path("fake").join(name), &format!("#!/bin/sh\n{script}\n"));
    }

    fn cargo(&self) -> String {
        format!(
            "case $1 in\n\
             tree) echo 'probe v0.1.0 ({clone}/crates/probe)'; exit ;;\n\
             esac\n\
             echo \"$* commit=$OPS_COMMIT\" >>'{clone}/calls'\n\
             printf '%s' \"$CARGO_ENCODED_RUSTFLAGS\" >'{clone}/fake/flags'\n\
             if [ -e '{clone}/broken' ]; then echo 'error: expected one of' >&2; exit 101; fi\n\
             echo '   Compiling probe' >&2\n\
             while [ $# -gt 0 ]; do case $1 in --target) triple=$2 ;; esac; shift; done\n\
             mkdir -p \"{clone}/target/$triple/dist\"\n\
             for probe in health-check db-test; do\n\
             cp '{clone}/source' \"{clone}/target/$triple/dist/$probe\"\n\
             done\n\
             echo '    Finished in no time' >&2\n",
            clone = self.folder.path().canonicalize().unwrap().display()
        )
    }

    fn target(&self, architecture: &str) {
        let folder = format!("fake/sysroot/lib/rustlib/{architecture}-unknown-linux-musl");
        fs::create_dir_all(self.path(&folder)).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=e2e", "-c", "user.email=e2e@example.com"];
        let git = program("git").args(identity).args(arguments);
        git.current_dir(self.path(""))
            .run()
            .exits(0)
            .stdout
            .trim()
            .to_owned()
    }

    fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "--short=12", "HEAD"])
    }

    fn dist(&self) -> Tool {
        Tool::new(self.path("scripts/dist"))
            .env("PATH", self.path("fake"))
            .env("CARGO_HOME", self.path("cargo"))
    }

    /// The calls of `cargo build` since the previous call of this function.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let _ = fs::remove_file(self.path("calls"));
        calls.lines().map(str::to_owned).collect()
    }

    /// The OPS_COMMIT of the last build.
    fn commit_of_build(&self) -> String {
        let calls = self.calls();
        calls.last().unwrap().split_once("commit=").unwrap().1.to_owned()
    }
}

/// Inode and modification time.
fn identity(path: &Path) -> (u64, i64, i64) {
    let data = fs::metadata(path).unwrap();
    (data.ino(), data.mtime(), data.mtime_nsec())
}

#[test]
fn installs_the_probes_and_does_not_touch_them_the_second_time() {
    let clone = Clone::new();
    let first = clone.dist().run().exits(0);
    let lines: Vec<String> = first
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        lines,
        [
            "changed 1 KB dist/health-check-x86_64-linux",
            "changed 1 KB dist/db-test-x86_64-linux",
            "changed 1 KB backend-flask/bin/health-check",
            "changed 1 KB backend-flask/bin/db-test",
        ]
    );
    let first = first.says("   Compiling probe");
    assert!(!first.stderr.contains("Finished"), "{}", first.transcript());
    let places = [
        "dist/SHA256SUMS",
        "dist/health-check-x86_64-linux",
        "dist/db-test-x86_64-linux",
        "backend-flask/bin/health-check",
        "backend-flask/bin/db-test",
    ];
    for path in &places[1..] {
        assert_eq!(clone.read(path), "one");
        let mode = fs::metadata(clone.path(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "{path}");
    }
    let check = program("sha256sum").args(["--check", "SHA256SUMS"]);
    check.current_dir(clone.path("dist")).run().exits(0);

    let before = places.map(|path| identity(&clone.path(path)));
    let second = clone.dist().run().exits(0);
    assert!(
        !second.stdout.lines().any(|line| line.starts_with("changed")),
        "{}",
        second.transcript()
    );
    assert_eq!(places.map(|path| identity(&clone.path(path))), before);

    clone.write("source", "two");
    clone.dist().arg("--quiet").run().exits(0).prints("");
    for (path, before) in places.iter().zip(before) {
        assert_ne!(identity(&clone.path(path)), before, "{path}");
    }
    for folder in ["dist", "backend-flask/bin"] {
        let mut entries = fs::read_dir(clone.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        assert!(
            entries.all(|name| !name.to_string_lossy().starts_with('.')),
            "{folder}"
        );
    }
}

#[test]
fn builds_apart_from_the_tools_and_without_this_machines_paths() {
    let clone = Clone::new();
    fs::create_dir_all(clone.path("cargo/registry/src/index-of-a-mirror")).unwrap();
    clone
        .dist()
        .env("RUSTFLAGS", "-Cdebuginfo=2")
        .env("CARGO_BUILD_TARGET", "nonsense")
        .run()
        .exits(0);
    let calls = clone.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    let clone_folder = clone.path("").display().to_string();
    let clone_folder = clone_folder.trim_end_matches('/');
    assert!(
        calls[0].starts_with(&format!(
            "build --locked --profile dist --target x86_64-unknown-linux-musl --target-dir {clone_folder}/target \
             --package health-check --package db-test "
        )),
        "{calls:?}"
    );
    let flags = clone.read("fake/flags");
    let flags: Vec<&str> = flags.split('\u{1f}').collect();
    assert!(
        flags.contains(&format!("--remap-path-prefix={clone_folder}=.").as_str()),
        "{flags:?}"
    );
    let mirror = format!("--remap-path-prefix={clone_folder}/cargo/registry/src/index-of-a-mirror=registry");
    assert!(flags.contains(&mirror.as_str()), "{flags:?}");
}

/// With HEAD in the probes, every commit would change the image.
#[test]
fn the_version_is_the_last_commit_that_touched_the_sources() {
    let clone = Clone::new();
    clone.write("crates/probe/src/lib.rs", "// changed");
    let touched = clone.commit("the probe");
    clone.write("crates/other/src/lib.rs", "// changed");
    clone.write("README.md", "changed");
    clone.commit("something else");
    clone.dist().run().exits(0);
    assert_eq!(clone.commit_of_build(), touched);

    clone.write("crates/other/src/lib.rs", "// not committed");
    clone.dist().run().exits(0);
    assert_eq!(clone.commit_of_build(), touched);
    clone.write("crates/probe/src/more.rs", "// not committed");
    clone.dist().run().exits(0);
    assert_eq!(clone.commit_of_build(), format!("{touched}-modified"));

    clone.dist().env("OPS_COMMIT", "dev").run().exits(0);
    assert_eq!(clone.commit_of_build(), "dev");

    // In an archive the build script determines it, also below another repository.
    fs::remove_dir_all(clone.path(".git")).unwrap();
    clone.dist().run().exits(0);
    assert_eq!(clone.commit_of_build(), "");
}

#[test]
fn a_build_that_fails_changes_nothing() {
    let clone = Clone::new();
    clone.dist().run().exits(0);
    let before = identity(&clone.path("backend-flask/bin/health-check"));
    clone.write("source", "two");
    clone.write("broken", "");
    let output = clone.dist().run().exits(2);
    let output = output
        .says("error: expected one of")
        .says("dist: error: failed to build the probes for x86_64");
    assert_eq!(output.stdout, "");
    assert_eq!(identity(&clone.path("backend-flask/bin/health-check")), before);
}

#[test]
fn another_architecture_is_built_where_its_compiler_is_and_else_skipped() {
    let clone = Clone::new();
    let skipped = |output: &Output| {
        output
            .stderr
            .contains("dist: skipped aarch64: no aarch64-linux-gnu-gcc (apt-get install")
    };
    let output = clone.dist().run().exits(0);
    assert!(skipped(&output), "{}", output.transcript());

    clone.fake("aarch64-linux-gnu-gcc", ":");
    let output = clone.dist().run().exits(0);
    output.says("dist: skipped aarch64: no Rust target aarch64-unknown-linux-musl, and no rustup to add it");
    let target = clone.path("fake/sysroot/lib/rustlib/aarch64-unknown-linux-musl");
    clone.fake(
        "rustup",
        &format!(
            "[ \"$*\" = '-q target add aarch64-unknown-linux-musl' ] && mkdir '{}'",
            target.display()
        ),
    );
    clone.calls();
    clone
        .dist()
        .run()
        .exits(0)
        .says("dist: adding the Rust target aarch64-unknown-linux-musl");
    assert_eq!(clone.calls().len(), 2);
    assert_eq!(clone.read("dist/SHA256SUMS").lines().count(), 4);
    assert!(clone.path("dist/db-test-aarch64-linux").exists());

    // A binary that can't be built any more comes from an earlier state of the clone.
    fs::remove_file(clone.path("fake/aarch64-linux-gnu-gcc")).unwrap();
    let output = clone.dist().run().exits(0);
    assert!(skipped(&output), "{}", output.transcript());
    assert!(!clone.path("dist/db-test-aarch64-linux").exists());
    assert_eq!(clone.read("dist/SHA256SUMS").lines().count(), 2);
}

#[test]
fn the_image_gets_the_binaries_for_its_platform() {
    let clone = Clone::new();
    clone.platform("linux/arm64");
    let output = clone.dist().run().exits(2);
    output.says(
        "dist: error: can't build the probes for aarch64, the image's architecture: no aarch64-linux-gnu-gcc",
    );
    clone.fake("aarch64-linux-gnu-gcc", ":");
    clone.target("aarch64");
    // A different content for each architecture.
    clone.fake(
        "cargo",
        &format!(
            "{}\nfor probe in health-check db-test; do echo $triple >\"{}/$triple/dist/$probe\"; done",
            clone.cargo(),
            clone.path("target").display()
        ),
    );
    clone.dist().run().exits(0);
    assert_eq!(
        clone.read("backend-flask/bin/db-test"),
        "aarch64-unknown-linux-musl\n"
    );
    clone.platform("linux/amd64");
    clone.dist().run().exits(0);
    assert_eq!(
        clone.read("backend-flask/bin/db-test"),
        "x86_64-unknown-linux-musl\n"
    );

    clone.platform("windows/amd64");
    clone
        .dist()
        .run()
        .exits(2)
        .says("dist: error: no probes for the platform `windows/amd64`");
}

#[test]
fn a_wrong_argument_is_a_usage_error() {
    let clone = Clone::new();
    clone
        .dist()
        .arg("--nonsense")
        .run()
        .exits(2)
        .says("dist: error: unknown argument `--nonsense`");
    let help = clone.dist().arg("--help").run().exits(0);
    assert!(help.stdout.contains("Exit codes:"));
    assert_eq!(clone.calls(), Vec::<String>::new());
}
