//! Says when calls go elsewhere than to AWS: a shell that still exports an endpoint for a local database would
//! send every call there.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use cli::Console;

/// The services that the tools call, by the ids that the SDK knows them under.
const SERVICES: [&str; 7] = [
    "CloudWatch Logs",
    "ECR",
    "ECS",
    "IAM",
    "ServiceDiscovery",
    "SSM",
    "STS",
];

/// One line on stderr, with `--quiet` too, when an override is in force for all calls or for a service.
pub(super) fn announce(sdk: &SdkConfig, console: &Console) {
    let general = sdk
        .endpoint_url()
        .map(|url| format!("AWS calls go to {}", without_user(url)));
    let services = SERVICES.into_iter().filter_map(|service| {
        let url = of_service(sdk, service)?;
        let variable = format!("AWS_ENDPOINT_URL_{}", service.to_uppercase().replace(' ', "_"));
        let exported = std::env::var_os(&variable).is_some();
        let name = if exported {
            format!("{variable} is")
        } else {
            format!("{service} calls go to")
        };
        Some(format!("{name} {}", without_user(&url)))
    });
    let lines: Vec<String> = general.into_iter().chain(services).collect();
    if !lines.is_empty() {
        console.stderr(&format!(
            "{}: note: {} (endpoint override)",
            console.tool(),
            lines.join(", ")
        ));
    }
}

/// The URL for `service` alone, from the environment or the profile's `services`, found as the SDK's clients
/// find it.
fn of_service(sdk: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let url = sdk.service_config()?.load_config(key)?;
    // The look-up ends with the general one, which stands for itself.
    (!url.is_empty() && sdk.endpoint_url() != Some(url.as_str())).then_some(url)
}

/// A URL without `user:password@`.
fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find('/').unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{}", &rest[end..])
}
