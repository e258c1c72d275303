//! Translates the driver's errors.

use crate::auth_sniffer::{AuthNotAllowed, NotPostgres};
use crate::connect_error::{ConnectError, FailureClass, describe_io};
use crate::hints::{self, Context};
use crate::stages::Stage;
use crate::tls::negotiator::NegotiationError;
use crate::tls::peer::PeerInfo;
use crate::tls_hints;
use cli::ErrorKind;
use conninfo::{AuthMethod, ChannelBinding, ConnInfo};
use postgres::error::DbError;
use std::error::Error;
use std::io;

/// How far the login had come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LoginState {
    /// What the server asked for last.
    pub(crate) request: Option<AuthMethod>,
    pub(crate) has_responded: bool,
    pub(crate) is_accepted: bool,
}

/// The driver's error in `stage`.
pub(crate) fn translate(
    error: &postgres::Error,
    stage: Stage,
    state: LoginState,
    info: &ConnInfo,
    context: &Context<'_>,
) -> ConnectError {
    if let Some(error) = error.as_db_error() {
        return of_server(error, stage, state.is_accepted, context);
    }
    let cause = error.source();
    if let Some(error) = cause.and_then(|cause| cause.downcast_ref()) {
        return of_negotiation(error, context);
    }
    if let Some(error) = cause.and_then(|cause| cause.downcast_ref()) {
        return of_io(error, stage, context);
    }
    if error.is_closed() {
        return closed(stage);
    }
    let text = cause.map_or_else(|| error.to_string(), ToString::to_string);
    match of_authentication(state, info, &text, context) {
        Some(error) if stage == Stage::Auth => error,
        _ => ConnectError::new(stage, FailureClass::Fatal, "protocol", text).kind(ErrorKind::Unparseable),
    }
}

/// The driver refuses some requests before it responds to them, and exports no type for the reason. The reason is derived
/// from the request and the connection string, by the rules of the driver (`authenticate` in tokio-postgres).
fn of_authentication(
    state: LoginState,
    info: &ConnInfo,
    text: &str,
    context: &Context<'_>,
) -> Option<ConnectError> {
    use AuthMethod::{Gss, Md5, None as Trust, Oauth, Password, ScramSha256, Sspi};
    let has_password = info.password.is_some();
    let requires_binding = info.channel_binding == ChannelBinding::Require;
    let (code, message, hint) = match state.request? {
        _ if state.has_responded => return None,
        ScramSha256 if !has_password => no_password(context),
        Trust | Password | Md5 | ScramSha256 if requires_binding => (
            "channel-binding",
            "channel binding is required, and the server did not use it",
            "it requires TLS and a scram-sha-256 password; or set channel_binding=prefer".to_owned(),
        ),
        Password | Md5 if !has_password => no_password(context),
        Gss | Sspi | Oauth | ScramSha256 => (
            "authentication-method",
            text,
            "GSSAPI, SSPI, Kerberos and OAuth are not supported here: psql may still connect".to_owned(),
        ),
        Trust | Password | Md5 => return None,
    };
    let error = ConnectError::new(Stage::Auth, FailureClass::Fatal, code, message);
    Some(error.kind(ErrorKind::Credentials).hint(hint))
}

fn no_password(context: &Context<'_>) -> (&'static str, &'static str, String) {
    let hint = format!(
        "the server asks for a password: put it into the URL in ${}, or into PGPASSWORD; password files are not read",
        context.variable
    );
    ("no-password", "no password supplied", hint)
}

fn of_server(error: &DbError, stage: Stage, is_accepted: bool, context: &Context<'_>) -> ConnectError {
    let code = error.code().code();
    let mut message = error.message().to_owned();
    if let Some(detail) = error.detail() {
        message += &format!(" ({detail})");
    }
    // Class 28 is about the login, also where the server sends it after it has accepted the password.
    let is_login = code.starts_with("28");
    let stage = match stage {
        Stage::Auth if is_accepted && !is_login => Stage::Query,
        Stage::Query => Stage::Query,
        _ => Stage::Auth,
    };
    let class = match code {
        "57P03" => FailureClass::Unavailable,
        _ if is_accepted => FailureClass::Fatal,
        _ => FailureClass::Refused,
    };
    let hint = hints::of_server(code, error.message(), context);
    let mut result = ConnectError::new(stage, class, code, message)
        .kind(kind_of_sqlstate(code))
        .hint(hint);
    result.is_sqlstate = true;
    result
}

/// By the SQLSTATE or its class (PostgreSQL's manual, appendix A).
fn kind_of_sqlstate(code: &str) -> ErrorKind {
    match (code, code.get(..2)) {
        ("42501", _) => ErrorKind::Denied,
        (_, Some("28")) => ErrorKind::Credentials,
        (_, Some("3D")) => ErrorKind::NotFound,
        (_, Some("55")) => ErrorKind::Conflict,
        (_, Some("22" | "42")) => ErrorKind::Invalid,
        (_, Some("53" | "57" | "58" | "XX")) => ErrorKind::Service,
        _ => ErrorKind::Other,
    }
}

fn of_negotiation(error: &NegotiationError, context: &Context<'_>) -> ConnectError {
    let stage = Stage::Tls;
    let (code, kind, hint) = match error {
        NegotiationError::NotOffered => (
            "no-tls",
            ErrorKind::Conflict,
            "enable TLS on the server (ssl = on); use sslmode=disable only over a trusted network",
        ),
        NegotiationError::Refused => (
            "tls-refused",
            ErrorKind::Service,
            "likely the server is out of memory or connections: check its log",
        ),
        NegotiationError::Closed => return closed(stage),
        NegotiationError::NotPostgres(error) => return of_other_protocol(*error, stage, context),
        NegotiationError::Socket(error) => return of_io(error, stage, context),
        NegotiationError::Handshake { error, peer } => return of_handshake(error, peer, context),
    };
    ConnectError::new(stage, FailureClass::Fatal, code, error.to_string())
        .kind(kind)
        .hint(hint.to_owned())
}

fn of_handshake(error: &io::Error, peer: &PeerInfo, context: &Context<'_>) -> ConnectError {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    let explanation = match inner {
        Some(inner) => tls_hints::explain(inner, peer.certificate.as_ref(), context),
        None if is_end(error) => tls_hints::of_broken_handshake("the server closed the connection"),
        None => tls_hints::of_broken_handshake(&describe_io(error)),
    };
    ConnectError::new(
        Stage::Tls,
        FailureClass::Handshake,
        explanation.code,
        explanation.message,
    )
    .hint(explanation.hint)
}

fn of_io(error: &io::Error, stage: Stage, context: &Context<'_>) -> ConnectError {
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|error| error.downcast_ref::<NotPostgres>()) {
        return of_other_protocol(*error, stage, context);
    }
    if let Some(error) = inner.and_then(|error| error.downcast_ref::<AuthNotAllowed>()) {
        return ConnectError::new(
            Stage::Auth,
            FailureClass::Fatal,
            "require-auth",
            error.to_string(),
        )
        .kind(ErrorKind::Conflict)
        .hint(
            "no password was sent: check pg_hba.conf and password_encryption on the server, and whether this is the \
             right server"
                .to_owned(),
        );
    }
    if stage == Stage::Tcp {
        let code = match error.kind() {
            io::ErrorKind::ConnectionRefused => "connection-refused",
            io::ErrorKind::NotFound => "no-socket",
            io::ErrorKind::TimedOut => "no-answer",
            _ => "unreachable",
        };
        return ConnectError::new(stage, FailureClass::Unreachable, code, describe_io(error))
            .hint(hints::of_connect(error.kind(), context));
    }
    if is_end(error) {
        return closed(stage);
    }
    ConnectError::new(stage, FailureClass::Fatal, "protocol", describe_io(error)).kind(ErrorKind::Network)
}

fn of_other_protocol(error: NotPostgres, stage: Stage, context: &Context<'_>) -> ConnectError {
    ConnectError::new(stage, FailureClass::Fatal, "not-postgresql", error.to_string())
        .kind(ErrorKind::Unparseable)
        .hint(hints::of_other_protocol(error, context))
}

fn closed(stage: Stage) -> ConnectError {
    let message = "the server closed the connection unexpectedly";
    ConnectError::new(stage, FailureClass::Fatal, "closed", message)
        .kind(ErrorKind::Network)
        .hint(
            "likely a load balancer or proxy with no healthy target, or a server that is out of connections or memory"
                .to_owned(),
        )
}

/// Whether the server has closed or reset the connection.
fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

#[cfg(test)]
mod tests;
