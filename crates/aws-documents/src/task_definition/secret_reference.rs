//! `valueFrom`: the ARN or the name of a parameter or a secret.

use crate::diagnostic::Diagnostics;
use crate::node::Field;

/// The ARN of a parameter or a secret, or the name of a parameter.
pub(super) fn check(reference: &Field, diagnostics: &mut Diagnostics) {
    let Some(text) = reference.text() else { return };
    if !text.starts_with("arn:") {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte);
        if text.is_empty() {
            diagnostics.error(reference, "it is empty");
        } else if text.contains("//") {
            diagnostics.error(reference, "a parameter's name has no two slashes in a row");
        } else if !text.bytes().all(allowed) {
            // Without the text: it may be the secret itself.
            diagnostics.error(reference, "it is neither an ARN nor the name of a parameter");
            diagnostics.hint("write arn:…:parameter/NAME, arn:…:secret:NAME, or the parameter's name");
        }
        return;
    }
    let wrong = arn::problems(text, None);
    for diagnostic in &wrong {
        diagnostics.error(reference, format!("`{text}`: {}", diagnostic.message));
        diagnostic
            .hint
            .iter()
            .for_each(|hint| diagnostics.hint(hint.as_str()));
    }
    let Some(parts) = arn::split(text).filter(|_| wrong.is_empty()) else {
        return;
    };
    let segments = parts.resource.split(':').count();
    match parts.service {
        "ssm" if parts.resource.starts_with("parameter/") && segments == 1 => {}
        "ssm" => diagnostics.error(
            reference,
            format!("`{text}` is no parameter: it must end with parameter/NAME"),
        ),
        // secret:NAME, or secret:NAME:KEY:STAGE:VERSION with any of the last three empty.
        "secretsmanager" if matches!(segments, 2 | 5) => {}
        "secretsmanager" => {
            diagnostics.error(reference, format!("`{text}` has not the form of a secret"));
            diagnostics.hint("it ends with secret:NAME, or with secret:NAME:KEY:STAGE:VERSION, of which parts may be empty");
        }
        service => diagnostics.error(
            reference,
            format!("secrets come from ssm and secretsmanager, not from {service}"),
        ),
    }
}
