//! Whether a call that the SDK sent again may have gone through before: an answer that says "it exists already" may
//! then be about what this very run has made.

use super::error::causes_of;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Watches the attempts of a call: an interceptor for it, of which a clone is kept.
#[derive(Clone, Debug, Default)]
pub struct AttemptTracker(Arc<AtomicBool>);

impl AttemptTracker {
    /// Whether an attempt so far went out and got no answer, or one that tells only of a fault of AWS itself.
    pub fn may_have_applied(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Intercept for AttemptTracker {
    fn name(&self) -> &'static str {
        "AttemptTracker"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Err(error)) = context.output_or_error() else {
            return Ok(());
        };
        let unanswered = if error.is_operation_error() {
            let response = context.response();
            response.is_some_and(|response| response.status().is_server_error())
        } else if let Some(error) = error.as_connector_error() {
            !(error.is_user() || never_connected(error))
        } else {
            error.is_timeout_error() || error.is_response_error()
        };
        if unanswered {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Whether no connection came about, so that nothing was sent.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    // The HTTP client's kinds of errors are its own; it tells this one by its words.
    let causes = causes_of(Some(error)).into_iter();
    causes
        .map(ToString::to_string)
        .any(|words| words == "client error (Connect)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_http_client::Connector;
    use aws_smithy_runtime_api::client::http::HttpConnector;
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use std::net::{SocketAddr, TcpListener};

    /// Whether the HTTP client says of a call to `address` that it never connected.
    fn never_connected_to(address: SocketAddr) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let error = runtime.unwrap().block_on(async {
            let mut request = HttpRequest::empty();
            request.set_uri(format!("http://{address}/")).unwrap();
            Connector::builder().build_http().call(request).await.unwrap_err()
        });
        never_connected(&error)
    }

    #[test]
    fn a_connection_that_never_came_about_is_told_from_one_that_broke() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || drop(listener.accept()));
        assert!(!never_connected_to(address));
        server.join().unwrap();
        // Nobody listens any more.
        assert!(never_connected_to(address));
    }
}
