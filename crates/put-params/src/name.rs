//! The rules for the name of a parameter. The message of SSM is "can't be prefixed with ssm" whichever rule is broken,
//! so the rules are checked here, and the message names the broken one.

use crate::error::ValidationError;
use common::config::{AwsTarget, partition_of};

/// Levels of a hierarchy (PutParameter, `Name`).
const LEVELS: usize = 15;

/// Characters of the complete ARN (PutParameter, `Name`: "includes additional characters that are not part of
/// the name").
const ARN: usize = 1011;

/// The name of the entry `key` below `prefix`.
pub(crate) fn full(prefix: &str, key: &str) -> String {
    format!("{prefix}/{key}")
}

/// The ARN of the parameter `name`, which begins with a slash.
pub(crate) fn arn(target: &AwsTarget, name: &str) -> String {
    format!(
        "arn:{}:ssm:{}:{}:parameter{name}",
        partition_of(&target.region),
        target.region,
        target.account
    )
}

/// Checks all rules except the length of the ARN.
///
/// # Errors
/// With the first broken rule.
pub(crate) fn check(name: &str) -> Result<(), ValidationError> {
    let broken = |why: String| ValidationError::new("name", format!("the name `{name}` {why}"));
    let path = name.strip_prefix('/').unwrap_or(name);
    let first = path.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let fits = |character: char| character.is_ascii_alphanumeric() || "_.-/".contains(character);
    if !name.starts_with('/') {
        Err(broken("does not begin with `/`".into()).hint("begin `prefix` with `/`"))
    } else if let Some(odd) = name.chars().find(|character| !fits(*character)) {
        Err(broken(format!(
            "has the character {odd:?}: only letters, digits, `_`, `.`, `-` and `/` are valid"
        )))
    } else if path.split('/').any(str::is_empty) {
        Err(broken("has nothing between two slashes".into()).hint("end `prefix` without `/`"))
    } else if let Some(reserved) = ["aws", "ssm"].iter().find(|word| first.starts_with(**word)) {
        Err(broken(format!(
            "begins with `{reserved}`, which is reserved for AWS"
        )))
    } else if path.split('/').count() > LEVELS {
        Err(broken(format!("has more than {LEVELS} levels")))
    } else {
        Ok(())
    }
}

/// Checks the length of the ARN, which depends on the region.
///
/// # Errors
/// When it is too long.
pub(crate) fn check_length(target: &AwsTarget, name: &str) -> Result<(), ValidationError> {
    if arn(target, name).len() > ARN {
        let message = format!("its name is too long: the complete ARN may have {ARN} characters");
        return Err(ValidationError::new("name", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_ssms_rule() {
        for name in [
            "/a",
            "/cruddur/backend-flask/AWS_ACCESS_KEY_ID",
            "/a.b/c-d/e_f",
            "/my-aws/x",
            &"/l".repeat(15),
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for (name, why) in [
            ("a/b", "does not begin with `/`"),
            ("/a//b", "has nothing between two slashes"),
            ("/a/", "has nothing between two slashes"),
            ("/", "has nothing between two slashes"),
            ("/a b", "has the character ' '"),
            ("/a:1", "has the character ':'"),
            ("/ä", "has the character 'ä'"),
            ("/a\nb", r"has the character '\n'"),
            ("/aws/x", "begins with `aws`"),
            ("/awsTest", "begins with `aws`"),
            ("/SSM-t/x", "begins with `ssm`"),
            (&"/l".repeat(16), "has more than 15 levels"),
        ] {
            let error = check(name).expect_err(name);
            assert!(error.message.contains(why), "{name}: {}", error.message);
        }
    }

    #[test]
    fn the_complete_arn_counts() {
        let target = AwsTarget {
            account: "123456789012".into(),
            region: "us-east-2".into(),
        };
        assert_eq!(
            arn(&target, "/a/b"),
            "arn:aws:ssm:us-east-2:123456789012:parameter/a/b"
        );
        // 44 characters come before the name's slash.
        let fits = format!("/{}", "a".repeat(1011 - 44 - 1));
        assert_eq!(check_length(&target, &fits), Ok(()));
        assert!(check_length(&target, &format!("{fits}a")).is_err());
        let elsewhere = AwsTarget {
            region: "ap-southeast-2".into(),
            ..target
        };
        assert!(check_length(&elsewhere, &fits).is_err());
    }
}
