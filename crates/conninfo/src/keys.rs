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
    /// As [`Treatment::Harmless`], and libpq wants an integer.
    HarmlessInteger,
    /// It is accepted, and a warning says that it has no effect.
    Ignored(&'static str),
    /// A connection without it would be another one.
    Refused(&'static str),
}

use Treatment::{Harmless, HarmlessInteger, Ignored, Refused, Used};

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
    // The old spelling of sslmode: `Parameters::set` and `add_environment` translate it.
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
    ("client_encoding", "PGCLIENTENCODING", Harmless),
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

/// Other people's names for libpq's keys.
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

/// What other drivers take in their URLs and libpq does not have at all.
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

/// The error for a key that is none: `what`, and what the key was probably meant to be. Names only keys that
/// are written here, for `name` itself may be a piece of a password.
pub(crate) fn unknown(what: &str, name: &str) -> ParseError {
    let bare: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    if let Some(foreign) = FOREIGN.iter().find(|foreign| **foreign == name) {
        return ParseError::malformed(format!(
            "{what}: `{foreign}` is another driver's, and libpq refuses it"
        ))
        .with_hint(format!("take `{foreign}` out of the connection string"));
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

/// The values that were given, by key. Has no `Debug`: the password is among them.
#[derive(Default)]
pub(crate) struct Parameters {
    values: BTreeMap<&'static str, String>,
    /// The variables that the values of these keys are from.
    variables: BTreeMap<&'static str, &'static str>,
}

impl Parameters {
    /// Sets a value; the last one for a key counts.
    pub(crate) fn set(&mut self, key: &'static str, value: String) {
        if key == "requiressl" {
            self.values.insert("sslmode", mode_of(&value));
        } else {
            self.values.insert(key, value);
        }
    }

    /// The variable that the value is from, when it is not the text's own.
    pub(crate) fn variable(&self, key: &str) -> Option<&'static str> {
        self.variables.get(key).copied()
    }

    /// The value, also an empty one.
    pub(crate) fn given(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// The value, if there is one that is not empty: for most keys libpq takes an empty one as its default.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.given(key).filter(|value| !value.is_empty())
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
            let given = self.get(key).is_some();
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

    /// As libpq: an integer of 32 bits, maybe with spaces around it; an empty value is none.
    pub(crate) fn integer(&self, key: &str) -> Result<Option<i32>, ParseError> {
        let Some(value) = self.given(key) else {
            return Ok(None);
        };
        value.trim().parse().map(Some).map_err(|_| {
            ParseError::malformed(format!("invalid integer value for connection option \"{key}\""))
                .with_hint(format!(
                    "a whole number, as in {}=5",
                    self.variable(key).unwrap_or(key)
                ))
                .in_variable(self.variable(key))
        })
    }
}

/// What `requiressl` says, in the words of `sslmode`.
fn mode_of(required: &str) -> String {
    let mode = if required.starts_with('1') {
        "require"
    } else {
        "prefer"
    };
    mode.to_owned()
}
