//! TLS with libpq's rules: modes, trusted certificates, verification, negotiation.

pub(crate) mod certificate;
pub(crate) mod mode;
pub(crate) mod negotiator;
pub(crate) mod peer;
pub(crate) mod trust_store;
pub(crate) mod verifier;
