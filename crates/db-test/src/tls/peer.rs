//! What a TLS handshake shows of the server.

use crate::tls::certificate::Certificate;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone, Debug, Default)]
pub(crate) struct PeerInfo {
    /// `TLSv1.3`; empty until the server has proved that it holds the key of its certificate.
    pub(crate) version: &'static str,
    /// The server's certificate, if it could be parsed.
    pub(crate) certificate: Option<Certificate>,
}

/// Written by the verifier, read by the code that runs the handshake.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedPeerInfo(Arc<Mutex<PeerInfo>>);

impl SharedPeerInfo {
    pub(crate) fn get(&self) -> PeerInfo {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut PeerInfo)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
