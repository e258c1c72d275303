//! Checks `[cluster]` against ECS's rules before the first call. No I/O.

use cli::Failure;
use common::config::{Cluster, ExecuteCommand, SessionLogging};

/// CreateCluster, `clusterName`.
const LONGEST_NAME: usize = 255;

/// ClusterServiceConnectDefaultsRequest, `namespace`.
const LONGEST_NAMESPACE: usize = 1024;

/// # Errors
/// The first error, which names the key of the file.
pub(crate) fn validate(cluster: &Cluster) -> Result<(), Failure> {
    let name = &cluster.name;
    let invalid = |what: &str, words: String| {
        let message = format!("failed to use {what} of cluster `{name}`: {words}");
        Err(Failure::config(message))
    };
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !(1..=LONGEST_NAME).contains(&name.len()) || !name.bytes().all(known) {
        return Err(Failure::config(format!(
            "failed to use the cluster name `{name}`: it must have 1 to {LONGEST_NAME} letters, digits, `-` and `_`"
        )));
    }
    if let Some(words) = cluster
        .service_connect_namespace
        .as_deref()
        .and_then(namespace_problem)
    {
        return invalid("`service_connect_namespace`", words);
    }
    if let Some(words) = cluster.execute_command.as_ref().and_then(sessions_problem) {
        return invalid("`execute_command`", words.into());
    }
    if cluster.capacity_providers.iter().any(String::is_empty) {
        return invalid("`capacity_providers`", "one of the names is empty".into());
    }
    Ok(())
}

fn namespace_problem(namespace: &str) -> Option<String> {
    if namespace.starts_with("arn:") {
        return (!is_namespace_arn(namespace))
            .then(|| format!("`{namespace}` is not the ARN of a Cloud Map namespace"));
    }
    if namespace.is_empty() {
        Some("it is empty; take the key out to leave the namespace as it is".into())
    } else if namespace.chars().count() > LONGEST_NAMESPACE {
        Some(format!("a name has at most {LONGEST_NAMESPACE} characters"))
    } else if namespace.contains(['<', '>', '"', '/']) {
        Some(format!("the name `{namespace}` contains a `<`, `>`, `\"` or `/`"))
    } else {
        None
    }
}

/// Whether `text` is the ARN of a Cloud Map namespace.
pub(crate) fn is_namespace_arn(text: &str) -> bool {
    arn::split(text).is_some_and(|arn| {
        let id = arn.resource.strip_prefix("namespace/");
        arn.service == "servicediscovery"
            && !arn.region.is_empty()
            && arn::is_account(arn.account)
            && id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
    })
}

fn sessions_problem(sessions: &ExecuteCommand) -> Option<&'static str> {
    let somewhere = sessions.log_group.is_some() || sessions.s3_bucket.is_some();
    match sessions.logging {
        Some(SessionLogging::Override) if !somewhere => {
            Some("`logging = \"OVERRIDE\"` needs `log_group` or `s3_bucket`")
        }
        Some(SessionLogging::None | SessionLogging::Default) if somewhere => {
            Some("`log_group` and `s3_bucket` go with `logging = \"OVERRIDE\"` alone")
        }
        _ if sessions.log_group.is_none() && sessions.log_group_encryption.is_some() => {
            Some("`log_group_encryption` needs `log_group`")
        }
        _ if sessions.s3_bucket.is_none()
            && (sessions.s3_prefix.is_some() || sessions.s3_encryption.is_some()) =>
        {
            Some("`s3_prefix` and `s3_encryption` need `s3_bucket`")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(name: &str) -> Cluster {
        Cluster {
            name: name.into(),
            ..Cluster::default()
        }
    }

    #[test]
    fn names_follow_ecss_rule() {
        for name in ["cruddur", "A_b-1", &"a".repeat(255)] {
            assert!(validate(&cluster(name)).is_ok(), "{name}");
        }
        for name in ["", "a b", "a/b", "a.b", "é", &"a".repeat(256)] {
            assert!(validate(&cluster(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn a_namespace_is_a_name_or_an_arn() {
        let with = |namespace: &str| {
            validate(&Cluster {
                service_connect_namespace: Some(namespace.into()),
                ..cluster("a")
            })
        };
        let right = [
            "cruddur",
            "a.b c",
            "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1",
        ];
        for namespace in right {
            assert!(with(namespace).is_ok(), "{namespace}");
        }
        let wrong = [
            "",
            "a/b",
            "<a>",
            "a\"",
            "arn:aws:servicediscovery:us-east-1:123456789012:service/srv-1",
            "arn:aws:servicediscovery:us-east-1:123456789012:namespace/",
            "arn:aws:ecs:us-east-1:123456789012:namespace/ns-1",
            "arn:",
        ];
        for namespace in wrong {
            assert!(with(namespace).is_err(), "{namespace}");
        }
    }

    #[test]
    fn sessions_are_logged_where_the_table_says() {
        let group = || Some("g".to_owned());
        let base = ExecuteCommand::default;
        for (sessions, right) in [
            (base(), true),
            (
                ExecuteCommand {
                    log_group: group(),
                    log_group_encryption: Some(true),
                    ..base()
                },
                true,
            ),
            (
                ExecuteCommand {
                    s3_bucket: group(),
                    s3_prefix: group(),
                    s3_encryption: Some(true),
                    ..base()
                },
                true,
            ),
            (
                ExecuteCommand {
                    logging: Some(SessionLogging::None),
                    ..base()
                },
                true,
            ),
            (
                ExecuteCommand {
                    logging: Some(SessionLogging::Override),
                    ..base()
                },
                false,
            ),
            (
                ExecuteCommand {
                    logging: Some(SessionLogging::None),
                    log_group: group(),
                    ..base()
                },
                false,
            ),
            (
                ExecuteCommand {
                    logging: Some(SessionLogging::Default),
                    s3_bucket: group(),
                    ..base()
                },
                false,
            ),
            (
                ExecuteCommand {
                    log_group_encryption: Some(true),
                    ..base()
                },
                false,
            ),
            (
                ExecuteCommand {
                    log_group: group(),
                    s3_prefix: group(),
                    ..base()
                },
                false,
            ),
        ] {
            assert_eq!(sessions_problem(&sessions).is_none(), right, "{sessions:?}");
        }
    }
}
