//! From what the driver reports to a fault.

use super::{Context, Fault, Kind, reason};
use crate::hints;
use crate::negotiation::NegotiationError;
use crate::stages::Stage;
use crate::verifier::Seen;
use crate::watch::{NotAllowed, NotPostgres};
use postgres::error::DbError;
use std::error::Error;
use std::io::{self, ErrorKind};

impl Fault {
    /// What the driver reports, in `stage`. `is_accepted`: the login went well.
    pub(crate) fn of_driver(
        error: &postgres::Error,
        stage: Stage,
        is_accepted: bool,
        context: &Context<'_>,
    ) -> Self {
        if let Some(refusal) = error.as_db_error() {
            return Self::of_server(refusal, stage, is_accepted, context);
        }
        let cause = error.source();
        if let Some(error) = cause.and_then(|cause| cause.downcast_ref::<NegotiationError>()) {
            return Self::of_negotiation(error, context);
        }
        if let Some(error) = cause.and_then(|cause| cause.downcast_ref::<io::Error>()) {
            return Self::of_socket(error, stage, context);
        }
        if error.is_closed() {
            return Self::closed(stage);
        }
        let text = cause.map_or_else(|| error.to_string(), ToString::to_string);
        match text.as_str() {
            "password missing" => Fault::new(Stage::Auth, Kind::Final, "no-password", "no password supplied")
                .hinting(format!(
                    "the server asks for one: put it into the URL in ${}, or into PGPASSWORD; password files are not \
                     read",
                    context.variable
                )),
            "server did not use channel binding" => Fault::new(
                Stage::Auth,
                Kind::Final,
                "channel-binding",
                "channel binding is required, and the server did not use it",
            )
            .hinting("it takes TLS and a scram-sha-256 password; or write channel_binding=prefer".to_owned()),
            "unsupported authentication method" | "unsupported SASL mechanism" => {
                Fault::new(Stage::Auth, Kind::Final, "authentication-method", text).hinting(
                    "GSSAPI, SSPI, Kerberos and OAuth are not supported here: psql may still get in".to_owned(),
                )
            }
            _ => Fault::new(stage, Kind::Final, "protocol", text),
        }
    }

    fn of_server(error: &DbError, stage: Stage, is_accepted: bool, context: &Context<'_>) -> Self {
        let code = error.code().code();
        let mut message = error.message().to_owned();
        if let Some(detail) = error.detail() {
            message += &format!(" ({detail})");
        }
        // Some of the class come after the password was accepted; they are about the login all the same.
        let is_login = code.starts_with("28");
        let stage = match stage {
            Stage::Auth if is_accepted && !is_login => Stage::Query,
            Stage::Query => Stage::Query,
            _ => Stage::Auth,
        };
        let kind = match code {
            "57P03" => Kind::NotNow,
            _ if is_accepted => Kind::Final,
            _ => Kind::Refused,
        };
        let hint = hints::of_server(code, error.message(), context);
        Fault::new(stage, kind, code, message).hinting(hint)
    }

    fn of_negotiation(error: &NegotiationError, context: &Context<'_>) -> Self {
        let stage = Stage::Tls;
        match error {
            NegotiationError::NotOffered => Fault::new(stage, Kind::Final, "no-tls", error.to_string())
                .hinting(
                "switch TLS on at the server (ssl = on); sslmode=disable only over a network that you trust"
                    .to_owned(),
            ),
            NegotiationError::Refused => Fault::new(stage, Kind::Final, "tls-refused", error.to_string())
                .hinting(
                    "the server is out of memory or of connections, mostly: look into its log".to_owned(),
                ),
            NegotiationError::Closed => Self::closed(stage),
            NegotiationError::NotPostgres(error) => Self::of_stranger(*error, stage, context),
            NegotiationError::Socket(error) => Self::of_socket(error, stage, context),
            NegotiationError::Handshake { error, seen } => Self::of_handshake(error, seen, context),
        }
    }

    fn of_handshake(error: &io::Error, seen: &Seen, context: &Context<'_>) -> Self {
        let inner = error
            .get_ref()
            .and_then(|error| error.downcast_ref::<rustls::Error>());
        let (code, words) = match inner {
            Some(inner) => hints::of_tls(inner, seen.certificate.as_ref(), context),
            None => (
                "tls-handshake",
                hints::of_broken_handshake(&reason(error), is_end(error)),
            ),
        };
        Fault::new(Stage::Tls, Kind::Handshake, code, words.text).hinting(words.hint)
    }

    pub(super) fn of_socket(error: &io::Error, stage: Stage, context: &Context<'_>) -> Self {
        if let Some(stranger) = error
            .get_ref()
            .and_then(|error| error.downcast_ref::<NotPostgres>())
        {
            return Self::of_stranger(*stranger, stage, context);
        }
        if let Some(asked) = error
            .get_ref()
            .and_then(|error| error.downcast_ref::<NotAllowed>())
        {
            return Fault::new(Stage::Auth, Kind::Final, "require-auth", asked.to_string()).hinting(
                "no password was sent: look at pg_hba.conf and at the server's password_encryption, and whether this \
                 is the right server"
                    .to_owned(),
            );
        }
        if stage == Stage::Tcp {
            let code = match error.kind() {
                ErrorKind::ConnectionRefused => "connection-refused",
                ErrorKind::NotFound => "no-socket",
                ErrorKind::TimedOut => "no-answer",
                _ => "unreachable",
            };
            return Fault::new(stage, Kind::Unreachable, code, reason(error))
                .hinting(hints::of_connect(error.kind(), context));
        }
        if is_end(error) {
            return Self::closed(stage);
        }
        Fault::new(stage, Kind::Final, "protocol", reason(error))
    }

    fn of_stranger(error: NotPostgres, stage: Stage, context: &Context<'_>) -> Self {
        Fault::new(stage, Kind::Final, "not-postgresql", error.to_string())
            .hinting(hints::of_stranger(error, context))
    }

    fn closed(stage: Stage) -> Self {
        Fault::new(
            stage,
            Kind::Final,
            "closed",
            "the server closed the connection unexpectedly",
        )
        .hinting(
            "a load balancer or proxy without a server behind it does so, and a server that is out of connections or \
             memory"
                .to_owned(),
        )
    }
}

/// Whether the other side has gone.
fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
    ) || error.to_string() == "bytes remaining on stream" // The driver's words for an end within a message.
}
