//! The keys that libpq knows, their variables, and what becomes of each.

use crate::error::ParseError;
use std::collections::BTreeMap;

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// It is honoured.
    Used,
    /// It can't change whether a connection comes about.
    Harmless,
    /// It is accepted, and a warning says that it has no effect.
    Ignored(&'static str),
    /// A connection without it would be another one.
    Refused(&'static str),
}

use Treatment::{Harmless, Ignored, Refused, Used};

const CLIENT_CERTIFICATE: Treatment = Refused("client certificates are not supported");
const GSS: Treatment = Ignored("GSSAPI is not supported");
const OAUTH: Treatment = Refused("OAuth is not supported");
const SERVICE: Treatment = Refused("service files are not read");
const PROTOCOL: Treatment = Ignored("protocol 3.0 is used");

/// Key, variable, treatment: libpq 18's list, and those that came after it.
#[rustfmt::skip]
pub(crate) const KEYS: &[(&str, &str, Treatment)] = &[
    ("user", "PGUSER", Used),
    ("password", "PGPASSWORD", Used),
    ("dbname", "PGDATABASE", Used),
    ("host", "PGHOST", Used),
    ("hostaddr", "PGHOSTADDR", Used),
    ("port", "PGPORT", Used),
    ("sslmode", "PGSSLMODE", Used),
    ("requiressl", "PGREQUIRESSL", Used),
    ("sslrootcert", "PGSSLROOTCERT", Used),
    ("sslnegotiation", "PGSSLNEGOTIATION", Used),
    ("sslsni", "PGSSLSNI", Used),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Used),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Used),
    ("sslcertmode", "PGSSLCERTMODE", Used),
    ("channel_binding", "PGCHANNELBINDING", Used),
    ("connect_timeout", "PGCONNECT_TIMEOUT", Used),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Used),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS", Used),
    ("options", "PGOPTIONS", Used),
    ("application_name", "PGAPPNAME", Used),
    ("fallback_application_name", "", Used),
    ("gssencmode", "PGGSSENCMODE", Used),
    ("replication", "", Used),
    ("client_encoding", "PGCLIENTENCODING", Harmless),
    ("keepalives", "", Harmless),
    ("keepalives_idle", "", Harmless),
    ("keepalives_interval", "", Harmless),
    ("keepalives_count", "", Harmless),
    ("tcp_user_timeout", "", Harmless),
    ("sslcompression", "PGSSLCOMPRESSION", Harmless),
    ("passfile", "PGPASSFILE", Ignored("password files are not read")),
    ("sslcrl", "PGSSLCRL", Ignored("revocation is not checked")),
    ("sslcrldir", "PGSSLCRLDIR", Ignored("revocation is not checked")),
    ("sslkeylogfile", "", Ignored("no key is logged")),
    ("require_auth", "PGREQUIREAUTH", Ignored("any authentication method is accepted")),
    ("requirepeer", "PGREQUIREPEER", Ignored("the server's user is not checked")),
    ("krbsrvname", "PGKRBSRVNAME", GSS),
    ("gsslib", "PGGSSLIB", GSS),
    ("gssdelegation", "PGGSSDELEGATION", GSS),
    ("min_protocol_version", "PGMINPROTOCOLVERSION", PROTOCOL),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION", PROTOCOL),
    ("service", "PGSERVICE", SERVICE),
    ("servicefile", "PGSERVICEFILE", Harmless),
    ("sslcert", "PGSSLCERT", CLIENT_CERTIFICATE),
    ("sslkey", "PGSSLKEY", CLIENT_CERTIFICATE),
    ("sslpassword", "", CLIENT_CERTIFICATE),
    ("scram_client_key", "", Refused("SCRAM keys are not supported")),
    ("scram_server_key", "", Refused("SCRAM keys are not supported")),
    ("oauth_issuer", "", OAUTH),
    ("oauth_client_id", "", OAUTH),
    ("oauth_client_secret", "", OAUTH),
    ("oauth_scope", "", OAUTH),
    ("oauth_ca_file", "", OAUTH),
];

/// The key's own static name, if it is one.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    KEYS.iter().map(|(key, ..)| *key).find(|key| *key == name)
}

/// A known key that `name` was probably meant to be.
pub(crate) fn similar(name: &str) -> Option<&'static str> {
    let aliases = [
        ("username", "user"),
        ("pass", "password"),
        ("database", "dbname"),
        ("db", "dbname"),
        ("ssl", "sslmode"),
        ("sslca", "sslrootcert"),
        ("timeout", "connect_timeout"),
        ("hostname", "host"),
    ];
    let bare: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let alias = aliases.iter().find(|(alias, _)| *alias == bare).map(|(_, key)| *key);
    alias.or_else(|| KEYS.iter().map(|(key, ..)| *key).find(|key| key.replace('_', "") == bare))
}

/// The values that were given, by key. Has no `Debug`: the password is among them.
#[derive(Default)]
pub(crate) struct Parameters {
    values: BTreeMap<&'static str, String>,
}

impl Parameters {
    pub(crate) fn set(&mut self, key: &'static str, value: String) {
        self.values.insert(key, value);
    }

    /// The value, if there is one that is not empty: libpq takes an empty one as its default.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    #[cfg(test)]
    pub(crate) fn values(&self) -> &BTreeMap<&'static str, String> {
        &self.values
    }

    /// Fills what the text left open from the variables. Gives the warnings for what has no effect.
    ///
    /// libpq does not look at a variable when the text has the key, be it with an empty value.
    pub(crate) fn add_environment(
        &mut self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<String>, ParseError> {
        let mut warnings = Vec::new();
        // `requiressl` is the old spelling of sslmode, and yields to it.
        let has_mode = self.values.contains_key("sslmode") || variable("PGSSLMODE").is_some();
        for (key, name, treatment) in KEYS {
            let mut origin = *key;
            if !self.values.contains_key(key) && !name.is_empty() {
                if let Some(value) = variable(name) {
                    origin = name;
                    self.set(key, value);
                }
            }
            let given = self.get(key).is_some();
            match treatment {
                Ignored(why) if given => warnings.push(format!("`{origin}` has no effect: {why}")),
                Refused(why) if given => {
                    return Err(ParseError::unsupported(format!("`{origin}` can't be used: {why}")));
                }
                _ => {}
            }
        }
        if let Some(required) = self.values.remove("requiressl") {
            if !has_mode {
                let mode = if required.starts_with('1') { "require" } else { "prefer" };
                self.set("sslmode", mode.to_owned());
            }
        }
        Ok(warnings)
    }
}
