//! Whether an earlier attempt of a call, which the SDK retried, may have been applied: "already exists" can then be
//! about the resource that this run created.

use super::error::was_sent;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Observes the attempts of a call: register one clone as an interceptor of the call and ask the other afterwards.
#[derive(Clone, Debug, Default)]
pub struct AttemptTracker(Arc<AtomicBool>);

impl AttemptTracker {
    /// Whether an attempt so far was sent and got no response, or one with a 5xx status.
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
            was_sent(error)
        } else {
            error.is_timeout_error() || error.is_response_error()
        };
        if unanswered {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_http_client::Connector;
    use aws_smithy_runtime_api::client::http::HttpConnector;
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use std::net::{SocketAddr, TcpListener};

    /// Whether the HTTP client reports for a call to `address` that it established a connection.
    fn was_sent_to(address: SocketAddr) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let error = runtime.unwrap().block_on(async {
            let mut request = HttpRequest::empty();
            request.set_uri(format!("http://{address}/")).unwrap();
            Connector::builder().build_http().call(request).await.unwrap_err()
        });
        was_sent(&error)
    }

    #[test]
    fn a_connection_that_was_not_established_differs_from_one_that_broke() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || drop(listener.accept()));
        assert!(was_sent_to(address));
        server.join().unwrap();
        // The listener is closed now.
        assert!(!was_sent_to(address));
    }
}
