//! The parts of an ARN.

/// The parts of an ARN behind `arn`, unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`
    pub partition: &'a str,
    /// `ssm`
    pub service: &'a str,
    /// `us-east-1`; empty for global services.
    pub region: &'a str,
    /// 12 digits; empty for services with globally unique names.
    pub account: &'a str,
    /// `parameter/cruddur/backend-flask/X`
    pub resource: &'a str,
}

/// Splits an ARN. The resource keeps its colons.
pub fn split(text: &str) -> Option<Arn<'_>> {
    let mut parts = parts(text).into_iter();
    if parts.next() != Some("arn") {
        return None;
    }
    Some(Arn {
        partition: parts.next()?,
        service: parts.next()?,
        region: parts.next()?,
        account: parts.next()?,
        resource: parts.next()?,
    })
}

/// Splits at the first five colons. A colon inside a variable of IAM (`${aws:username}`) does not separate parts.
pub(super) fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut in_variable) = (0, false);
    for (at, character) in text.char_indices() {
        match character {
            '{' if text[..at].ends_with('$') => in_variable = true,
            '}' => in_variable = false,
            ':' if !in_variable && parts.len() < 5 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
