//! `bin/*` and `scripts/run`: what people type.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use support::{Tool, executable, launcher, root};
use tempfile::TempDir;

/// The launchers and the tools behind them.
pub(crate) fn launchers() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("bin")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let (_, call) = text
                .split_once("/scripts/run\" ")
                .unwrap_or_else(|| panic!("{}", path.display()));
            let tool = call.split(' ').next().unwrap().to_owned();
            let path = path.strip_prefix(root()).unwrap().display().to_string();
            found.push((path, tool));
        }
    }
    found.sort();
    found
}

#[test]
fn every_launcher_starts_its_tool() {
    for (path, tool) in launchers() {
        let version = launcher(&path).arg("--version").run().exits(0).stdout;
        assert!(version.starts_with(&format!("{tool} 0.")), "{path}: {version}");
    }
}

#[test]
fn arguments_folder_exit_code_and_streams_pass_through() {
    let binaries = TempDir::new().unwrap();
    let script = "#!/bin/sh\npwd\nfor one; do printf '<%s>\\n' \"$one\"; done\ncat\necho loud >&2\nexit 7\n";
    executable(&binaries.path().join("ecr-login"), script);
    let tool = Tool::new(root().join("bin/ecr/login"))
        .env("OPS_BIN_DIR", binaries.path())
        .args(["a b", "", "*", "--", "$HOME"])
        .stdin("typed\n");
    let output = tool.run().exits(7);
    let folder = tool.folder().canonicalize().unwrap();
    assert_eq!(
        output.stdout,
        format!("{}\n<a b>\n<>\n<*>\n<-->\n<$HOME>\ntyped\n", folder.display())
    );
    assert_eq!(output.stderr, "loud\n");
}

#[test]
fn works_through_links_and_from_any_folder() {
    let binaries = TempDir::new().unwrap();
    executable(&binaries.path().join("ecr-login"), "#!/bin/sh\necho it\n");
    let links = TempDir::new().unwrap();
    let file = links.path().join("login");
    symlink(root().join("bin/ecr/login"), &file).unwrap();
    let twice = links.path().join("again");
    symlink("login", &twice).unwrap();
    symlink(root().join("bin"), links.path().join("bin")).unwrap();
    let relative = PathBuf::from("bin/ecr/login");
    for (program, folder) in [
        (file, "/"),
        (twice, "/"),
        (links.path().join("bin/ecr/login"), "/"),
        (relative, "ROOT"),
    ] {
        let folder = if folder == "ROOT" {
            root()
        } else {
            PathBuf::from(folder)
        };
        let program = if program.is_absolute() {
            program
        } else {
            folder.join(program)
        };
        let tool = Tool::new(&program)
            .current_dir(folder)
            .env("OPS_BIN_DIR", binaries.path());
        tool.run().exits(0).prints("it");
    }
    let shell = Tool::new("sh").arg("login").current_dir(root().join("bin/ecr"));
    shell
        .env("OPS_BIN_DIR", binaries.path())
        .run()
        .exits(0)
        .prints("it");
}

#[test]
fn a_binary_that_is_not_where_ops_bin_dir_says_is_an_error() {
    let output = Tool::new(root().join("bin/health-check"))
        .env("OPS_BIN_DIR", "/nowhere")
        .run()
        .exits(2);
    output
        .says("run: error: no binary `/nowhere/health-check`")
        .says("hint: ");
}

/// A clone with one tool, and a `cargo` that notes its arguments and lays a script into the target folder.
struct Clone {
    folder: TempDir,
}

impl Clone {
    fn new() -> Self {
        let clone = Clone {
            folder: TempDir::new().unwrap(),
        };
        for path in ["scripts/run", "scripts/build", "bin/health-check"] {
            executable(&clone.path(path), &fs::read_to_string(root().join(path)).unwrap());
        }
        for path in [
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain.toml",
            "crates/health-check/src/main.rs",
            "crates/health-check/src/more.rs",
        ] {
            clone.write(path, "");
        }
        clone.cargo("true");
        clone
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    /// `then` decides how the build ends.
    fn cargo(&self, then: &str) {
        executable(
            &self.path("fake/cargo"),
            &format!(
                "#!/bin/sh\necho \"$PWD: $*\" >>'{log}'\necho 'warning: unused' >&2\n{then} || exit 101\n\
                 mkdir -p '{release}'\nprintf '#!/bin/sh\\necho built\\n' >'{release}/'$$\n\
                 chmod +x '{release}/'$$\nmv '{release}/'$$ '{release}/health-check'\n",
                log = self.path("calls").display(),
                release = self.path("target/release").display(),
            ),
        );
    }

    fn launch(&self) -> Tool {
        let path = format!("{}:/usr/bin:/bin", self.path("fake").display());
        Tool::new(self.path("bin/health-check")).env("PATH", path)
    }

    /// The builds since the last question.
    fn builds(&self) -> usize {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let _ = fs::remove_file(self.path("calls"));
        calls.lines().count()
    }
}

#[test]
fn builds_what_is_missing_once_and_quietly() {
    let clone = Clone::new();
    let output = clone.launch().run().exits(0).prints("built");
    assert_eq!(output.stderr, "");
    let call = fs::read_to_string(clone.path("calls")).unwrap();
    let root = clone.folder.path().canonicalize().unwrap();
    assert!(
        call.starts_with(&format!(
            "{}: build --release --locked --target-dir ",
            root.display()
        )),
        "{call}"
    );
    assert_eq!(clone.builds(), 1);
    clone.launch().run().exits(0).prints("built");
    assert_eq!(clone.builds(), 0);
}

#[test]
fn builds_again_after_every_kind_of_change() {
    let clone = Clone::new();
    clone.launch().run().exits(0);
    let later = SystemTime::now() + Duration::from_secs(3);
    let touch = |path: &str, at: SystemTime| {
        fs::File::open(clone.path(path))
            .unwrap()
            .set_modified(at)
            .unwrap();
    };
    assert_eq!(clone.builds(), 1);
    for path in [
        "crates/health-check/src/main.rs",
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain.toml",
    ] {
        touch(path, later);
        clone.launch().run().exits(0);
        assert_eq!(clone.builds(), 1, "{path}");
        // As old as all else again.
        touch(path, SystemTime::now() - Duration::from_secs(60));
    }
    fs::remove_file(clone.path("crates/health-check/src/more.rs")).unwrap();
    touch("crates/health-check/src", later);
    clone.launch().run().exits(0);
    assert_eq!(clone.builds(), 1, "a file that went away");
    touch(
        "crates/health-check/src",
        SystemTime::now() - Duration::from_secs(60),
    );
    clone.launch().run().exits(0);
    assert_eq!(clone.builds(), 0);
    fs::remove_file(clone.path("target/release/health-check")).unwrap();
    clone.launch().run().exits(0);
    assert_eq!(clone.builds(), 1, "a binary that went away");
}

#[test]
fn several_are_looked_at_in_one_go_and_run_by_the_caller() {
    let clone = Clone::new();
    let run = |tools: &[&str]| {
        let path = format!("{}:/usr/bin:/bin", clone.path("fake").display());
        let tool = Tool::new(clone.path("scripts/run")).env("PATH", path);
        tool.arg("--build").args(tools).run()
    };
    // The stand-in of cargo makes the same binary for each.
    fs::create_dir_all(clone.path("crates/db-test")).unwrap();
    run(&["health-check"]).exits(0);
    let release = clone.path("target/release").canonicalize().unwrap();
    executable(&release.join("db-test"), "#!/bin/sh\n");
    assert_eq!(clone.builds(), 1);
    let both = ["health-check", "db-test"];
    run(&both).exits(0).prints(release.to_str().unwrap());
    assert_eq!(clone.builds(), 1, "only the one that was never built here");
    run(&both).exits(0);
    assert_eq!(clone.builds(), 0);
    fs::File::open(clone.path("Cargo.lock"))
        .unwrap()
        .set_modified(SystemTime::now() + Duration::from_secs(3))
        .unwrap();
    run(&both).exits(0);
    assert_eq!(clone.builds(), 2);
    run(&["no-such-tool"])
        .exits(2)
        .says("run: error: no tool `no-such-tool`");
    run(&[]).exits(2).says("run: error: no tool named");
}

#[test]
fn a_file_saved_while_it_builds_makes_it_stale() {
    let clone = Clone::new();
    let source = clone.path("crates/health-check/src/main.rs");
    clone.cargo(&format!("sleep 0.05; echo saved >'{}'", source.display()));
    clone.launch().run().exits(0);
    assert_eq!(clone.builds(), 1);
    clone.cargo("true");
    clone.launch().run().exits(0);
    assert_eq!(clone.builds(), 1);
    clone.launch().run().exits(0);
    assert_eq!(clone.builds(), 0);
}

#[test]
fn a_build_that_fails_shows_its_log_and_leaves_nothing() {
    let clone = Clone::new();
    clone.cargo("{ echo 'error: expected one of' >&2; false; }");
    let output = clone.launch().run().exits(2);
    let output = output
        .says("error: expected one of")
        .says("run: error: failed to build `health-check`");
    assert_eq!(output.stdout, "");
    let left: Vec<_> = fs::read_dir(clone.path("target/release")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(clone.builds(), 1);
    clone.launch().run().exits(2);
    assert_eq!(clone.builds(), 1);
}

#[test]
fn without_cargo_it_says_what_to_install() {
    let clone = Clone::new();
    for name in ["sh", "readlink", "find", "mkdir", "rm", "mv"] {
        let path = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
        let path = path.iter().find(|path| path.exists()).unwrap();
        fs::create_dir_all(clone.path("few")).unwrap();
        symlink(path, clone.path("few").join(name)).unwrap();
    }
    let output = clone.launch().env("PATH", clone.path("few")).run().exits(2);
    output
        .says("cargo is not installed")
        .says("hint: install Rust with rustup");
}

#[test]
fn two_launches_at_once_both_run_it() {
    let clone = Clone::new();
    let running: Vec<_> = (0..4).map(|_| clone.launch().spawn()).collect();
    for child in running {
        child.wait().exits(0).prints("built");
    }
    clone.launch().run().exits(0);
    assert!(clone.builds() <= 4);
}

#[test]
fn a_target_folder_elsewhere_is_honoured() {
    let clone = Clone::new();
    let elsewhere = clone.path("elsewhere");
    executable(&elsewhere.join("release/health-check"), "#!/bin/sh\necho old\n");
    executable(&clone.path("fake/cargo"), "#!/bin/sh\necho \"$*\" >&2\nexit 1\n");
    let tool = clone.launch().env("CARGO_TARGET_DIR", &elsewhere);
    tool.run()
        .exits(2)
        .says(&format!("--target-dir {}", elsewhere.display()));
}
