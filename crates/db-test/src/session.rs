//! A session that can be used, and what it says of its server.

use conninfo::SessionAttrs;
use postgres::{Client, SimpleQueryMessage};

/// What a session said of its server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    /// `15.18`
    pub(crate) version: Option<String>,
    pub(crate) is_read_only: Option<bool>,
    /// A standby.
    pub(crate) is_in_recovery: Option<bool>,
    /// `TLSv1.3`
    pub(crate) tls: Option<&'static str>,
    pub(crate) login: Option<&'static str>,
}

impl Session {
    /// Whether it is of the kind that was asked for.
    pub(crate) fn suits(&self, attrs: SessionAttrs) -> bool {
        match attrs {
            SessionAttrs::Any => true,
            SessionAttrs::ReadWrite => self.is_read_only == Some(false),
            SessionAttrs::ReadOnly => self.is_read_only == Some(true),
            SessionAttrs::Primary => self.is_in_recovery == Some(false),
            SessionAttrs::Standby | SessionAttrs::PreferStandby => self.is_in_recovery == Some(true),
        }
    }
}

/// What poolers and PostgreSQL's cousins need not know; a login without it is one all the same.
const DESCRIBE: &str = "select current_setting('server_version') as version, \
    current_setting('transaction_read_only') as read_only, pg_is_in_recovery() as recovering";

/// Asks the server what it is.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suits_what_libpq_would_keep() {
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
                    session.suits(attrs),
                    kinds.contains(&attrs),
                    "{read_only:?} {recovering:?} {attrs:?}"
                );
            }
        }
    }
}
