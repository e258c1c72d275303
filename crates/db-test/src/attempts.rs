//! The attempts of one run: every host and address in turn, with TLS or without, by libpq's rules.

use crate::attempt;
use crate::config::{self, ProbeConfig};
use crate::connect_error::{ConnectError, FailureClass};
use crate::deadline::Deadline;
use crate::endpoint::Endpoint;
use crate::hints::Context;
use crate::login::Login;
use crate::resolver::{self, Resolution};
use crate::session::Session;
use crate::stages::{Stage, StageLog, Status};
use crate::tls::mode::TlsMode;
use cli::Console;
use conninfo::{SessionAttrs, Target};
use std::time::Instant;

pub(crate) struct ConnectionAttempts<'a> {
    pub(crate) config: &'a ProbeConfig,
    pub(crate) deadline: Deadline,
    pub(crate) console: &'a Console,
    pub(crate) log: StageLog<'a>,
    /// The endpoints or hosts that failed, and why.
    pub(crate) failed: Vec<(String, String)>,
}

impl ConnectionAttempts<'_> {
    /// Tries the targets in turn, until one attempt succeeds or a server has refused.
    pub(crate) fn run(&mut self) -> Result<(String, Session), Box<ConnectError>> {
        let requested = self.config.info.target_session_attrs;
        // prefer-standby takes two passes: all targets for a standby, then all targets for any server.
        let passes: &[SessionAttrs] = match requested {
            SessionAttrs::PreferStandby => &[SessionAttrs::Standby, SessionAttrs::Any],
            _ => std::slice::from_ref(&requested),
        };
        let mut targets: Vec<&Target> = self.config.info.targets.iter().collect();
        if self.config.info.load_balance_hosts {
            resolver::shuffle(&mut targets);
        }
        let mut last = None;
        for attrs in passes {
            for target in &targets {
                match self.try_target(target, *attrs) {
                    Ok(found) => return Ok(found),
                    Err(error) if error.tries_next_host() && !self.is_over() => {
                        last = Some(error.or_later_stage(last));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        // Unreachable: `conninfo` gives at least one target.
        Err(last.unwrap_or_else(|| Box::new(ConnectError::internal(Stage::Config))))
    }

    fn is_over(&self) -> bool {
        self.deadline.remaining().is_zero()
    }

    /// Tries the addresses of one target in turn.
    fn try_target(
        &mut self,
        target: &Target,
        attrs: SessionAttrs,
    ) -> Result<(String, Session), Box<ConnectError>> {
        let name = config::host_name(&target.host);
        let start = Instant::now();
        let mut endpoints = match resolver::resolve(target, self.deadline.at) {
            Ok(Resolution::Known(endpoints, why)) => {
                self.log.add(Stage::Dns, Status::Skipped, Some(&name), &why, None);
                endpoints
            }
            Ok(Resolution::LookedUp(endpoints, took)) => {
                let labels: Vec<String> = endpoints.iter().map(host_label).collect();
                let detail = format!("{name} is {}", labels.join(", "));
                self.log
                    .add(Stage::Dns, Status::Ok, Some(&name), &detail, Some(took));
                endpoints
            }
            Err(error) => {
                let mut error = ConnectError::of_lookup(&error, &name, &self.deadline);
                error.took = Some(start.elapsed());
                return Err(self.fail(&name, Box::new(error)));
            }
        };
        if self.config.info.load_balance_hosts {
            resolver::shuffle(&mut endpoints);
        }
        let mut last = None;
        for endpoint in &endpoints {
            let label = endpoint.label();
            match self.try_endpoint(endpoint, &name, target.port, attrs) {
                Ok(session) => return Ok((label, session)),
                Err(error) if error.tries_next_address() && !self.is_over() => {
                    last = Some(error.or_later_stage(last));
                }
                Err(error) => return Err(error),
            }
        }
        // Unreachable: a resolution holds at least one endpoint.
        Err(last.unwrap_or_else(|| Box::new(ConnectError::internal(Stage::Dns))))
    }

    /// Tries one endpoint with TLS, without, or both in the order that `sslmode` gives.
    fn try_endpoint(
        &mut self,
        endpoint: &Endpoint,
        host: &str,
        port: u16,
        attrs: SessionAttrs,
    ) -> Result<Session, Box<ConnectError>> {
        let config = self.config;
        let mut label = endpoint.label();
        let context = Context {
            host,
            port,
            variable: &config.variable,
        };
        let login = Login {
            info: &config.info,
            user: &config.user,
            trust: config.trust.clone(),
            attrs,
        };
        let deadline = match config.info.connect_timeout {
            Some(length) => self
                .deadline
                .min(Deadline::new(Instant::now(), length, "connect_timeout")),
            None => self.deadline,
        };
        let (first, fallback) = TlsMode::sequence(&config.info, endpoint.is_socket());
        let run = |mode, log: &mut _| attempt::run(&login, endpoint, mode, &deadline, &context, log);
        let result = match (run(first, &mut self.log), fallback) {
            (Err(error), Some(fallback)) if falls_back(first, &error) => {
                let [this, other] = match fallback {
                    TlsMode::Disabled => ["with TLS", "without TLS"],
                    _ => ["without TLS", "with TLS"],
                };
                let first_error = self.fail(&format!("{label} {this}"), error);
                label = format!("{label} {other}");
                self.console.debug(format!("trying {label}"));
                match run(fallback, &mut self.log) {
                    // Servers that require TLS refuse the fallback: the first error is the more useful one.
                    Err(error) if fallback == TlsMode::Disabled && !error.tries_next_host() => {
                        self.fail(&label, error);
                        return Err(first_error);
                    }
                    result => result,
                }
            }
            (result, _) => result,
        };
        result.map_err(|error| self.fail(&label, error))
    }

    /// Logs and keeps an error.
    fn fail(&mut self, label: &str, error: Box<ConnectError>) -> Box<ConnectError> {
        let mut detail = error.stage_line();
        if error.stage == Stage::Tcp {
            // No earlier line has named the endpoint.
            detail = format!("{label} {detail}");
        }
        self.log
            .add(error.stage, Status::Failed, Some(label), &detail, error.took);
        self.failed.push((label.to_owned(), error.line()));
        error
    }
}

/// Without the port, which is the same for all addresses of a host.
fn host_label(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp { address, .. } => address.ip().to_string(),
        Endpoint::Socket { .. } => endpoint.label(),
    }
}

/// As in libpq: after a refusal of the login by the server, and after a failed handshake.
fn falls_back(first: TlsMode, error: &ConnectError) -> bool {
    match (first, error.class) {
        (TlsMode::Disabled, FailureClass::Refused) | (TlsMode::Preferred, FailureClass::Handshake) => true,
        // Without encryption the server has none, and the fallback would be the same attempt again.
        (TlsMode::Preferred, FailureClass::Refused) => error.was_encrypted,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fallback_is_tried_only_after_a_refusal_or_a_failed_handshake() {
        for class in [
            FailureClass::Unreachable,
            FailureClass::Timeout,
            FailureClass::Handshake,
            FailureClass::Refused,
            FailureClass::Unavailable,
            FailureClass::WrongServer,
            FailureClass::Fatal,
        ] {
            for was_encrypted in [false, true] {
                let mut error = ConnectError::internal(Stage::Auth);
                error.class = class;
                error.was_encrypted = was_encrypted;
                let refused = class == FailureClass::Refused;
                assert_eq!(falls_back(TlsMode::Disabled, &error), refused, "{class:?}");
                assert_eq!(
                    falls_back(TlsMode::Preferred, &error),
                    class == FailureClass::Handshake || refused && was_encrypted,
                    "{class:?} {was_encrypted}"
                );
                assert!(!falls_back(TlsMode::Required, &error) && !falls_back(TlsMode::Direct, &error));
            }
        }
    }
}
