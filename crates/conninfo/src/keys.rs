//! libpq's keys, their variables, and how each is treated.

use crate::error::ParseError;
use crate::is_space;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// Implemented.
    Used,
    /// Accepted without effect: it can't change whether connecting succeeds.
    Harmless,
    /// As [`Treatment::Harmless`]; libpq requires an integer.
    HarmlessInteger,
    /// Accepted without effect, with a warning that gives this reason.
    Ignored(&'static str),
    /// Refused for this reason: without it the probe would test another connection than the app's.
    Refused(&'static str),
}

use Treatment::{Harmless, HarmlessInteger, Ignored, Refused, Used};

const CLIENT_CERTIFICATE: Treatment = Refused("client certificates are not supported");
const GSS: Treatment = Ignored("GSSAPI is not supported");
const OAUTH: Treatment = Refused("OAuth is not supported");
const SERVICE: Treatment = Refused("service files are not read");
const PROTOCOL: Treatment = Ignored("protocol 3.0 is used");

/// Key, variable, treatment: those of libpq 18, and what its master branch adds for OAuth.
#[rustfmt::skip]
pub(crate) const KEYS: &[(&str, &str, Treatment)] = &[
    ("user", "PGUSER", Used),
    ("password", "PGPASSWORD", Used),
    ("dbname", "PGDATABASE", Used),
    ("host", "PGHOST", Used),
    ("hostaddr", "PGHOSTADDR", Used),
    ("port", "PGPORT", Used),
    ("sslmode", "PGSSLMODE", Used),
    // The predecessor of sslmode: `Parameters::set` and `add_environment` translate it.
    ("requiressl", "", Used),
    ("sslrootcert", "PGSSLROOTCERT", Used),
    ("sslnegotiation", "PGSSLNEGOTIATION", Used),
    ("sslsni", "PGSSLSNI", Used),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Used),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Used),
    ("sslcertmode", "PGSSLCERTMODE", Used),
    ("channel_binding", "PGCHANNELBINDING", Used),
    ("require_auth", "PGREQUIREAUTH", Used),
    ("connect_timeout", "PGCONNECT_TIMEOUT", Used),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Used),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS", Used),
    ("options", "PGOPTIONS", Used),
    ("application_name", "PGAPPNAME", Used),
    ("fallback_application_name", "", Used),
    ("gssencmode", "PGGSSENCMODE", Used),
    ("replication", "", Used),
    ("client_encoding", "PGCLIENTENCODING", Used),
    ("keepalives", "", HarmlessInteger),
    ("keepalives_idle", "", HarmlessInteger),
    ("keepalives_interval", "", HarmlessInteger),
    ("keepalives_count", "", HarmlessInteger),
    ("tcp_user_timeout", "", HarmlessInteger),
    ("sslcompression", "PGSSLCOMPRESSION", Harmless),
    ("passfile", "PGPASSFILE", Ignored("password files are not read")),
    ("sslcrl", "PGSSLCRL", Ignored("revocation is not checked")),
    ("sslcrldir", "PGSSLCRLDIR", Ignored("revocation is not checked")),
    ("sslkeylogfile", "", Ignored("no key is logged")),
    ("requirepeer", "PGREQUIREPEER", Ignored("the server's user is not checked")),
    ("krbsrvname", "PGKRBSRVNAME", GSS),
    ("gsslib", "PGGSSLIB", GSS),
    ("gssdelegation", "PGGSSDELEGATION", GSS),
    ("min_protocol_version", "PGMINPROTOCOLVERSION", PROTOCOL),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION", PROTOCOL),
    ("service", "PGSERVICE", SERVICE),
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

/// The key of this name.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    KEYS.iter().map(|(key, ..)| *key).find(|key| *key == name)
}

/// What other drivers call libpq's keys, in lower case and without punctuation.
const ALIASES: &[(&str, &str)] = &[
    ("database", "dbname"),
    ("databasename", "dbname"),
    ("db", "dbname"),
    ("hostname", "host"),
    ("keepalivesretries", "keepalives_count"),
    ("pass", "password"),
    ("passwd", "password"),
    ("pwd", "password"),
    ("server", "host"),
    ("ssl", "sslmode"),
    ("sslca", "sslrootcert"),
    ("timeout", "connect_timeout"),
    ("username", "user"),
];

/// Keys of other drivers that have no counterpart in libpq.
const FOREIGN: &[&str] = &[
    "charset",
    "connection_limit",
    "currentSchema",
    "pgbouncer",
    "pool_timeout",
    "prepareThreshold",
    "prepared_statements",
    "schema",
    "serverVersion",
    "sslaccept",
    "statement_cache_size",
    "uselibpqcompat",
];

/// The error for an unknown key. Shows only keys from the lists above: `name` may be a part of a password.
pub(crate) fn unknown(what: &str, name: &str) -> ParseError {
    let bare: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    if let Some(foreign) = FOREIGN.iter().find(|foreign| **foreign == name) {
        return ParseError::malformed(format!(
            "{what}: `{foreign}` belongs to another driver, and libpq refuses it"
        ))
        .with_hint(format!("remove `{foreign}` from the connection string"));
    }
    let alias = ALIASES
        .iter()
        .find(|(alias, _)| *alias == bare)
        .map(|(_, key)| *key);
    let meant = alias.or_else(|| {
        KEYS.iter()
            .map(|(key, ..)| *key)
            .find(|key| key.replace('_', "") == bare)
    });
    let error = ParseError::malformed(format!("{what}: libpq has no such key"));
    match meant {
        Some(key) => error.with_hint(format!("libpq's key is `{key}`")),
        None => error,
    }
}

/// The values by key. Has no `Debug`, because it holds the password.
#[derive(Default)]
pub(crate) struct Parameters {
    values: BTreeMap<&'static str, String>,
    /// The keys whose values come from a variable, and the variable.
    variables: BTreeMap<&'static str, &'static str>,
}

impl Parameters {
    /// A later value replaces an earlier one.
    pub(crate) fn set(&mut self, key: &'static str, value: String) {
        if key == "requiressl" {
            self.values.insert("sslmode", mode_of(&value));
        } else {
            self.values.insert(key, value);
        }
    }

    /// The variable that holds the value, unless the connection string does.
    pub(crate) fn variable(&self, key: &str) -> Option<&'static str> {
        self.variables.get(key).copied()
    }

    /// The value, which may be empty.
    pub(crate) fn given(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// The value unless it is empty: for most keys libpq then uses the default.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.given(key).filter(|value| !value.is_empty())
    }

    #[cfg(test)]
    pub(crate) fn values(&self) -> &BTreeMap<&'static str, String> {
        &self.values
    }

    /// Adds the variables' values for the keys that the text does not have, even with an empty value. Gives the
    /// warnings about keys without effect.
    pub(crate) fn add_environment(
        &mut self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<String>, ParseError> {
        let mut warnings = Vec::new();
        for (key, name, treatment) in KEYS {
            let mut origin = *key;
            if !self.values.contains_key(key)
                && !name.is_empty()
                && let Some(value) = variable(name)
            {
                origin = name;
                self.set(key, value);
                self.variables.insert(key, name);
            }
            // An empty service is one that does not exist; other keys are then unset.
            let given = self.get(key).is_some() || *key == "service" && self.values.contains_key(key);
            match treatment {
                Ignored(why) if given => warnings.push(format!("`{origin}` has no effect: {why}")),
                Refused(why) if given => {
                    return Err(ParseError::unsupported(format!("`{key}` can't be used: {why}"))
                        .in_variable(self.variable(key)));
                }
                HarmlessInteger => {
                    self.integer(key)?;
                }
                _ => {}
            }
        }
        if !self.values.contains_key("sslmode")
            && let Some(required) = variable("PGREQUIRESSL")
        {
            self.set("requiressl", required);
            self.variables.insert("sslmode", "PGREQUIRESSL");
        }
        Ok(warnings)
    }

    /// As in libpq: a 32-bit integer with optional white space around it; an empty value is invalid.
    pub(crate) fn integer(&self, key: &str) -> Result<Option<i32>, ParseError> {
        let Some(value) = self.given(key) else {
            return Ok(None);
        };
        value.trim_matches(is_space).parse().map(Some).map_err(|_| {
            ParseError::malformed(format!("invalid integer value for connection option \"{key}\""))
                .with_hint(format!(
                    "a whole number, as in {}=5",
                    self.variable(key).unwrap_or(key)
                ))
                .in_variable(self.variable(key))
        })
    }
}

/// The `sslmode` that a value of `requiressl` stands for.
fn mode_of(required: &str) -> String {
    let mode = if required.starts_with('1') {
        "require"
    } else {
        "prefer"
    };
    mode.to_owned()
}
