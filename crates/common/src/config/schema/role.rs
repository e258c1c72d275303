//! `[roles.KEY]`

use super::ordered::Ordered;
use serde::Deserialize;

/// `[roles.KEY]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The role's name.
    pub name: String,
    /// IAM's path, which is part of the ARN and set only at creation [default: /].
    pub path: Option<String>,
    /// A JSON file with the trust policy.
    pub trust: String,
    /// Inline policies: name and JSON file.
    #[serde(default)]
    pub inline: Ordered<String>,
    /// ARNs of managed policies.
    #[serde(default)]
    pub managed: Vec<String>,
    /// The ARN of the managed policy that is the permissions boundary; absent leaves it as it is.
    pub permissions_boundary: Option<String>,
}

impl Role {
    /// The role's ARN, in the account and partition.
    pub fn arn(&self, partition: &str, account: &str) -> String {
        let path = self.path.as_deref().unwrap_or("/");
        format!("arn:{partition}:iam::{account}:role{path}{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_part_of_the_arn() {
        for (path, expected) in [
            (None, "arn:aws:iam::123456789012:role/X"),
            (Some("/"), "arn:aws:iam::123456789012:role/X"),
            (Some("/apps/web/"), "arn:aws:iam::123456789012:role/apps/web/X"),
        ] {
            let role = Role {
                name: "X".into(),
                path: path.map(str::to_owned),
                trust: String::new(),
                inline: Ordered::default(),
                managed: Vec::new(),
                permissions_boundary: None,
            };
            assert_eq!(role.arn("aws", "123456789012"), expected);
        }
    }
}
