//! The HTTP client below the AWS SDK. It reads the trust roots, which takes tens of milliseconds, only when the first TLS
//! connection needs them.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// The connect and the read timeout of a connector.
type Timeouts = (Option<Duration>, Option<Duration>);

/// One connection pool for each pair of timeouts.
#[derive(Clone, Debug, Default)]
pub(super) struct LazyTlsClient {
    connectors: Arc<Mutex<Vec<(Timeouts, SharedHttpConnector)>>>,
}

impl LazyTlsClient {
    pub(super) fn new() -> Self {
        Self::default()
    }
}

impl HttpClient for LazyTlsClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connector)) = connectors.iter().find(|(known, _)| *known == timeouts) {
            return connector.clone();
        }
        let mut builder = Connector::builder().connector_settings(settings.clone());
        builder.set_sleep_impl(components.sleep_impl());
        let connector = SharedHttpConnector::new(ByScheme {
            builder,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        });
        connectors.push((timeouts, connector.clone()));
        connector
    }
}

/// Chooses between a plain and a TLS connector by the scheme of the URI.
#[derive(Debug)]
struct ByScheme {
    builder: ConnectorBuilder,
    plain: OnceLock<SharedHttpConnector>,
    secure: OnceLock<Result<SharedHttpConnector, String>>,
}

impl ByScheme {
    fn secure(&self) -> Result<SharedHttpConnector, String> {
        let context = TlsContext::builder().with_trust_store(trust_store()?).build();
        let context = context.map_err(|error| format!("failed to set up TLS: {error}"))?;
        let builder = self.builder.clone().proxy_config(ProxyConfig::from_env());
        Ok(SharedHttpConnector::new(
            builder
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .tls_context(context)
                .build(),
        ))
    }
}

/// The trust roots of the system, and those of `AWS_CA_BUNDLE`, which the AWS CLI reads as well.
fn trust_store() -> Result<TrustStore, String> {
    let store = TrustStore::default().with_native_roots(true);
    match std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        None => Ok(store),
        Some(path) => {
            let bundle = std::fs::read(&path)
                .map_err(|error| format!("failed to read `{}` ($AWS_CA_BUNDLE): {error}", path.display()))?;
            Ok(store.with_pem_certificate(bundle))
        }
    }
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if !request.uri().starts_with("https:") {
            let plain = self
                .plain
                .get_or_init(|| SharedHttpConnector::new(self.builder.clone().build_http()));
            return plain.call(request);
        }
        match self.secure.get_or_init(|| self.secure()) {
            Ok(connector) => connector.call(request),
            Err(message) => HttpConnectorFuture::ready(Err(ConnectorError::user(message.clone().into()))),
        }
    }
}
