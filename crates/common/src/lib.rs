//! `ops.toml`, and the AWS configuration, identity and readable errors made from it.
//!
//! No typed client of a single service is here, because every tool would compile it.

pub mod aws;
pub mod config;
pub mod documents;
pub mod identity;
pub mod json;
pub mod session;
