//! How far a try has come, and the lines about it.

use crate::attempt::Login;
use crate::certificate::Certificate;
use crate::fault::Fault;
use crate::negotiation::Way;
use crate::places::Place;
use crate::session::Session;
use crate::stages::{Journal, Stage, Status};
use crate::trust::{self, Check};
use crate::verifier::Seen;
use conninfo::{ChannelBinding, SslMode};
use std::time::{Duration, Instant};

/// What is known so far of a try.
pub(crate) struct Progress<'a> {
    login: &'a Login<'a>,
    place: &'a Place,
    way: Way,
    label: String,
    /// When the current stage began.
    pub(crate) mark: Instant,
    pub(crate) stage: Stage,
    /// When and how the server accepted the login.
    pub(crate) accepted: Option<(Instant, &'static str)>,
    pub(crate) session: Session,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(login: &'a Login<'a>, place: &'a Place, way: Way) -> Self {
        Progress {
            login,
            place,
            way,
            label: place.label(),
            mark: Instant::now(),
            stage: Stage::Tcp,
            accepted: None,
            session: Session::default(),
        }
    }

    fn note(&self, journal: &mut Journal<'_>, status: Status, detail: &str, took: Option<Duration>) {
        journal.add(self.stage, status, Some(&self.label), detail, took);
    }

    fn enter(&mut self, stage: Stage, at: Instant) {
        self.stage = stage;
        self.mark = at;
    }

    pub(crate) fn connected(&mut self, at: Instant, took: Duration, journal: &mut Journal<'_>) {
        self.note(journal, Status::Ok, &self.label.clone(), Some(took));
        self.enter(Stage::Tls, at);
        if matches!(self.place, Place::Socket { .. }) {
            self.note(journal, Status::Skipped, "none: never used over a socket", None);
            self.enter(Stage::Auth, at);
        }
    }

    pub(crate) fn unencrypted(&mut self, at: Instant, took: Duration, journal: &mut Journal<'_>) {
        let mode = self.login.info.ssl_mode;
        let (why, took) = match (self.way, mode) {
            (Way::Offer, _) => ("the server has no TLS", Some(took)),
            (_, SslMode::Prefer) => ("it failed with TLS", None),
            (_, SslMode::Allow) => ("first without TLS", None),
            _ => ("TLS is not asked for", None),
        };
        let detail = format!("NOT encrypted: {why} (sslmode={})", mode.as_str());
        self.note(journal, Status::Skipped, &detail, took);
        self.enter(Stage::Auth, at);
    }

    pub(crate) fn encrypted(&mut self, at: Instant, took: Duration, seen: &Seen, journal: &mut Journal<'_>) {
        self.session.tls = Some(seen.version);
        let mode = self.login.info.ssl_mode;
        let trust = self.login.trust.as_deref();
        let origin = trust.map_or("", |trust| trust.origin.as_str());
        let verified = match trust::check(mode, trust.is_some()) {
            Check::Nothing => format!("NOT verified (sslmode={})", mode.as_str()),
            Check::Authority => format!("authority verified by {origin}, the name not"),
            Check::AuthorityAndName => format!("authority and name verified by {origin}"),
        };
        let certificate = seen.certificate.as_ref().map_or(String::new(), |certificate| {
            format!(
                ", certificate `{}` issued by `{}`",
                certificate.subject, certificate.issuer
            )
        });
        self.note(
            journal,
            Status::Ok,
            &format!("{}{certificate}, {verified}", seen.version),
            Some(took),
        );
        let certificate = seen.certificate.as_ref();
        if self.login.info.channel_binding != ChannelBinding::Disable
            && certificate.is_some_and(Certificate::has_no_digest)
        {
            journal.warn(
                "libpq can't bind a scram-sha-256 login to the Ed25519 or Ed448 certificate of this server: psql and \
                 psycopg need channel_binding=disable",
            );
        }
        self.enter(Stage::Auth, at);
    }

    pub(crate) fn logged_in(&mut self, at: Instant, journal: &mut Journal<'_>) {
        let took = at.saturating_duration_since(self.mark);
        self.session.login = self.accepted.map(|(_, method)| method);
        let method = self
            .session
            .login
            .map_or(String::new(), |method| format!(", {method}"));
        self.note(
            journal,
            Status::Ok,
            &format!("user `{}`{method}", self.login.user),
            Some(took),
        );
        self.enter(Stage::Query, at);
    }

    pub(crate) fn done(
        self,
        session: Session,
        took: Duration,
        journal: &mut Journal<'_>,
    ) -> Result<Session, Box<Fault>> {
        if !session.suits(self.login.attrs) {
            let mut fault = Fault::unsuited(self.login.attrs);
            fault.took = Some(took);
            return Err(Box::new(fault));
        }
        let mut detail = "select 1".to_owned();
        if let Some(version) = &session.version {
            detail += &format!(", PostgreSQL {version}");
        }
        detail += match (session.is_in_recovery, session.is_read_only) {
            (Some(true), _) => ", a standby",
            (_, Some(true)) => ", read-only",
            (_, Some(false)) => ", read-write",
            (_, None) => "",
        };
        self.note(journal, Status::Ok, &detail, Some(took));
        Ok(Session {
            tls: self.session.tls,
            login: self.session.login,
            ..session
        })
    }
}
