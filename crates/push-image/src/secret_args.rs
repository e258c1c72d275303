//! Build arguments that may be secrets. Everyone who has an image can read the arguments that it was built with.

use common::config::{Image, Segment, segments};
use std::collections::BTreeMap;

/// Parts of names of secrets.
const PARTS: [&str; 8] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "CREDENTIAL",
    "CONNECTION_URL",
    "DATABASE_URL",
];

/// Words of names of secrets: `DB_PASS`, but not `COMPASS`.
const WORDS: [&str; 7] = ["PASS", "PWD", "PW", "KEY", "APIKEY", "AUTH", "DSN"];

/// Arguments that the builder does not store in the image.
const PROXIES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"];

/// The built-in variables of `ops.toml` without a dot in the name.
const BUILT_IN: [&str; 4] = ["AWS_ACCOUNT_ID", "AWS_REGION", "AWS_PARTITION", "ECR_REGISTRY"];

/// Whether the name of a build argument suggests a secret.
pub(crate) fn is_name_of_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    PARTS.iter().any(|part| name.contains(part))
        || name.split(['_', '-', '.']).any(|word| WORDS.contains(&word))
}

/// The password in a URL or in a connection string of keywords (`password=…`).
pub(crate) fn password_in(value: &str) -> Option<&str> {
    let password = match value.split_once("://") {
        // Passwords may contain an unescaped `@` or `/`.
        Some((_, rest)) => rest.rsplit_once('@').and_then(|(user, _)| user.split_once(':')),
        None => value.split_once("password="),
    };
    let (_, password) = password?;
    (!password.is_empty()).then_some(password)
}

/// Whether the builder does not store the argument in the image.
pub(crate) fn is_proxy(name: &str) -> bool {
    PROXIES.contains(&name.to_ascii_uppercase().as_str())
}

/// The build arguments of the image `name` that refer to environment variables in `ops.toml`, with these variables. A
/// variable that is also part of the name of an image is public and left out.
pub(crate) fn from_environment(images: &[Image], name: &str) -> BTreeMap<String, Vec<String>> {
    let image = images.iter().find(|image| image.name == name);
    let arguments = image
        .and_then(|image| image.build.as_ref())
        .map(|build| build.args.iter());
    let is_public = |variable: &str| {
        let names = images
            .iter()
            .flat_map(|image| image.tags.iter().chain([&image.repository]).chain(&image.from));
        BUILT_IN.contains(&variable)
            || variable.contains('.')
            || names
                .into_iter()
                .any(|name| name.contains(&format!("${{{variable}}}")))
    };
    let variables = |value: &str| -> Vec<String> {
        let segments = segments(value).unwrap_or_default().into_iter();
        let names = segments.filter_map(|segment| match segment {
            Segment::Name(name) if !is_public(name) => Some(name.to_owned()),
            _ => None,
        });
        names.collect()
    };
    let arguments = arguments.into_iter().flatten();
    arguments
        .map(|(name, value)| (name.to_owned(), variables(value)))
        .filter(|(_, variables)| !variables.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_suggest_a_secret() {
        for name in [
            "NPM_TOKEN",
            "db_password",
            "DB_PASS",
            "AWS_SECRET_ACCESS_KEY",
            "HONEYCOMB_API_KEY",
            "SIGNING_KEY",
            "NPM_AUTH",
            "CONNECTION_URL",
            "PROD_DATABASE_URL",
            "SENTRY_DSN",
        ] {
            assert!(is_name_of_secret(name), "{name}");
        }
        for name in [
            "BASE_IMAGE",
            "VERSION",
            "KEYBOARD",
            "COMPASS",
            "AUTHOR",
            "MIRROR_URL",
        ] {
            assert!(!is_name_of_secret(name), "{name}");
        }
    }

    #[test]
    fn finds_a_password_by_its_position() {
        for (value, password) in [
            ("postgresql://u:hunter22@h/d", Some("hunter22")),
            ("postgresql://u:p@ss/w@h/d", Some("p@ss/w")),
            ("host=h password=hunter22", Some("hunter22")),
            ("https://u@h/d", None),
            ("https://u:@h/d", None),
            ("https://h:80/d", None),
            ("python:3", None),
        ] {
            assert_eq!(password_in(value), password, "{value}");
        }
    }
}
