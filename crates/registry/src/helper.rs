//! Docker's credential helpers: programs `docker-credential-NAME` that are spoken to on their standard streams.

use crate::credentials::Credentials;
use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::io::Write;
use std::process::{Command, Stdio};

/// What a helper says when it has nothing. Errors come on stdout.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The helper's answer to `get`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: SecretText,
}

/// A text that goes from JSON straight into a secret type.
#[derive(Deserialize)]
#[serde(from = "String")]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        SecretText(text.into())
    }
}

/// Asks the helper `name` for the credentials of `host`.
///
/// # Errors
/// When it cannot be run, or fails in another way than not having any.
pub(crate) fn get(name: &str, host: &str) -> Result<Option<Credentials>> {
    let output = run(name, "get", host.as_bytes())?;
    match output {
        Output::Done(text) => {
            let answer: Answer = serde_json::from_slice(text.expose_secret().as_bytes()).map_err(|_| {
                anyhow::anyhow!("failed to read the answer of `docker-credential-{name} get`")
            })?;
            Ok(Some(Credentials::new(answer.username, answer.secret.0)))
        }
        Output::Refused(message) if message == NOT_FOUND => Ok(None),
        Output::Refused(message) => {
            bail!("failed to get credentials from `docker-credential-{name}`: {message}")
        }
    }
}

/// Gives the credentials of `host` to the helper `name`.
///
/// # Errors
/// When it cannot be run, or refuses.
pub(crate) fn store(name: &str, host: &str, credentials: &Credentials) -> Result<()> {
    let document = SecretString::from(
        serde_json::json!({
            "ServerURL": host,
            "Username": credentials.username,
            "Secret": credentials.password.expose_secret(),
        })
        .to_string(),
    );
    match run(name, "store", document.expose_secret().as_bytes())? {
        Output::Done(_) => Ok(()),
        Output::Refused(message) => {
            bail!("failed to store credentials with `docker-credential-{name}`: {message}")
        }
    }
}

enum Output {
    Done(SecretString),
    Refused(String),
}

fn run(name: &str, verb: &str, input: &[u8]) -> Result<Output> {
    let program = format!("docker-credential-{name}");
    let mut child = Command::new(&program)
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to run `{program}`, which the docker configuration names"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that fails early closes its end; what it says is the better error.
        let _ = stdin.write_all(input);
    }
    let output = child
        .wait_with_output()
        .with_context(|| format!("failed to run `{program} {verb}`"))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(if output.status.success() {
        Output::Done(text.into())
    } else if text.is_empty() {
        Output::Refused(output.status.to_string())
    } else {
        Output::Refused(text)
    })
}
