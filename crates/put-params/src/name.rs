//! What SSM takes as a parameter's name. Its own messages for these say "can't be prefixed with ssm",
//! whatever is wrong, so the rules are checked here and the real reason is told.

use crate::fault::Flaw;
use common::config::{AwsTarget, partition_of};

/// Levels of a hierarchy (PutParameter, `Name`).
const LEVELS: usize = 15;

/// Characters of a whole ARN (PutParameter, `Name`: "includes additional characters that are not part of
/// the name").
const ARN: usize = 1011;

/// The name of the entry `key` below `prefix`.
pub(crate) fn full(prefix: &str, key: &str) -> String {
    format!("{prefix}/{key}")
}

/// The ARN of the parameter `name`, which begins with a slash.
pub(crate) fn arn(place: &AwsTarget, name: &str) -> String {
    format!(
        "arn:{}:ssm:{}:{}:parameter{name}",
        partition_of(&place.region),
        place.region,
        place.account
    )
}

/// What is wrong with `name`, but for the length of its ARN.
pub(crate) fn flaw(name: &str) -> Option<Flaw> {
    let flaw = |why: String| Flaw::new("name", format!("the name `{name}` {why}"));
    let path = name.strip_prefix('/').unwrap_or(name);
    let first = path.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let fits = |character: char| character.is_ascii_alphanumeric() || "_.-/".contains(character);
    if !name.starts_with('/') {
        Some(flaw("does not begin with `/`".into()).hint("begin `prefix` with `/`"))
    } else if let Some(odd) = name.chars().find(|character| !fits(*character)) {
        Some(flaw(format!(
            "has the character {odd:?}: only letters, digits, `_`, `.`, `-` and `/` are taken"
        )))
    } else if path.split('/').any(str::is_empty) {
        Some(flaw("has nothing between two slashes".into()).hint("end `prefix` without `/`"))
    } else if let Some(reserved) = ["aws", "ssm"].iter().find(|word| first.starts_with(**word)) {
        Some(flaw(format!(
            "begins with `{reserved}`, which AWS keeps for itself"
        )))
    } else if path.split('/').count() > LEVELS {
        Some(flaw(format!("has more than {LEVELS} levels")))
    } else {
        None
    }
}

/// Whether `name` is too long in the region where it is to be stored.
pub(crate) fn length_flaw(place: &AwsTarget, name: &str) -> Option<Flaw> {
    (arn(place, name).len() > ARN).then(|| {
        Flaw::new(
            "name",
            format!("its name is too long: the whole ARN may have {ARN} characters"),
        )
    })
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
            assert_eq!(flaw(name), None, "{name}");
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
            let found = flaw(name).unwrap_or_else(|| panic!("`{name}` was taken"));
            assert!(found.message.contains(why), "{name}: {}", found.message);
        }
    }

    #[test]
    fn the_whole_arn_counts() {
        let place = AwsTarget {
            account: "123456789012".into(),
            region: "us-east-2".into(),
        };
        assert_eq!(
            arn(&place, "/a/b"),
            "arn:aws:ssm:us-east-2:123456789012:parameter/a/b"
        );
        // 44 characters come before the name's slash.
        let fits = format!("/{}", "a".repeat(1011 - 44 - 1));
        assert_eq!(length_flaw(&place, &fits), None);
        assert!(length_flaw(&place, &format!("{fits}a")).is_some());
        let elsewhere = AwsTarget {
            region: "ap-southeast-2".into(),
            ..place
        };
        assert!(length_flaw(&elsewhere, &fits).is_some());
    }
}
