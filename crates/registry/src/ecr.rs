//! ECR's host names and authorization tokens.

use crate::credentials::Credentials;
use anyhow::{Context, Result};
use arn::partition;

/// The parts of the host name of a private ECR registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcrHost {
    /// The account that owns the registry, 12 digits.
    pub account: String,
    /// The region of the registry.
    pub region: String,
}

/// The domains of ECR's dual-stack hosts. All other hosts have the domain of a partition.
const DUAL_STACK: [&str; 2] = ["on.aws", "on.amazonwebservices.com.cn"];

impl EcrHost {
    /// Parses `host`; `None` when it is not the host of a private ECR registry.
    pub fn parse(host: &str) -> Option<Self> {
        let (account, rest) = host.split_once('.')?;
        let rest = rest
            .strip_prefix("dkr.ecr")
            .or_else(|| rest.strip_prefix("dkr-ecr"))?;
        let rest = rest.strip_prefix("-fips").unwrap_or(rest);
        let (region, domain) = rest.strip_prefix('.')?.split_once('.')?;
        let mut domains = partition::all()
            .map(|partition| partition.domain)
            .chain(DUAL_STACK);
        let is_ecr = arn::is_account(account)
            && arn::looks_like_region(region)
            && domains.any(|known| known == domain);
        is_ecr.then(|| EcrHost {
            account: account.to_owned(),
            region: region.to_owned(),
        })
    }
}

/// The result of `ecr:GetAuthorizationToken`.
#[derive(Clone, Debug)]
pub struct Token {
    /// The host of the registry.
    pub host: String,
    /// The account that owns the registry.
    pub account: String,
    /// The user name and the password.
    pub credentials: Credentials,
}

impl Token {
    /// Decodes the two fields of the response; `proxy_endpoint` is a URL (`https://…`).
    ///
    /// # Errors
    /// When either does not have the documented form. No message contains the token.
    pub fn decode(authorization_token: &str, proxy_endpoint: &str) -> Result<Self> {
        let host = proxy_endpoint
            .trim_start_matches("https://")
            .trim_end_matches('/')
            .to_owned();
        let ecr = EcrHost::parse(&host)
            .with_context(|| format!("failed to read the registry `{host}`: not an ECR host"))?;
        let credentials = Credentials::from_basic(authorization_token)
            .context("failed to read the authorization token: not `user:password` in base64")?;
        Ok(Token {
            host,
            account: ecr.account,
            credentials,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_hosts_of_ecr_and_no_others() {
        for (host, region) in [
            ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "us-east-1"),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
                "eu-isoe-west-1",
            ),
            ("123456789012.dkr-ecr.us-west-2.on.aws", "us-west-2"),
            ("123456789012.dkr-ecr-fips.us-west-2.on.aws", "us-west-2"),
        ] {
            let expected = EcrHost {
                account: "123456789012".into(),
                region: region.into(),
            };
            assert_eq!(EcrHost::parse(host), Some(expected), "{host}");
        }
        for host in [
            "public.ecr.aws",
            "docker.io",
            "12345678901.dkr.ecr.us-east-1.amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com.fake.example.com",
            "123456789012.dkr.ecr..amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com:443",
            "x123456789012.dkr.ecr.us-east-1.amazonaws.com",
        ] {
            assert_eq!(EcrHost::parse(host), None, "{host}");
        }
    }

    #[test]
    fn a_bad_token_is_in_no_message() {
        let error =
            Token::decode("canary", "https://123456789012.dkr.ecr.us-east-1.amazonaws.com").unwrap_err();
        assert!(!format!("{error:#}").contains("canary"));
        assert!(Token::decode("QVdTOnB3", "https://example.com").is_err());
        let token =
            Token::decode("QVdTOnB3", "https://123456789012.dkr.ecr.us-east-1.amazonaws.com").unwrap();
        assert_eq!(
            (token.account.as_str(), token.credentials.username.as_str()),
            ("123456789012", "AWS")
        );
    }
}
