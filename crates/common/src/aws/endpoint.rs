//! Where calls are sent. An endpoint override is announced: a shell that still exports one for a local database would
//! send every call there.

use super::json::Service;
use arn::partition::Partition;
use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use cli::Console;

/// The services that the tools call, by their `sdkId`.
const SERVICES: [&str; 7] = [
    "CloudWatch Logs",
    "ECR",
    "ECS",
    "IAM",
    "ServiceDiscovery",
    "SSM",
    "STS",
];

/// Prints one line to stderr, with `--quiet` too, when an override is in force for all calls or for one service.
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

/// The URL for `service` alone, from the environment or the `services` section of the profile, by the rules of the
/// SDK's clients.
fn of_service(sdk: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let url = sdk.service_config()?.load_config(key)?;
    // The look-up falls back to the general URL, which is announced on its own.
    (!url.is_empty() && sdk.endpoint_url() != Some(url.as_str())).then_some(url)
}

/// Where a client sends the calls of `service`: the override, else the endpoint of the region (the endpoint rule sets of
/// the services, which differ from each other only in the prefix and in the exception below).
///
/// # Errors
/// When FIPS or dual-stack is demanded of an override, which the rule sets refuse.
pub(super) fn url(sdk: &SdkConfig, service: &Service, region: &str) -> Result<String, &'static str> {
    let fips = sdk.use_fips().unwrap_or_default();
    let dual_stack = sdk.use_dual_stack().unwrap_or_default();
    let general = || sdk.endpoint_url().map(str::to_owned);
    let overridden = if sdk.get_origin("endpoint_url").is_client_config() {
        general()
    } else {
        of_service(sdk, service.id).or_else(general)
    };
    match overridden {
        Some(_) if fips => Err("FIPS and a custom endpoint exclude each other"),
        Some(_) if dual_stack => Err("dual-stack and a custom endpoint exclude each other"),
        Some(url) => Ok(url),
        None => Ok(of_region(service, region, fips, dual_stack)),
    }
}

fn of_region(service: &Service, region: &str, fips: bool, dual_stack: bool) -> String {
    let partition = Partition::of(region);
    // In GovCloud, the standard endpoint of CloudWatch Logs is the FIPS endpoint (rule set of CloudWatch Logs).
    let standard_is_fips = service.endpoint_prefix == "logs" && partition.name == "aws-us-gov" && !dual_stack;
    let suffix = if fips && !standard_is_fips { "-fips" } else { "" };
    let domain = if dual_stack {
        partition.dual_stack_domain
    } else {
        partition.domain
    };
    format!("https://{}{suffix}.{region}.{domain}", service.endpoint_prefix)
}

/// A URL without `user:password@`.
fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find('/').unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{}", &rest[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::json::{CLOUD_MAP, ECS, LOGS};

    /// The cases are from the endpoint tests of the SDK's crates.
    #[test]
    fn endpoints_are_those_of_the_rule_sets() {
        for (service, region, fips, dual_stack, host) in [
            (&ECS, "us-east-1", false, false, "ecs.us-east-1.amazonaws.com"),
            (&ECS, "us-east-1", true, false, "ecs-fips.us-east-1.amazonaws.com"),
            (&ECS, "us-east-1", true, true, "ecs-fips.us-east-1.api.aws"),
            (
                &ECS,
                "us-gov-west-1",
                true,
                false,
                "ecs-fips.us-gov-west-1.amazonaws.com",
            ),
            (
                &ECS,
                "cn-north-1",
                false,
                true,
                "ecs.cn-north-1.api.amazonwebservices.com.cn",
            ),
            (&LOGS, "eu-north-1", false, false, "logs.eu-north-1.amazonaws.com"),
            (
                &LOGS,
                "us-gov-east-1",
                true,
                false,
                "logs.us-gov-east-1.amazonaws.com",
            ),
            (
                &LOGS,
                "us-gov-east-1",
                true,
                true,
                "logs-fips.us-gov-east-1.api.aws",
            ),
            (
                &LOGS,
                "us-iso-east-1",
                true,
                false,
                "logs-fips.us-iso-east-1.c2s.ic.gov",
            ),
            (
                &CLOUD_MAP,
                "us-isob-east-1",
                false,
                false,
                "servicediscovery.us-isob-east-1.sc2s.sgov.gov",
            ),
            (
                &CLOUD_MAP,
                "eusc-de-east-1",
                true,
                false,
                "servicediscovery-fips.eusc-de-east-1.amazonaws.eu",
            ),
        ] {
            assert_eq!(
                of_region(service, region, fips, dual_stack),
                format!("https://{host}")
            );
        }
    }
}
