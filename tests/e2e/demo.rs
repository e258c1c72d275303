//! `scripts/demo` and `scripts/deploy` in a clone whose steps are stand-ins: the lines, the questions, and what
//! happens when a step fails. The real steps are run by the sandbox's own journey.

use rustix::process::{Pid, Signal, kill_process_group};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use support::{Output, Tool, executable, root, wait_for};
use tempfile::TempDir;

/// A clone in which every step notes its name and its words in `calls`.
struct Clone {
    folder: TempDir,
}

const ACCOUNT: &str = "123456789012";
const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/backend-flask@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

impl Clone {
    fn new() -> Self {
        let clone = Clone {
            folder: TempDir::new().unwrap(),
        };
        for path in [
            "scripts/demo",
            "scripts/deploy",
            "scripts/journey",
            "scripts/lib/messages.sh",
            "scripts/lib/steps.sh",
        ] {
            executable(
                &clone.folder.path().join(path),
                &fs::read_to_string(root().join(path)).unwrap(),
            );
        }
        clone.step("scripts/install-deps", "");
        clone.step("scripts/dist", "");
        clone.step("scripts/base-image", "echo 'stand-in:1 there'");
        clone.step("fake/cargo", "echo '   Compiling it' >&2");
        clone.sandbox("");
        clone.step("fake/aws", "echo \"${FAKE_ACCOUNT:-123456789012}\"");
        clone.step(
            "fake/docker",
            "case $1 in port) echo 127.0.0.1:4999 ;; exec) case $* in *health*) echo 'Flask server is running' ;; *) echo 'Connection successful!' ;; esac ;; inspect) exit 1 ;; esac",
        );
        let document = |item: &str| {
            format!(
                "echo '{{\"schema\":1,\"tool\":\"t\",\"outcome\":\"changed\",\"items\":[{item}],\
                 \"account\":\"{ACCOUNT}\",\"region\":\"us-east-1\",\"identity\":\"arn:aws:iam::{ACCOUNT}:user/ada\"}}'"
            )
        };
        clone.step(
            "bin/ecr/create-repository",
            &document(r#"{"kind":"repository","name":"a"},{"kind":"repository","name":"b"}"#),
        );
        clone.step(
            "bin/ecr/login",
            &document(r#"{"kind":"login","name":"registry"}"#),
        );
        let push = document(&format!(r#"{{"kind":"image","name":"x","uri":"{IMAGE}"}}"#));
        let plan = "[ \"$1\" != --dry-run ] || { echo 'backend-flask:latest would be pushed'; exit; }";
        clone.step("bin/ecr/push-image", &format!("{plan}\n{push}"));
        clone.step(
            "bin/ssm/put-params",
            &document(r#"{"kind":"parameter","name":"/a/B"}"#),
        );
        clone.step("bin/db/test", "echo 'Connection successful!'");
        clone.step("bin/health-check", "echo 'Flask server is running'");
        clone
    }

    /// A stand-in that does `then`, where `$*` are its words.
    fn step(&self, path: &str, then: &str) {
        let folder = self.folder.path().display();
        executable(
            &self.folder.path().join(path),
            &format!("#!/bin/sh\necho \"{path} $*\" >>'{folder}/calls'\n{then}\n"),
        );
    }

    fn sandbox(&self, then: &str) {
        let environment = "export OPS_SANDBOX=us-east-1 AWS_REGION=us-east-1 AWS_ACCOUNT_ID=123456789012 AWS_ENDPOINT_URL=http://127.0.0.1:4566 PROD_CONNECTION_URL=postgresql://u@h/d";
        let text = format!(
            "case $1 in up) echo 'the sandbox in us-east-1 is up' ;; env) echo '{environment}' ;; esac\n{then}"
        );
        self.step("scripts/sandbox", &text);
    }

    fn script(&self, name: &str) -> Tool {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().join("fake").display());
        Tool::new(self.folder.path().join("scripts").join(name)).env("PATH", path)
    }

    fn demo(&self) -> Tool {
        self.script("demo")
    }

    fn deploy(&self) -> Tool {
        let tool = self.script("deploy").env("AWS_REGION", "us-east-1");
        tool.env("PROD_CONNECTION_URL", "postgresql://u@h/d")
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// The calls of launchers that are no dry run: what would have changed something.
    fn writes(&self) -> Vec<String> {
        let mut calls = self.calls();
        calls.retain(|call| call.starts_with("bin/") && !call.contains("--dry-run"));
        calls
    }
}

/// The lines of the steps.
fn rows(output: &Output) -> Vec<&str> {
    output
        .stderr
        .lines()
        .filter(|line| line.starts_with('['))
        .collect()
}

#[test]
fn each_step_has_its_line_and_the_end_says_what_to_try() {
    let clone = Clone::new();
    let output = clone.demo().run().exits(0);
    let rows = rows(&output);
    assert_eq!(rows.len(), 16, "{}", output.transcript());
    for (number, row) in rows.iter().enumerate() {
        assert!(row.starts_with(&format!("[{:2}/16] ", number + 1)), "{row}");
        assert!(format!("{row} ").contains(" s "), "{row}");
    }
    let push = rows
        .iter()
        .find(|row| row.contains("push-image backend-flask"))
        .unwrap();
    let words: Vec<&str> = push.split_whitespace().collect();
    assert_eq!(
        words[..5],
        ["[10/16]", "push-image", "backend-flask", "changed", "0.0"],
        "{push}"
    );
    assert!(push.ends_with("…/backend-flask@sha256:01234567…"), "{push}");

    let (_, end) = output.stderr.split_once("\nstep ").unwrap();
    assert!(end.contains("http://127.0.0.1:4999/api/health-check"), "{end}");
    assert!(end.contains(&format!("The image:    {IMAGE}\n")), "{end}");
    let (_, next) = end.split_once("Next:\n").unwrap();
    assert_eq!(next.lines().count(), 3, "{next}");
    assert_eq!(output.stdout, "");
}

#[test]
fn a_step_that_fails_is_named_with_its_exit_code_and_its_log() {
    let json = r#"echo '{"outcome":"failed","items":[],"error":{"message":"it is \"full\""}}'; echo loud >&2; exit 3"#;
    for (path, then, step, code, message) in [
        (
            "fake/cargo",
            "echo 'error: no such crate' >&2; exit 101",
            "build the tools",
            101,
            "no such crate",
        ),
        (
            "scripts/install-deps",
            "echo 'install-deps: error: no packages' >&2; exit 2",
            "install-deps",
            2,
            "no packages",
        ),
        (
            "scripts/dist",
            "echo 'dist: error: no musl' >&2; exit 2",
            "build the static probes",
            2,
            "no musl",
        ),
        (
            "scripts/sandbox",
            "echo 'sandbox: error: no port' >&2; exit 2",
            "sandbox",
            2,
            "no port",
        ),
        (
            "scripts/base-image",
            "echo 'base-image: error: no disk' >&2; exit 2",
            "base image",
            2,
            "no disk",
        ),
        (
            "bin/ecr/push-image",
            json,
            "push-image cruddur-python",
            3,
            "it is \"full\"",
        ),
        ("bin/ssm/put-params", json, "put-params", 3, "it is \"full\""),
        (
            "bin/db/test",
            "echo 'Unable to connect to the database: refused'; exit 1",
            "db-test (this machine)",
            1,
            "refused",
        ),
        (
            "bin/db/test",
            "exit 0",
            "db-test (this machine)",
            1,
            "it did not say `Connection successful!`",
        ),
    ] {
        let clone = Clone::new();
        clone.step(path, then);
        let output = clone.demo().run().exits(code);
        let output = output.says(&format!("error: step `{step}` failed with exit code {code}: "));
        let output = output.says(message);
        let hint = output
            .stderr
            .lines()
            .find_map(|line| line.strip_prefix("hint: its log is "))
            .unwrap_or_else(|| panic!("{}", output.transcript()));
        let log = fs::read_to_string(hint).unwrap();
        // The probes and a tool's JSON speak on stdout.
        let loud = then.contains("echo loud");
        if then.contains(">&2") {
            assert!(log.contains(if loud { "loud" } else { message }), "{hint}: {log}");
        }
        let last = rows(&output).last().copied().unwrap().to_owned();
        assert!(last.contains(step) && last.contains(" failed "), "{last}");
    }
}

/// A tool that ends well and says nothing of use is a failed step, and not a silent end.
#[test]
fn an_answer_without_what_is_looked_for_is_told() {
    for (then, words) in [
        ("echo '{}'", "its answer has no `uri`"),
        ("echo '{\"uri\":\"x\"}'", "its answer has no `outcome`"),
    ] {
        let clone = Clone::new();
        clone.step("bin/ecr/push-image", then);
        let output = clone.demo().run().exits(2);
        output.says(&format!(
            "demo: error: step `push-image cruddur-python` failed with exit code 2: {words}\n"
        ));
    }
    let clone = Clone::new();
    clone.step(
        "bin/ecr/create-repository",
        "echo '{\"outcome\":\"unchanged\",\"items\":[]}'",
    );
    let output = clone.demo().run().exits(0);
    assert!(
        output.stderr.contains("   0 repositories\n"),
        "{}",
        output.transcript()
    );
    let output = clone.deploy().run().exits(2);
    output.says("deploy: error: create-repository named no account and region\n");
}

/// The name says whose it is; and one that only has the same name is left alone.
#[test]
fn a_container_is_known_by_its_place_and_its_label() {
    let inspected = |then: &str| {
        let clone = Clone::new();
        clone.step(
            "fake/docker",
            &format!(
                "case $1 in port) echo 127.0.0.1:4999 ;; exec) case $* in *health*) echo 'Flask server is running' ;; *) echo 'Connection successful!' ;; esac ;; inspect) case $* in *Labels*) {then} ;; *) exit 1 ;; esac ;; esac"
            ),
        );
        clone
    };
    let removed = |clone: &Clone| -> Vec<String> {
        let mut calls = clone.calls();
        calls.retain(|call| call.starts_with("fake/docker rm "));
        calls
    };
    let clone = inspected("echo journey");
    clone.demo().run().exits(0);
    clone.deploy().env("CONFIRM", ACCOUNT).run().exits(0);
    let name =
        |kind: &str| format!("fake/docker rm --force cruddur-ops-backend-flask-{kind}-{ACCOUNT}-us-east-1");
    assert_eq!(removed(&clone), [name("sandbox"), name("deploy")]);

    let clone = inspected("echo");
    let output = clone.demo().run().exits(2);
    output
        .says("step `run the pushed image` failed")
        .says("is somebody else's");
    assert_eq!(removed(&clone), [""; 0]);
}

#[test]
fn the_journey_by_itself_counts_its_rows_and_is_alone() {
    let clone = Clone::new();
    clone.step("bin/db/test", "sleep 0.2; echo 'Connection successful!'");
    let journey = clone
        .script("journey")
        .env("PROD_CONNECTION_URL", "postgresql://u@h/d");
    let running = [journey.clone().spawn(), journey.spawn()];
    let outputs = running.map(|journey| journey.wait().exits(0));
    for output in &outputs {
        let rows = rows(output);
        assert!(
            rows[0].starts_with("[ 1/10] ") && rows[9].starts_with("[10/10] "),
            "{rows:?}"
        );
    }
    let waited = outputs
        .iter()
        .filter(|output| output.stderr.contains("another journey of this clone is running"));
    assert_eq!(waited.count(), 1);
}

#[test]
fn nothing_is_run_in_another_account() {
    let clone = Clone::new();
    let output = clone.demo().env("FAKE_ACCOUNT", "210987654321").run().exits(2);
    output.says("step `aws sts get-caller-identity` failed");
    assert_eq!(
        clone
            .calls()
            .iter()
            .filter(|call| call.starts_with("bin/"))
            .count(),
        0
    );
}

#[test]
fn two_demos_of_one_clone_run_one_after_the_other() {
    let clone = Clone::new();
    clone.step("scripts/dist", "sleep 0.2");
    let running = [clone.demo().spawn(), clone.demo().spawn()];
    let waited = running
        .into_iter()
        .map(|demo| demo.wait().exits(0))
        .filter(|output| {
            output
                .stderr
                .contains("another demo of this clone is running: waiting for it")
        })
        .count();
    assert_eq!(waited, 1);
    let order: Vec<String> = clone
        .calls()
        .iter()
        .filter_map(|call| {
            let first = call
                .starts_with("scripts/install-deps")
                .then(|| "begin".to_owned());
            first.or_else(|| call.starts_with("bin/db/test").then(|| "end".to_owned()))
        })
        .collect();
    assert_eq!(order, ["begin", "end", "begin", "end"]);
}

#[test]
fn what_a_step_leaves_running_does_not_keep_the_next_demo_out() {
    let clone = Clone::new();
    clone.sandbox("[ \"$1\" != up ] || { sleep 20 >/dev/null 2>&1 & }");
    clone.demo().run().exits(0);
    let second = clone.demo().run().exits(0);
    assert!(!second.stderr.contains("waiting"), "{}", second.transcript());
}

/// As a terminal does it: the whole group gets the signal.
#[test]
fn ctrl_c_names_the_step_and_ends_by_the_signal() {
    for (path, step) in [
        ("fake/cargo", "build the tools"),
        ("bin/ecr/push-image", "push-image cruddur-python"),
    ] {
        let clone = Clone::new();
        let waiting = clone.folder.path().join("waiting");
        clone.step(path, &format!(": >'{}'; exec sleep 20", waiting.display()));
        let demo = clone.demo();
        let mut command = demo.command();
        command.process_group(0).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        wait_for("the step", || waiting.exists().then_some(()));
        kill_process_group(Pid::from_child(&child), Signal::INT).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&output.status),
            Some(2),
            "{stderr}"
        );
        assert!(
            stderr.contains(&format!("demo: interrupted in step `{step}`; its log is ")),
            "{stderr}"
        );
        assert_eq!(
            clone
                .calls()
                .iter()
                .filter(|call| call.starts_with("bin/ssm"))
                .count(),
            0
        );
    }
}

// --- deploy ---------------------------------------------------------------------------------------------

#[test]
fn deploy_shows_where_and_what_and_changes_nothing_unless_confirmed() {
    let clone = Clone::new();
    let output = clone.deploy().run().exits(2);
    for line in [
        "Identity  arn:aws:iam::123456789012:user/ada\n",
        "Account   123456789012\n",
        "Region    us-east-1\n",
        "\nRepositories\n",
        "\nParameters\n",
        "\nImages\n  backend-flask:latest would be pushed\n",
        "deploy: error: not confirmed: nothing was changed\nhint: CONFIRM=123456789012 make deploy\n",
    ] {
        assert!(output.stderr.contains(line), "{line}\n{}", output.transcript());
    }
    assert_eq!(clone.writes(), Vec::<String>::new());
    let wrong = clone.deploy().env("CONFIRM", "210987654321").run().exits(2);
    wrong.says("deploy: error: CONFIRM is not the account: `210987654321` against `123456789012`");
    assert_eq!(clone.writes(), Vec::<String>::new());
}

#[test]
fn deploy_runs_the_same_rows_when_confirmed() {
    let clone = Clone::new();
    let output = clone.deploy().env("CONFIRM", ACCOUNT).run().exits(0);
    let rows = rows(&output);
    assert_eq!(rows.len(), 12, "{}", output.transcript());
    assert!(rows[11].starts_with("[12/12] "), "{}", rows[11]);
    let writes = clone.writes();
    let order: Vec<&str> = writes.iter().filter_map(|call| call.split(' ').next()).collect();
    assert_eq!(
        order,
        [
            "bin/ecr/create-repository",
            "bin/ecr/login",
            "bin/ecr/push-image",
            "bin/ecr/push-image",
            "bin/ssm/put-params",
            "bin/db/test",
            "bin/health-check"
        ]
    );
    // The sandbox is no part of it.
    assert_eq!(
        clone
            .calls()
            .iter()
            .filter(|call| call.starts_with("scripts/sandbox"))
            .count(),
        0
    );
}

#[test]
fn deploy_says_when_something_else_stands_in_for_aws() {
    let clone = Clone::new();
    let tool = clone.deploy().env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    tool.run()
        .exits(2)
        .says("Endpoint  http://127.0.0.1:9, in place of AWS\n");
}

#[test]
fn deploy_asks_nothing_when_the_plan_is_not_to_be_had() {
    let clone = Clone::new();
    clone.step(
        "bin/ssm/put-params",
        "echo 'put-params: error: HONEYCOMB_API_KEY is not set' >&2; exit 2",
    );
    let output = clone.deploy().env("CONFIRM", ACCOUNT).run().exits(2);
    output.says("put-params: error: HONEYCOMB_API_KEY is not set");
    assert_eq!(clone.writes(), Vec::<String>::new());
}

/// On a terminal the account id is typed.
#[test]
fn deploy_goes_on_when_the_account_is_typed_and_not_otherwise() {
    for (typed, code, writes) in [("123456789012\n", 0, 7), ("yes\n", 2, 0), ("\n", 2, 0)] {
        let clone = Clone::new();
        let path = clone.deploy();
        let script = clone.folder.path().join("scripts/deploy");
        let environment = path.command();
        let tool = Tool::new("script")
            .args(["--quiet", "--return", "--command"])
            .arg(script)
            .arg("/dev/null")
            .stdin(typed);
        let tool = environment
            .get_envs()
            .fold(tool, |tool, (name, value)| match value {
                Some(value) => tool.env(name, value),
                None => tool,
            });
        let output = tool.run().exits(code);
        assert!(
            output.stdout.contains("Type the account id to go on: "),
            "{}",
            output.transcript()
        );
        assert_eq!(clone.writes().len(), writes, "{typed:?}");
    }
}
