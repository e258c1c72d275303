//! The programs that a tool started: credential helpers, and the credential processes of the AWS configuration.
//!
//! They can't be given a process group of their own, by which they could be ended at once: one that asks for a
//! code on the terminal would be stopped there. So they are looked up in `/proc`; a system without it keeps them.

use rustix::process::{Pid, Signal, kill_process};
use std::fs;

/// Ends all that this process started and that still runs, with what those started in turn.
pub fn end_all() {
    end(below("self"));
}

/// Ends the process `id`, a child of this one, with what it started in turn.
pub fn end_tree(id: u32) {
    let mut found = Vec::new();
    collect(id, &mut found);
    end(found);
}

fn end(processes: Vec<Pid>) {
    for process in processes {
        let _ = kill_process(process, Signal::KILL);
    }
}

fn below(process: &str) -> Vec<Pid> {
    let mut found = Vec::new();
    for child in children_of(process) {
        collect(child, &mut found);
    }
    found
}

fn collect(id: u32, found: &mut Vec<Pid>) {
    let Some(process) = i32::try_from(id).ok().and_then(Pid::from_raw) else {
        return;
    };
    // One that is stopped starts no other one while its children are looked up.
    let _ = kill_process(process, Signal::STOP);
    found.push(process);
    for child in children_of(&id.to_string()) {
        collect(child, found);
    }
}

fn children_of(process: &str) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task"));
    let lists = threads
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|id| id.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    #[test]
    fn a_child_ends_with_its_own_children() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & echo started; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(shell.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        end_tree(shell.id());
        // The end of the stream: nobody is left who could write to it.
        stdout.read_to_string(&mut line).unwrap();
        assert_eq!(line, "started\n");
        assert!(!shell.wait().unwrap().success());
    }
}
