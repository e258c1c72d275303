//! What the connecting thread reports to the thread that waits for it.

use crate::session::Session;
use crate::tls::peer::PeerInfo;
use conninfo::AuthMethod;
use std::sync::mpsc::Sender;
use std::time::Instant;

pub(crate) struct Event {
    pub(crate) at: Instant,
    pub(crate) kind: EventKind,
}

pub(crate) enum EventKind {
    /// The socket is connected.
    Connected,
    /// The connection goes on without TLS: the server has none, or was not asked for it.
    Unencrypted,
    Encrypted(Box<PeerInfo>),
    /// The server has asked the client to authenticate in this way.
    AuthRequested(AuthMethod),
    /// The client has responded to the request.
    AuthResponded,
    /// The server has accepted the login. The text describes the authentication method.
    LoggedIn(&'static str),
    /// The session is ready for queries.
    Ready,
    Ended(Result<Session, postgres::Error>),
}

#[derive(Clone)]
pub(crate) struct EventSender(pub(crate) Sender<Event>);

impl EventSender {
    /// After the deadline nothing receives events any more: a failure to send is no error.
    pub(crate) fn send(&self, kind: EventKind) {
        let _ = self.0.send(Event {
            at: Instant::now(),
            kind,
        });
    }
}
