//! `scripts/sandbox`: the environment it gives, its isolation, and its recovery.
//!
//! These tests only read the gate's own sandbox. A test that stops or breaks a sandbox uses its own clone and region.

mod database;
mod engine;
mod environment;
mod hosts;
mod lifecycle;

use std::collections::BTreeMap;
use std::time::Duration;
use support::sandbox::sandbox;
use support::{Tool, root};

/// The gate's region.
fn region() -> String {
    sandbox().get("OPS_SANDBOX").to_owned()
}

/// `scripts/sandbox` of this clone, with the words behind it.
fn script(words: &[&str]) -> Tool {
    here(Tool::new(root().join("scripts/sandbox"))).args(words)
}

/// `tool` where what is installed is found.
fn here(tool: Tool) -> Tool {
    let names = ["HOME", "XDG_CACHE_HOME", "DOCKER_HOST", "CI"];
    let places = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        names.contains(&name.as_ref()) || name.starts_with("OPS_")
    });
    tool.envs(places).without("DOCKER_CONFIG")
}

/// The gate's sandbox: `script(["env"])` with its region.
fn gate(words: &[&str]) -> Tool {
    let region = region();
    script(&[&["--region", &region], words].concat())
}

/// What a shell has in its environment after `eval "$(scripts/sandbox env)"`.
fn evaluated(shell: &str, caller: &[(&str, &str)]) -> BTreeMap<String, String> {
    let eval = r#"set -eu; environment=$("$1" --region "$2" env); eval "$environment"; exec env -0"#;
    let tool = here(Tool::new(shell))
        .args(["-c", eval, "shell"])
        .arg(root().join("scripts/sandbox"))
        .arg(region());
    let output = tool.envs(caller.iter().copied()).run().exits(0);
    let pairs = output.stdout.split_terminator('\0');
    pairs
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A command in a shell that has sourced parts of `scripts/lib`.
fn function(parts: &[&str], call: &str, words: &[&str]) -> Tool {
    let sourced: String = parts
        .iter()
        .map(|part| format!(". \"$repo/scripts/lib/{part}.sh\"\n"))
        .collect();
    let text = format!("set -euo pipefail\ntool=test repo=$1\nshift\n{sourced}{call}\n");
    Tool::new("bash")
        .args(["-c", &text, "bash"])
        .arg(root())
        .args(words)
}

#[test]
fn run_passes_on_what_it_is_given_and_how_it_ends() {
    let shell =
        r#"printf '<%s>' "$@"; pwd; umask; cat; printf '%s/%s/%s\n' "$region" "$words" "$tool"; exit 7"#;
    let tool = gate(&[
        "run", "--", "sh", "-c", shell, "sh", "a b", "", "--region", "$HOME",
    ]);
    // Names that the script itself uses.
    let names = [
        ("region", "mine"),
        ("words", "too"),
        ("tool", "also"),
        ("UID", "7"),
        ("SHELLOPTS", "braceexpand"),
    ];
    let tool = tool.envs(names).stdin("typed\n");
    let output = tool.run().exits(7);
    let folder = tool.folder().canonicalize().unwrap();
    let umask = Tool::new("sh").args(["-c", "umask"]).run().stdout;
    assert_eq!(
        output.stdout,
        format!(
            "<a b><><--region><$HOME>{}\n{umask}typed\nmine/too/also\n",
            folder.display()
        )
    );
    assert_eq!(output.stderr, "");

    let ended = gate(&["run", "--", "sh", "-c", "kill -TERM $$"]).run();
    assert_eq!(ended.signal, Some(15), "{}", ended.transcript());
    gate(&["run", "--", "no-such-command"])
        .run()
        .exits(127)
        .says("no command `no-such-command`");
}

#[test]
fn up_a_second_time_says_so_at_once() {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let output = gate(&["up"]).run().exits(0).says("sandbox: runs already (");
        assert!(
            output
                .stdout
                .starts_with(&format!("the sandbox in {} is up: ", region())),
            "{}",
            output.transcript()
        );
        best = best.min(output.elapsed);
    }
    assert!(best < Duration::from_secs(2), "{best:?}");
}

#[test]
fn a_region_that_is_not_up_is_a_clear_answer() {
    let status = script(&["--region", "sa-east-1", "status"]).run().exits(1);
    assert!(
        status.stdout.starts_with("the sandbox in sa-east-1 is down\n"),
        "{}",
        status.transcript()
    );
    for words in [&["env"][..], &["run", "--", "true"]] {
        let output = script(&[&["--region", "sa-east-1"], words].concat())
            .run()
            .exits(2);
        assert_eq!(output.stdout, "");
        output
            .says("sandbox: error: the sandbox in sa-east-1 is not up\n")
            .says("hint: scripts/sandbox --region sa-east-1 up\n");
    }
    script(&["--region", "sa-east-1", "down"])
        .run()
        .exits(0)
        .prints("the sandbox in sa-east-1 is down");
}

#[test]
fn usage_errors_exit_with_2() {
    for words in [
        &[][..],
        &["up", "down"],
        &["run", "--"],
        &["--region=../../x", "clean"],
        &["--all", "down"],
    ] {
        let output = script(words).run().exits(2);
        assert!(
            output.stderr.starts_with("sandbox: error: "),
            "{}",
            output.transcript()
        );
    }
}
