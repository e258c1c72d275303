//! What the engine's errors mean, and what to do about them. It passes on the texts of the registry, of Go's
//! network library and of its own builder, and none of them has a code.

use bollard::errors::Error;
use cli::Failure;

/// What an engine's message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The login is missing, wrong or too old: a new one may help.
    Login,
    /// The identity may not do it; no new login helps.
    Permission,
    /// There is no such repository.
    Repository,
    /// There is no such image or tag.
    Image,
    /// The tag exists and may not be moved.
    Immutable,
    /// Docker Hub counts pulls.
    Rate,
    /// The Dockerfile copies a file that was not sent.
    NotSent,
    /// The Dockerfile wants the other builder.
    BuildKit,
    /// The engine cannot reach the registry.
    Network,
    Other,
}

/// The first row whose words are all in the message decides. In small letters.
const TOPICS: [(&[&str], Topic); 27] = [
    // The rest of it is a command of the Dockerfile, whose words mean nothing here.
    (&["returned a non-zero code"], Topic::Other),
    (&["file not found in build context"], Topic::NotSent),
    // As older engines have it.
    (
        &["failed: stat /", "/docker-builder", "no such file"],
        Topic::NotSent,
    ),
    (&["is not authorized to perform"], Topic::Permission),
    (&["authorization token has expired"], Topic::Login),
    (&["no basic auth credentials"], Topic::Login),
    (&["tag invalid", "immutable"], Topic::Immutable),
    (&["cannot be overwritten"], Topic::Immutable),
    (&["name unknown"], Topic::Repository),
    (&["repository with name", "does not exist"], Topic::Repository),
    (&["toomanyrequests"], Topic::Rate),
    (&["manifest unknown"], Topic::Image),
    (&["manifest for", "not found"], Topic::Image),
    (&["pull access denied"], Topic::Login),
    (&["requires buildkit"], Topic::BuildKit),
    (&["unknown flag: mount"], Topic::BuildKit),
    (&["unauthorized"], Topic::Login),
    (&["authentication required"], Topic::Login),
    (&["incorrect username or password"], Topic::Login),
    (&["denied"], Topic::Login),
    (&["dial tcp"], Topic::Network),
    (&["no such host"], Topic::Network),
    (&["connection refused"], Topic::Network),
    (&["timeout"], Topic::Network),
    (&["request canceled while waiting"], Topic::Network),
    (&["tls: "], Topic::Network),
    (&["x509: "], Topic::Network),
];

impl Topic {
    /// Reads the message of an engine.
    pub(crate) fn of(message: &str) -> Self {
        let message = message.to_lowercase();
        if message.split([' ', ':']).any(|word| word == "eof") {
            return Topic::Network;
        }
        let known = TOPICS
            .iter()
            .find(|(words, _)| words.iter().all(|word| message.contains(word)));
        known.map_or(Topic::Other, |(_, topic)| *topic)
    }

    fn code(self) -> &'static str {
        match self {
            Topic::Login => "login",
            Topic::Permission => "denied",
            Topic::Repository => "no-repository",
            Topic::Image => "no-image",
            Topic::Immutable => "immutable-tag",
            Topic::Rate => "rate-limited",
            Topic::NotSent => "not-in-context",
            Topic::BuildKit => "buildkit",
            Topic::Network => "registry-network",
            Topic::Other => "engine",
        }
    }

    fn hint(self, message: &str, host: &str) -> Option<String> {
        Some(match self {
            Topic::Login if host == "docker.io" => "correct the name, or sign in with `docker login`".into(),
            Topic::Login => format!("correct the name, or sign in with `docker login {host}`"),
            Topic::Permission => match action_in(message) {
                Some(action) => format!("allow `{action}` to this identity, here and in the repository's policy"),
                None => "allow it to this identity, here and in the repository's policy".into(),
            },
            Topic::Repository => "make the repository first: `create-repository`".into(),
            Topic::Image => "correct the name or the tag".into(),
            Topic::Immutable => "give the image a new tag in ops.toml".into(),
            Topic::Rate => "sign in with `docker login`, or name another source with --from NAME=REF".into(),
            Topic::NotSent if message.contains("stat bin/") || message.contains("/bin/") => {
                "the file is not in the build context, or .dockerignore leaves it out: `make dist` builds the static \
                 probes into its bin/"
                    .into()
            }
            Topic::NotSent => "make the file first, or take it out of .dockerignore".into(),
            Topic::BuildKit => {
                "this version builds with the engine's classic builder: build it with `docker buildx build --load`, \
                 and name the result in `from`"
                    .into()
            }
            Topic::Network => format!(
                "the engine speaks to {host}, not this tool: look at its network, its proxy and its log"
            ),
            Topic::Other => return None,
        })
    }
}

/// `ecr:PutImage`, out of IAM's sentence.
fn action_in(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("to perform: ")?;
    rest.split_whitespace().next()
}

/// The engine's `message`, with the next step; `host` is the registry that it was about.
pub(crate) fn failure(message: &str, host: &str) -> Failure {
    let topic = Topic::of(message);
    let failure = Failure::error(message.trim()).code(topic.code());
    match topic.hint(message, host) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The text of an error of bollard's, without its own words around the engine's.
pub(crate) fn message(error: Error) -> String {
    match error {
        Error::DockerResponseServerError { status_code, message } if message.trim().is_empty() => {
            format!("the engine answered with status {status_code} and nothing else")
        }
        Error::DockerResponseServerError { message, .. } => message,
        Error::DockerStreamError { error } => error,
        Error::IOError { err } => format!("the connection to the engine broke: {err}"),
        Error::HyperResponseError { .. } => format!("the connection to the engine broke: {}", deepest(error)),
        Error::JsonDataError { .. } | Error::JsonSerdeError { .. } => {
            format!("the engine answered with something that is not its API: {error}")
        }
        other => other.to_string(),
    }
}

/// The cause below all others: the layers above say only that there is one.
fn deepest(error: Error) -> String {
    let error = anyhow::Error::from(error);
    error.root_cause().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_messages_of_registries_and_engines() {
        let denied = "denied: User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-east-1:123456789012:repository/x because no identity-based policy allows it";
        for (message, topic) in [
            (denied, Topic::Permission),
            (
                "denied: Your authorization token has expired. Reauthenticate and try again.",
                Topic::Login,
            ),
            ("no basic auth credentials", Topic::Login),
            ("unauthorized: authentication required", Topic::Login),
            (
                "pull access denied for cruddur-ops/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
                Topic::Login,
            ),
            (
                "name unknown: The repository with name 'x' does not exist in the registry with id '123456789012'",
                Topic::Repository,
            ),
            (
                "tag invalid: The image tag '1' already exists in the 'x' repository and cannot be overwritten because the tag is immutable.",
                Topic::Immutable,
            ),
            (
                "tag invalid: The image tag '1' already exists in the 'x' repository and cannot be overwritten because the repository is immutable.",
                Topic::Immutable,
            ),
            (
                "manifest for x:1 not found: manifest unknown: Requested image not found",
                Topic::Image,
            ),
            (
                "toomanyrequests: You have reached your pull rate limit.",
                Topic::Rate,
            ),
            (
                "the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/",
                Topic::BuildKit,
            ),
            (
                "Get \"https://x/v2/\": dial tcp: lookup x: no such host",
                Topic::Network,
            ),
            (
                "Get \"https://x/v2/\": net/http: TLS handshake timeout",
                Topic::Network,
            ),
            ("EOF", Topic::Network),
            (
                "COPY failed: file not found in build context or excluded by .dockerignore: stat bin/db-test: file does not exist",
                Topic::NotSent,
            ),
            (
                "COPY failed: stat /var/lib/docker/tmp/docker-builder123/bin/db-test: no such file or directory",
                Topic::NotSent,
            ),
            (
                "The command '/bin/sh -c pip install --timeout 9 x' returned a non-zero code: 1",
                Topic::Other,
            ),
        ] {
            assert_eq!(Topic::of(message), topic, "{message}");
        }
        assert_eq!(action_in(denied), Some("ecr:InitiateLayerUpload"));
    }
}
