//! Checks `[log_group]` against CloudWatch's rules before the first call. No I/O.

use cli::Failure;
use common::config::{LogClass, LogGroup, Retention};

/// CreateLogGroup, `logGroupName`.
const LONGEST_NAME: usize = 512;

/// The value of `kms_key` that removes the key.
pub(crate) const NO_KEY: &str = "none";

/// # Errors
/// The first error, which names the key of the file.
pub(crate) fn validate(group: &LogGroup) -> Result<(), Failure> {
    let name = &group.name;
    if let Some(words) = name_problem(name) {
        return Err(Failure::config(format!(
            "failed to use the log group name `{name}`: {words}"
        )));
    }
    if let Some(key) = group
        .kms_key
        .as_deref()
        .filter(|key| *key != NO_KEY && !is_key_arn(key))
    {
        let message =
            format!("failed to use `kms_key` of log group `{name}`: `{key}` is not the ARN of a KMS key");
        // CloudWatch returns the ARN of the key, with which an alias or an id can't be compared.
        let hint = format!("arn:aws:kms:REGION:ACCOUNT:key/ID, or \"{NO_KEY}\" to remove the key");
        return Err(Failure::config(message).hint(hint));
    }
    if group.class == Some(LogClass::Delivery) && matches!(group.retention_days, Some(Retention::Days(_))) {
        return Err(Failure::config(format!(
            "failed to use `retention_days` of log group `{name}`: the class DELIVERY keeps events for a day, and takes no other"
        )));
    }
    Ok(())
}

fn name_problem(name: &str) -> Option<&'static str> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte);
    if !(1..=LONGEST_NAME).contains(&name.len()) {
        Some("it must have 1 to 512 characters")
    } else if !name.bytes().all(known) {
        Some("it must consist of letters, digits, `.`, `-`, `_`, `/` and `#`")
    } else if name.starts_with("aws/") {
        Some("names that begin with `aws/` are reserved for AWS")
    } else {
        None
    }
}

fn is_key_arn(text: &str) -> bool {
    arn::split(text).is_some_and(|arn| {
        arn.partition.starts_with("aws")
            && arn.service == "kms"
            && !arn.region.is_empty()
            && arn::is_account(arn.account)
            && arn.resource.strip_prefix("key/").is_some_and(|id| !id.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> LogGroup {
        LogGroup {
            name: name.into(),
            ..LogGroup::default()
        }
    }

    #[test]
    fn names_follow_cloudwatchs_rule() {
        for name in ["cruddur", "/ecs/backend-flask", "a.b_c#1", &"a".repeat(512)] {
            assert!(validate(&group(name)).is_ok(), "{name}");
        }
        for name in ["", "a b", "a:b", "é", "aws/ecs", "a*", &"a".repeat(513)] {
            let error = validate(&group(name)).unwrap_err().to_string();
            assert!(error.starts_with("failed to use the log group name `"), "{error}");
        }
    }

    #[test]
    fn a_key_is_named_by_its_arn() {
        let with_key = |key: &str| {
            validate(&LogGroup {
                kms_key: Some(key.into()),
                ..group("a")
            })
        };
        let keys = [
            "none",
            "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-5555aaaa5555",
            "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1",
        ];
        for key in keys {
            assert!(with_key(key).is_ok(), "{key}");
        }
        let others = [
            "",
            "11111111-2222-3333-4444-5555aaaa5555",
            "alias/logs",
            "arn:aws:kms:us-east-1:123456789012:alias/logs",
            "arn:aws:kms:us-east-1::key/1",
            "arn:aws:kms::123456789012:key/1",
            "arn:aws:kms:us-east-1:123456789012:key/",
            "arn:aws:iam:us-east-1:123456789012:key/1",
        ];
        for key in others {
            assert!(with_key(key).is_err(), "{key}");
        }
    }

    #[test]
    fn the_class_delivery_takes_no_retention() {
        let with = |class, retention_days| {
            validate(&LogGroup {
                class: Some(class),
                retention_days: Some(retention_days),
                ..group("a")
            })
        };
        assert!(with(LogClass::Delivery, Retention::Days(1)).is_err());
        assert!(with(LogClass::Delivery, Retention::Never).is_ok());
        assert!(with(LogClass::InfrequentAccess, Retention::Days(1)).is_ok());
    }
}
