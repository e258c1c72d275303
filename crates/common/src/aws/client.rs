//! Calls with JSON values in both directions, without an SDK crate of the service: a request can hold fields that no
//! release of the SDK contains yet, a response keeps the fields that a tool does not read, and the build does not
//! compile thousands of generated types. Credentials, retries, timeouts and signing are those of the SDK, because
//! the calls run on the SDK's own orchestrator.

mod aws_json;
mod protocol;
mod query;
#[cfg(test)]
mod tests;

use super::endpoint::{self, Endpoint};
use super::error::CallError;
use super::service::Service;
use super::{AttemptTracker, Aws};
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_runtime::auth::sigv4::{self, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{
    DisableClockSkewCorrection, ServiceClockSkewClassifier, ServiceClockSkewInterceptor,
};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::defaults::{DefaultPluginParams, default_plugins};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::orchestrator::endpoints::StaticUriEndpointResolver;
use aws_smithy_runtime::client::orchestrator::invoke;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime::client::stalled_stream_protection::StalledStreamProtectionInterceptor;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::endpoint::{EndpointResolverParams, SharedEndpointResolver};
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_runtime_api::client::interceptors::context::Input;
use aws_smithy_runtime_api::client::orchestrator::{Metadata, SensitiveOutput};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::{RuntimePlugins, StaticRuntimePlugin};
use aws_smithy_runtime_api::client::ser_de::{SharedRequestSerializer, SharedResponseDeserializer};
use aws_smithy_types::config_bag::{FrozenLayer, Layer};
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use protocol::{LimitBody, Request, ServiceError, Wire};
use serde_json::Value;
use std::fmt;

/// A client of one service. Clones share its connections, credentials and retry quota.
#[derive(Clone)]
pub struct Client {
    service: &'static Service,
    /// The plugins of the client, or why the configuration admits no endpoint.
    plugins: Result<RuntimePlugins, &'static str>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Client");
        debug.field("service", &self.service.id).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of `service` with the configuration of `aws`. Sends nothing.
    pub fn new(aws: &Aws, service: &'static Service) -> Self {
        let plugins = endpoint::resolve(&aws.sdk, service, &aws.region)
            .map(|endpoint| client_plugins(&aws.sdk, service, endpoint));
        Client { service, plugins }
    }

    /// Calls `operation`, for example `DescribeServices`, with `body` as the request. A response without output is `{}`.
    /// What XML says of a number or a boolean is a string, and an empty list is an empty string.
    ///
    /// # Errors
    /// When the service answers with an error, gives no response, or the response is not one of the operation in the
    /// protocol of the service.
    pub async fn call(&self, operation: &str, body: &Value) -> Result<Value, CallError> {
        let action = format!("{}:{operation}", self.service.iam_prefix);
        let plugins = match &self.plugins {
            Ok(plugins) => plugins.clone(),
            Err(reason) => return Err(CallError::config(action, *reason)),
        };
        let attempts = AttemptTracker::default();
        let mut components = RuntimeComponentsBuilder::new("operation");
        components.push_interceptor(SharedInterceptor::new(attempts.clone()));
        let mut layer = Layer::new("operation");
        layer.store_put(Metadata::new(operation.to_owned(), self.service.id));
        let wire = Wire {
            protocol: &self.service.protocol,
            operation: operation.to_owned(),
        };
        layer.store_put(SharedRequestSerializer::new(wire.clone()));
        layer.store_put(SharedResponseDeserializer::new(wire));
        let plugin = StaticRuntimePlugin::new()
            .with_config(layer.freeze())
            .with_runtime_components(components);
        let plugins = plugins.with_operation_plugin(plugin);
        match invoke(
            self.service.id,
            operation,
            Input::erase(Request(body.clone())),
            &plugins,
        )
        .await
        {
            Ok(output) => output
                .downcast::<Value>()
                .map_err(|_| CallError::not_sent(action, "the deserializer gave another type")),
            Err(error) => {
                let error = error.map_service_error(ServiceError::of);
                Err(CallError::of(action, &error).or_applied(attempts.may_have_applied()))
            }
        }
    }
}

/// What a generated client of the SDK configures, in the same order.
fn client_plugins(sdk: &SdkConfig, service: &'static Service, endpoint: Endpoint) -> RuntimePlugins {
    let mut defaults = DefaultPluginParams::new()
        .with_retry_partition_name(format!("{}-{}", service.endpoint_prefix, endpoint.region))
        .with_is_aws_sdk(true);
    if let Some(version) = sdk.behavior_version() {
        defaults = defaults.with_behavior_version(version);
    }
    RuntimePlugins::new()
        .with_client_plugins(default_plugins(defaults))
        .with_client_plugin(
            StaticRuntimePlugin::new()
                .with_config(settings(sdk, service, &endpoint.region))
                .with_runtime_components(components(sdk, endpoint.url)),
        )
}

fn settings(sdk: &SdkConfig, service: &'static Service, region: &str) -> FrozenLayer {
    let mut layer = Layer::new("settings");
    layer.store_put(ApiMetadata::new(
        service.endpoint_prefix,
        env!("CARGO_PKG_VERSION"),
    ));
    layer.store_put(SigningName::from_static(service.signing_name));
    if let Some(region) = sdk.region() {
        layer.store_put(region.clone());
    }
    layer.store_put(SigningRegion::from(Region::new(region.to_owned())));
    let mut signing = SigningOptions::default();
    signing.double_uri_encode = true;
    signing.content_sha256_header = false;
    signing.normalize_uri_path = true;
    signing.payload_override = None;
    layer.store_put(SigV4OperationSigningConfig {
        signing_options: signing,
        ..SigV4OperationSigningConfig::default()
    });
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(EndpointResolverParams::new(()));
    // `trace` output of the orchestrator contains response bodies otherwise.
    layer.store_put(SensitiveOutput);
    if let Some(retry) = sdk.retry_config() {
        layer.store_put(retry.clone());
    }
    let timeouts = sdk.timeout_config().cloned();
    layer.store_put(timeouts.unwrap_or_else(TimeoutConfig::disabled));
    if let Some(protection) = sdk.stalled_stream_protection() {
        layer.store_put(protection);
    }
    if let Some(name) = sdk.app_name() {
        layer.store_put(name.clone());
    }
    if let Some(disabled) = sdk.disable_clock_skew_correction() {
        layer.store_put(DisableClockSkewCorrection::from(disabled));
    }
    layer.freeze()
}

fn components(sdk: &SdkConfig, url: String) -> RuntimeComponentsBuilder {
    let schemes = StaticAuthSchemeOptionResolver::new(vec![sigv4::SCHEME_ID]);
    let mut components = RuntimeComponentsBuilder::new("client")
        .with_http_client(sdk.http_client())
        .with_sleep_impl(sdk.sleep_impl())
        .with_time_source(Some(sdk.time_source().unwrap_or_default()))
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(schemes)))
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_endpoint_resolver(Some(SharedEndpointResolver::new(StaticUriEndpointResolver::uri(
            url,
        ))))
        .with_retry_classifier(HttpStatusCodeClassifier::default())
        .with_retry_classifier(TransientErrorClassifier::<ServiceError>::new())
        .with_retry_classifier(AwsErrorCodeClassifier::<ServiceError>::new())
        .with_retry_classifier(ServiceClockSkewClassifier::<ServiceError>::new());
    if let Some(cache) = sdk.identity_cache() {
        components.set_identity_cache(Some(cache));
    }
    if let Some(provider) = sdk.credentials_provider() {
        components.set_identity_resolver(sigv4::SCHEME_ID, provider);
    }
    for interceptor in [
        SharedInterceptor::permanent(ConnectionPoisoningInterceptor::new()),
        SharedInterceptor::permanent(StalledStreamProtectionInterceptor::default()),
        SharedInterceptor::permanent(ServiceClockSkewInterceptor::new()),
        SharedInterceptor::permanent(RequestInfoInterceptor::new()),
        SharedInterceptor::permanent(UserAgentInterceptor::new()),
        SharedInterceptor::permanent(InvocationIdInterceptor::new()),
        SharedInterceptor::permanent(RecursionDetectionInterceptor::new()),
        SharedInterceptor::permanent(LimitBody),
    ] {
        components.push_interceptor(interceptor);
    }
    components
}
