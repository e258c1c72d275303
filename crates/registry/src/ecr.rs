//! ECR's host names and its tokens.

use crate::credentials::Credentials;
use anyhow::{Context, Result};
use arn::partition;

/// A host name of a private ECR registry, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcrHost {
    /// The account that the registry belongs to, 12 digits.
    pub account: String,
    /// The region it is in.
    pub region: String,
    /// Whether it is a FIPS endpoint.
    pub fips: bool,
}

/// The endings of ECR's dual stack hosts; the others are the domains of the partitions.
const DUAL_STACK: [&str; 2] = ["on.aws", "on.amazonwebservices.com.cn"];

impl EcrHost {
    /// Takes `host` apart; `None` when it is not a private ECR registry.
    pub fn parse(host: &str) -> Option<Self> {
        let (account, rest) = host.split_once('.')?;
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let rest = rest
            .strip_prefix("dkr.ecr")
            .or_else(|| rest.strip_prefix("dkr-ecr"))?;
        let (fips, rest) = rest
            .strip_prefix("-fips")
            .map_or((false, rest), |rest| (true, rest));
        let (region, suffix) = rest.strip_prefix('.')?.split_once('.')?;
        let plain = !region.is_empty()
            && region
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let known = partition::all()
            .map(|partition| partition.domain)
            .chain(DUAL_STACK)
            .any(|domain| domain == suffix);
        (plain && known).then(|| EcrHost {
            account: account.to_owned(),
            region: region.to_owned(),
            fips,
        })
    }
}

/// What `ecr:GetAuthorizationToken` gives.
#[derive(Clone, Debug)]
pub struct Token {
    /// The registry that the answer names, without a scheme.
    pub host: String,
    /// The account of that registry.
    pub account: String,
    /// User and password.
    pub credentials: Credentials,
}

impl Token {
    /// Reads the token and the endpoint (`https://…`) of the answer.
    ///
    /// # Errors
    /// When either is not what ECR documents. The token is in no message.
    pub fn decode(authorization_token: &str, proxy_endpoint: &str) -> Result<Self> {
        let host = proxy_endpoint
            .trim_start_matches("https://")
            .trim_end_matches('/')
            .to_owned();
        let ecr = EcrHost::parse(&host)
            .with_context(|| format!("failed to read the registry `{host}`: not a host of ECR"))?;
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
    fn takes_ecrs_hosts_apart_and_no_others() {
        for (host, region, fips) in [
            ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "us-east-1", false),
            (
                "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
                false,
            ),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
                true,
            ),
            (
                "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
                "eu-isoe-west-1",
                false,
            ),
            ("123456789012.dkr-ecr.us-west-2.on.aws", "us-west-2", false),
            ("123456789012.dkr-ecr-fips.us-west-2.on.aws", "us-west-2", true),
        ] {
            let expected = EcrHost {
                account: "123456789012".into(),
                region: region.into(),
                fips,
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
