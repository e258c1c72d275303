//! Docker's credential helpers: programs `docker-credential-NAME` that are spoken to on their standard streams.

use crate::credentials::Credentials;
use anyhow::{Context, Result, bail};
use runtime::child_processes;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Deserialize;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a helper may take. Some ask a person to unlock a key ring.
const HELPER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the last line of a helper that has ended may take.
const LAST_WORDS: Duration = Duration::from_millis(200);

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
    let mut child = Running(
        Command::new(&program)
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What it says may repeat what it was given.
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to run `{program}`, which the docker configuration names"))?,
    );
    // Both ends at once, and apart from the wait: a helper may write before it has read, or never end.
    let stdin = child.0.stdin.take();
    let stdout = child.0.stdout.take();
    let said = child.0.stderr.take().map(last_line);
    let input = SecretSlice::from(input.to_vec());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // A helper that fails early closes its end; what it says is the better error.
            let _ = stdin.write_all(input.expose_secret());
        }
        let mut answer = Vec::new();
        let read = stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut answer));
        let _ = sender.send(read.map(|_| answer));
    });
    let context = || format!("failed to run `{program} {verb}`");
    let answer = match receiver.recv_timeout(HELPER_TIMEOUT) {
        Ok(answer) => answer.with_context(context)?,
        Err(_) => bail!(
            "failed to run `{program} {verb}`: no answer after {} s",
            HELPER_TIMEOUT.as_secs()
        ),
    };
    let status = child.0.wait().with_context(context)?;
    let text = String::from_utf8_lossy(&answer).trim().to_owned();
    if status.success() {
        return Ok(Output::Done(text.into()));
    }
    if text == NOT_FOUND {
        return Ok(Output::Refused(text));
    }
    // An agent that it has started may keep the stream open.
    let said = said.and_then(|said| said.recv_timeout(LAST_WORDS).ok());
    let words: Vec<String> = [text, said.unwrap_or_default()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    Ok(Output::Refused(if words.is_empty() {
        status.to_string()
    } else {
        words.join(": ")
    }))
}

/// Reads all of it, so that the helper is never held up, and sends the last line.
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

/// A helper that does not outlive the wait for it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            child_processes::kill_tree(self.0.id());
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
