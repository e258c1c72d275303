//! The end of a tool whose thread is blocked: in time, and without child processes and temporary files.

use rustix::process::{Pid, Signal, test_kill_process};
use std::path::Path;
use std::time::Duration;
use support::aws::{FakeAws, ecr, registry, token};
use support::{Tool, executable, wait_for};

fn signed_in() -> FakeAws {
    let aws = FakeAws::start();
    let answer = token(&registry("us-east-1"), "password");
    aws.answer(ecr("GetAuthorizationToken"), 200, answer);
    aws
}

/// A program that writes its process id and that of a child into a file, and then sleeps.
const SLEEPER: &str =
    "#!/bin/sh\nsleep 60 &\necho \"$$ $!\" >\"$HOME/ids.new\"\nmv \"$HOME/ids.new\" \"$HOME/ids\"\nwait\n";

/// `ecr-login` with a credential helper that never ends.
fn with_helper(aws: &FakeAws) -> Tool {
    let tool = aws
        .tool("ecr-login")
        .file("docker/config.json", r#"{"credsStore":"e2e"}"#);
    let helper = tool.folder().join("bin/docker-credential-e2e");
    executable(&helper, SLEEPER);
    let path = format!("{}:/usr/bin:/bin", helper.parent().unwrap().display());
    tool.env("PATH", path)
}

/// `ecr-login` with a credential process that never ends.
fn with_process(aws: &FakeAws) -> Tool {
    let tool = aws
        .tool("ecr-login")
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .file("process", SLEEPER)
        .file("aws", "[default]\ncredential_process = sh $HOME/process\n");
    let config = tool.folder().join("aws");
    tool.env("AWS_CONFIG_FILE", config)
}

fn started(tool: &Tool) -> Vec<Pid> {
    let path = tool.folder().join("ids");
    let ids = wait_for("the program to start", || std::fs::read_to_string(&path).ok());
    ids.split_whitespace()
        .map(|id| Pid::from_raw(id.parse().unwrap()).unwrap())
        .collect()
}

fn all_gone(processes: &[Pid]) {
    for process in processes {
        wait_for("the end of a child process", || {
            let state = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
            let ended = state.is_ok_and(|state| state.contains(") Z "));
            (ended || test_kill_process(*process).is_err()).then_some(())
        });
    }
}

/// Checks that docker's folder contains only the file and its lock.
fn clean(folder: &Path) {
    let left: Vec<_> = std::fs::read_dir(folder.join("docker"))
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["config.json", "config.json.lock"].contains(&name.as_str()))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_deadline_ends_a_run_that_waits_for_another_program() {
    let aws = signed_in();
    for tool in [with_helper(&aws), with_process(&aws)] {
        let tool = tool.args(["--timeout", "1s", "-o", "json"]);
        let running = tool.spawn();
        let processes = started(&tool);
        let output = running.wait().exits(3).says("error: not done after 1 s\n");
        assert!(output.elapsed < Duration::from_secs(3), "{:?}", output.elapsed);
        assert_eq!(output.json()["outcome"], "timeout");
        all_gone(&processes);
        clean(tool.folder());
    }
}

#[test]
fn a_signal_ends_a_run_that_waits_for_another_program() {
    let aws = signed_in();
    for signal in [Signal::INT, Signal::TERM] {
        for tool in [with_helper(&aws), with_process(&aws)] {
            let running = tool.clone().hears_signals().spawn();
            let processes = started(&tool);
            running.signal(signal);
            let output = running.wait().ends_by(signal);
            assert!(output.elapsed < Duration::from_secs(3), "{:?}", output.elapsed);
            assert_eq!(output.stdout, "");
            all_gone(&processes);
            clean(tool.folder());
        }
    }
}

#[test]
fn a_deadline_ends_a_run_that_waits_for_a_file_or_a_lock() {
    let aws = signed_in();
    let fifo = |tool: Tool, name: &str| {
        let path = tool.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        support::program("mkfifo").arg(&path).run().exits(0);
        (tool, path)
    };
    // A login would replace a pipe by a file, so it is refused before it is read.
    let (docker, _) = fifo(aws.tool("ecr-login"), "docker/config.json");
    docker.run().exits(2).says("is not a regular file");
    let (config, path) = fifo(aws.tool("ecr-login"), "pipe.toml");
    let config = config.arg("--config").arg(path);
    let (profiles, path) = fifo(aws.tool("ecr-login"), "aws");
    let profiles = profiles.env("AWS_CONFIG_FILE", path);
    let locked = aws.tool("ecr-login").file("docker/config.json.lock", "");
    let lock = std::fs::File::open(locked.folder().join("docker/config.json.lock")).unwrap();
    lock.lock().unwrap();
    for tool in [config, profiles, locked] {
        let output = tool.args(["--timeout", "500ms"]).run().exits(3);
        assert!(output.elapsed < Duration::from_secs(3), "{:?}", output.elapsed);
        output.says("error: not done after 500 ms\n").says("hint: ");
    }
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    for (name, signal) in [("HUP", Signal::HUP), ("INT", Signal::INT)] {
        let aws = FakeAws::start();
        aws.hang();
        let script = format!("trap '' {name}; exec \"$0\" --timeout 1500ms");
        let tool = aws.point(support::program("sh"));
        let tool = tool
            .arg("-c")
            .arg(script)
            .arg(support::bin_dir().join("ecr-login"));
        let running = tool.spawn();
        wait_for("the first request", || (!aws.requests().is_empty()).then_some(()));
        running.signal(signal);
        running.wait().exits(3);
    }
}
