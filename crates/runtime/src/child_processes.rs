//! Ends the child processes of a tool: credential helpers, and the credential processes of the AWS configuration.
//!
//! They share the tool's process group, because one that asks for a code on the terminal would be stopped in a group
//! of its own (SIGTTIN). The AWS SDK starts some of them and does not give their ids. So the kernel's list of
//! children is read, `/proc/PID/task/TID/children`; a system without it leaves them to end by themselves.

use rustix::process::{Pid, Signal, kill_process};
use std::fs;

/// Kills all child processes of this process, with their own children.
pub fn kill_all() {
    let mut found = Vec::new();
    collect_children("self", &mut found);
    kill(&found);
}

/// Kills the child process `id` with its own children.
pub fn kill_tree(id: u32) {
    let mut found = Vec::new();
    collect(id, &mut found);
    kill(&found);
}

fn kill(processes: &[Pid]) {
    for process in processes {
        let _ = kill_process(*process, Signal::KILL);
    }
}

fn collect(id: u32, found: &mut Vec<Pid>) {
    let Some(process) = i32::try_from(id).ok().and_then(Pid::from_raw) else {
        return;
    };
    // A stopped process can't start another one while its children are read.
    let _ = kill_process(process, Signal::STOP);
    found.push(process);
    collect_children(&id.to_string(), found);
}

fn collect_children(process: &str, found: &mut Vec<Pid>) {
    let threads = fs::read_dir(format!("/proc/{process}/task"));
    for thread in threads.into_iter().flatten().flatten() {
        let list = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in list.split_whitespace().filter_map(|id| id.parse().ok()) {
            collect(child, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    #[test]
    fn a_child_is_killed_with_its_own_children() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & echo started; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(shell.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        kill_tree(shell.id());
        // The stream ends when no process has it open for writing.
        stdout.read_to_string(&mut line).unwrap();
        assert_eq!(line, "started\n");
        assert!(!shell.wait().unwrap().success());
    }
}
