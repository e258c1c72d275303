//! `scripts/demo`, `scripts/deploy` and `scripts/status` in a clone whose steps are stand-ins: the lines, the questions,
//! and what happens when a step fails. `sandbox_journey` runs the real steps.

mod another_app;
mod clone;
mod deploy;
mod status;

use clone::{Clone, IMAGE, rows};
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use support::wait_for;

#[test]
fn each_step_has_its_line_and_the_end_says_what_to_try() {
    let clone = Clone::new();
    let output = clone.demo().run().exits(0);
    let rows = rows(&output);
    assert_eq!(rows.len(), 20, "{}", output.transcript());
    for (number, row) in rows.iter().enumerate() {
        assert!(row.starts_with(&format!("[{:2}/20] ", number + 1)), "{row}");
        assert!(format!("{row} ").contains(" s "), "{row}");
    }
    let push = rows
        .iter()
        .find(|row| row.contains("push-image backend-flask"))
        .unwrap();
    let words: Vec<&str> = push.split_whitespace().collect();
    assert_eq!(
        words[..5],
        ["[13/20]", "push-image", "backend-flask", "changed", "0.0"],
        "{push}"
    );
    assert!(push.ends_with("…/backend-flask@sha256:01234567…"), "{push}");

    let (_, end) = output.stderr.split_once("\nstep ").unwrap();
    assert!(end.contains("http://172.17.0.9:4567/api/health-check"), "{end}");
    assert!(end.contains(&format!("The image:    {IMAGE}\n")), "{end}");
    assert!(
        end.contains("backend-flask of cluster cruddur, running backend-flask:7\n"),
        "{end}"
    );
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
            "scripts/sandbox",
            "echo 'sandbox: error: no port' >&2; exit 2",
            "sandbox",
            2,
            "no port",
        ),
        (
            "bin/ecr/push-image",
            json,
            "push-image cruddur-python",
            3,
            "it is \"full\"",
        ),
        (
            "bin/ecr/push-image",
            "echo '{}'",
            "push-image cruddur-python",
            2,
            "its answer has no `uri`",
        ),
        (
            "bin/db/test",
            "exit 0",
            "db-test (this machine)",
            1,
            "it did not print `Connection successful!`",
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
        if then.contains(">&2") {
            let expected = if then.contains("loud") { "loud" } else { message };
            assert!(log.contains(expected), "{hint}: {log}");
        }
        let last = rows(&output).last().copied().unwrap().to_owned();
        assert!(last.contains(step) && last.contains(" failed "), "{last}");
    }
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
