//! Names and numbers in ECS's documents: rules that several fields share.

use crate::diagnostic::Diagnostics;
use crate::node::Field;

/// A number with the limits that AWS documents for it.
pub(super) fn between(
    field: &Field,
    key: &str,
    least: i64,
    most: i64,
    unit: &str,
    diagnostics: &mut Diagnostics,
) {
    let Some(found) = field.get(key) else { return };
    if found
        .number()
        .is_some_and(|number| !(least..=most).contains(&number))
    {
        diagnostics.error(&found, format!("it must be {least} to {most}{unit}"));
    }
}

/// The names of ECS: letters, digits, `_`, `-`.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=255).contains(&text.len()) && text.bytes().all(allowed)
}

/// The names of ports and of Cloud Map services: small letters, digits, `_`, `-`, not beginning with `-`.
pub(crate) fn is_port_name(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(allowed)
}

/// A container is essential unless its definition says otherwise.
pub(super) fn is_essential(container: &Field) -> bool {
    container.flag_of("essential").unwrap_or(true)
}
