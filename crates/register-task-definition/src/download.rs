//! Downloads one small file from a URL that ECR gives.

use aws_config::SdkConfig;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use std::io;
use std::time::Duration;

/// The timeout: the file has a few kilobytes, and only a check waits for it.
const LIMIT: Duration = Duration::from_secs(10);

/// Downloads `url` with the HTTP client of the SDK, its trust roots and proxy. The URL contains a signature, so errors
/// contain only its host.
///
/// # Errors
/// With the reason, when the download fails.
pub(crate) async fn download(sdk: &SdkConfig, url: &str) -> Result<Vec<u8>, String> {
    let (origin, path) = split(url).ok_or("ECR's URL for it is malformed")?;
    let host = origin.split("://").last().unwrap_or_default();
    let client = sdk.http_client().ok_or("there is no HTTP client")?;
    let path = path.to_owned();
    let timeouts = sdk
        .timeout_config()
        .map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
    let operation = Operation::builder()
        .service_name("ECR")
        .operation_name("Download")
        .http_client(client)
        .endpoint_url(origin)
        .no_auth()
        .no_retry()
        .timeout_config(timeouts.operation_timeout(LIMIT).build());
    let operation = match sdk.sleep_impl() {
        Some(sleep) => operation.sleep_impl(sleep),
        None => operation,
    };
    let operation = operation
        .serializer(move |(): ()| {
            let mut request = HttpRequest::new(SdkBody::empty());
            request.set_uri(path.as_str())?;
            Ok(request)
        })
        .deserializer(|response: &HttpResponse| {
            let status = response.status().as_u16();
            if !response.status().is_success() {
                return Err(OrchestratorError::operation(io::Error::other(format!(
                    "status {status}"
                ))));
            }
            Ok(response.body().bytes().unwrap_or_default().to_vec())
        })
        .build();
    operation.invoke(()).await.map_err(|error| match error {
        SdkError::ServiceError(context) => format!("`{host}` returned {}", context.err()),
        SdkError::TimeoutError(_) => format!("no response from `{host}` in time"),
        _ => format!("`{host}` could not be reached"),
    })
}

/// `https://HOST` and `/PATH?QUERY`.
fn split(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let path = rest.find('/')?;
    let end = scheme.len() + 3 + path;
    Some((url.get(..end)?, url.get(end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split() {
        assert_eq!(
            split("https://h.x/a/b?c=d/e"),
            Some(("https://h.x", "/a/b?c=d/e"))
        );
        assert_eq!(split("http://127.0.0.1:80/"), Some(("http://127.0.0.1:80", "/")));
        for url in ["", "h/a", "https://h"] {
            assert_eq!(split(url), None, "{url}");
        }
    }
}
