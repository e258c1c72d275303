//! `expect_account` and `expect_region`: the only account and region in which the tools work.

use crate::config::{Config, Segment, segments};
use anyhow::Result;
use cli::{ErrorKind, Failure};

/// What the config file expects.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
}

impl Expected {
    /// Reads both. `${NAME}` is looked up in the environment only: the built-in names have the values of the current
    /// account and region, which would always match.
    ///
    /// # Errors
    /// When a variable is unset or empty, or the text is malformed.
    pub(super) fn of(config: Option<&Config>) -> Result<Self> {
        let Some(config) = config else {
            return Ok(Self::default());
        };
        let app = &config.schema.app;
        let read = |key: &str, text: &Option<String>| {
            let expand = |text: &String| expand(key, text, |name| std::env::var(name).ok());
            text.as_ref().map(expand).transpose()
        };
        Ok(Expected {
            account: read("app.expect_account", &app.expect_account)?,
            region: read("app.expect_region", &app.expect_region)?,
        })
    }
}

fn expand(key: &str, text: &str, environment: impl Fn(&str) -> Option<String>) -> Result<String> {
    let mut expanded = String::new();
    for segment in segments(text).map_err(|error| error.at(key))? {
        match segment {
            Segment::Text(text) => expanded.push_str(text),
            Segment::Name(name) => match environment(name).filter(|value| !value.is_empty()) {
                Some(value) => expanded.push_str(&value),
                None => {
                    return Err(Failure::error(format!(
                        "{key} needs the environment variable `{name}`, which is unset or empty"
                    ))
                    .kind(ErrorKind::Config)
                    .code("variable")
                    .hint(format!("export {name}=…"))
                    .into());
                }
            },
            Segment::IamVariable(name) => {
                return Err(
                    Failure::error(format!("{key} names `${{{name}}}`, which has no value here"))
                        .kind(ErrorKind::Config)
                        .code("variable")
                        .into(),
                );
            }
        }
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_environment_is_asked() {
        let environment = |name: &str| match name {
            "ACCOUNT" => Some("123456789012".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let expand = |text: &str| expand("app.expect_account", text, environment);
        assert_eq!(expand("${ACCOUNT}").unwrap(), "123456789012");
        assert_eq!(expand("eu-west-1").unwrap(), "eu-west-1");
        for text in [
            "${EMPTY}",
            "${AWS_ACCOUNT_ID}",
            "${aws:username}",
            "$ACCOUNT",
            "${ACCOUNT",
        ] {
            let error = format!("{:#}", expand(text).unwrap_err());
            assert!(error.contains("app.expect_account"), "{text}: {error}");
        }
    }
}
