//! Image references, ECR's host names and tokens, image manifests, and Docker's credentials.
//!
//! Docker's configuration is read and written here and not by a crate: no crate writes it, none looks credentials up
//! in Docker's order, and the `docker` command itself removes keys that it does not know.

mod credential_store;
mod credentials;
mod docker_config;
mod ecr;
mod helper;
mod manifest;
mod members;
mod reference;

pub use credential_store::{CredentialStore, Stored, read_to_store, store};
pub use credentials::Credentials;
pub use docker_config::{DockerConfig, config_key};
pub use ecr::{EcrHost, Token};
pub use manifest::{Manifest, Platform};
pub use reference::{InvalidReference, Reference};
