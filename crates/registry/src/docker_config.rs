//! Docker's `config.json`: reading it, and looking up credentials in the order in which Docker does.

use crate::credentials::Credentials;
use crate::helper;
use crate::members::Members;
use anyhow::{Context, Result};
use cli::Failure;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The key of Docker Hub's entry.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The content of `config.json`. The type has no `Debug`, because the content includes passwords.
#[derive(Clone)]
pub struct DockerConfig {
    pub(crate) path: PathBuf,
    text: SecretString,
    pub(crate) document: Map<String, Value>,
}

impl DockerConfig {
    /// The path that Docker reads: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`.
    ///
    /// # Errors
    /// When neither `DOCKER_CONFIG` nor `HOME` is set.
    pub fn locate() -> Result<PathBuf> {
        let named = std::env::var_os("DOCKER_CONFIG")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from);
        let folder = match named {
            Some(folder) => folder,
            None => std::env::home_dir()
                .filter(|home| !home.as_os_str().is_empty())
                .context("failed to find docker's configuration: neither DOCKER_CONFIG nor HOME is set")?
                .join(".docker"),
        };
        Ok(folder.join("config.json"))
    }

    /// Reads the file at `path`. A missing or empty file is an empty configuration.
    ///
    /// # Errors
    /// When the file cannot be read or is not a JSON object. Such a file is never overwritten.
    pub fn read(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => SecretString::from(text),
            Err(error) if error.kind() == ErrorKind::NotFound => SecretString::from("{}"),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("failed to read docker's configuration `{}`", path.display()));
            }
        };
        let text = match text.expose_secret() {
            empty if empty.trim().is_empty() => SecretString::from("{}"),
            _ => text,
        };
        // The message has only the line: serde_json's own message quotes the text, which may be a password.
        let document = serde_json::from_str(text.expose_secret()).map_err(|error| {
            anyhow::anyhow!(
                "failed to read docker's configuration `{}`: not a JSON object, line {}",
                path.display(),
                error.line()
            )
        })?;
        Ok(DockerConfig {
            path: path.to_owned(),
            text,
            document,
        })
    }

    /// The members of the file and of its `auths`, which a login changes.
    ///
    /// # Errors
    /// When `auths` is not an object, or a key is there twice: of two values, a login could keep only one.
    pub(crate) fn members(&self) -> Result<(Members<'_>, Members<'_>)> {
        let failure = |problem: &str, hint: &str| {
            let path = self.path.display();
            Failure::error(format!(
                "failed to read docker's configuration `{path}`: {problem}"
            ))
            .kind(cli::ErrorKind::Config)
            .code("docker-config")
            .hint(hint)
        };
        let unique = |members: &Members<'_>, of: &str| match members.duplicate() {
            Some(key) => Err(failure(
                &format!("the key `{key}` is there twice{of}"),
                "remove one of the two; docker uses the last one",
            )),
            None => Ok(()),
        };
        let no_object = |name: &str| failure(&format!("{name} is not an object"), "correct the file");
        let all: Members<'_> =
            serde_json::from_str(self.text.expose_secret()).map_err(|_| no_object("the file"))?;
        unique(&all, "")?;
        let auths = match all.text("auths") {
            // As docker reads it.
            None | Some("null") => Members::default(),
            Some(text) => serde_json::from_str(text).map_err(|_| no_object("`auths`"))?,
        };
        unique(&auths, " in `auths`")?;
        Ok((all, auths))
    }

    /// A string at the top level of the file, for example `currentContext`.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.document.get(key).and_then(Value::as_str)
    }

    /// The proxy settings that Docker passes as build arguments to the engine at `engine`
    /// (`unix:///var/run/docker.sock`), each under its lower-case and its upper-case name. A URL may contain a
    /// password.
    pub fn proxies(&self, engine: &str) -> Vec<(String, String)> {
        const KEYS: [(&str, &str); 5] = [
            ("httpProxy", "http_proxy"),
            ("httpsProxy", "https_proxy"),
            ("noProxy", "no_proxy"),
            ("ftpProxy", "ftp_proxy"),
            ("allProxy", "all_proxy"),
        ];
        let all = self.document.get("proxies");
        let own = all.and_then(|all| all.get(engine).or_else(|| all.get("default")));
        let set = KEYS.into_iter().filter_map(|(key, name)| {
            let value = own?.get(key)?.as_str().filter(|value| !value.is_empty())?;
            Some((name, value))
        });
        set.flat_map(|(name, value)| {
            [name.to_owned(), name.to_ascii_uppercase()].map(|name| (name, value.to_owned()))
        })
        .collect()
    }

    /// The credential helper that Docker asks for `host`. When a helper is configured, Docker ignores the `auths`
    /// entry of that host, even if the helper has no credentials.
    pub fn helper_for(&self, host: &str) -> Option<&str> {
        let helpers = self.document.get("credHelpers");
        // Docker looks up Docker Hub by its URL; configuration files often have the short name.
        let own = [config_key(host), host]
            .into_iter()
            .find_map(|key| helpers?.get(key)?.as_str().filter(|name| !name.is_empty()));
        own.or_else(|| self.text("credsStore").filter(|name| !name.is_empty()))
    }

    /// The credentials for `host`, looked up in Docker's order: `$DOCKER_AUTH_CONFIG`, the helper, `auths`.
    ///
    /// # Errors
    /// When a helper fails.
    pub fn credentials_for(&self, host: &str) -> Result<Option<Credentials>> {
        let variable = std::env::var("DOCKER_AUTH_CONFIG")
            .ok()
            .and_then(|text| serde_json::from_str::<Value>(&text).ok());
        if let Some(found) = variable
            .as_ref()
            .and_then(|document| entry(document.get("auths")?, host))
        {
            return Ok(Some(found));
        }
        match self.helper_for(host) {
            Some(name) => helper::get(name, config_key(host)),
            None => Ok(self.document.get("auths").and_then(|auths| entry(auths, host))),
        }
    }
}

/// The credentials of `host` in an `auths` object.
fn entry(auths: &Value, host: &str) -> Option<Credentials> {
    let auths = auths.as_object()?;
    let exact = auths.get(config_key(host)).or_else(|| auths.get(host));
    // Older versions of Docker wrote keys such as `https://host/v2/`.
    let entry = exact.or_else(|| {
        auths
            .iter()
            .find(|(key, _)| host_in_key(key) == host)
            .map(|(_, entry)| entry)
    })?;
    let text = |key: &str| {
        entry
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    if let Some(token) = text("identitytoken") {
        return Some(Credentials::identity_token(token));
    }
    match text("auth") {
        Some(auth) => Credentials::from_basic(auth),
        None => Some(Credentials::new(text("username")?, text("password")?)),
    }
}

/// The key of the credentials for `host` in `config.json` and in helpers. Docker Hub's key is a URL.
pub fn config_key(host: &str) -> &str {
    if host == "docker.io" { DOCKER_HUB } else { host }
}

fn host_in_key(key: &str) -> &str {
    if key == DOCKER_HUB {
        return "docker.io";
    }
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
