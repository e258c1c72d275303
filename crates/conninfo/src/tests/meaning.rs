//! Defaults, values and variables.

use super::*;

#[test]
fn gives_the_defaults_of_libpq() {
    let info = plain("postgresql://h").unwrap();
    assert_eq!(info.user, None);
    assert!(info.password.is_none());
    assert_eq!(info.dbname, None);
    assert_eq!(info.ssl_mode, SslMode::Prefer);
    assert_eq!(info.ssl_root_cert, None);
    assert_eq!(info.ssl_negotiation, SslNegotiation::Postgres);
    assert!(info.ssl_sni);
    assert_eq!((info.ssl_min_version, info.ssl_max_version), (None, None));
    assert_eq!(info.channel_binding, ChannelBinding::Prefer);
    assert_eq!(info.connect_timeout, None);
    assert_eq!(info.target_session_attrs, SessionAttrs::Any);
    assert!(!info.load_balance_hosts);
    assert_eq!(info.options, None);
    assert_eq!(info.application_name, None);
    assert_eq!(info.warnings, [""; 0]);
}

#[test]
fn reads_every_mode() {
    let modes = [
        ("disable", SslMode::Disable),
        ("allow", SslMode::Allow),
        ("prefer", SslMode::Prefer),
        ("require", SslMode::Require),
        ("verify-ca", SslMode::VerifyCa),
        ("verify-full", SslMode::VerifyFull),
    ];
    for (text, mode) in modes {
        let info = plain(&format!("postgresql://h?sslmode={text}")).unwrap();
        assert_eq!(info.ssl_mode, mode);
        assert_eq!(mode.as_str(), text);
    }
    let direct = "sslnegotiation=direct host=h sslmode=";
    for (text, mode) in modes {
        let weak = format!(
            "weak sslmode \"{text}\" may not be used with sslnegotiation=direct (use \"require\", \"verify-ca\", or \"verify-full\")"
        );
        match plain(&format!("{direct}{text}")) {
            Ok(info) => assert_eq!(
                (info.ssl_mode, info.ssl_negotiation),
                (mode, SslNegotiation::Direct)
            ),
            Err(error) => assert_eq!(error.to_string(), weak),
        }
    }
    let system = plain("host=h sslrootcert=system").unwrap();
    assert_eq!(system.ssl_mode, SslMode::VerifyFull);
    let file = plain("host=h sslrootcert=/ca.pem").unwrap();
    assert_eq!(file.ssl_root_cert, Some(RootCert::File(PathBuf::from("/ca.pem"))));
    assert_eq!(file.ssl_mode, SslMode::Prefer);
    assert_eq!(plain("host=h sslrootcert=").unwrap().ssl_root_cert, None);
}

#[test]
fn refuses_values_that_libpq_refuses() {
    for (pair, expected) in [
        ("sslmode=", "invalid sslmode value: \"\""),
        ("sslmode=Require", "invalid sslmode value"),
        ("channel_binding=", "invalid channel_binding value: \"\""),
        ("channel_binding=yes", "invalid channel_binding value"),
        (
            "target_session_attrs=",
            "invalid target_session_attrs value: \"\"",
        ),
        (
            "target_session_attrs=writable",
            "invalid target_session_attrs value",
        ),
        ("gssencmode=", "invalid gssencmode value: \"\""),
        ("sslcertmode=", "invalid sslcertmode value: \"\""),
        ("sslnegotiation=", "invalid sslnegotiation value: \"\""),
        ("load_balance_hosts=", "invalid load_balance_hosts value: \"\""),
        ("load_balance_hosts=1", "invalid load_balance_hosts value"),
        (
            "ssl_min_protocol_version=TLSv9",
            "invalid ssl_min_protocol_version value",
        ),
        (
            "ssl_max_protocol_version=1.2",
            "invalid ssl_max_protocol_version value",
        ),
        (
            "ssl_max_protocol_version=TLSv1.1",
            "invalid SSL protocol version range",
        ),
        (
            "ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2",
            "invalid SSL protocol version range",
        ),
        (
            "ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=tlsv1.2",
            "invalid SSL protocol version range",
        ),
        ("max_protocol_version=x", "invalid max_protocol_version value"),
        ("max_protocol_version=9", "invalid max_protocol_version value"),
        ("max_protocol_version=3.1", "invalid max_protocol_version value"),
        (
            "max_protocol_version=Latest",
            "invalid max_protocol_version value",
        ),
        (
            "min_protocol_version=",
            "invalid min_protocol_version value: \"\"",
        ),
        (
            "min_protocol_version=3.2&max_protocol_version=3.0",
            "\"min_protocol_version\" is greater than \"max_protocol_version\"",
        ),
        (
            "servicefile=",
            "invalid URI query parameter 1: libpq has no such key",
        ),
        (
            "servicefile=x",
            "invalid URI query parameter 1: libpq has no such key",
        ),
        (
            "connect_timeout=",
            "invalid integer value for connection option \"connect_timeout\"",
        ),
        (
            "connect_timeout=1.5",
            "invalid integer value for connection option \"connect_timeout\"",
        ),
        (
            "connect_timeout=99999999999",
            "invalid integer value for connection option \"connect_timeout\"",
        ),
        (
            "keepalives=",
            "invalid integer value for connection option \"keepalives\"",
        ),
        (
            "keepalives_idle=x",
            "invalid integer value for connection option \"keepalives_idle\"",
        ),
        (
            "tcp_user_timeout=1s",
            "invalid integer value for connection option \"tcp_user_timeout\"",
        ),
    ] {
        let error = plain(&format!("postgresql://h?{pair}")).unwrap_err();
        assert_eq!(error.to_string(), expected, "{pair}");
        assert!(!error.is_unsupported(), "{pair}");
    }
    let error = plain("postgresql://h?sslmode=Require").unwrap_err();
    assert_eq!(
        error.hint(),
        Some("one of disable, allow, prefer, require, verify-ca, verify-full, in this spelling")
    );
}

#[test]
fn accepts_values_that_libpq_accepts() {
    let seconds = |text: &str| {
        let info = plain(&format!("postgresql://h?connect_timeout={text}"));
        info.unwrap().connect_timeout.map(|limit| limit.as_secs())
    };
    assert_eq!(seconds("5"), Some(5));
    assert_eq!(seconds("%205%20"), Some(5));
    assert_eq!(seconds("0"), None);
    assert_eq!(seconds("-1"), None);
    let info = plain(
        "postgresql://h?sslsni=0&ssl_min_protocol_version=TLSv1.3&channel_binding=require&load_balance_hosts=random\
         &target_session_attrs=prefer-standby&options=-c%20a%3Db&fallback_application_name=f",
    )
    .unwrap();
    assert!(!info.ssl_sni);
    assert_eq!(info.ssl_min_version, Some(TlsVersion::Tls13));
    assert_eq!(info.channel_binding, ChannelBinding::Require);
    assert!(info.load_balance_hosts);
    assert_eq!(info.target_session_attrs, SessionAttrs::PreferStandby);
    assert_eq!(info.options.as_deref(), Some("-c a=b"));
    assert_eq!(info.application_name.as_deref(), Some("f"));
    let named = plain("host=h fallback_application_name=f application_name=a").unwrap();
    assert_eq!(named.application_name.as_deref(), Some("a"));
    for (text, encoding) in [("bogus", Some("bogus")), ("auto", None), ("", None)] {
        let info = plain(&format!("postgresql://h?client_encoding={text}")).unwrap();
        assert_eq!(info.client_encoding.as_deref(), encoding, "{text}");
    }
    for (text, version) in [
        ("", None),
        ("TLSv1", None),
        ("TLSv1.2", Some(TlsVersion::Tls12)),
        ("tlsV1.3", Some(TlsVersion::Tls13)),
    ] {
        let info = plain(&format!("postgresql://h?ssl_min_protocol_version={text}")).unwrap();
        assert_eq!(info.ssl_min_version, version, "{text}");
    }
    for pair in [
        "replication=",
        "replication=off",
        "gssencmode=prefer",
        "sslcertmode=allow",
        "client_encoding=utf8",
        "client_encoding=auto",
        "keepalives=1",
        "keepalives_count=3",
        "tcp_user_timeout=%20100",
        "sslcompression=0",
        "sslcert=",
    ] {
        let info = plain(&format!("postgresql://h?{pair}"));
        assert_eq!(info.unwrap().warnings, [""; 0], "{pair}");
    }
}

#[test]
fn unsupported_keys_are_refused_or_warned_about_by_name() {
    for (pair, expected) in [
        (
            "sslcert=c",
            "`sslcert` can't be used: client certificates are not supported",
        ),
        (
            "sslkey=k",
            "`sslkey` can't be used: client certificates are not supported",
        ),
        (
            "sslpassword=x",
            "`sslpassword` can't be used: client certificates are not supported",
        ),
        (
            "sslcertmode=require",
            "`sslcertmode=require` can't be used: client certificates are not supported",
        ),
        ("service=", "`service` can't be used: service files are not read"),
        ("service=s", "`service` can't be used: service files are not read"),
        (
            "gssencmode=require",
            "`gssencmode=require` can't be used: GSSAPI is not supported",
        ),
        (
            "replication=true",
            "`replication` can't be used: replication connections take no queries",
        ),
        (
            "scram_client_key=x",
            "`scram_client_key` can't be used: SCRAM keys are not supported",
        ),
        (
            "oauth_scope=x",
            "`oauth_scope` can't be used: OAuth is not supported",
        ),
        (
            "ssl_min_protocol_version=TLSv1&ssl_max_protocol_version=TLSv1.1",
            "`ssl_max_protocol_version` can't be used: TLS 1.2 is the oldest version that is supported",
        ),
    ] {
        let error = plain(&format!("postgresql://h?{pair}")).unwrap_err();
        assert_eq!(error.to_string(), expected, "{pair}");
        assert!(error.is_unsupported(), "{pair}");
    }
    for (pair, key) in [
        ("passfile=p", "passfile"),
        ("sslcrl=c", "sslcrl"),
        ("requirepeer=p", "requirepeer"),
        ("krbsrvname=k", "krbsrvname"),
        ("min_protocol_version=3.2", "min_protocol_version"),
        ("max_protocol_version=latest", "max_protocol_version"),
    ] {
        let warnings = plain(&format!("postgresql://h?{pair}")).unwrap().warnings;
        assert_eq!(warnings.len(), 1, "{pair}");
        assert!(
            warnings[0].starts_with(&format!("`{key}` has no effect: ")),
            "{pair}: {}",
            warnings[0]
        );
    }
}

#[test]
fn variables_are_defaults_for_keys_that_the_text_lacks() {
    let all = [
        "PGUSER=env-user",
        "PGPASSWORD=env-password",
        "PGDATABASE=env-db",
        "PGHOST=env-host",
        "PGPORT=6543",
        "PGSSLMODE=require",
        "PGSSLROOTCERT=/env.pem",
        "PGCONNECT_TIMEOUT=7",
        "PGAPPNAME=env-app",
        "PGOPTIONS=-c x=y",
        "PGCHANNELBINDING=disable",
        "PGTARGETSESSIONATTRS=read-write",
        "PGSSLSNI=0",
    ];
    let info = with_variables("postgresql://", &all).unwrap();
    assert_eq!(info.user.as_deref(), Some("env-user"));
    assert_eq!(info.password.unwrap().expose_secret(), "env-password");
    assert_eq!(info.dbname.as_deref(), Some("env-db"));
    assert_eq!(info.targets[0].host, Host::Name("env-host".into()));
    assert_eq!(info.targets[0].port, 6543);
    assert_eq!(info.ssl_mode, SslMode::Require);
    assert_eq!(info.ssl_root_cert, Some(RootCert::File("/env.pem".into())));
    assert_eq!(info.connect_timeout, Some(Duration::from_secs(7)));
    assert_eq!(info.application_name.as_deref(), Some("env-app"));
    assert_eq!(info.options.as_deref(), Some("-c x=y"));
    assert_eq!(info.channel_binding, ChannelBinding::Disable);
    assert_eq!(info.target_session_attrs, SessionAttrs::ReadWrite);
    assert!(!info.ssl_sni);

    let text = "postgresql://u:p@h:1/d?sslmode=disable&application_name=a&connect_timeout=3";
    let info = with_variables(text, &all).unwrap();
    assert_eq!(info.user.as_deref(), Some("u"));
    assert_eq!(info.password.unwrap().expose_secret(), "p");
    assert_eq!(info.dbname.as_deref(), Some("d"));
    assert_eq!(
        info.targets[0],
        Target {
            host: Host::Name("h".into()),
            address: None,
            port: 1
        }
    );
    assert_eq!(info.ssl_mode, SslMode::Disable);
    assert_eq!(info.application_name.as_deref(), Some("a"));
    assert_eq!(info.connect_timeout, Some(Duration::from_secs(3)));
}

#[test]
fn an_error_names_the_variable_that_holds_the_value() {
    for (text, line, message) in [
        ("host=h", "PGPORT=abc", "invalid port number"),
        ("user=u", "PGHOST=a@b", "a host name contains an `@`"),
        (
            "user=u",
            "PGHOST=a b",
            "a host name contains an invalid character",
        ),
        (
            "user=u",
            "PGHOSTADDR=x",
            "a hostaddr value is not a numeric address",
        ),
        (
            "host=h",
            "PGPORT=1,2",
            "could not match 2 port numbers to 1 hosts",
        ),
        ("host=h", "PGSSLMODE=Require", "invalid sslmode value"),
        (
            "host=h sslrootcert=system",
            "PGREQUIRESSL=1",
            "weak sslmode \"require\" may not be used",
        ),
        (
            "host=h sslmode=require",
            "PGSSLROOTCERT=system",
            "weak sslmode \"require\" may not be used",
        ),
        (
            "host=h sslmode=prefer",
            "PGSSLNEGOTIATION=direct",
            "weak sslmode \"prefer\" may not be used",
        ),
        (
            "host=h",
            "PGCONNECT_TIMEOUT=1.5",
            "invalid integer value for connection option \"connect_timeout\"",
        ),
        (
            "host=h",
            "PGSSLMAXPROTOCOLVERSION=TLSv1.1",
            "invalid SSL protocol version range",
        ),
        ("host=h", "PGCHANNELBINDING=yes", "invalid channel_binding value"),
        (
            "host=h",
            "PGSERVICE=s",
            "`service` can't be used: service files are not read",
        ),
        (
            "host=h",
            "PGSERVICE=",
            "`service` can't be used: service files are not read",
        ),
        (
            "host=h min_protocol_version=3.2",
            "PGMAXPROTOCOLVERSION=3.0",
            "\"min_protocol_version\" is greater",
        ),
        (
            "host=h",
            "PGGSSENCMODE=require",
            "`gssencmode=require` can't be used: GSSAPI is not supported",
        ),
    ] {
        let error = with_variables(text, &[line]).unwrap_err();
        let name = line.split('=').next();
        assert_eq!(error.variable(), name, "{line}: {error}");
        assert!(error.to_string().starts_with(message), "{line}: {error}");
        let hint = error.hint().unwrap_or_default();
        assert!(!hint.contains("password"), "{line}: {hint}");
    }
    // An error in the text names no variable, whatever the variables hold.
    for (text, line) in [
        ("host=h port=abc", "PGPORT=1"),
        ("host=h sslmode=x", "PGPORT=1"),
        ("host=h service=s", "PGSERVICE=t"),
        ("host=a@b", "PGHOST=h"),
    ] {
        assert_eq!(
            with_variables(text, &[line]).unwrap_err().variable(),
            None,
            "{text}"
        );
    }
}

#[test]
fn an_empty_value_in_the_text_hides_the_variable() {
    let info = with_variables("host=h user='' password=''", &["PGUSER=u", "PGPASSWORD=p"]).unwrap();
    assert_eq!(info.user, None);
    assert!(info.password.is_none());
    // In a URL an empty user or password is ignored, and the variable is used.
    let info = with_variables("postgresql://:@h/", &["PGUSER=u", "PGPASSWORD=p"]).unwrap();
    assert_eq!(info.user.as_deref(), Some("u"));
    assert_eq!(info.password.unwrap().expose_secret(), "p");
    let error = with_variables("host=h", &["PGSSLMODE="]).unwrap_err();
    assert_eq!(error.to_string(), "invalid sslmode value: \"\"");
}

#[test]
fn pgrequiressl_is_overridden_by_any_sslmode() {
    for (text, variables, mode) in [
        ("host=h", vec!["PGREQUIRESSL=1"], SslMode::Require),
        ("host=h", vec!["PGREQUIRESSL=0"], SslMode::Prefer),
        (
            "host=h",
            vec!["PGREQUIRESSL=1", "PGSSLMODE=disable"],
            SslMode::Disable,
        ),
        ("host=h sslmode=allow", vec!["PGREQUIRESSL=1"], SslMode::Allow),
        ("host=h requiressl=1", vec!["PGSSLMODE=disable"], SslMode::Require),
    ] {
        let info = with_variables(text, &variables).unwrap();
        assert_eq!(info.ssl_mode, mode, "{text} {variables:?}");
    }
}
