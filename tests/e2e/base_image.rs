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

#[test]
fn what_the_caller_chose_is_not_replaced() {
    let clone = Clone::new("'image inspect my/python:1') exit 0 ;;");
    let chosen = clone
        .base_image()
        .env("OPS_IMAGE_FROM", "other=x:1,cruddur-python=my/python:1");
    chosen.run().exits(0).prints("my/python:1 there");
    let absent = clone
        .base_image()
        .env("OPS_IMAGE_FROM", "cruddur-python=my/python:2");
    let output = absent.run().exits(2).says("failed to pull `my/python:2`");
    output.says("hint: correct OPS_IMAGE_FROM, or unset it");
    assert!(!clone.calls().contains("python:3.10"), "{}", clone.calls());
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
fn a_stand_in_that_can_not_be_made_leaves_nothing() {
    let clone = off_line("echo 'E: no space left' >&2; printf half; exit 1");
    let output = clone.base_image().run().exits(2).says("E: no space left");
    output.says("base-image: error: failed to make the stand-in base image");
    assert_eq!(clone.left(), Vec::<String>::new());
    assert!(!clone.path("fake/loaded").exists());
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

#[test]
fn a_signal_ends_the_pull() {
    let clone = Clone::new(
        "pull*) trap 'kill $!; : >\"${0%/*}/ended\"; exit 1' TERM; : >\"${0%/*}/began\"; sleep 60 & wait ;;",
    );
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let running = clone.base_image().spawn();
        wait_for("the pull", || clone.path("fake/began").exists().then_some(()));
        running.signal(signal);
        running.wait().exits(128 + signal.as_raw());
        assert!(clone.path("fake/ended").exists());
        for name in ["fake/began", "fake/ended"] {
            fs::remove_file(clone.path(name)).unwrap();
        }
        assert_eq!(clone.left(), Vec::<String>::new());
    }
}

#[test]
fn two_at_once_make_one() {
    let clone = off_line("sleep 0.3; printf layer");
    let running = [clone.base_image().spawn(), clone.base_image().spawn()];
    let mut states: Vec<String> = running.map(|one| one.wait().exits(0).stdout).into();
    states.sort();
    assert_eq!(
        states,
        [format!("{STAND_IN} made\n"), format!("{STAND_IN} there\n")]
    );
    assert_eq!(
        fs::read_to_string(clone.path("made"))
            .unwrap()
            .matches("bookworm ")
            .count(),
        1
    );
}

#[test]
fn it_needs_an_engine_and_a_table() {
    let clone = Clone::new("nothing) ;;");
    let no_engine = Clone::new("nothing) ;;");
    executable(&no_engine.path("fake/docker"), "#!/bin/sh\nexit 1\n");
    no_engine
        .base_image()
        .run()
        .exits(2)
        .says("base-image: error: the Docker engine does not answer");
    for name in ["app", "nothing"] {
        let output = clone.base_image().arg(name).run().exits(2);
        output.says(&format!(
            "no `from` in a table [[image]] named `{name}` of ops.toml"
        ));
    }
    clone
        .base_image()
        .arg("--nonsense")
        .run()
        .exits(2)
        .says("unknown argument `--nonsense`");
    clone
        .base_image()
        .args(["a", "b"])
        .run()
        .exits(2)
        .says("more than one name");
    assert!(
        clone
            .base_image()
            .arg("--help")
            .run()
            .exits(0)
            .stdout
            .contains("Exit codes:")
    );
}

/// In the gate's sandbox: whichever it is, it is there, and says so at once.
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
