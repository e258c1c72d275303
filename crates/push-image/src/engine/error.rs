//! The errors of the Docker engine.
//!
//! The engine's API describes an error by a text alone, in the response (`{"message": …}`) and in the stream of a
//! pull, a build and a push (`errorDetail`, whose `code` is only set to the exit code of a failed command). Most of
//! these texts are passed on from a registry, Go's network library or the builder. [`EngineError::from_text`]
//! classifies them, once, where they enter this program; everything else decides by [`EngineErrorKind`].

use bollard::errors::Error;
use cli::{ErrorKind, Failure};
use std::fmt;

/// The kind of an engine's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EngineErrorKind {
    /// The registry's login is missing, wrong or expired: a new login may help.
    Unauthorized,
    /// The identity lacks a permission; a new login does not help.
    AccessDenied,
    /// The repository does not exist.
    RepositoryNotFound,
    /// The image or the tag does not exist.
    ImageNotFound,
    /// The tag exists and is immutable.
    ImmutableTag,
    /// The registry limits the number of pulls (Docker Hub).
    RateLimited,
    /// The Dockerfile copies a file that is not in the build context.
    NotInContext,
    /// The Dockerfile needs BuildKit.
    RequiresBuildKit,
    /// The engine cannot reach the registry.
    RegistryNetwork,
    /// The connection to the engine broke.
    Disconnected,
    /// The response does not follow the engine's API.
    Unparseable,
    Other,
}

use EngineErrorKind::{
    AccessDenied, Disconnected, ImageNotFound, ImmutableTag, NotInContext, Other, RateLimited,
    RegistryNetwork, RepositoryNotFound, RequiresBuildKit, Unauthorized, Unparseable,
};

/// Words of a message in lower case, and the kind that they stand for. The first row with all its words in the
/// message applies.
const TEXTS: [(&[&str], EngineErrorKind); 27] = [
    // The rest of this message is a command of the Dockerfile, which may contain any word.
    (&["returned a non-zero code"], Other),
    (&["file not found in build context"], NotInContext),
    // The message of older engines.
    (
        &["failed: stat /", "/docker-builder", "no such file"],
        NotInContext,
    ),
    (&["is not authorized to perform"], AccessDenied),
    (&["authorization token has expired"], Unauthorized),
    (&["no basic auth credentials"], Unauthorized),
    (&["tag invalid", "immutable"], ImmutableTag),
    (&["cannot be overwritten"], ImmutableTag),
    (&["name unknown"], RepositoryNotFound),
    (&["repository with name", "does not exist"], RepositoryNotFound),
    (&["toomanyrequests"], RateLimited),
    (&["manifest unknown"], ImageNotFound),
    (&["manifest for", "not found"], ImageNotFound),
    (&["pull access denied"], Unauthorized),
    (&["requires buildkit"], RequiresBuildKit),
    (&["unknown flag: mount"], RequiresBuildKit),
    (&["unauthorized"], Unauthorized),
    (&["authentication required"], Unauthorized),
    (&["incorrect username or password"], Unauthorized),
    (&["denied"], Unauthorized),
    (&["dial tcp"], RegistryNetwork),
    (&["no such host"], RegistryNetwork),
    (&["connection refused"], RegistryNetwork),
    (&["timeout"], RegistryNetwork),
    (&["request canceled while waiting"], RegistryNetwork),
    (&["tls: "], RegistryNetwork),
    (&["x509: "], RegistryNetwork),
];

impl EngineErrorKind {
    fn of_text(message: &str) -> Self {
        let message = message.to_lowercase();
        if message.split([' ', ':']).any(|word| word == "eof") {
            return RegistryNetwork;
        }
        let row = TEXTS
            .iter()
            .find(|(words, _)| words.iter().all(|word| message.contains(word)));
        row.map_or(Other, |(_, kind)| *kind)
    }

    /// The kind and the code of the JSON document.
    fn codes(self) -> (ErrorKind, &'static str) {
        match self {
            Unauthorized => (ErrorKind::Credentials, "login"),
            AccessDenied => (ErrorKind::Denied, "denied"),
            RepositoryNotFound => (ErrorKind::NotFound, "no-repository"),
            ImageNotFound => (ErrorKind::NotFound, "no-image"),
            ImmutableTag => (ErrorKind::Conflict, "immutable-tag"),
            RateLimited => (ErrorKind::Throttled, "rate-limited"),
            NotInContext => (ErrorKind::Config, "not-in-context"),
            RequiresBuildKit => (ErrorKind::Config, "buildkit"),
            RegistryNetwork => (ErrorKind::Network, "registry-network"),
            Disconnected => (ErrorKind::Network, "engine"),
            Unparseable => (ErrorKind::Unparseable, "engine"),
            Other => (ErrorKind::Other, "engine"),
        }
    }
}

/// An error of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EngineError {
    pub(crate) kind: EngineErrorKind,
    message: String,
    /// The IAM action that was denied, or the path that is not in the build context.
    subject: Option<String>,
}

impl EngineError {
    fn new(kind: EngineErrorKind, message: String) -> Self {
        EngineError {
            kind,
            message,
            subject: None,
        }
    }

    /// An error that the engine describes by `message`.
    pub(crate) fn from_text(message: &str) -> Self {
        let kind = EngineErrorKind::of_text(message);
        let subject = match kind {
            // `is not authorized to perform: ecr:PutImage on resource: …`
            AccessDenied => message
                .split_once("to perform: ")
                .and_then(|(_, rest)| rest.split_whitespace().next()),
            // `COPY failed: …: stat bin/db-test: file does not exist`
            NotInContext => message
                .split_once("stat ")
                .and_then(|(_, rest)| rest.split(':').next()),
            _ => None,
        };
        EngineError {
            subject: subject.map(str::to_owned),
            ..Self::new(kind, message.trim().to_owned())
        }
    }

    /// A connection to the engine that ended early.
    pub(crate) fn disconnected(cause: impl fmt::Display) -> Self {
        Self::new(
            Disconnected,
            format!("the connection to the engine broke: {cause}"),
        )
    }

    /// A response that does not follow the engine's API.
    pub(crate) fn unparseable(cause: impl fmt::Display) -> Self {
        Self::new(
            Unparseable,
            format!("the engine returned an unparseable response: {cause}"),
        )
    }

    /// A response with an error status and no message.
    pub(crate) fn of_status(status: impl fmt::Display) -> Self {
        Self::new(
            Other,
            format!("the engine returned HTTP {status} without a message"),
        )
    }

    /// A stream that ended without its result and without an error.
    pub(crate) fn incomplete(call: &str, result: &str) -> Self {
        Self::new(
            Unparseable,
            format!("the engine ended the {call} without {result} and without an error"),
        )
    }

    /// Adds how often the engine had retried a layer. The engine reports only the last error.
    pub(crate) fn after_retries(mut self, retries: u32) -> Self {
        if retries > 0 {
            self.message += &format!(" (after {retries} retries of a layer)");
        }
        self
    }

    /// The failure of the tool, with the next step. `host` is the registry of the call, if it is about one.
    pub(crate) fn into_failure(self, host: Option<&str>) -> Failure {
        let (kind, code) = self.kind.codes();
        let hint = self.hint(host);
        let failure = Failure::error(self.message).kind(kind).code(code);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    fn hint(&self, host: Option<&str>) -> Option<String> {
        let subject = self.subject.as_deref();
        Some(match self.kind {
            Unauthorized => match host {
                None | Some("docker.io") => "correct the name, or sign in with `docker login`".into(),
                Some(host) => format!("correct the name, or sign in with `docker login {host}`"),
            },
            AccessDenied => format!(
                "grant `{}` to the caller (`aws sts get-caller-identity`), in its policies and the repository's",
                subject.unwrap_or("the action")
            ),
            RepositoryNotFound => "create the repository first: `create-repository`".into(),
            ImageNotFound => "correct the name or the tag".into(),
            ImmutableTag => "give the image a new tag in ops.toml".into(),
            RateLimited => "sign in with `docker login`, or use another source with --from NAME=REF".into(),
            NotInContext if subject.is_some_and(|path| format!("/{path}").contains("/bin/")) => {
                "the file is not in the build context, or .dockerignore excludes it: `make dist` builds the static \
                 probes into its bin/"
                    .into()
            }
            NotInContext => "create the file first, or remove it from .dockerignore".into(),
            RequiresBuildKit => "this version uses the engine's classic builder: build the image with `docker buildx \
                 build --load`, and name the result in `from`"
                .into(),
            RegistryNetwork => format!(
                "the engine connects to {}, not this tool: check its network, its proxy and its log",
                host.unwrap_or("the registry")
            ),
            Disconnected | Unparseable | Other => return None,
        })
    }
}

impl From<Error> for EngineError {
    fn from(error: Error) -> Self {
        match error {
            Error::DockerResponseServerError { status_code, message } if message.trim().is_empty() => {
                Self::of_status(status_code)
            }
            Error::DockerResponseServerError { message, .. } => Self::from_text(&message),
            Error::DockerStreamError { error } => Self::from_text(&error),
            Error::IOError { err } => Self::disconnected(err),
            // The errors above the root cause only state that there is one.
            Error::HyperResponseError { .. } => Self::disconnected(anyhow::Error::from(error).root_cause()),
            Error::JsonDataError { .. } | Error::JsonSerdeError { .. } => Self::unparseable(error),
            other => Self::new(Other, other.to_string()),
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for EngineError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classifies_the_messages_of_registries_and_engines() {
        let denied = "denied: User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-east-1:123456789012:repository/x because no identity-based policy allows it";
        for (message, kind) in [
            (denied, AccessDenied),
            (
                "denied: Your authorization token has expired. Reauthenticate and try again.",
                Unauthorized,
            ),
            ("no basic auth credentials", Unauthorized),
            ("unauthorized: authentication required", Unauthorized),
            (
                "pull access denied for cruddur-ops/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
                Unauthorized,
            ),
            (
                "name unknown: The repository with name 'x' does not exist in the registry with id '123456789012'",
                RepositoryNotFound,
            ),
            (
                "tag invalid: The image tag '1' already exists in the 'x' repository and cannot be overwritten because the tag is immutable.",
                ImmutableTag,
            ),
            (
                "tag invalid: The image tag '1' already exists in the 'x' repository and cannot be overwritten because the repository is immutable.",
                ImmutableTag,
            ),
            (
                "manifest for x:1 not found: manifest unknown: Requested image not found",
                ImageNotFound,
            ),
            (
                "toomanyrequests: You have reached your pull rate limit.",
                RateLimited,
            ),
            (
                "the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/",
                RequiresBuildKit,
            ),
            (
                "Get \"https://x/v2/\": dial tcp: lookup x: no such host",
                RegistryNetwork,
            ),
            (
                "Get \"https://x/v2/\": net/http: TLS handshake timeout",
                RegistryNetwork,
            ),
            ("EOF", RegistryNetwork),
            (
                "COPY failed: file not found in build context or excluded by .dockerignore: stat bin/db-test: file does not exist",
                NotInContext,
            ),
            (
                "COPY failed: stat /var/lib/docker/tmp/docker-builder123/bin/db-test: no such file or directory",
                NotInContext,
            ),
            (
                "The command '/bin/sh -c pip install --timeout 9 x' returned a non-zero code: 1",
                Other,
            ),
        ] {
            assert_eq!(EngineError::from_text(message).kind, kind, "{message}");
        }
        let subject = |message| EngineError::from_text(message).subject;
        assert_eq!(subject(denied).as_deref(), Some("ecr:InitiateLayerUpload"));
        let absent = "COPY failed: file not found in build context or excluded by .dockerignore: stat a/b: file does not exist";
        assert_eq!(subject(absent).as_deref(), Some("a/b"));
    }

    #[test]
    fn errors_of_the_engine_itself_are_not_taken_for_errors_of_the_network_of_a_registry() {
        for (error, kind) in [
            (EngineError::disconnected("unexpected EOF"), Disconnected),
            (EngineError::unparseable("EOF while parsing"), Unparseable),
        ] {
            assert_eq!(error.kind, kind);
            assert_eq!(error.hint(Some("host.example")), None);
        }
    }
}
