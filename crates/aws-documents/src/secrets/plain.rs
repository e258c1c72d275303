//! Values that are no secret although their name is like a secret's: a length, a path, the name of a thing.

/// `4567`, `-1`, `0.5`, `25m`: few digits, and a unit.
pub(super) fn is_number(value: &str) -> bool {
    let value = value.strip_prefix('-').unwrap_or(value);
    let number =
        value.trim_end_matches(|character: char| character.is_ascii_alphabetic() || character == '%');
    let unit = value.get(number.len()..).unwrap_or_default();
    let digits = |text: &str| (1..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    digits(whole) && digits(fraction) && unit.len() <= 3
}

/// The name of a thing: letters, a few digits, and what stands between words.
pub(super) fn is_label(value: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    (1..=60).contains(&value.len())
        && value.starts_with(|first: char| first.is_ascii_alphabetic())
        && value.bytes().all(allowed)
        && digits <= 4
}

/// `/usr/local/bin/health-check`: words in small letters.
pub(super) fn is_path(value: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"/._-".contains(&byte);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    value.starts_with('/') && value.len() <= 120 && value.bytes().all(allowed) && digits <= 8
}

/// `https://HOST[:PORT][/PATH]`: an address without login, query and fragment.
pub(super) fn is_url(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".:-_".contains(&byte);
    authority.bytes().all(allowed) && (path.is_empty() || is_path(path))
}

/// `true`, `off`
pub(super) fn is_switch(value: &str) -> bool {
    ["true", "false", "yes", "no", "on", "off"].contains(&value.to_ascii_lowercase().as_str())
}
