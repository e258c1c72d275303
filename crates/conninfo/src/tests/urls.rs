//! The URL form.

use super::*;

/// PostgreSQL's own cases (`src/interfaces/libpq/t/001_uri.pl`), with libpq 18's answers.
#[test]
fn reads_urls_as_libpq_does() {
    for (text, expected) in [
        (
            "postgresql://uri-user:secret@host:12345/db",
            "dbname=db host=host password=secret port=12345 user=uri-user",
        ),
        (
            "postgresql://uri-user@host:12345/db",
            "dbname=db host=host port=12345 user=uri-user",
        ),
        (
            "postgresql://uri-user@host/db",
            "dbname=db host=host user=uri-user",
        ),
        ("postgresql://host:12345/db", "dbname=db host=host port=12345"),
        ("postgresql://host/db", "dbname=db host=host"),
        (
            "postgresql://uri-user@host:12345/",
            "host=host port=12345 user=uri-user",
        ),
        ("postgresql://uri-user@", "user=uri-user"),
        ("postgresql://host:12345", "host=host port=12345"),
        ("postgresql://", ""),
        ("postgresql://?hostaddr=127.0.0.1", "hostaddr=127.0.0.1"),
        (
            "postgresql://example.com?hostaddr=63.1.2.4",
            "host=example.com hostaddr=63.1.2.4",
        ),
        ("postgresql://%68ost/", "host=host"),
        (
            "postgresql://host/db?user=uri-user",
            "dbname=db host=host user=uri-user",
        ),
        (
            "postgresql://host/db?user=uri-user&port=12345",
            "dbname=db host=host port=12345 user=uri-user",
        ),
        (
            "postgresql://host/db?u%73er=someotheruser&port=12345",
            "dbname=db host=host port=12345 user=someotheruser",
        ),
        (
            "postgresql://host/db?u%7aer=someotheruser&port=12345",
            "error: invalid URI query parameter 1: libpq has no such key",
        ),
        (
            "postgresql://host:12345?user=uri-user",
            "host=host port=12345 user=uri-user",
        ),
        ("postgresql://host?", "host=host"),
        (
            "postgresql://host?  user = uri-user & port  = 12345 ",
            "host=host port=12345 user=uri-user",
        ),
        (
            "postgresql://host?  user user  =  uri  & port = 12345 12 ",
            "error: unexpected spaces found in URI, use percent-encoded spaces (%20) instead",
        ),
        ("postgresql://[::1]:12345/db", "dbname=db host=::1 port=12345"),
        ("postgresql://[2001:db8::1234]/", "host=2001:db8::1234"),
        ("postgresql://[200z:db8::1234]/", "host=200z:db8::1234"),
        ("postgres://", ""),
        ("postgres:///", ""),
        ("postgres:///db", "dbname=db"),
        ("postgres://uri-user@/db", "dbname=db user=uri-user"),
        ("postgres://?host=/path/to/socket/dir", "host=/path/to/socket/dir"),
        (
            "postgresql://host?uzer=",
            "error: invalid URI query parameter 1: libpq has no such key",
        ),
        (
            "postgre://",
            "error: missing \"=\" in connection info string: it is neither a postgresql:// URL nor a list of key=value pairs",
        ),
        (
            "postgres://[::1",
            "error: end of string reached when looking for matching \"]\" in IPv6 host address in URI",
        ),
        (
            "postgres://[]",
            "error: IPv6 host address may not be empty in URI",
        ),
        (
            "postgres://[::1]z",
            "error: unexpected character after the \"]\" of an IPv6 host address in URI (expected \":\" or \"/\")",
        ),
        (
            "postgresql://host?zzz",
            "error: missing key/value separator \"=\" in URI query parameter 1",
        ),
        (
            "postgresql://host?value1&value2",
            "error: missing key/value separator \"=\" in URI query parameter 1",
        ),
        (
            "postgresql://host?key=key=value",
            "error: extra key/value separator \"=\" in URI query parameter 1",
        ),
        (
            "postgres://host?dbname=%XXfoo",
            "error: invalid percent-encoded token",
        ),
        (
            "postgresql://a%00b",
            "error: forbidden value %00 in percent-encoded value",
        ),
        ("postgresql://%zz", "error: invalid percent-encoded token"),
        ("postgresql://%1", "error: invalid percent-encoded token"),
        ("postgresql://%", "error: invalid percent-encoded token"),
        ("postgres://@host", "host=host"),
        ("postgres://host:/", "host=host"),
        ("postgres://:12345/", "port=12345"),
        (
            "postgres://otheruser@?host=/no/such/directory",
            "host=/no/such/directory user=otheruser",
        ),
        (
            "postgres://otheruser@/?host=/no/such/directory",
            "host=/no/such/directory user=otheruser",
        ),
        (
            "postgres://otheruser@:12345?host=/no/such/socket/path",
            "host=/no/such/socket/path port=12345 user=otheruser",
        ),
        (
            "postgres://otheruser@:12345/db?host=/path/to/socket",
            "dbname=db host=/path/to/socket port=12345 user=otheruser",
        ),
        (
            "postgres://:12345/db?host=/path/to/socket",
            "dbname=db host=/path/to/socket port=12345",
        ),
        (
            "postgres://%2Fvar%2Flib%2Fpostgresql/dbname",
            "dbname=dbname host=/var/lib/postgresql",
        ),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

/// The three cases of that file that need a variable. libpq parses the first two, and refuses to connect.
#[test]
fn the_systems_roots_require_verify_full() {
    let system = ["PGSSLROOTCERT=system"];
    let weak = |mode: &str| {
        format!("weak sslmode \"{mode}\" may not be used with sslrootcert=system (use \"verify-full\")")
    };
    for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
        let text = format!("postgresql://host?sslmode={mode}");
        let error = with_variables(&text, &system).unwrap_err();
        assert_eq!(error.to_string(), weak(mode));
        assert!(!error.is_unsupported());
    }
    for text in ["postgresql://host?sslmode=verify-full", "postgresql://host"] {
        let info = with_variables(text, &system).unwrap();
        assert_eq!(info.ssl_mode, SslMode::VerifyFull, "{text}");
        assert_eq!(info.ssl_root_cert, Some(RootCert::System), "{text}");
    }
}

/// Where the parsers of drivers connect to another host, or accept what libpq refuses.
#[test]
fn reads_what_other_parsers_misread_as_libpq_does() {
    for (text, expected) in [
        // The query replaces values of the authority.
        (
            "postgresql://u@h/db?port=6000",
            "dbname=db host=h port=6000 user=u",
        ),
        (
            "postgresql://u@h:1/db?port=6000",
            "dbname=db host=h port=6000 user=u",
        ),
        (
            "postgresql://h:6000/db?host=other",
            "dbname=db host=other port=6000",
        ),
        (
            "postgresql:///db?host=a,b&port=1,2",
            "dbname=db host=a,b port=1,2",
        ),
        ("postgresql://a:1,b:2/db", "dbname=db host=a,b port=1,2"),
        ("postgresql://a,b:2/db", "dbname=db host=a,b port=,2"),
        ("postgresql://[::1]:1,[::2]/db", "dbname=db host=::1,::2 port=1,"),
        ("postgresql://,/app", "dbname=app host=, port=,"),
        // An `@` after the first `/` is an ordinary character.
        (
            "postgresql://host/db?application_name=me@corp",
            "application_name=me@corp dbname=db host=host",
        ),
        (
            "postgresql://host/db?password=p@ss&user=u",
            "dbname=db host=host password=p@ss user=u",
        ),
        // In the password, every delimiter before the first `@` is ordinary.
        (
            "postgresql://u:p?a&b#c=d:e@h/db",
            "dbname=db host=h password=p?a&b#c=d:e user=u",
        ),
        (
            "postgresql://u:p%40%2F%25@h/db",
            "dbname=db host=h password=p@/% user=u",
        ),
        ("postgresql://u:@h/db", "dbname=db host=h user=u"),
        ("postgresql://:p@h/db", "dbname=db host=h password=p"),
        ("postgresql://u@h/d#b", "dbname=d#b host=h user=u"),
        ("postgresql://u@h/a/b", "dbname=a/b host=h user=u"),
        ("postgresql://[fe80::1%25eth0]/db", "dbname=db host=fe80::1%eth0"),
        // Brackets protect every delimiter.
        (
            "postgresql://u@[/run/x]:7/db",
            "dbname=db host=/run/x port=7 user=u",
        ),
        ("postgresql://u@[a,b?c]?user=v", "host=a,b?c user=v"),
        ("postgresql://[::1],h?user=u", "host=::1,h port=, user=u"),
        ("postgresql://h/db?", "dbname=db host=h"),
        ("postgresql://h/db?user=u&", "dbname=db host=h user=u"),
        (
            "postgresql://h/db?user=u&&",
            "error: missing key/value separator \"=\" in URI query parameter 2",
        ),
        (
            "postgresql://h/db?&user=u",
            "error: missing key/value separator \"=\" in URI query parameter 1",
        ),
        (
            "postgresql://h/db?&",
            "error: missing key/value separator \"=\" in URI query parameter 1",
        ),
        ("postgresql://h/db?user=a&user=b", "dbname=db host=h user=b"),
        ("postgresql://h/db?port=&host=", "dbname=db host= port="),
        ("postgresql://h/db?ssl=true", "dbname=db host=h sslmode=require"),
        (
            "postgresql://h/db?ssl=false",
            "error: invalid URI query parameter 1: libpq has no such key",
        ),
        (
            "postgresql://h/db?requiressl=1",
            "dbname=db host=h sslmode=require",
        ),
        (
            "postgresql://h/db?requiressl=0",
            "dbname=db host=h sslmode=prefer",
        ),
        (
            "postgresql://h/db?requiressl=1&sslmode=disable",
            "dbname=db host=h sslmode=disable",
        ),
        (
            "postgresql://h/db?sslmode=disable&requiressl=1",
            "dbname=db host=h sslmode=require",
        ),
        (
            "postgresql://h/db?options=-c%20search_path%3Dx",
            "dbname=db host=h options=-c search_path=x",
        ),
        (
            "postgresql://h a/db",
            "error: unexpected spaces found in URI, use percent-encoded spaces (%20) instead",
        ),
        (
            "postgresql://a, b/db",
            "error: unexpected spaces found in URI, use percent-encoded spaces (%20) instead",
        ),
        ("postgresql://u:p%ss@h/db", "error: invalid percent-encoded token"),
        (
            "postgresql://u:%ff@h/db",
            "error: percent-encoded bytes that are not UTF-8 can't be used",
        ),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn a_password_with_an_unencoded_delimiter_is_refused() {
    let cut = "an `@` in the host or database name: the password seems to contain an unencoded delimiter";
    for text in [
        "postgresql://u:p@ss@host/db",
        "postgresql://u:p/ss@host/db",
        "postgresql://u:p@s/s@host/db",
        "postgresql://u@h@host/db",
    ] {
        let error = plain(text).unwrap_err();
        assert_eq!(error.to_string(), cut, "{text}");
        assert!(error.hint().unwrap().contains("@ as %40"), "{text}");
    }
    for text in [
        "postgresql://host?application_name=me@corp",
        "postgresql://host?password=p@ss&user=u",
    ] {
        assert!(
            message(text).starts_with("an `@` in the query of a URL without a `/`"),
            "{text}"
        );
    }
    for (text, expected) in [
        ("host=ss@host", "a host name contains an `@`"),
        ("postgresql://u:p%40ss%40host/db", "invalid port number"),
        (
            "postgresql://u@a%26b/db",
            "a host name contains an invalid character",
        ),
        (
            "postgresql://u@a%2Fb/db",
            "a host name contains an invalid character",
        ),
        ("host=a?b", "a host name contains an invalid character"),
        ("host='a b'", "a host name contains an invalid character"),
        ("host='a, b' port=1", "a host name contains an invalid character"),
        ("postgresql://u:pw/db", "invalid port number"),
        ("host=a:5432", "a host name contains a `:`"),
        ("hostaddr=localhost", "a hostaddr value is not a numeric address"),
    ] {
        assert!(message(text).starts_with(expected), "{text}: {}", message(text));
    }
}

#[test]
fn spaces_around_a_part_of_a_url_are_removed_and_other_white_space_is_kept() {
    for (text, dbname, is_warned) in [
        ("postgresql:// u @ h / db ", "db", false),
        ("postgresql://u@h/db\n", "db\n", true),
        ("postgresql://u@h/db\r\n", "db\r\n", true),
        ("postgresql://u@h/db\x0b", "db\x0b", true),
        ("postgresql://u@h/\tdb\t ", "\tdb\t", true),
        ("postgresql://u@h/d\tb", "d\tb", false),
        ("postgresql://u@h/db?connect_timeout=1\n", "db", true),
        ("\thost=h user=u dbname=db\n", "db", false),
    ] {
        let info = plain(text).unwrap();
        assert_eq!(info.user.as_deref(), Some("u"), "{text:?}");
        assert_eq!(info.dbname.as_deref(), Some(dbname), "{text:?}");
        let is_named = info.warnings.iter().any(|line| line.contains("newline or tab"));
        assert_eq!(is_named, is_warned, "{text:?}");
    }
    for (text, expected) in [
        ("postgresql://u@h/db?sslmode=require\n", "invalid sslmode value"),
        ("postgresql://u@h\n", "a host name contains an invalid character"),
    ] {
        let error = plain(text).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text:?}");
        assert!(error.hint().unwrap().contains("newline or tab"), "{text:?}");
    }
    let error = with_variables("postgresql://u@h/db\n", &["PGSSLMODE=x"]).unwrap_err();
    assert!(error.hint().unwrap().starts_with("one of disable"), "{error:?}");
}

#[test]
fn an_unknown_key_is_named_only_when_another_driver_has_it() {
    for (name, message, hint) in [
        ("username", "libpq has no such key", Some("libpq's key is `user`")),
        (
            "SSLMODE",
            "libpq has no such key",
            Some("libpq's key is `sslmode`"),
        ),
        (
            "ssl-mode",
            "libpq has no such key",
            Some("libpq's key is `sslmode`"),
        ),
        (
            "connectTimeout",
            "libpq has no such key",
            Some("libpq's key is `connect_timeout`"),
        ),
        (
            "pgbouncer",
            "`pgbouncer` belongs to another driver, and libpq refuses it",
            Some("remove `pgbouncer` from the connection string"),
        ),
        (
            "schema",
            "`schema` belongs to another driver, and libpq refuses it",
            Some("remove `schema` from the connection string"),
        ),
        ("hunter2", "libpq has no such key", None),
    ] {
        let error = plain(&format!("postgresql://h/db?user=u&{name}=x")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("invalid URI query parameter 2: {message}")
        );
        assert_eq!(error.hint(), hint, "{name}");
    }
}
