//! Negotiates TLS with the server.
//!
//! The driver implements only three of libpq's modes, treats any answer but `S` as a refusal, and reports no
//! progress. So it is configured for direct TLS (`Login::driver_config`), and the `MakeTlsConnect` that it then calls
//! does the negotiation.

use crate::auth_sniffer::{AuthSniffer, NotPostgres};
use crate::event::{EventKind, EventSender};
use crate::stream::SniffedStream;
use crate::tls::mode::TlsMode;
use crate::tls::peer::{PeerInfo, SharedPeerInfo};
use crate::tls::trust_store::{TrustStore, Verification};
use crate::tls::verifier::Verifier;
use conninfo::{ConnInfo, RequiredAuth, TlsVersion};
use postgres::Socket;
use postgres::tls::{MakeTlsConnect, TlsConnect};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres_rustls::MakeRustlsConnect;

/// `SSLRequest`: the length, 8, and the code 1234 5679.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The protocol name that PostgreSQL requires for direct TLS.
const ALPN: &[u8] = b"postgresql";

#[derive(Debug)]
pub(crate) enum NegotiationError {
    /// The server does not support TLS.
    NotOffered,
    /// The server responded with an `ErrorResponse`. Like libpq, this does not show its text: it is not
    /// authenticated.
    Refused,
    /// The server closed the connection instead of responding.
    Closed,
    NotPostgres(NotPostgres),
    Socket(io::Error),
    /// The handshake failed, or the certificate was not accepted.
    Handshake {
        error: io::Error,
        peer: Box<PeerInfo>,
    },
}

impl fmt::Display for NegotiationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NegotiationError::NotOffered => formatter.write_str("the server does not support TLS"),
            NegotiationError::Refused => {
                formatter.write_str("the server responded to the TLS request with an error")
            }
            NegotiationError::Closed => formatter.write_str("the server closed the connection"),
            NegotiationError::NotPostgres(error) => error.fmt(formatter),
            NegotiationError::Socket(error) | NegotiationError::Handshake { error, .. } => {
                error.fmt(formatter)
            }
        }
    }
}

impl std::error::Error for NegotiationError {}

/// Turns connected sockets into streams that are ready for the login.
pub(crate) struct Negotiator {
    mode: TlsMode,
    tls: Option<Tls>,
    require_auth: Option<RequiredAuth>,
    events: EventSender,
}

#[derive(Clone)]
struct Tls {
    connector: MakeRustlsConnect,
    /// The server's name or address, in a form that rustls accepts.
    name: String,
    peer: SharedPeerInfo,
}

impl Negotiator {
    /// A negotiator without TLS.
    pub(crate) fn plain(info: &ConnInfo, events: EventSender) -> Self {
        Negotiator {
            mode: TlsMode::Disabled,
            tls: None,
            require_auth: info.require_auth.clone(),
            events,
        }
    }

    /// A negotiator with TLS, for `host` at the address `ip`.
    ///
    /// # Errors
    /// When rustls rejects the configuration.
    pub(crate) fn new(
        mode: TlsMode,
        info: &ConnInfo,
        trust: Option<Arc<TrustStore>>,
        (host, ip): (&str, IpAddr),
        events: EventSender,
    ) -> Result<Self, rustls::Error> {
        let peer = SharedPeerInfo::default();
        let provider = ring::default_provider();
        let verifier = Verifier {
            algorithms: provider.signature_verification_algorithms,
            verification: Verification::of(info.ssl_mode, trust.is_some()),
            trust,
            host: host.to_owned(),
            peer: peer.clone(),
        };
        let versions: Vec<_> = [(TlsVersion::Tls12, &TLS12), (TlsVersion::Tls13, &TLS13)]
            .into_iter()
            .filter(|(version, _)| is_allowed(*version, info))
            .map(|(_, supported)| supported)
            .collect();
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&versions)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.enable_sni = info.ssl_sni;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Negotiator {
            mode,
            tls: Some(Tls {
                connector: MakeRustlsConnect::new(config),
                // rustls rejects names that no certificate can hold, addresses with a zone for example; they matter
                // only when names are verified.
                name: match ServerName::try_from(host) {
                    Ok(_) => host.to_owned(),
                    Err(_) => ip.to_string(),
                },
                peer,
            }),
            require_auth: info.require_auth.clone(),
            events,
        })
    }
}

fn is_allowed(version: TlsVersion, info: &ConnInfo) -> bool {
    match version {
        TlsVersion::Tls12 => info.ssl_min_version != Some(TlsVersion::Tls13),
        TlsVersion::Tls13 => info.ssl_max_version != Some(TlsVersion::Tls12),
    }
}

impl MakeTlsConnect<Socket> for Negotiator {
    type Stream = SniffedStream;
    type TlsConnect = Negotiation;
    type Error = Infallible;

    /// The driver calls this when the socket is connected.
    fn make_tls_connect(&mut self, _host: &str) -> Result<Negotiation, Infallible> {
        self.events.send(EventKind::Connected);
        Ok(Negotiation {
            mode: self.mode,
            tls: self.tls.clone(),
            require_auth: self.require_auth.clone(),
            events: self.events.clone(),
        })
    }
}

/// The negotiation on one socket.
pub(crate) struct Negotiation {
    mode: TlsMode,
    tls: Option<Tls>,
    require_auth: Option<RequiredAuth>,
    events: EventSender,
}

impl TlsConnect<Socket> for Negotiation {
    type Stream = SniffedStream;
    type Error = NegotiationError;
    type Future = Pin<Box<dyn Future<Output = Result<SniffedStream, NegotiationError>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(self.run(socket))
    }
}

impl Negotiation {
    async fn run(self, mut socket: Socket) -> Result<SniffedStream, NegotiationError> {
        let sniffer = AuthSniffer::new(self.events.clone(), self.require_auth);
        let encrypts = match self.mode {
            TlsMode::Disabled => false,
            TlsMode::Direct => true,
            TlsMode::Preferred => request_tls(&mut socket).await?,
            TlsMode::Required if request_tls(&mut socket).await? => true,
            TlsMode::Required => return Err(NegotiationError::NotOffered),
        };
        let Some(mut tls) = self.tls.filter(|_| encrypts) else {
            self.events.send(EventKind::Unencrypted);
            return Ok(SniffedStream::plain(socket, sniffer));
        };
        let failed = |error: io::Error| NegotiationError::Handshake {
            error,
            peer: Box::new(tls.peer.get()),
        };
        let Ok(connect) =
            <MakeRustlsConnect as MakeTlsConnect<Socket>>::make_tls_connect(&mut tls.connector, &tls.name);
        let session = connect.connect(socket).await.map_err(failed)?;
        self.events.send(EventKind::Encrypted(Box::new(tls.peer.get())));
        Ok(SniffedStream::encrypted(session, sniffer))
    }
}

/// Sends an `SSLRequest`. Whether the server agrees to TLS.
async fn request_tls(socket: &mut Socket) -> Result<bool, NegotiationError> {
    socket
        .write_all(&SSL_REQUEST)
        .await
        .map_err(NegotiationError::Socket)?;
    // Exactly one byte: anything sent before the handshake is not protected by it (CVE-2021-23222).
    let mut answer = [0];
    match socket.read(&mut answer).await {
        Ok(0) => Err(NegotiationError::Closed),
        Ok(_) => match answer {
            [b'S'] => Ok(true),
            [b'N'] => Ok(false),
            [b'E'] => Err(NegotiationError::Refused),
            [other] => Err(NegotiationError::NotPostgres(NotPostgres(other))),
        },
        Err(error) => Err(NegotiationError::Socket(error)),
    }
}
