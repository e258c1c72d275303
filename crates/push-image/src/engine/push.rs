//! Pushes. bollard's own call would lose the layers and the digest, so this one is ours.

use crate::engine::layers::Layers;
use crate::engine::messages::{Lines, Message};
use crate::engine::{Engine, fault, for_engine, transport};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bollard::body_full;
use bytes::Bytes;
use cli::Failure;
use cli::progress::Progress;
use http_body_util::BodyExt;
use hyper::Request;
use registry::Credentials;

impl Engine {
    /// Pushes `repository:tag` and gives the digest that the engine says it has in the registry now.
    ///
    /// # Errors
    /// With the words of the engine or of the registry.
    pub(crate) async fn push(
        &self,
        repository: &str,
        tag: &str,
        credentials: Option<&Credentials>,
        progress: &Progress<'_>,
    ) -> Result<String, Failure> {
        let host = repository.split('/').next().unwrap_or_default();
        let mut layers = Layers::new(progress);
        match self
            .send_push(repository, tag, host, credentials, &mut layers)
            .await
        {
            Ok(Some(digest)) => Ok(digest),
            Ok(None) => Err(Failure::error(
                "the engine ended the push without a digest and without an error",
            )
            .code("engine")),
            Err(message) if layers.retries > 0 => {
                let retries = layers.retries;
                Err(fault::failure(
                    &format!("{message} (after {retries} retries of a layer)"),
                    host,
                ))
            }
            Err(message) => Err(fault::failure(&message, host)),
        }
    }

    /// The call itself: bollard's own would lose the layers and the digest.
    async fn send_push(
        &self,
        repository: &str,
        tag: &str,
        host: &str,
        credentials: Option<&Credentials>,
        layers: &mut Layers<'_>,
    ) -> Result<Option<String>, String> {
        // The header must be there even when nobody is signed in.
        let login = credentials
            .map(|credentials| for_engine(credentials, host))
            .unwrap_or_default();
        let login = serde_json::to_vec(&login).map_err(|error| error.to_string())?;
        let request = Request::post(format!("/images/{repository}/push?tag={tag}"))
            .header("X-Registry-Auth", URL_SAFE.encode(login))
            .body(body_full(Bytes::new()))
            .map_err(|error| error.to_string())?;
        let answer = transport::send(self.endpoint.clone(), request)
            .await
            .map_err(fault::message)?;
        let status = answer.status();
        let mut body = answer.into_body();
        let mut lines = Lines::default();
        let mut digest = None;
        let broken = |error: &dyn std::fmt::Display| format!("the connection to the engine broke: {error}");
        let strange = |error: serde_json::Error| {
            format!("the engine answered with something that is not its API: {error}")
        };
        if !status.is_success() {
            let text = body.collect().await.map_err(|error| broken(&error))?.to_bytes();
            let message = serde_json::from_slice::<serde_json::Value>(&text).ok();
            let message = message
                .as_ref()
                .and_then(|document| document.get("message")?.as_str());
            return Err(message.map_or_else(|| format!("the engine answered with {status}"), str::to_owned));
        }
        let mut take = |messages: Vec<Message>| {
            for message in messages {
                if let Some(error) = message.error() {
                    return Err(error.to_owned());
                }
                layers.show(&message);
                if let Some(pushed) = message.pushed() {
                    digest = Some(pushed.to_owned());
                }
            }
            Ok(())
        };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            if let Some(bytes) = frame.data_ref() {
                take(lines.take(bytes).map_err(strange)?)?;
            }
        }
        take(lines.finish().map_err(strange)?)?;
        Ok(digest)
    }
}
