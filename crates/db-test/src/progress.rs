//! The progress of one attempt, and its stage lines.

use crate::connect_error::ConnectError;
use crate::driver_error::LoginState;
use crate::endpoint::Endpoint;
use crate::login::Login;
use crate::session::Session;
use crate::stages::{Stage, StageLog, Status};
use crate::tls::certificate::Certificate;
use crate::tls::mode::TlsMode;
use crate::tls::peer::PeerInfo;
use crate::tls::trust_store::Verification;
use conninfo::{ChannelBinding, SslMode};
use std::time::{Duration, Instant};

pub(crate) struct Progress<'a> {
    login: &'a Login<'a>,
    endpoint: &'a Endpoint,
    mode: TlsMode,
    label: String,
    pub(crate) stage: Stage,
    pub(crate) stage_start: Instant,
    pub(crate) login_state: LoginState,
    /// When the server accepted the login, and by which method.
    pub(crate) accepted: Option<(Instant, &'static str)>,
    pub(crate) session: Session,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(login: &'a Login<'a>, endpoint: &'a Endpoint, mode: TlsMode) -> Self {
        Progress {
            login,
            endpoint,
            mode,
            label: endpoint.label(),
            stage: Stage::Tcp,
            stage_start: Instant::now(),
            login_state: LoginState::default(),
            accepted: None,
            session: Session::default(),
        }
    }

    fn log(&self, log: &mut StageLog<'_>, status: Status, detail: &str, took: Option<Duration>) {
        log.add(self.stage, status, Some(&self.label), detail, took);
    }

    fn enter(&mut self, stage: Stage, at: Instant) {
        self.stage = stage;
        self.stage_start = at;
    }

    pub(crate) fn connected(&mut self, at: Instant, took: Duration, log: &mut StageLog<'_>) {
        self.log(log, Status::Ok, &self.label.clone(), Some(took));
        self.enter(Stage::Tls, at);
        if self.endpoint.is_socket() {
            self.log(log, Status::Skipped, "none: never used over a socket", None);
            self.enter(Stage::Auth, at);
        }
    }

    pub(crate) fn unencrypted(&mut self, at: Instant, took: Duration, log: &mut StageLog<'_>) {
        let mode = self.login.info.ssl_mode;
        let (why, took) = match (self.mode, mode) {
            (TlsMode::Preferred, _) => ("the server has no TLS", Some(took)),
            (_, SslMode::Prefer) => ("the attempt with TLS failed", None),
            (_, SslMode::Allow) => ("first without TLS", None),
            _ => ("TLS is not requested", None),
        };
        let detail = format!("NOT encrypted: {why} (sslmode={})", mode.as_str());
        self.log(log, Status::Skipped, &detail, took);
        self.enter(Stage::Auth, at);
    }

    pub(crate) fn encrypted(&mut self, at: Instant, took: Duration, peer: &PeerInfo, log: &mut StageLog<'_>) {
        self.session.tls = Some(peer.version);
        let mode = self.login.info.ssl_mode;
        let trust = self.login.trust.as_deref();
        let origin = trust.map_or("", |trust| trust.origin.as_str());
        let verified = match Verification::of(mode, trust.is_some()) {
            Verification::Nothing => format!("NOT verified (sslmode={})", mode.as_str()),
            Verification::Chain => format!("chain verified with {origin}, host name NOT verified"),
            Verification::ChainAndName => format!("chain and host name verified with {origin}"),
        };
        let certificate = peer.certificate.as_ref();
        let names = certificate.map_or(String::new(), |certificate| {
            let Certificate { subject, issuer, .. } = certificate;
            format!(", certificate `{subject}` issued by `{issuer}`")
        });
        let detail = format!("{}{names}, {verified}", peer.version);
        self.log(log, Status::Ok, &detail, Some(took));
        if self.login.info.channel_binding != ChannelBinding::Disable
            && certificate.is_some_and(Certificate::lacks_channel_binding)
        {
            log.warn(
                "libpq has no channel binding for this server's Ed25519 or Ed448 certificate: psql and psycopg need \
                 channel_binding=disable",
            );
        }
        self.enter(Stage::Auth, at);
    }

    pub(crate) fn ready(&mut self, at: Instant, log: &mut StageLog<'_>) {
        let took = at.saturating_duration_since(self.stage_start);
        self.session.login = self.accepted.map(|(_, method)| method);
        let method = self
            .session
            .login
            .map_or(String::new(), |method| format!(", {method}"));
        self.log(
            log,
            Status::Ok,
            &format!("user `{}`{method}", self.login.user),
            Some(took),
        );
        self.enter(Stage::Query, at);
    }

    pub(crate) fn finish(
        self,
        session: Session,
        took: Duration,
        log: &mut StageLog<'_>,
    ) -> Result<Session, Box<ConnectError>> {
        if !session.satisfies(self.login.attrs) {
            let mut error = ConnectError::wrong_server(self.login.attrs);
            error.took = Some(took);
            return Err(Box::new(error));
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
        self.log(log, Status::Ok, &detail, Some(took));
        Ok(Session {
            tls: self.session.tls,
            login: self.session.login,
            ..session
        })
    }
}
