//! Agrees with the server on TLS.
//!
//! The driver would do it, but knows only three of libpq's modes, takes any answer but `S` for a no, and tells
//! nothing. So it is told that TLS begins at once, and what it then asks for is done here.

use crate::attempt::Event;
use crate::trust::{self, Trust};
use crate::verifier::{Seen, Sight, Verifier, seen};
use crate::watch::{NotPostgres, Watch};
use crate::wire::Wire;
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
use std::sync::mpsc::Sender;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// No TLS.
    Plain,
    /// TLS if it can.
    Offer,
    /// TLS.
    Need,
    /// TLS at once, without asking.
    Direct,
}

/// `SSLRequest`, as the protocol numbers it: a length of 8, and 1234 5679.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What a server has to be told when TLS begins without asking.
const ALPN: &[u8] = b"postgresql";

/// Why there is no TLS.
#[derive(Debug)]
pub(crate) enum NegotiationError {
    /// The server has none.
    NotOffered,
    /// It answered with an error of its own.
    Refused,
    /// It closed the connection instead of answering.
    Closed,
    NotPostgres(NotPostgres),
    Socket(io::Error),
    /// The handshake failed, or the certificate was not accepted.
    Handshake {
        error: io::Error,
        seen: Box<Seen>,
    },
}

impl fmt::Display for NegotiationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NegotiationError::NotOffered => formatter.write_str("the server does not support TLS"),
            NegotiationError::Refused => {
                formatter.write_str("the server answered the request for TLS with an error")
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

/// Makes a connected socket ready for the login.
pub(crate) struct Negotiator {
    way: Way,
    tls: Option<Tls>,
    require_auth: Option<RequiredAuth>,
    events: Sender<Event>,
}

/// What a handshake takes.
#[derive(Clone)]
struct Tls {
    connector: MakeRustlsConnect,
    /// The server's name or address, as rustls takes it.
    name: String,
    sight: Sight,
}

impl Negotiator {
    /// One without TLS.
    pub(crate) fn plain(info: &ConnInfo, events: Sender<Event>) -> Self {
        Negotiator {
            way: Way::Plain,
            tls: None,
            require_auth: info.require_auth.clone(),
            events,
        }
    }

    /// One with TLS for `host`, which is at `ip`.
    ///
    /// # Errors
    /// When rustls and its cryptography don't fit together.
    pub(crate) fn new(
        way: Way,
        info: &ConnInfo,
        trust: Option<Arc<Trust>>,
        (host, ip): (&str, IpAddr),
        events: Sender<Event>,
    ) -> Result<Self, rustls::Error> {
        let sight = Sight::default();
        let provider = ring::default_provider();
        let verifier = Verifier {
            algorithms: provider.signature_verification_algorithms,
            check: trust::check(info.ssl_mode, trust.is_some()),
            trust,
            host: host.to_owned(),
            sight: Arc::clone(&sight),
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
            way,
            tls: Some(Tls {
                connector: MakeRustlsConnect::new(config),
                // A name that no certificate can hold, one with a zone say, is no hindrance where names don't count.
                name: match ServerName::try_from(host) {
                    Ok(_) => host.to_owned(),
                    Err(_) => ip.to_string(),
                },
                sight,
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
    type Stream = Wire;
    type TlsConnect = Negotiation;
    type Error = Infallible;

    /// The driver asks for this when the socket is connected.
    fn make_tls_connect(&mut self, _host: &str) -> Result<Negotiation, Infallible> {
        let _ = self.events.send(Event::connected());
        Ok(Negotiation {
            way: self.way,
            tls: self.tls.clone(),
            require_auth: self.require_auth.clone(),
            events: self.events.clone(),
        })
    }
}

/// [`Negotiator`] for one socket.
pub(crate) struct Negotiation {
    way: Way,
    tls: Option<Tls>,
    require_auth: Option<RequiredAuth>,
    events: Sender<Event>,
}

impl TlsConnect<Socket> for Negotiation {
    type Stream = Wire;
    type Error = NegotiationError;
    type Future = Pin<Box<dyn Future<Output = Result<Wire, NegotiationError>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(self.run(socket))
    }
}

impl Negotiation {
    async fn run(self, mut socket: Socket) -> Result<Wire, NegotiationError> {
        let watch = Watch::new(self.events.clone(), self.require_auth);
        let encrypts = match self.way {
            Way::Plain => false,
            Way::Direct => true,
            Way::Offer | Way::Need => ask(&mut socket, self.way == Way::Need).await?,
        };
        let Some(mut tls) = self.tls.filter(|_| encrypts) else {
            let _ = self.events.send(Event::unencrypted());
            return Ok(Wire::plain(socket, watch));
        };
        let failed = |error: io::Error| NegotiationError::Handshake {
            error,
            seen: Box::new(seen(&tls.sight)),
        };
        let Ok(connect) =
            <MakeRustlsConnect as MakeTlsConnect<Socket>>::make_tls_connect(&mut tls.connector, &tls.name);
        let session = connect.connect(socket).await.map_err(failed)?;
        let _ = self.events.send(Event::encrypted(seen(&tls.sight)));
        Ok(Wire::encrypted(session, watch))
    }
}

/// Whether the server has TLS.
async fn ask(socket: &mut Socket, needs_it: bool) -> Result<bool, NegotiationError> {
    socket
        .write_all(&SSL_REQUEST)
        .await
        .map_err(NegotiationError::Socket)?;
    // One byte and no more: what a server sends before the handshake does not count as said in it.
    let mut answer = [0];
    match socket.read(&mut answer).await {
        Ok(0) => Err(NegotiationError::Closed),
        Ok(_) => match answer {
            [b'S'] => Ok(true),
            [b'N'] if needs_it => Err(NegotiationError::NotOffered),
            [b'N'] => Ok(false),
            [b'E'] => Err(NegotiationError::Refused),
            [other] => Err(NegotiationError::NotPostgres(NotPostgres(other))),
        },
        Err(error) => Err(NegotiationError::Socket(error)),
    }
}
