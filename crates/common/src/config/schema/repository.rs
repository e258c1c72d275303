//! `[[repository]]`

use serde::Deserialize;

/// `[[repository]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// The repository's name, without the registry.
    pub name: String,
    /// The name under which `create-repository --export` prints the URI.
    pub export: Option<String>,
    /// Whether a tag can be moved; absent leaves it as it is (new repositories are MUTABLE).
    pub tag_mutability: Option<TagMutability>,
    /// Patterns of tags for which the opposite of `tag_mutability` holds.
    #[serde(default)]
    pub mutability_exclusions: Vec<String>,
    /// Whether images are scanned when they are pushed; absent leaves it as it is.
    pub scan_on_push: Option<bool>,
    /// How images are encrypted; set only at creation.
    pub encryption: Option<Encryption>,
    /// A JSON file with the lifecycle policy; absent leaves it as it is.
    pub lifecycle_policy: Option<String>,
    /// A JSON file with the repository policy; absent leaves it as it is.
    pub policy: Option<String>,
}

/// Whether a tag can be moved to another image.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum TagMutability {
    /// Tags can be moved.
    #[serde(rename = "MUTABLE")]
    Mutable,
    /// Tags cannot be moved.
    #[serde(rename = "IMMUTABLE")]
    Immutable,
}

/// `[[repository]] encryption`
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// The kind.
    pub r#type: EncryptionType,
    /// The KMS key, by ARN or id; absent means the AWS managed key for ECR.
    pub kms_key: Option<String>,
}

/// The kinds of encryption that ECR has.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum EncryptionType {
    /// With a key that S3 manages.
    #[serde(rename = "AES256")]
    Aes256,
    /// With a KMS key.
    #[serde(rename = "KMS")]
    Kms,
    /// Two layers, with a KMS key.
    #[serde(rename = "KMS_DSSE")]
    KmsDsse,
}

impl EncryptionType {
    /// The value in the ECR API.
    pub fn as_str(self) -> &'static str {
        match self {
            EncryptionType::Aes256 => "AES256",
            EncryptionType::Kms => "KMS",
            EncryptionType::KmsDsse => "KMS_DSSE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::path::Path;

    fn parse(line: &str) -> Result<Repository, String> {
        let text = format!("version = 1\napp = {{ name = \"x\" }}\n[[repository]]\nname = \"xx\"\n{line}\n");
        let config = Config::parse(Path::new("ops.toml"), &text).map_err(|error| format!("{error:#}"))?;
        config
            .schema
            .repository
            .first()
            .cloned()
            .ok_or_else(|| "no table".into())
    }

    #[test]
    fn knows_ecrs_kinds_of_encryption() {
        for kind in [
            EncryptionType::Aes256,
            EncryptionType::Kms,
            EncryptionType::KmsDsse,
        ] {
            let line = format!("encryption = {{ type = \"{}\" }}", kind.as_str());
            let encryption = parse(&line).unwrap().encryption.unwrap();
            assert_eq!((encryption.r#type, encryption.kms_key), (kind, None));
        }
        for (line, words) in [
            (
                "encryption = \"KMS\"",
                "5:14`: invalid type: string, expected struct Encryption",
            ),
            ("encryption = { kms_key = \"k\" }", "5:14`: missing key `type`"),
            (
                "encryption = { type = \"AES\" }",
                "5:23`: unknown variant, expected one of `AES256`, `KMS`, `KMS_DSSE`",
            ),
            (
                "encryption = { type = \"KMS\", key = \"k\" }",
                "5:30`: unknown key `key`, expected `type` or `kms_key`",
            ),
        ] {
            assert_eq!(
                parse(line).unwrap_err(),
                format!("failed to read config file `ops.toml:{words}")
            );
        }
    }
}
