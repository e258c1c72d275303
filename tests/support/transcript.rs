//! Replaces the parts of a transcript that differ between runs.

/// Ports of loopback addresses become `PORT`, times `TIME`, the temporary folder `FOLDER`.
pub fn filter(text: &str, folder: &str) -> String {
    let mut text = text.replace(folder, "FOLDER");
    for host in ["127.0.0.1:", "localhost:", "[::1]:"] {
        text = replace_number_after(&text, host, "PORT");
    }
    for unit in [" ms", " s"] {
        text = replace_number_before(&text, unit, "TIME");
    }
    text
}

fn replace_number_after(text: &str, before: &str, word: &str) -> String {
    let mut parts = text.split(before);
    let mut filtered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|character: char| character.is_ascii_digit());
        filtered.push_str(before);
        filtered.push_str(if rest.len() < part.len() { word } else { "" });
        filtered.push_str(rest);
    }
    filtered
}

/// Only at the end of a word: `4 s`, not `4 steps`.
fn replace_number_before(text: &str, unit: &str, word: &str) -> String {
    let mut filtered = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(unit) {
        let (before, after) = rest.split_at(at);
        let number = |character: char| character.is_ascii_digit() || character == '.';
        let start = before.trim_end_matches(number);
        let ends = !after[unit.len()..].starts_with(|character: char| character.is_ascii_alphanumeric());
        if ends && start.len() < before.len() {
            filtered.push_str(start);
            filtered.push_str(word);
        } else {
            filtered.push_str(before);
            filtered.push_str(unit);
        }
        rest = &after[unit.len()..];
    }
    filtered + rest
}
