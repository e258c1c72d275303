//! What an image's manifest says: the platforms it was built for, or where that stands.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fmt;

/// What an image was built for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// `linux`
    pub os: String,
    /// `amd64`
    pub architecture: String,
}

/// A manifest, as far as it tells the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manifest {
    /// A list of images, one for each of these platforms.
    Index(Vec<Platform>),
    /// One image; its platform stands in the blob of this digest.
    Image {
        /// `sha256:…`
        config: String,
    },
}

impl Manifest {
    /// Reads a manifest, Docker's or OCI's.
    ///
    /// # Errors
    /// When it is neither an image nor a list of images.
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Value = serde_json::from_str(text).context("the manifest is no JSON")?;
        if let Some(entries) = manifest.get("manifests").and_then(Value::as_array) {
            let platforms = entries
                .iter()
                .filter_map(|entry| Platform::read(entry.get("platform")?));
            // What stands beside the images (provenance, signatures) has the platform unknown/unknown.
            return Ok(Manifest::Index(
                platforms.filter(|one| one.os != "unknown").collect(),
            ));
        }
        match manifest.pointer("/config/digest").and_then(Value::as_str) {
            Some(digest) => Ok(Manifest::Image {
                config: digest.to_owned(),
            }),
            None => bail!("the manifest is neither an image's nor a list of images"),
        }
    }
}

impl Platform {
    /// The platform that an image's configuration names.
    ///
    /// # Errors
    /// When it names none.
    pub fn of_config(config: &[u8]) -> Result<Self> {
        let config: Value = serde_json::from_slice(config).context("the image's configuration is no JSON")?;
        Platform::read(&config).context("the image's configuration names no platform")
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
