//! The command line.

use crate::desired::Override;
use clap::Parser;
use cli::args::{CommonArgs, PlanArgs};
use registry::Reference;
use std::time::Duration;

/// Bring the images of ops.toml into the account's private ECR registry
///
/// Copies or builds each image, through the Docker engine, and pushes what ECR
/// does not have yet. It requests its own ECR login. Prints
/// REPOSITORY_URI@sha256:..., as read back from ECR, one line per image.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Names from [[image]] [default: all of them]
    pub(crate) names: Vec<String>,
    /// Copy image NAME from REF instead [default: $OPS_IMAGE_FROM]
    #[arg(long, value_name = "NAME=REF")]
    pub(crate) from: Vec<Override>,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    /// Another registry; ${ECR_REGISTRY} then stands for it
    #[arg(long, value_name = "HOST[:PORT]", value_parser = registry_host, help_heading = "Where")]
    pub(crate) registry: Option<String>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const HELP: &str = "\
--dry-run and --check pull and build on this machine, and send nothing to ECR.
The engine is that of $DOCKER_HOST, or of docker's current context.
$OPS_IMAGE_FROM is NAME=REF as well; several are separated by commas.
Logins for --registry, and for the registries that images come from, are those
of `docker login`. Plain HTTP is used with this machine only.

Examples:
  push-image                             all of ops.toml, in its order
  push-image backend-flask --check       is what would be built already there?
  push-image --from cruddur-python=python:3.11-slim
  uri=$(push-image -q backend-flask)

Permissions: ecr:GetAuthorizationToken on *; on the repositories
ecr:DescribeRepositories, ecr:BatchGetImage, ecr:BatchCheckLayerAvailability,
ecr:GetDownloadUrlForLayer, ecr:InitiateLayerUpload, ecr:UploadLayerPart,
ecr:CompleteLayerUpload, ecr:PutImage

Exit codes:
  0  done, or nothing to do
  1  differences under --check
  2  failed: usage, configuration, credentials, permission, network, engine,
     a build that fails
  3  not done within --timeout
  4  some images were pushed and others were not";

/// Parses the host of an image reference. Without a dot, a port or the name `localhost`, Docker would take it for a
/// namespace of Docker Hub.
fn registry_host(text: &str) -> Result<String, String> {
    match Reference::parse(&format!("{text}/x")) {
        Ok(parsed) if parsed.host == text && parsed.repository == "x" => Ok(text.to_owned()),
        _ => Err("write HOST or HOST:PORT, without a scheme and a path".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_a_host() {
        for text in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "registry.example.com",
            "r.example:443",
        ] {
            assert_eq!(registry_host(text).as_deref(), Ok(text));
        }
        for text in [
            "",
            "registry",
            "https://r.example",
            "r.example/x",
            "r.example:port",
            "a b.c",
        ] {
            assert!(registry_host(text).is_err(), "{text}");
        }
    }
}
