//! `ops.toml`, and the AWS configuration, identity and readable errors made from it.
//!
//! No typed client of a single service is here, because every tool would compile it. STS is the exception: `aws-config`
//! depends on it already.

pub mod aws;
pub mod config;
pub mod documents;
pub mod identity;
pub mod session;
