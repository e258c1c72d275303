//! The `key=value` form, the host lists of both forms, and texts in neither form.

use super::*;

#[test]
fn reads_pairs_as_libpq_does() {
    for (text, expected) in [
        (
            "host=localhost port=5432 dbname=mydb connect_timeout=10",
            "connect_timeout=10 dbname=mydb host=localhost port=5432",
        ),
        ("user = u\tpassword= p\n", "password=p user=u"),
        ("\x0buser=u\x0bpassword=p\x0c", "password=p user=u"),
        ("password='a b' user=u", "password=a b user=u"),
        (r"password='it\'s \\ here'", r"password=it's \ here"),
        (r"password=it\'s\ here user=u", "password=it's here user=u"),
        ("password='' user=u", "password= user=u"),
        ("password= user=u", "password=user=u"),
        ("user='u'password=p", "password=p user=u"),
        ("password=100%", "password=100%"),
        ("password=a=b", "password=a=b"),
        ("options=a://b", "options=a://b"),
        ("requiressl=1", "sslmode=require"),
        ("user=a user=b", "user=b"),
        ("user=", "user="),
        (
            "host=h password='it''s'",
            "error: missing \"=\" after the name of option 3 in connection info string",
        ),
        (
            "password=a b",
            "error: missing \"=\" after the name of option 2 in connection info string",
        ),
        (
            "password='a",
            "error: unterminated quoted string in connection info string",
        ),
        (
            r"password='a\'",
            "error: unterminated quoted string in connection info string",
        ),
        ("=x", "error: invalid connection option 1: libpq has no such key"),
        (
            "host=h uzer=u",
            "error: invalid connection option 2: libpq has no such key",
        ),
        (
            "ssl=true",
            "error: invalid connection option 1: libpq has no such key",
        ),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn common_mistakes_are_recognised() {
    for (text, expected) in [
        ("", "the connection string is empty"),
        (" \n", "the connection string is empty"),
        (
            "\"postgresql://h/db\"",
            "the connection string begins with a quotation mark",
        ),
        (
            "'postgresql://h/db'",
            "the connection string begins with a quotation mark",
        ),
        ("psql 'postgresql://h/db'", "this is a psql command line"),
        (
            "DATABASE_URL=postgresql://u:p@h/db",
            "the connection string begins with the name of a variable",
        ),
        (
            "export CONNECTION_URL=\"postgres://u:p@h/db\"",
            "the connection string begins with the name of a variable",
        ),
        ("jdbc:postgresql://h/db?user=u", "this is a JDBC URL"),
        ("postgresql+psycopg2://u:p@h/db", "this is an SQLAlchemy URL"),
        ("postgres+asyncpg://u:p@h/db", "this is an SQLAlchemy URL"),
        (
            "POSTGRESQL://u:p@h/db",
            "the scheme of the URL is not in lower case",
        ),
        (
            "Postgres://u:p@h/db",
            "the scheme of the URL is not in lower case",
        ),
        ("mysql://u:p@h/db?a=b", "missing \"=\" in connection info string"),
        ("postgresql:/u:p@h/db", "missing \"=\" in connection info string"),
        (
            " postgresql://u:p@h/db?sslmode=disable",
            "there is white space before the URL",
        ),
        ("\n postgres://u:p@h/db", "there is white space before the URL"),
        (
            " 'postgresql://h/db'",
            "the connection string begins with a quotation mark",
        ),
        ("u:p@h/db", "missing \"=\" in connection info string"),
    ] {
        let error = plain(text).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{text}: {error}");
        assert!(!error.is_unsupported(), "{text}");
        assert!(text.trim().is_empty() || error.hint().is_some(), "{text}");
    }
}

fn targets(text: &str) -> Vec<String> {
    let info = plain(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let show = |target: &Target| {
        let host = match &target.host {
            Host::Name(name) => name.clone(),
            Host::Socket(path) => path.display().to_string(),
            Host::Default => "(default)".to_owned(),
        };
        let address = target
            .address
            .map_or(String::new(), |address| format!("={address}"));
        format!("{host}{address}:{}", target.port)
    };
    info.targets.iter().map(show).collect()
}

#[test]
fn combines_hosts_addresses_and_ports() {
    for (text, expected) in [
        ("postgresql://", vec!["(default):5432"]),
        ("postgresql://:5433/db", vec!["(default):5433"]),
        ("postgresql://h", vec!["h:5432"]),
        ("postgresql://a,b/db", vec!["a:5432", "b:5432"]),
        ("postgresql://a:1,b:2/db", vec!["a:1", "b:2"]),
        ("postgresql://a:1,b/db", vec!["a:1", "b:5432"]),
        ("postgresql://a,b/db?port=6000", vec!["a:6000", "b:6000"]),
        ("postgresql://a,/db", vec!["a:5432", "(default):5432"]),
        ("postgresql://,/db", vec!["(default):5432", "(default):5432"]),
        ("hostaddr=10.0.0.1", vec!["10.0.0.1=10.0.0.1:5432"]),
        ("hostaddr=10.0.0.1 host=''", vec!["10.0.0.1=10.0.0.1:5432"]),
        (
            "host=db.example hostaddr=10.0.0.1",
            vec!["db.example=10.0.0.1:5432"],
        ),
        (
            "host=a,b hostaddr=10.0.0.1,::1",
            vec!["a=10.0.0.1:5432", "b=::1:5432"],
        ),
        ("host=a,b hostaddr=10.0.0.1,", vec!["a=10.0.0.1:5432", "b:5432"]),
        ("host=/run/x", vec!["/run/x:5432"]),
        ("host=/run/x,h port=1,2", vec!["/run/x:1", "h:2"]),
        ("host=/run/x hostaddr=10.0.0.1", vec!["10.0.0.1=10.0.0.1:5432"]),
        ("host=::1", vec!["::1:5432"]),
        ("postgresql://[fe80::1%25eth0]:7/db", vec!["fe80::1%eth0:7"]),
        ("host=h port=' 7 '", vec!["h:7"]),
    ] {
        assert_eq!(targets(text), expected, "{text}");
    }
    for (text, expected) in [
        ("host=a,b port=1,2,3", "could not match 3 port numbers to 2 hosts"),
        (
            "host=a hostaddr=10.0.0.1,10.0.0.2",
            "could not match 1 host names to 2 hostaddr values",
        ),
        ("host=h port=0", "invalid port number"),
        ("host=h port=65536", "invalid port number"),
        ("host=h port=-1", "invalid port number"),
        ("host=h port=x", "invalid port number"),
        (
            "hostaddr=10.0.0.1 sslmode=verify-full",
            "host name must be specified for a verified SSL connection",
        ),
    ] {
        assert_eq!(message(text), expected, "{text}");
    }
}
