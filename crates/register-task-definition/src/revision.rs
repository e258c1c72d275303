//! `FAMILY:REVISION`, and its shorter forms.

use std::fmt;

/// A revision as it is named on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Revision {
    /// Absent is the family of the file.
    pub(crate) family: Option<String>,
    /// Absent is the latest active one.
    pub(crate) number: Option<u32>,
}

impl Revision {
    /// `7`, `backend-flask`, `backend-flask:7`, or an ARN.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let diagnostic = || "it must be FAMILY, FAMILY:REVISION or REVISION".to_owned();
        let name = match text.strip_prefix("arn:") {
            Some(_) => text.split_once(":task-definition/").ok_or_else(diagnostic)?.1,
            None => text,
        };
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        match name.split_once(':') {
            Some((family, revision)) if Self::is_family(family) => Ok(Revision {
                family: Some(family.to_owned()),
                number: Some(number(revision).ok_or_else(diagnostic)?),
            }),
            None if number(name).is_some() => Ok(Revision {
                family: None,
                number: number(name),
            }),
            None if Self::is_family(name) => Ok(Revision {
                family: Some(name.to_owned()),
                number: None,
            }),
            _ => Err(diagnostic()),
        }
    }

    /// Whether `text` can be the name of a family.
    pub(crate) fn is_family(text: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        (1..=255).contains(&text.len()) && text.bytes().all(allowed)
    }

    /// The same in the family `family`, when it names none.
    pub(crate) fn or_family(&self, family: &str) -> Self {
        Revision {
            family: self.family.clone().or_else(|| Some(family.to_owned())),
            number: self.number,
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.family, self.number) {
            (Some(family), Some(number)) => write!(formatter, "{family}:{number}"),
            (Some(family), None) => formatter.write_str(family),
            (None, Some(number)) => write!(formatter, "{number}"),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_forms_are_read() {
        for (text, family, number) in [
            ("7", None, Some(7)),
            ("web", Some("web"), None),
            ("web:7", Some("web"), Some(7)),
            ("7:7", Some("7"), Some(7)),
            (
                "arn:aws:ecs:us-east-1:123456789012:task-definition/web:12",
                Some("web"),
                Some(12),
            ),
        ] {
            let expected = Revision {
                family: family.map(str::to_owned),
                number,
            };
            assert_eq!(Revision::parse(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            ":",
            "web:",
            "web:0",
            "web:x",
            "web:-1",
            ":7",
            "a b",
            "web:7:8",
            "arn:aws:ecs:x",
            "arn:aws:ecs:us-east-1:123456789012:service/web:1",
        ] {
            assert!(Revision::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_files_family_fills_in() {
        let revision = Revision::parse("7").unwrap().or_family("web");
        assert_eq!(revision.to_string(), "web:7");
        assert_eq!(
            Revision::parse("api").unwrap().or_family("web").to_string(),
            "api"
        );
    }
}
