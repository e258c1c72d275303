//! What a socket is connected to.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Tcp {
        /// The host as the connection string names it.
        host: String,
        address: SocketAddr,
    },
    Socket {
        directory: PathBuf,
        port: u16,
    },
}

impl Endpoint {
    /// `10.0.1.23:5432`, or the path of the socket.
    pub(crate) fn label(&self) -> String {
        match self {
            Endpoint::Tcp { address, .. } => address.to_string(),
            Endpoint::Socket { directory, port } => socket_path(directory, *port).display().to_string(),
        }
    }

    pub(crate) fn is_socket(&self) -> bool {
        matches!(self, Endpoint::Socket { .. })
    }
}

/// The Unix socket of the server on `port`, as PostgreSQL names it.
pub(crate) fn socket_path(directory: &Path, port: u16) -> PathBuf {
    directory.join(format!(".s.PGSQL.{port}"))
}
