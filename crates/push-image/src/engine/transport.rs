//! HTTP to the engine, over a Unix socket or TCP: bollard's transport, and that of the push, which does not use
//! bollard's call.

use crate::engine::endpoint::Endpoint;
use bollard::BollardRequest;
use bollard::errors::Error;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::rt::{Read, Write};
use hyper::{Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixStream};

/// The headers with credentials. bollard encodes them in standard base64, but the engine expects the URL-safe
/// alphabet: it ignores credentials that it cannot decode, without an error.
const CREDENTIALS: [&str; 2] = ["x-registry-auth", "x-registry-config"];

/// Sends one request on a new connection. Dropping the response closes the connection, which makes the engine cancel
/// the pull, the build or the push.
pub(crate) async fn send(endpoint: Endpoint, request: BollardRequest) -> Result<Response<Incoming>, Error> {
    match endpoint {
        Endpoint::Unix(path) => exchange(TokioIo::new(UnixStream::connect(path).await?), request).await,
        Endpoint::Tcp { host, port } => {
            exchange(TokioIo::new(TcpStream::connect((host, port)).await?), request).await
        }
    }
}

async fn exchange<S>(stream: S, mut request: BollardRequest) -> Result<Response<Incoming>, Error>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse::<Uri>()?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static("docker"));
    for name in CREDENTIALS {
        if let Some(value) = headers.get_mut(name) {
            *value = url_safe(value);
        }
    }
    let (mut sender, connection) = http1::handshake(stream).await?;
    // An error of the connection is returned by the request or by the body of the response.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

fn url_safe(value: &HeaderValue) -> HeaderValue {
    let bytes: Vec<u8> = value
        .as_bytes()
        .iter()
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            byte => *byte,
        })
        .collect();
    let mut value = HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| value.clone());
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_converted_to_the_url_safe_alphabet() {
        let value = url_safe(&HeaderValue::from_static("a+b/c=="));
        assert_eq!(value.to_str().unwrap(), "a-b_c==");
        assert!(!format!("{value:?}").contains("a-b"));
    }
}
