//! Where calls are sent. An endpoint override is announced: a shell that still exports one for a local database would
//! send every call there.

use super::service::Service;
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

/// Where the calls of a service go.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) url: String,
    /// The region in the scope of a signature.
    pub(super) region: String,
}

/// Where a client sends the calls of `service`: the override, else the endpoint of the region or, for a global service,
/// of its partition (the endpoint rule sets of the services).
///
/// # Errors
/// When FIPS or dual-stack is demanded of an override, which the rule sets refuse.
pub(super) fn resolve(sdk: &SdkConfig, service: &Service, region: &str) -> Result<Endpoint, &'static str> {
    // STS and IAM take this name for the region of their global endpoints.
    let region = if region == "aws-global" {
        Partition::of(region).home_region
    } else {
        region
    };
    let fips = sdk.use_fips().unwrap_or_default();
    let dual_stack = sdk.use_dual_stack().unwrap_or_default();
    let general = || sdk.endpoint_url().map(str::to_owned);
    let overridden = if sdk.get_origin("endpoint_url").is_client_config() {
        general()
    } else {
        of_service(sdk, service.id).or_else(general)
    };
    let (url, region) = match overridden {
        Some(_) if fips => return Err("FIPS and a custom endpoint exclude each other"),
        Some(_) if dual_stack => return Err("dual-stack and a custom endpoint exclude each other"),
        Some(url) => (url, region),
        None if service.global => {
            let host = global_host(service, region, fips, dual_stack);
            (format!("https://{host}"), Partition::of(region).home_region)
        }
        None => {
            let host = regional_host(service, region, fips, dual_stack);
            (format!("https://{host}"), region)
        }
    };
    Ok(Endpoint {
        url,
        region: region.to_owned(),
    })
}

fn regional_host(service: &Service, region: &str, fips: bool, dual_stack: bool) -> String {
    let partition = Partition::of(region);
    // In GovCloud, the standard endpoints of these two are FIPS endpoints (their rule sets).
    let is_fips =
        matches!(service.endpoint_prefix, "logs" | "sts") && partition.name == "aws-us-gov" && !dual_stack;
    let suffix = if fips && !is_fips { "-fips" } else { "" };
    let domain = domain(partition, dual_stack);
    format!("{}{suffix}.{region}.{domain}", service.endpoint_prefix)
}

/// The host of IAM, the only global service here (its rule set).
fn global_host(service: &Service, region: &str, fips: bool, dual_stack: bool) -> String {
    let partition = Partition::of(region);
    let suffix = if fips && partition.name != "aws-us-gov" {
        "-fips"
    } else {
        ""
    };
    let scope = match (partition.name, fips, dual_stack) {
        ("aws-us-gov", ..) => "us-gov.",
        ("aws", _, true) | ("aws-cn", false, true) => "global.",
        ("aws", ..) => "",
        ("aws-iso" | "aws-iso-b", ..) | (_, false, _) => &format!("{}.", partition.home_region),
        (_, true, _) => "",
    };
    format!(
        "{}{suffix}.{scope}{}",
        service.endpoint_prefix,
        domain(partition, dual_stack)
    )
}

fn domain(partition: &'static Partition, dual_stack: bool) -> &'static str {
    if dual_stack {
        partition.dual_stack_domain
    } else {
        partition.domain
    }
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
    use crate::aws::service::{CLOUD_MAP, ECS, IAM, LOGS, STS};

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
            (
                &STS,
                "eu-central-1",
                false,
                false,
                "sts.eu-central-1.amazonaws.com",
            ),
            (&STS, "us-west-2", true, false, "sts-fips.us-west-2.amazonaws.com"),
            (
                &STS,
                "us-gov-east-1",
                true,
                false,
                "sts.us-gov-east-1.amazonaws.com",
            ),
            (
                &STS,
                "us-gov-east-1",
                true,
                true,
                "sts-fips.us-gov-east-1.api.aws",
            ),
            (
                &STS,
                "us-iso-west-1",
                false,
                false,
                "sts.us-iso-west-1.c2s.ic.gov",
            ),
        ] {
            assert_eq!(regional_host(service, region, fips, dual_stack), host);
        }
        for (region, fips, dual_stack, host) in [
            ("eu-central-1", false, false, "iam.amazonaws.com"),
            ("eu-central-1", true, false, "iam-fips.amazonaws.com"),
            ("eu-central-1", false, true, "iam.global.api.aws"),
            ("eu-central-1", true, true, "iam-fips.global.api.aws"),
            ("cn-northwest-1", false, false, "iam.cn-north-1.amazonaws.com.cn"),
            ("cn-northwest-1", true, false, "iam-fips.amazonaws.com.cn"),
            (
                "cn-northwest-1",
                false,
                true,
                "iam.global.api.amazonwebservices.com.cn",
            ),
            (
                "cn-northwest-1",
                true,
                true,
                "iam-fips.api.amazonwebservices.com.cn",
            ),
            ("us-gov-east-1", false, false, "iam.us-gov.amazonaws.com"),
            ("us-gov-east-1", true, true, "iam.us-gov.api.aws"),
            ("us-iso-west-1", false, false, "iam.us-iso-east-1.c2s.ic.gov"),
            ("us-iso-west-1", true, false, "iam-fips.us-iso-east-1.c2s.ic.gov"),
            (
                "us-isob-east-1",
                true,
                false,
                "iam-fips.us-isob-east-1.sc2s.sgov.gov",
            ),
            (
                "eu-isoe-west-1",
                false,
                false,
                "iam.eu-isoe-west-1.cloud.adc-e.uk",
            ),
            ("eu-isoe-west-1", true, false, "iam-fips.cloud.adc-e.uk"),
            (
                "us-isof-south-1",
                false,
                false,
                "iam.us-isof-south-1.csp.hci.ic.gov",
            ),
            ("eusc-de-east-1", true, false, "iam-fips.amazonaws.eu"),
        ] {
            assert_eq!(global_host(&IAM, region, fips, dual_stack), host);
        }
    }

    #[test]
    fn an_endpoint_has_the_region_that_signs() {
        let sdk = |url: Option<&str>, fips: bool| {
            let mut builder = SdkConfig::builder().use_fips(fips);
            builder.set_endpoint_url(url.map(str::to_owned));
            builder.build()
        };
        for (service, region, url, expected, signing) in [
            (&IAM, "eu-west-3", None, "https://iam.amazonaws.com", "us-east-1"),
            (
                &IAM,
                "cn-northwest-1",
                None,
                "https://iam.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (
                &IAM,
                "us-gov-east-1",
                None,
                "https://iam.us-gov.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                &STS,
                "eu-west-3",
                None,
                "https://sts.eu-west-3.amazonaws.com",
                "eu-west-3",
            ),
            (
                &STS,
                "aws-global",
                None,
                "https://sts.us-east-1.amazonaws.com",
                "us-east-1",
            ),
            // As the SDK does, with the region of the caller.
            (&IAM, "eu-west-3", Some("http://a:1"), "http://a:1", "eu-west-3"),
        ] {
            let endpoint = resolve(&sdk(url, false), service, region).unwrap();
            assert_eq!(
                (endpoint.url.as_str(), endpoint.region.as_str()),
                (expected, signing)
            );
        }
        assert!(resolve(&sdk(Some("http://a:1"), true), &IAM, "eu-west-3").is_err());
    }
}
