//! One try to connect to one place, in a thread of its own: the driver's limit ends with the connected socket, and a
//! server that takes the connection and says nothing would hold it up for ever. A thread that is out of time is left
//! alone, and ends with the process.

use crate::fault::{Context, Fault};
use crate::limit::Limit;
use crate::negotiation::{Negotiator, Way};
use crate::places::Place;
use crate::progress::Progress;
use crate::session::{self, Session};
use crate::stages::{Journal, Stage};
use crate::trust::Trust;
use crate::verifier::Seen;
use conninfo::{ChannelBinding, ConnInfo, SessionAttrs};
use postgres::config::{self as driver, SslNegotiation};
use secrecy::ExposeSecret;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Instant;

/// Something that happened in the thread.
pub(crate) struct Event {
    pub(crate) at: Instant,
    pub(crate) what: What,
}

pub(crate) enum What {
    /// The socket is connected.
    Connected,
    /// The server has no TLS, or was not asked.
    Unencrypted,
    Encrypted(Box<Seen>),
    /// The server has accepted the login, done in this way.
    Accepted(&'static str),
    /// The session can be used.
    Ready,
    Ended(Result<Session, postgres::Error>),
}

impl Event {
    fn now(what: What) -> Self {
        Event {
            at: Instant::now(),
            what,
        }
    }

    pub(crate) fn connected() -> Self {
        Self::now(What::Connected)
    }

    pub(crate) fn unencrypted() -> Self {
        Self::now(What::Unencrypted)
    }

    pub(crate) fn encrypted(seen: Seen) -> Self {
        Self::now(What::Encrypted(Box::new(seen)))
    }

    pub(crate) fn accepted(method: &'static str) -> Self {
        Self::now(What::Accepted(method))
    }
}

/// What all tries have in common.
pub(crate) struct Login<'a> {
    pub(crate) info: &'a ConnInfo,
    pub(crate) user: &'a str,
    pub(crate) trust: Option<Arc<Trust>>,
    /// What the session has to be like. May ask for less than the connection string.
    pub(crate) attrs: SessionAttrs,
}

/// Connects to `place`, and notes each stage in the journal. Gives up at `limit`.
///
/// # Errors
/// With what went wrong. It has not been noted yet: the caller may know more of it.
pub(crate) fn run(
    login: &Login<'_>,
    place: &Place,
    way: Way,
    limit: &Limit,
    context: &Context<'_>,
    journal: &mut Journal<'_>,
) -> Result<Session, Box<Fault>> {
    let (events, happened) = channel();
    let config = config(login, place);
    let negotiator = negotiator(login, place, way, events.clone())
        .map_err(|error| Box::new(Fault::of_rustls(Stage::Tls, &error, context)))?;
    let mut progress = Progress::new(login, place, way);
    let thread = std::thread::Builder::new().spawn(move || {
        let result = talk(&config, negotiator, &events);
        // Nobody listens any more when the time is up.
        let _ = events.send(Event::now(What::Ended(result)));
    });
    if thread.is_err() {
        return Err(Box::new(Fault::lost_thread(progress.stage)));
    }
    loop {
        let event = match happened.recv_timeout(limit.left()) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => {
                let took = progress.mark.elapsed();
                return Err(Box::new(Fault::silent(progress.stage, limit, took, context)));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Box::new(Fault::lost_thread(progress.stage)));
            }
        };
        let took = event.at.saturating_duration_since(progress.mark);
        match event.what {
            What::Connected => progress.connected(event.at, took, journal),
            What::Unencrypted => progress.unencrypted(event.at, took, journal),
            What::Encrypted(seen) => progress.encrypted(event.at, took, &seen, journal),
            What::Accepted(method) => progress.accepted = Some((event.at, method)),
            What::Ready => progress.logged_in(event.at, journal),
            What::Ended(Ok(session)) => return progress.done(session, took, journal),
            What::Ended(Err(error)) => {
                let is_accepted = progress.accepted.is_some();
                let mut fault = Fault::of_driver(&error, progress.stage, is_accepted, context);
                // The login went well, and what came after it did not.
                if fault.stage == Stage::Query
                    && progress.stage == Stage::Auth
                    && let Some((at, _)) = progress.accepted
                {
                    progress.logged_in(at, journal);
                }
                fault.took = Some(event.at.saturating_duration_since(progress.mark));
                fault.was_encrypted = progress.session.tls.is_some();
                return Err(Box::new(fault));
            }
        }
    }
}

fn config(login: &Login<'_>, place: &Place) -> postgres::Config {
    let info = login.info;
    let mut config = postgres::Config::new();
    config.user(login.user);
    if let Some(password) = &info.password {
        config.password(password.expose_secret());
    }
    if let Some(dbname) = &info.dbname {
        config.dbname(dbname);
    }
    if let Some(options) = &info.options {
        config.options(options);
    }
    config.application_name(info.application_name.as_deref().unwrap_or("db-test"));
    config.channel_binding(match info.channel_binding {
        ChannelBinding::Disable => driver::ChannelBinding::Disable,
        ChannelBinding::Prefer => driver::ChannelBinding::Prefer,
        ChannelBinding::Require => driver::ChannelBinding::Require,
    });
    match place {
        Place::Address { host, address } => {
            config.host(host).port(address.port());
            // An address with a zone has no other form than its name.
            if !matches!(address, SocketAddr::V6(address) if address.scope_id() != 0) {
                config.hostaddr(address.ip());
            }
            // In this order the driver hands over the socket as it is, and `Negotiation` does the rest.
            config
                .ssl_mode(driver::SslMode::Require)
                .ssl_negotiation(SslNegotiation::Direct);
        }
        Place::Socket { folder, port } => {
            config
                .host_path(folder)
                .port(*port)
                .ssl_mode(driver::SslMode::Disable);
        }
    }
    config
}

fn negotiator(
    login: &Login<'_>,
    place: &Place,
    way: Way,
    events: Sender<Event>,
) -> Result<Negotiator, rustls::Error> {
    match (place, way) {
        (Place::Socket { .. }, _) | (_, Way::Plain) => Ok(Negotiator::plain(login.info, events)),
        (Place::Address { host, address }, way) => {
            Negotiator::new(way, login.info, login.trust.clone(), (host, address.ip()), events)
        }
    }
}

/// What the thread does.
fn talk(
    config: &postgres::Config,
    negotiator: Negotiator,
    events: &Sender<Event>,
) -> Result<Session, postgres::Error> {
    let mut client = config.connect(negotiator)?;
    let _ = events.send(Event::now(What::Ready));
    client.simple_query("select 1")?;
    let session = session::describe(&mut client).unwrap_or_default();
    // The answer is there; a goodbye that fails changes nothing about it.
    let _ = client.close();
    Ok(session)
}
