//! What a session reports of its server, and whether it is of the kind that `target_session_attrs` requests.

use conninfo::SessionAttrs;
use postgres::{Client, SimpleQueryMessage};

#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    /// `15.18`
    pub(crate) version: Option<String>,
    pub(crate) is_read_only: Option<bool>,
    /// True on a standby.
    pub(crate) is_in_recovery: Option<bool>,
    /// `TLSv1.3`
    pub(crate) tls: Option<&'static str>,
    /// The authentication method.
    pub(crate) login: Option<&'static str>,
}

impl Session {
    pub(crate) fn satisfies(&self, attrs: SessionAttrs) -> bool {
        match attrs {
            SessionAttrs::Any => true,
            SessionAttrs::ReadWrite => self.is_read_only == Some(false),
            SessionAttrs::ReadOnly => self.is_read_only == Some(true),
            SessionAttrs::Primary => self.is_in_recovery == Some(false),
            SessionAttrs::Standby | SessionAttrs::PreferStandby => self.is_in_recovery == Some(true),
        }
    }
}

/// Poolers and servers that only speak PostgreSQL's protocol may not support this query.
const DESCRIBE: &str = "select current_setting('server_version') as version, \
    current_setting('transaction_read_only') as read_only, pg_is_in_recovery() as recovering";

pub(crate) fn describe(client: &mut Client) -> Result<Session, postgres::Error> {
    let messages = client.simple_query(DESCRIBE)?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let text = |column: &str| row.and_then(|row| row.try_get(column).ok().flatten());
    let is_set = |column: &str| text(column).map(|value| matches!(value, "on" | "t" | "true"));
    Ok(Session {
        version: text("version").map(str::to_owned),
        is_read_only: is_set("read_only"),
        is_in_recovery: is_set("recovering"),
        ..Session::default()
    })
}

/// # Errors
/// When the server does not know the encoding, which libpq would send it in the startup message.
pub(crate) fn set_encoding(client: &mut Client, encoding: &str) -> Result<(), postgres::Error> {
    let quoted = encoding.replace('\'', "''");
    client.batch_execute(&format!("set client_encoding to '{quoted}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn satisfies_what_libpq_would_accept() {
        use SessionAttrs::{Any, Primary, ReadOnly, ReadWrite, Standby};
        for (read_only, recovering, kinds) in [
            (Some(false), Some(false), &[Any, ReadWrite, Primary][..]),
            (Some(true), Some(false), &[Any, ReadOnly, Primary]),
            (Some(true), Some(true), &[Any, ReadOnly, Standby]),
            (None, None, &[Any]),
        ] {
            let session = Session {
                is_read_only: read_only,
                is_in_recovery: recovering,
                ..Session::default()
            };
            for attrs in [Any, ReadWrite, ReadOnly, Primary, Standby] {
                assert_eq!(
                    session.satisfies(attrs),
                    kinds.contains(&attrs),
                    "{read_only:?} {recovering:?} {attrs:?}"
                );
            }
        }
    }
}
