//! The platforms that an image was built for, read from its manifest.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fmt;

/// The platform of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// `linux`
    pub os: String,
    /// `amd64`
    pub architecture: String,
}

/// The part of a manifest that leads to the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manifest {
    /// An index: one image for each of these platforms.
    Index(Vec<Platform>),
    /// One image. The configuration blob with this digest has its platform.
    Image {
        /// `sha256:…`
        config: String,
    },
}

impl Manifest {
    /// Parses a manifest of Docker's or OCI's format.
    ///
    /// # Errors
    /// When `text` is neither an image manifest nor an index.
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Value = serde_json::from_str(text).context("the manifest is not JSON")?;
        if let Some(entries) = manifest.get("manifests").and_then(Value::as_array) {
            let platforms = entries
                .iter()
                .filter_map(|entry| Platform::read(entry.get("platform")?));
            // Attestations (provenance, signatures) have the platform unknown/unknown.
            return Ok(Manifest::Index(
                platforms.filter(|one| one.os != "unknown").collect(),
            ));
        }
        match manifest.pointer("/config/digest").and_then(Value::as_str) {
            Some(digest) => Ok(Manifest::Image {
                config: digest.to_owned(),
            }),
            None => bail!("the manifest is neither an image manifest nor an index"),
        }
    }
}

impl Platform {
    /// The platform in an image's configuration.
    ///
    /// # Errors
    /// When the configuration has no platform.
    pub fn of_config(config: &[u8]) -> Result<Self> {
        let config: Value =
            serde_json::from_slice(config).context("the image's configuration is not JSON")?;
        Platform::read(&config).context("the image's configuration has no platform")
    }

    fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        Some(Platform {
            os: text("os")?.to_owned(),
            architecture: text("architecture")?.to_owned(),
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn platform(os: &str, architecture: &str) -> Platform {
        Platform {
            os: os.into(),
            architecture: architecture.into(),
        }
    }

    #[test]
    fn a_list_names_the_platforms_and_an_image_its_configuration() {
        let index = json!({"schemaVersion": 2, "manifests": [
            {"digest": "sha256:a", "platform": {"os": "linux", "architecture": "amd64"}},
            {"digest": "sha256:b", "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
            {"digest": "sha256:c", "platform": {"os": "unknown", "architecture": "unknown"}},
            {"digest": "sha256:d"},
        ]});
        assert_eq!(
            Manifest::parse(&index.to_string()).unwrap(),
            Manifest::Index(vec![platform("linux", "amd64"), platform("linux", "arm64")])
        );
        let image = json!({"schemaVersion": 2, "config": {"digest": "sha256:e", "size": 1}, "layers": []});
        assert_eq!(
            Manifest::parse(&image.to_string()).unwrap(),
            Manifest::Image {
                config: "sha256:e".into()
            }
        );
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"schemaVersion": 1, "architecture": "amd64"}"#,
            r#"{"config": {}}"#,
        ] {
            assert!(Manifest::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_configuration_names_one_platform() {
        let config = br#"{"architecture": "arm64", "os": "linux", "variant": "v8"}"#;
        assert_eq!(Platform::of_config(config).unwrap().to_string(), "linux/arm64");
        for config in [&b"{}"[..], b"", b"\xff", br#"{"os": "", "architecture": "x"}"#] {
            assert!(Platform::of_config(config).is_err());
        }
    }
}
