//! The tries of one run: every host and address in turn, with TLS or without, by libpq's rules.

use crate::attempt::{self, Login};
use crate::fault::{Context, Fault, Kind};
use crate::limit::Limit;
use crate::negotiation::Way;
use crate::places::{self, Found, Place};
use crate::session::Session;
use crate::setup::Setup;
use crate::stages::{Journal, Stage, Status};
use cli::Console;
use conninfo::{ConnInfo, Host, SessionAttrs, SslMode, SslNegotiation, Target};
use std::time::Instant;

/// All tries of one run.
pub(crate) struct Round<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) deadline: Limit,
    pub(crate) console: &'a Console,
    pub(crate) journal: Journal<'a>,
    /// The places that failed, and why.
    pub(crate) failed: Vec<(String, String)>,
}

impl Round<'_> {
    /// Every target in turn, as libpq does, until one is right or a server has refused.
    pub(crate) fn all(&mut self) -> Result<(String, Session), Box<Fault>> {
        let asked = self.setup.info.target_session_attrs;
        // A standby is looked for among all of them before anything else will do.
        let wanted: &[SessionAttrs] = match asked {
            SessionAttrs::PreferStandby => &[SessionAttrs::Standby, SessionAttrs::Any],
            _ => std::slice::from_ref(&asked),
        };
        let mut targets: Vec<&Target> = self.setup.info.targets.iter().collect();
        if self.setup.info.load_balance_hosts {
            places::shuffle(&mut targets);
        }
        let mut last = None;
        for attrs in wanted {
            for target in &targets {
                match self.target(target, *attrs) {
                    Ok(found) => return Ok(found),
                    Err(fault) if fault.tries_next_host() && !self.is_over() => {
                        last = Some(fault.or_further(last));
                    }
                    Err(fault) => return Err(fault),
                }
            }
        }
        // There is at least one target.
        Err(last.unwrap_or_else(|| Box::new(Fault::lost_thread(Stage::Config))))
    }

    fn is_over(&self) -> bool {
        self.deadline.left().is_zero()
    }

    /// Every address of one target.
    fn target(&mut self, target: &Target, attrs: SessionAttrs) -> Result<(String, Session), Box<Fault>> {
        let name = match &target.host {
            Host::Name(name) => name.clone(),
            Host::Socket(folder) => folder.display().to_string(),
            Host::Default => "(local socket)".to_owned(),
        };
        let start = Instant::now();
        let mut places = match places::find(target, self.deadline.at) {
            Ok(Found::Known(places, why)) => {
                self.journal
                    .add(Stage::Dns, Status::Skipped, Some(&name), &why, None);
                places
            }
            Ok(Found::Looked(places, took)) => {
                let labels: Vec<String> = places.iter().map(address).collect();
                let detail = format!("{name} is {}", labels.join(", "));
                self.journal
                    .add(Stage::Dns, Status::Ok, Some(&name), &detail, Some(took));
                places
            }
            Err(error) => {
                let mut fault = Fault::of_lookup(&error, &name, &self.deadline);
                fault.took = Some(start.elapsed());
                return Err(self.failed(&name, Box::new(fault)));
            }
        };
        if self.setup.info.load_balance_hosts {
            places::shuffle(&mut places);
        }
        let mut last = None;
        for place in &places {
            let label = place.label();
            match self.place(place, &name, target.port, attrs) {
                Ok(session) => return Ok((label, session)),
                Err(fault) if fault.tries_next_address() && !self.is_over() => {
                    last = Some(fault.or_further(last));
                }
                Err(fault) => return Err(fault),
            }
        }
        // No look-up gives an empty list.
        Err(last.unwrap_or_else(|| Box::new(Fault::lost_thread(Stage::Dns))))
    }

    /// One address: with TLS, without, or both in the order of the mode.
    fn place(
        &mut self,
        place: &Place,
        host: &str,
        port: u16,
        attrs: SessionAttrs,
    ) -> Result<Session, Box<Fault>> {
        let setup = self.setup;
        let mut label = place.label();
        let context = Context {
            host,
            port,
            variable: &setup.variable,
        };
        let login = Login {
            info: &setup.info,
            user: &setup.user,
            trust: setup.trust.clone(),
            attrs,
        };
        let limit = match setup.info.connect_timeout {
            Some(length) => self
                .deadline
                .min(Limit::new(Instant::now(), length, "connect_timeout")),
            None => self.deadline,
        };
        let (first, second) = ways(&setup.info, place);
        let result = attempt::run(&login, place, first, &limit, &context, &mut self.journal);
        let result = match (result, second) {
            (Err(fault), Some(second)) if falls_back(first, &fault) => {
                let [here, there] = match second {
                    Way::Plain => ["with TLS", "without TLS"],
                    Way::Offer | Way::Need | Way::Direct => ["without TLS", "with TLS"],
                };
                let before = self.failed(&format!("{label} {here}"), fault);
                label = format!("{label} {there}");
                self.console.debug(format!("trying {label}"));
                match attempt::run(&login, place, second, &limit, &context, &mut self.journal) {
                    // A server that has TLS refuses what comes without it: the first fault says more.
                    Err(fault) if second == Way::Plain && !fault.tries_next_host() => {
                        self.failed(&label, fault);
                        return Err(before);
                    }
                    result => result,
                }
            }
            (result, _) => result,
        };
        result.map_err(|fault| self.failed(&label, fault))
    }

    /// Notes a fault.
    fn failed(&mut self, place: &str, fault: Box<Fault>) -> Box<Fault> {
        let mut detail = fault.stage_line();
        if fault.stage == Stage::Tcp {
            // No line before this one has named the place.
            detail = format!("{place} {detail}");
        }
        self.journal
            .add(fault.stage, Status::Failed, Some(place), &detail, fault.took);
        self.failed.push((place.to_owned(), fault.line()));
        fault
    }
}

/// An address without its port, which is the same for all of a name.
fn address(place: &Place) -> String {
    match place {
        Place::Address { address, .. } => address.ip().to_string(),
        Place::Socket { .. } => place.label(),
    }
}

/// What is tried at a place, and what then. Over a socket libpq never uses TLS.
fn ways(info: &ConnInfo, place: &Place) -> (Way, Option<Way>) {
    if matches!(place, Place::Socket { .. }) {
        return (Way::Plain, None);
    }
    match info.ssl_mode {
        SslMode::Disable => (Way::Plain, None),
        SslMode::Allow => (Way::Plain, Some(Way::Need)),
        SslMode::Prefer => (Way::Offer, Some(Way::Plain)),
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => match info.ssl_negotiation {
            SslNegotiation::Postgres => (Way::Need, None),
            SslNegotiation::Direct => (Way::Direct, None),
        },
    }
}

/// Whether libpq tries the other way: after a refusal of the login by the server, and after a handshake that failed.
fn falls_back(first: Way, fault: &Fault) -> bool {
    match first {
        Way::Plain => fault.kind == Kind::Refused,
        Way::Offer => match fault.kind {
            Kind::Handshake => true,
            // Refused without TLS, because the server has none: there is no other way.
            Kind::Refused => fault.was_encrypted,
            _ => false,
        },
        Way::Need | Way::Direct => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> ConnInfo {
        conninfo::parse(text, &|_| None).unwrap()
    }

    #[test]
    fn each_mode_has_its_ways() {
        let remote = Place::Address {
            host: "h".to_owned(),
            address: "10.0.0.1:5432".parse().unwrap(),
        };
        let socket = Place::Socket {
            folder: "/run/x".into(),
            port: 5432,
        };
        for (mode, expected) in [
            ("disable", (Way::Plain, None)),
            ("allow", (Way::Plain, Some(Way::Need))),
            ("prefer", (Way::Offer, Some(Way::Plain))),
            ("require", (Way::Need, None)),
            ("verify-ca", (Way::Need, None)),
            ("verify-full", (Way::Need, None)),
            ("require sslnegotiation=direct", (Way::Direct, None)),
        ] {
            let info = info(&format!("host=h sslmode={mode}"));
            assert_eq!(ways(&info, &remote), expected, "{mode}");
            assert_eq!(ways(&info, &socket), (Way::Plain, None), "{mode}");
        }
    }

    #[test]
    fn the_other_way_is_tried_only_after_a_refusal_or_a_failed_handshake() {
        let kinds = [
            Kind::Unreachable,
            Kind::Silent,
            Kind::Handshake,
            Kind::Refused,
            Kind::NotNow,
            Kind::Unsuited,
            Kind::Final,
        ];
        for kind in kinds {
            for was_encrypted in [false, true] {
                let mut fault = Fault::lost_thread(Stage::Auth);
                fault.kind = kind;
                fault.was_encrypted = was_encrypted;
                let refused = kind == Kind::Refused;
                assert_eq!(falls_back(Way::Plain, &fault), refused, "{kind:?}");
                assert_eq!(
                    falls_back(Way::Offer, &fault),
                    kind == Kind::Handshake || refused && was_encrypted,
                    "{kind:?} {was_encrypted}"
                );
                assert!(!falls_back(Way::Need, &fault) && !falls_back(Way::Direct, &fault));
            }
        }
    }
}
