//! Docker's credential helpers: programs `docker-credential-NAME` that read a request on stdin and answer on stdout
//! (the protocol of docker/docker-credential-helpers).

use crate::credentials::Credentials;
use anyhow::{Context, Result, bail};
use runtime::child_processes;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Deserialize;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a helper may take. Some ask the user to unlock a key ring.
const HELPER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long to wait for the end of stderr after a helper has exited.
const STDERR_TIMEOUT: Duration = Duration::from_millis(200);

/// The protocol has no code for missing credentials: a helper prints this text on stdout and exits with 1.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The response to `get`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    username: String,
    secret: SecretText,
}

/// A string that is deserialized into a secret type.
#[derive(Deserialize)]
#[serde(from = "String")]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        SecretText(text.into())
    }
}

/// Requests the credentials of `host` from the helper `name`; `None` when it has none.
///
/// # Errors
/// When the helper cannot be run, or fails.
pub(crate) fn get(name: &str, host: &str) -> Result<Option<Credentials>> {
    match run(name, "get", host.as_bytes())? {
        Output::Done(text) => {
            let response: Response =
                serde_json::from_slice(text.expose_secret().as_bytes()).map_err(|_| {
                    anyhow::anyhow!("failed to read the response of `docker-credential-{name} get`")
                })?;
            Ok(Some(Credentials::new(response.username, response.secret.0)))
        }
        Output::NotFound => Ok(None),
        Output::Failed(message) => {
            bail!("failed to get credentials from `docker-credential-{name}`: {message}")
        }
    }
}

/// Stores the credentials of `host` with the helper `name`.
///
/// # Errors
/// When the helper cannot be run, or fails.
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
        Output::NotFound => bail!("failed to store credentials with `docker-credential-{name}`: {NOT_FOUND}"),
        Output::Failed(message) => {
            bail!("failed to store credentials with `docker-credential-{name}`: {message}")
        }
    }
}

enum Output {
    /// What the helper printed on stdout.
    Done(SecretString),
    NotFound,
    /// The reason.
    Failed(String),
}

fn run(name: &str, verb: &str, input: &[u8]) -> Result<Output> {
    let program = format!("docker-credential-{name}");
    let mut child = RunningHelper(
        Command::new(&program)
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Not inherited: a helper may print the secret that it was given.
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to run `{program}`, which the docker configuration names"))?,
    );
    // One thread writes stdin and reads stdout, so that the wait for the response has a limit.
    let stdin = child.0.stdin.take();
    let stdout = child.0.stdout.take();
    let stderr = child.0.stderr.take().map(last_line);
    let input = SecretSlice::from(input.to_vec());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // A helper that fails early closes stdin; its own message is the better error.
            let _ = stdin.write_all(input.expose_secret());
        }
        let mut response = Vec::new();
        let read = stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut response));
        let _ = sender.send(read.map(|_| response));
    });
    let context = || format!("failed to run `{program} {verb}`");
    let response = match receiver.recv_timeout(HELPER_TIMEOUT) {
        Ok(response) => response.with_context(context)?,
        Err(_) => bail!(
            "failed to run `{program} {verb}`: no response after {} s",
            HELPER_TIMEOUT.as_secs()
        ),
    };
    let status = child.0.wait().with_context(context)?;
    let text = String::from_utf8_lossy(&response).trim().to_owned();
    if status.success() {
        return Ok(Output::Done(text.into()));
    }
    if text == NOT_FOUND {
        return Ok(Output::NotFound);
    }
    // An agent that the helper has started may keep stderr open.
    let stderr = stderr.and_then(|stderr| stderr.recv_timeout(STDERR_TIMEOUT).ok());
    let reasons: Vec<String> = [text, stderr.unwrap_or_default()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    Ok(Output::Failed(if reasons.is_empty() {
        status.to_string()
    } else {
        reasons.join(": ")
    }))
}

/// Reads stderr to its end, so that the helper never blocks on a full pipe, and sends the last line.
fn last_line(stderr: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut last = String::new();
        let mut line = Vec::new();
        let mut stderr = BufReader::new(stderr);
        while stderr.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim().to_owned();
            if !text.is_empty() {
                last = text;
            }
            line.clear();
        }
        let _ = sender.send(last);
    });
    receiver
}

/// Kills the helper and its children when the wait for it ends early.
struct RunningHelper(Child);

impl Drop for RunningHelper {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            child_processes::kill_tree(self.0.id());
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
