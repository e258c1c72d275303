//! A container's health check.

use super::between;
use crate::document::Field;
use crate::position::Faults;

pub(super) fn check(health_check: &Field, faults: &mut Faults) {
    between(health_check, "interval", 5, 300, " s", faults);
    between(health_check, "timeout", 2, 60, " s", faults);
    between(health_check, "retries", 1, 10, "", faults);
    between(health_check, "startPeriod", 0, 300, " s", faults);
    let Some(command) = health_check.get("command") else {
        return;
    };
    let words: Vec<&str> = command.elements().iter().filter_map(Field::text).collect();
    match words.as_slice() {
        [] if command.node.kind() == "an array" => faults.error(&command, "it is empty"),
        [] => {}
        ["NONE"] => {}
        ["NONE", ..] => faults.error(&command, "nothing stands behind NONE"),
        ["CMD"] => faults.error(&command, "behind CMD stands the program"),
        // One program of that name, spaces and all.
        ["CMD", only] if only.contains(char::is_whitespace) => {
            faults.error(
                &command,
                "CMD starts one program, and the words of its command line are strings of their own",
            );
            faults.hint(r#"write ["CMD", "PROGRAM", "ARGUMENT"], or ["CMD-SHELL", "…"] for a shell"#);
        }
        ["CMD", ..] => {}
        ["CMD-SHELL", line] if !line.trim().is_empty() => {}
        ["CMD-SHELL", ..] => {
            faults.error(
                &command,
                "behind CMD-SHELL stands one string, the command line for the shell",
            );
        }
        _ => {
            faults.error(&command, "it must begin with CMD or CMD-SHELL");
            faults.hint(r#"write ["CMD", "PROGRAM", …], or ["CMD-SHELL", "…"] for a shell"#);
        }
    }
}
