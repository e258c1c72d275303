//! Image references, `host/repository:tag@digest`, parsed as Docker does.

use std::fmt;

/// The registry of a name without a host.
const DEFAULT_HOST: &str = "docker.io";

/// An image reference, completed with Docker's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The registry, with its port if there is one: `docker.io`, `localhost:5000`.
    pub host: String,
    /// The repository in that registry: `library/python`.
    pub repository: String,
    /// The tag, if there is one.
    pub tag: Option<String>,
    /// The digest, `sha256:…`, if there is one.
    pub digest: Option<String>,
}

/// A text that is not an image reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidReference {
    text: String,
    reason: &'static str,
}

impl fmt::Display for InvalidReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "`{}` is not an image reference: {}",
            self.text, self.reason
        )
    }
}

impl std::error::Error for InvalidReference {}

impl Reference {
    /// Parses `text` as Docker does: `python:3.10` is `docker.io/library/python:3.10`.
    ///
    /// # Errors
    /// When `text` does not follow the grammar of the distribution project's reference package.
    pub fn parse(text: &str) -> Result<Self, InvalidReference> {
        let invalid = |reason| InvalidReference {
            text: text.to_owned(),
            reason,
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash separates a port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let (host, repository) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
                (first, rest.to_owned())
            }
            Some(_) => (DEFAULT_HOST, name.to_owned()),
            None => (DEFAULT_HOST, format!("library/{name}")),
        };
        // The other name of Docker Hub.
        let host = if host == "index.docker.io" {
            DEFAULT_HOST
        } else {
            host
        };
        if !is_host(host) {
            return Err(invalid("the registry is not a host name"));
        }
        if !repository.split('/').all(is_component) {
            return Err(invalid(
                "the repository must consist of lower-case letters and digits, with single `.`, `_` or `-` between them",
            ));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(invalid(
                "the tag must consist of up to 128 letters, digits, `_`, `.` and `-`",
            ));
        }
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(invalid("the digest must be `sha256:` and 64 hexadecimal digits"));
        }
        Ok(Reference {
            host: host.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// Host and repository, without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name())?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(formatter, "@{digest}"),
            None => Ok(()),
        }
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = host
        .rsplit_once(':')
        .map_or((host, None), |(name, port)| (name, Some(port)));
    let named = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-[]:".contains(&byte));
    named && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Letters and digits with `.`, `_`, `__` or any number of `-` between them.
fn is_component(component: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = component.bytes().next().is_some_and(alphanumeric)
        && component.bytes().last().is_some_and(alphanumeric);
    ends && component
        .split(|character: char| u8::try_from(character).is_ok_and(alphanumeric))
        .all(|separator| {
            matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
        })
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

fn is_digest(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(
            Reference::parse(text).map(|reference| reference.to_string()),
            Ok(expected.to_owned()),
            "{text}"
        );
    }

    #[test]
    fn completes_a_name_as_docker_does() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        check("python", "docker.io/library/python");
        check(
            "python:3.10-slim-buster",
            "docker.io/library/python:3.10-slim-buster",
        );
        check("index.docker.io/library/python", "docker.io/library/python");
        check(
            "cruddur-ops/python-stand-in:bookworm",
            "docker.io/cruddur-ops/python-stand-in:bookworm",
        );
        check("localhost/x", "localhost/x");
        check("localhost:5000/a/b:1", "localhost:5000/a/b:1");
        check("host:5000/a/b", "host:5000/a/b");
        check(
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/backend-flask:latest",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/backend-flask:latest",
        );
        check(&format!("a/b:t@{digest}"), &format!("docker.io/a/b:t@{digest}"));
        check("a/b__c-d--e.f", "docker.io/a/b__c-d--e.f");
    }

    #[test]
    fn refuses_what_docker_refuses() {
        for text in [
            "",
            ":tag",
            "a b",
            "Python",
            "a/",
            "/a",
            "a//b",
            "a:",
            "a:b:c",
            "a:-x",
            "a@sha256:12",
            "a@",
            "a_.b",
            "a___b",
            "-a",
            "https://host/a",
            "a/b:c/d",
            "host.x:99999/a",
            "${NAME}",
        ] {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
    }
}
