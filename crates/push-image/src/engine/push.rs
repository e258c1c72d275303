//! Pushes. Not by bollard's own call, which drops the layers and the digest from the stream.

use crate::engine::error::EngineError;
use crate::engine::layers::LayerProgress;
use crate::engine::messages::{Lines, Message};
use crate::engine::{Engine, for_engine, transport};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bollard::body_full;
use bytes::Bytes;
use cli::progress::Progress;
use http_body_util::BodyExt;
use hyper::Request;
use registry::Credentials;
use serde_json::Value;

impl Engine {
    /// Pushes `repository:tag` and returns the digest that the engine reports.
    ///
    /// # Errors
    /// When the engine or the registry fails.
    pub(crate) async fn push(
        &self,
        repository: &str,
        tag: &str,
        credentials: Option<&Credentials>,
        progress: &Progress<'_>,
    ) -> Result<String, EngineError> {
        let mut layers = LayerProgress::new(progress);
        let pushed = self.send_push(repository, tag, credentials, &mut layers).await;
        match pushed.map_err(|error| error.after_retries(layers.retries))? {
            Some(digest) => Ok(digest),
            None => Err(EngineError::incomplete("push", "a digest")),
        }
    }

    async fn send_push(
        &self,
        repository: &str,
        tag: &str,
        credentials: Option<&Credentials>,
        layers: &mut LayerProgress<'_>,
    ) -> Result<Option<String>, EngineError> {
        let host = repository.split('/').next().unwrap_or_default();
        // The engine requires the header even without credentials.
        let login = credentials
            .map(|credentials| for_engine(credentials, host))
            .unwrap_or_default();
        let login = serde_json::to_vec(&login).map_err(EngineError::unparseable)?;
        let request = Request::post(format!("/images/{repository}/push?tag={tag}"))
            .header("X-Registry-Auth", URL_SAFE.encode(login))
            .body(body_full(Bytes::new()))
            .map_err(EngineError::unparseable)?;
        let response = transport::send(self.endpoint.clone(), request).await?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let text = body
                .collect()
                .await
                .map_err(EngineError::disconnected)?
                .to_bytes();
            let document: Option<Value> = serde_json::from_slice(&text).ok();
            let message = document
                .as_ref()
                .and_then(|document| document.get("message")?.as_str());
            return Err(message.map_or_else(|| EngineError::of_status(status), EngineError::from_text));
        }
        let mut digest = None;
        let mut take = |messages: Vec<Message>| {
            for message in messages {
                if let Some(error) = message.error() {
                    return Err(EngineError::from_text(error));
                }
                layers.show(&message);
                if let Some(pushed) = message.pushed() {
                    digest = Some(pushed.to_owned());
                }
            }
            Ok(())
        };
        let mut lines = Lines::default();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(EngineError::disconnected)?;
            if let Some(bytes) = frame.data_ref() {
                take(lines.take(bytes).map_err(EngineError::unparseable)?)?;
            }
        }
        take(lines.finish().map_err(EngineError::unparseable)?)?;
        Ok(digest)
    }
}
