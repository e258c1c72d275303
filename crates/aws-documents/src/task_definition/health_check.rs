//! A container's health check.

use super::values::between;
use crate::diagnostic::Diagnostics;
use crate::node::Field;

pub(super) fn check(health_check: &Field, diagnostics: &mut Diagnostics) {
    between(health_check, "interval", 5, 300, " s", diagnostics);
    between(health_check, "timeout", 2, 60, " s", diagnostics);
    between(health_check, "retries", 1, 10, "", diagnostics);
    between(health_check, "startPeriod", 0, 300, " s", diagnostics);
    let Some(command) = health_check.get("command") else {
        return;
    };
    let words: Vec<&str> = command.elements().iter().filter_map(Field::text).collect();
    match words.as_slice() {
        [] if command.node.kind() == "an array" => diagnostics.error(&command, "it is empty"),
        [] => {}
        ["NONE"] => {}
        ["NONE", ..] => diagnostics.error(&command, "NONE takes no arguments"),
        ["CMD"] => diagnostics.error(&command, "CMD must be followed by the program"),
        // ECS would look for a program whose name contains the spaces.
        ["CMD", only] if only.contains(char::is_whitespace) => {
            diagnostics.error(
                &command,
                "CMD takes the program and each argument as separate strings",
            );
            diagnostics.hint(r#"write ["CMD", "PROGRAM", "ARGUMENT"], or ["CMD-SHELL", "…"] for a shell"#);
        }
        ["CMD", ..] => {}
        ["CMD-SHELL", line] if !line.trim().is_empty() => {}
        ["CMD-SHELL", ..] => {
            diagnostics.error(
                &command,
                "CMD-SHELL must be followed by one string, the command line for the shell",
            );
        }
        _ => {
            diagnostics.error(&command, "it must begin with CMD or CMD-SHELL");
            diagnostics.hint(r#"write ["CMD", "PROGRAM", …], or ["CMD-SHELL", "…"] for a shell"#);
        }
    }
}
