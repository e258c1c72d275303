//! The rules for a value. No message contains a part of the value, its length or its hash.

use crate::error::ValidationError;
use common::config::{ParameterCheck, ParameterTier};

/// Bytes of a value in the tier Standard (PutParameter, `Value`).
const STANDARD: usize = 4096;

/// Bytes of a value in the tier Advanced.
const ADVANCED: usize = 8192;

/// Everything that is wrong with `value`. `parts` are the values of the variables of a template.
pub(crate) fn errors<'a>(
    value: &str,
    parts: impl IntoIterator<Item = &'a str>,
    tier: Option<ParameterTier>,
    check: Option<ParameterCheck>,
) -> Vec<ValidationError> {
    let error = |message: &str| ValidationError::new("value", message);
    let mut errors = Vec::new();
    if value.trim() != value {
        errors.push(
            error("the value has white space at its beginning or end")
                .hint("remove the white space; of a file exactly one newline at the end is ignored"),
        );
    }
    if value.contains('\0') {
        errors.push(error("the value has a NUL character"));
    }
    if value.contains("{{") {
        errors.push(error("the value has `{{`, which SSM does not accept"));
    }
    errors.extend(size_error(value, tier));
    if is_placeholder(value) || parts.into_iter().any(is_placeholder) {
        errors.push(error("the value is a placeholder").hint("replace it with the real value"));
    }
    // A check would only report the errors above again.
    if errors.is_empty() {
        errors.extend(match check {
            Some(ParameterCheck::PostgresUrl) => postgres_url_error(value),
            Some(ParameterCheck::OtlpHeaders) => otlp_headers_error(value),
            None => None,
        });
    }
    errors
}

/// Without `tier` the account's default applies, which is Standard unless it was changed.
fn size_error(value: &str, tier: Option<ParameterTier>) -> Option<ValidationError> {
    let larger =
        |limit: usize| ValidationError::new("value", format!("the value is larger than {limit} bytes"));
    match tier {
        _ if value.len() > ADVANCED => Some(larger(ADVANCED).hint("SSM accepts no larger value")),
        None | Some(ParameterTier::Standard) if value.len() > STANDARD => Some(larger(STANDARD).hint(
            "set `tier = \"Advanced\"` in [params]: up to 8192 bytes, at a charge, and SSM can't change it back",
        )),
        _ => None,
    }
}

fn is_placeholder(value: &str) -> bool {
    // The example keys of the AWS documentation, split so that no secret scanner reports this file.
    let examples = [
        concat!("AKIA", "IOSFODNN7EXAMPLE"),
        concat!("wJalrXUtnFEMI/K7MDENG", "/bPxRfiCYEXAMPLEKEY"),
    ];
    let lower = value.to_ascii_lowercase().replace('-', "_");
    examples.contains(&value)
        || [
            "changeme",
            "placeholder",
            "replaceme",
            "tbd",
            "todo",
            "your_key_here",
        ]
        .contains(&lower.as_str())
        || lower.starts_with("change_me")
        || lower.starts_with("replace_me")
        || (lower.len() >= 3 && lower.bytes().all(|byte| byte == b'x'))
        || (lower.starts_with('<') && lower.ends_with('>') && !lower.contains('\n'))
}

fn postgres_url_error(value: &str) -> Option<ValidationError> {
    let error = conninfo::parse(value, &|_| None)
        .err()
        // The app's driver may support options that this parser does not.
        .filter(|error| !error.is_unsupported())?;
    let invalid = ValidationError::new("value", format!("the value is no connection string: {error}"));
    Some(match error.hint() {
        Some(hint) => invalid.hint(hint),
        None => invalid,
    })
}

/// `name=value`, separated by commas (OpenTelemetry, `OTEL_EXPORTER_OTLP_HEADERS`; the format of W3C's
/// Baggage). Names and values may be secret, so messages refer to headers by number.
fn otlp_headers_error(value: &str) -> Option<ValidationError> {
    let error = |number: usize, why: &str| {
        let message = format!("the value is no list of OTLP headers: header {number} {why}");
        ValidationError::new("value", message).hint("write name=value,name=value; a blank in a value is %20")
    };
    value.split(',').zip(1..).find_map(|(header, number)| {
        let Some((name, value)) = header.split_once('=') else {
            return Some(error(number, "has no `=`"));
        };
        let token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
        if name.is_empty() {
            Some(error(number, "has no name"))
        } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Some(error(
                number,
                "has capital letters in its name, which gRPC does not accept",
            ))
        } else if !name.bytes().all(token) {
            Some(error(number, "has a blank or another odd character in its name"))
        } else if value.is_empty() {
            Some(error(number, "has no value"))
        } else if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            Some(error(number, "has a blank or another odd character in its value"))
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str, tier: Option<ParameterTier>, check: Option<ParameterCheck>) -> Vec<String> {
        let errors = errors(value, [], tier, check);
        errors.into_iter().map(|error| error.message).collect()
    }

    #[test]
    fn any_secret_is_accepted() {
        for value in [
            "x",
            "-dash",
            "https://example.com/a",
            "file:///etc/hosts",
            "$2a$10$TWo",
            "a\nb\r\nc",
            "{\"a\": {\"b\": 1}}",
            "p=#%&'\"\\",
            "grün",
            "xxl",
        ] {
            assert_eq!(found(value, None, None), [""; 0], "{value}");
        }
    }

    #[test]
    fn what_ssm_or_the_app_can_not_use_is_refused() {
        for (value, why) in [
            (" x", "white space"),
            ("x\n", "white space"),
            ("x\u{a0}", "white space"),
            ("a\0b", "NUL"),
            ("a{{b}}c", "`{{`"),
            ("changeme", "placeholder"),
            ("CHANGE_ME_LATER", "placeholder"),
            ("change-me", "placeholder"),
            ("XXX", "placeholder"),
            ("<your key>", "placeholder"),
            (concat!("AKIA", "IOSFODNN7EXAMPLE"), "placeholder"),
        ] {
            let found = found(value, None, None);
            assert!(found.len() == 1 && found[0].contains(why), "{value}: {found:?}");
        }
        assert_eq!(errors("team=todo", ["todo"], None, None).len(), 1);
        assert_eq!(found(" a\0{{", None, None).len(), 3);
    }

    #[test]
    fn sizes_are_bytes_and_depend_on_the_tier() {
        use ParameterTier::{Advanced, IntelligentTiering, Standard};
        let euros = |bytes: usize| "€".repeat(bytes / 3) + &"a".repeat(bytes % 3);
        for (bytes, tier, limit) in [
            (4096, None, None),
            (4097, None, Some(4096)),
            (4096, Some(Standard), None),
            (4097, Some(Standard), Some(4096)),
            (8192, Some(Standard), Some(4096)),
            (8192, Some(Advanced), None),
            (8193, Some(Advanced), Some(8192)),
            (8192, Some(IntelligentTiering), None),
            (8193, Some(IntelligentTiering), Some(8192)),
            (8193, None, Some(8192)),
        ] {
            let value = euros(bytes);
            assert_eq!(value.len(), bytes);
            let expected: Vec<String> = limit
                .iter()
                .map(|limit| format!("the value is larger than {limit} bytes"))
                .collect();
            assert_eq!(found(&value, tier, None), expected, "{bytes} {tier:?}");
        }
    }

    #[test]
    fn connection_strings_are_read_as_libpq_does() {
        let check = |value: &str| found(value, None, Some(ParameterCheck::PostgresUrl));
        for value in [
            "postgresql://user:p%40ss@db.example.com:5432/cruddur?sslmode=require",
            "host=db.example.com user=u password='a b'",
            "postgres://u@h/d?gssencmode=require",
        ] {
            assert_eq!(check(value), [""; 0], "{value}");
        }
        for value in [
            "mysql://u:hunter2@h/d",
            "postgresql://u:hunt@er2/x@h/d",
            "hunter2",
            "\"postgresql://u@h/d\"",
        ] {
            let found = check(value);
            assert_eq!(found.len(), 1, "{value}: {found:?}");
            assert!(found[0].starts_with("the value is no connection string: "));
            assert!(
                !found[0].contains("hunt") && !found[0].contains("er2"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn headers_are_names_and_values() {
        let check = |value: &str| found(value, None, Some(ParameterCheck::OtlpHeaders));
        for value in [
            "x-honeycomb-team=abc",
            "a=1,b=2",
            "authorization=Basic%20dTpw==",
            "x_y.z!=~",
        ] {
            assert_eq!(check(value), [""; 0], "{value}");
        }
        for (value, why) in [
            ("x-honeycomb-team", "header 1 has no `=`"),
            ("x-honeycomb-team=", "header 1 has no value"),
            ("=abc", "header 1 has no name"),
            ("a=1,", "header 2 has no `=`"),
            (
                "a=1, b=2",
                "header 2 has a blank or another odd character in its name",
            ),
            ("a=1,X-Team=2", "header 2 has capital letters in its name"),
            (
                "a=Basic abc",
                "header 1 has a blank or another odd character in its value",
            ),
            (
                "a=grün",
                "header 1 has a blank or another odd character in its value",
            ),
            (
                "a b=1",
                "header 1 has a blank or another odd character in its name",
            ),
            (
                "a:b=1",
                "header 1 has a blank or another odd character in its name",
            ),
        ] {
            let found = check(value);
            assert!(found.len() == 1 && found[0].contains(why), "{value}: {found:?}");
        }
    }
}
