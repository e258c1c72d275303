//! `scripts/base-image`, with a `docker` that answers by script. Making the stand-in for real needs root and minutes:
//! the gate has done it before it comes here, where the public registry is out of reach.

use rustix::process::Signal;
use std::fs;
use std::path::PathBuf;
use support::sandbox::sandbox;
use support::{Tool, executable, root, wait_for};
use tempfile::TempDir;

const STAND_IN: &str = "cruddur-ops/python-stand-in:bookworm";

/// A clone with its own `docker`, which notes its words in `calls`.
struct Clone {
    folder: TempDir,
}

impl Clone {
    /// `docker` does `then`, a branch of `case "$*" in`, and else fails.
    fn new(then: &str) -> Self {
        let clone = Clone {
            folder: TempDir::new().unwrap(),
        };
        for name in [
            "base-image",
            "lib/messages.sh",
            "lib/places.sh",
            "lib/images.sh",
            "lib/toml.sh",
            "lib/stand-in.sh",
        ] {
            let path = format!("scripts/{name}");
            let text = fs::read_to_string(root().join(&path)).unwrap();
            executable(&clone.path(&path), &text);
        }
        let config = "# [[image]]\n[[image]]\nname = \"app\"\nbuild = { context = \"app\" }\n\n[[image]]\n\
                      from = 'python:3.10-slim-buster' # the real one\nname = \"cruddur-python\"\n\n[[image]]\n\
                      name = \"web\"\nfrom = \"node:20\"\n[params]\nfrom = \"wrong\"\n";
        fs::write(clone.path("ops.toml"), config).unwrap();
        let script = format!(
            "#!/bin/sh\necho \"$*\" >>'{}'\ncase \"$*\" in\nversion) exit 0 ;;\n{then}\n*) exit 1 ;;\nesac\n",
            clone.path("calls").display()
        );
        executable(&clone.path("fake/docker"), &script);
        clone
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn base_image(&self) -> Tool {
        let path = format!("{}:/usr/bin:/bin", self.path("fake").display());
        Tool::new(self.path("scripts/base-image"))
            .env("PATH", path)
            .env("OPS_CACHE_DIR", self.path("cache"))
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.path("calls")).unwrap_or_default()
    }

    /// Nothing but the lock is left in the cache.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("cache")).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".lock")).collect()
    }
}

#[test]
fn the_real_one_is_taken_when_it_is_there() {
    let clone = Clone::new("'image inspect python:3.10-slim-buster') exit 0 ;;");
    let output = clone
        .base_image()
        .run()
        .exits(0)
        .prints("python:3.10-slim-buster there");
    assert_eq!(output.stderr, "");
    assert!(!clone.calls().contains("pull"), "{}", clone.calls());
}

#[test]
fn the_real_one_is_pulled_when_it_can_be() {
    let clone = Clone::new("'pull python:3.10-slim-buster') echo 'Pulling from library/python' ;;");
    clone
        .base_image()
        .run()
        .exits(0)
        .prints("python:3.10-slim-buster pulled");
    assert_eq!(clone.left(), Vec::<String>::new());
    let other = clone.base_image().arg("web").run().exits(2);
    other
        .says("base-image: error: failed to pull `node:20`: ")
        .says("only a Python image has a stand-in");
}

#[test]
fn a_name_that_the_registry_does_not_know_is_no_reason_for_a_stand_in() {
    for answer in [
        "Error response from daemon: manifest for python:3.10-slim-buster not found: manifest unknown",
        "Error response from daemon: pull access denied for x, repository does not exist or may require 'docker login'",
    ] {
        let clone = Clone::new(&format!("pull*) echo \"{answer}\" >&2; exit 1 ;;"));
        let output = clone.base_image().run().exits(2);
        let output = output.says(&format!("failed to pull `python:3.10-slim-buster`: {answer}"));
        output.says("hint: correct `from` of the image `cruddur-python` in ops.toml");
        assert_eq!(clone.left(), Vec::<String>::new());
    }
}

/// An engine that nothing can be pulled with, and a maker of file systems that does `then`.
fn off_line(then: &str) -> Clone {
    let loaded = "\"${0%/*}\"/loaded";
    let clone = Clone::new(&format!(
        "pull*) echo 'no such host' >&2; exit 1 ;;\n\
         load) mkdir -p {loaded} && tar -x -C {loaded} ;;\n\
         'image inspect --format'*) sed -n 's/.*\"cruddur-ops.stand-in\":\"\\([0-9a-f]*\\)\".*/\\1/p' {loaded}/config.json ;;\n\
         'image inspect {STAND_IN}') test -e {loaded}/config.json ;;"
    ));
    // Root's rights, Debian's tools and keys are not needed for what is tried here.
    executable(&clone.path("fake/id"), "#!/bin/sh\necho 0\n");
    for name in ["debootstrap", "unshare", "setsid"] {
        executable(&clone.path(&format!("fake/{name}")), "#!/bin/sh\nexit 1\n");
    }
    executable(
        &clone.path("fake/apt-get"),
        "#!/bin/sh\necho 'https://user:password@mirror.invalid/debian/ bookworm main'\n\
         echo 'http://mirror.invalid/security/ bookworm-security main'\n\
         echo 'http://mirror.invalid/debian/ bookworm main'\n",
    );
    executable(
        &clone.path("fake/apt-config"),
        "#!/bin/sh\necho \"http='http://proxy.invalid:3128'\"\n",
    );
    let keys = clone.path("keys").display().to_string();
    fs::write(&keys, "keys").unwrap();
    let script = fs::read_to_string(clone.path("scripts/base-image")).unwrap();
    let script = script.replace("/usr/share/keyrings/debian-archive-keyring.gpg", &keys);
    executable(&clone.path("scripts/base-image"), &script);
    let maker = format!(
        "echo \"$*\" >>'{0}'; cat >>'{0}'\n{then}\n",
        clone.path("made").display()
    );
    executable(&clone.path("scripts/lib/stand-in.sh"), &maker);
    clone
}

#[test]
fn the_stand_in_is_made_once_and_loaded_again_as_the_same_image() {
    let clone = off_line("printf layer");
    let first = clone
        .base_image()
        .run()
        .exits(0)
        .prints(&format!("{STAND_IN} made"));
    first
        .says("could not pull python:3.10-slim-buster (no such host)")
        .says("is a stand-in for python:3.10-slim-buster");
    // This machine's own mirror and proxy, but nothing with a password among the arguments.
    let made = fs::read_to_string(clone.path("made")).unwrap();
    assert!(made.contains(" http://mirror.invalid/debian/ "), "{made}");
    assert!(
        made.contains("\nhttp_proxy=http://proxy.invalid:3128\n"),
        "{made}"
    );
    assert!(!made.contains("password"), "{made}");

    let config = fs::read_to_string(clone.path("fake/loaded/config.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&config).unwrap();
    let sum = support::program("sha256sum").stdin("layer").run().exits(0).stdout;
    let sum = sum.split(' ').next().unwrap();
    assert_eq!(
        document["rootfs"]["diff_ids"],
        serde_json::json!([format!("sha256:{sum}")])
    );
    let manifest = fs::read_to_string(clone.path("fake/loaded/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest[0]["RepoTags"], serde_json::json!([STAND_IN]));

    // The sandbox's environment names the stand-in; that is no choice of the caller's.
    let again = clone
        .base_image()
        .env("OPS_IMAGE_FROM", format!("cruddur-python={STAND_IN}"));
    again
        .run()
        .exits(0)
        .prints(&format!("{STAND_IN} there"))
        .says("is a stand-in for");
    assert_eq!(clone.calls().matches("pull").count(), 1);

    // The engine has lost it.
    fs::remove_dir_all(clone.path("fake/loaded")).unwrap();
    clone
        .base_image()
        .run()
        .exits(0)
        .prints(&format!("{STAND_IN} made"));
    assert_eq!(
        fs::read_to_string(clone.path("fake/loaded/config.json")).unwrap(),
        config
    );
    assert_eq!(fs::read_to_string(clone.path("made")).unwrap(), made);
}

#[test]
fn a_signal_ends_the_making_and_leaves_nothing() {
    let clone = off_line(
        "trap 'kill $!; echo ended >\"${0%/*}/ended\"; exit 1' TERM\n: >\"${0%/*}/began\"\nsleep 60 & wait",
    );
    let running = clone.base_image().spawn();
    wait_for("the making", || {
        clone.path("scripts/lib/began").exists().then_some(())
    });
    running.signal(Signal::TERM);
    running.wait().exits(143);
    assert!(clone.path("scripts/lib/ended").exists());
    assert_eq!(clone.left(), Vec::<String>::new());
}

/// In the gate's sandbox the base image exists, real or stand-in, and the script reports it at once.
#[test]
fn the_second_time_it_is_there() {
    let sandbox = sandbox();
    let places = ["HOME", "XDG_CACHE_HOME", "OPS_CACHE_DIR"];
    let places = places
        .iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)));
    let tool = sandbox
        .point(Tool::new(root().join("scripts/base-image")))
        .envs(places);
    let output = tool.run().exits(0);
    let (reference, state) = output.stdout.trim().split_once(' ').unwrap();
    assert_eq!(state, "there", "{}", output.transcript());
    assert_eq!(
        reference == STAND_IN,
        output.stderr.contains("stand-in"),
        "{}",
        output.transcript()
    );
    sandbox
        .program("docker")
        .args(["image", "inspect", reference])
        .run()
        .exits(0);
}
