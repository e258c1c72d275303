//! HTTP to the engine, over its socket or TCP: under bollard, and for the one call that bollard does not
//! give us whole.

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

/// The headers with credentials. bollard writes them in the base64 of MIME; the engine reads that of URLs,
/// and where the two differ it goes on without credentials and says nothing.
const CREDENTIALS: [&str; 2] = ["x-registry-auth", "x-registry-config"];

/// Sends one request, on a connection of its own: when the answer is dropped, the connection is closed, and
/// that is how the engine learns that a pull, a build or a push is no longer wanted.
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
            *value = for_urls(value);
        }
    }
    let (mut sender, connection) = http1::handshake(stream).await?;
    // Its error comes back from the request, or from the body of the answer.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

fn for_urls(value: &HeaderValue) -> HeaderValue {
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
    fn credentials_are_in_the_alphabet_that_the_engine_reads() {
        let value = for_urls(&HeaderValue::from_static("a+b/c=="));
        assert_eq!(value.to_str().unwrap(), "a-b_c==");
        assert!(!format!("{value:?}").contains("a-b"));
    }
}
