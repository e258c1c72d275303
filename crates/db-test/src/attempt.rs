//! One attempt to connect to one endpoint. It runs in its own thread: the driver's timeout covers only connecting the
//! socket, and a server that accepts the connection and stays silent would block for ever. After the deadline the
//! thread is abandoned, and ends with the process.

use crate::connect_error::ConnectError;
use crate::deadline::Deadline;
use crate::driver_error;
use crate::endpoint::Endpoint;
use crate::event::{EventKind, EventSender};
use crate::hints::Context;
use crate::login::Login;
use crate::progress::Progress;
use crate::session::{self, Session};
use crate::stages::{Stage, StageLog};
use crate::tls::mode::TlsMode;
use crate::tls::negotiator::Negotiator;
use std::sync::mpsc::{RecvTimeoutError, channel};

/// Connects to `endpoint`, and logs each stage that it passes. Gives up at `deadline`.
///
/// # Errors
/// Why it failed. The caller logs it, since only the caller has all of its context.
pub(crate) fn run(
    login: &Login<'_>,
    endpoint: &Endpoint,
    mode: TlsMode,
    deadline: &Deadline,
    context: &Context<'_>,
    log: &mut StageLog<'_>,
) -> Result<Session, Box<ConnectError>> {
    let (sender, receiver) = channel();
    let events = EventSender(sender);
    let config = login.driver_config(endpoint);
    let negotiator = negotiator(login, endpoint, mode, events.clone())
        .map_err(|error| Box::new(ConnectError::of_tls_config(&error, context)))?;
    let mut progress = Progress::new(login, endpoint, mode);
    let encoding = login.info.client_encoding.clone();
    let thread = std::thread::Builder::new().spawn(move || {
        let result = connect(&config, negotiator, encoding.as_deref(), &events);
        events.send(EventKind::Ended(result));
    });
    if thread.is_err() {
        return Err(Box::new(ConnectError::internal(progress.stage)));
    }
    loop {
        let event = receiver
            .recv_timeout(deadline.remaining())
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => {
                    let took = progress.stage_start.elapsed();
                    Box::new(ConnectError::of_timeout(progress.stage, deadline, took, context))
                }
                RecvTimeoutError::Disconnected => Box::new(ConnectError::internal(progress.stage)),
            })?;
        let took = event.at.saturating_duration_since(progress.stage_start);
        match event.kind {
            EventKind::Connected => progress.connected(event.at, took, log),
            EventKind::Unencrypted => progress.unencrypted(event.at, took, log),
            EventKind::Encrypted(peer) => progress.encrypted(event.at, took, &peer, log),
            EventKind::AuthRequested(method) => progress.login_state.request = Some(method),
            EventKind::AuthResponded => progress.login_state.has_responded = true,
            EventKind::LoggedIn(method) => {
                progress.login_state.is_accepted = true;
                progress.accepted = Some((event.at, method));
            }
            EventKind::Ready => progress.ready(event.at, log),
            EventKind::Ended(Ok(session)) => return progress.finish(session, took, log),
            EventKind::Ended(Err(error)) => {
                let mut error = driver_error::translate(
                    &error,
                    progress.stage,
                    progress.login_state,
                    login.info,
                    context,
                );
                // The server accepted the login, and refused the session after it.
                if error.stage == Stage::Query
                    && progress.stage == Stage::Auth
                    && let Some((at, _)) = progress.accepted
                {
                    progress.ready(at, log);
                }
                error.took = Some(event.at.saturating_duration_since(progress.stage_start));
                error.was_encrypted = progress.session.tls.is_some();
                return Err(Box::new(error));
            }
        }
    }
}

fn negotiator(
    login: &Login<'_>,
    endpoint: &Endpoint,
    mode: TlsMode,
    events: EventSender,
) -> Result<Negotiator, rustls::Error> {
    match (endpoint, mode) {
        (Endpoint::Socket { .. }, _) | (_, TlsMode::Disabled) => Ok(Negotiator::plain(login.info, events)),
        (Endpoint::Tcp { host, address }, mode) => Negotiator::new(
            mode,
            login.info,
            login.trust.clone(),
            (host, address.ip()),
            events,
        ),
    }
}

/// Runs in the thread.
fn connect(
    config: &postgres::Config,
    negotiator: Negotiator,
    encoding: Option<&str>,
    events: &EventSender,
) -> Result<Session, postgres::Error> {
    let mut client = config.connect(negotiator)?;
    events.send(EventKind::Ready);
    client.simple_query("select 1")?;
    let session = session::describe(&mut client).unwrap_or_default();
    // The driver always starts with UTF8. Last, because it could not read texts in another encoding.
    if let Some(encoding) = encoding {
        session::set_encoding(&mut client, encoding)?;
    }
    // The query has been answered: an error at closing does not change the result.
    let _ = client.close();
    Ok(session)
}
