//! Image references, ECR's host names and tokens, and Docker's credential files.
//!
//! The credential files are our own code, not a library's: no crate writes them, none keeps the order
//! of look-up that Docker has, and Docker itself loses keys that it does not know.

mod credentials;
mod docker_config;
mod ecr;
mod helper;
mod manifest;
mod reference;

pub use credentials::Credentials;
pub use docker_config::{DockerConfig, Keeper, Stored, key_of, store};
pub use ecr::{EcrHost, Token};
pub use manifest::{Manifest, Platform};
pub use reference::{InvalidReference, Reference};
