//! The sandbox's PostgreSQL: TLS with a CA of its own, SCRAM, and no logins without TLS.

use super::database::{Database, Role};
use super::{ATTEMPT, SUCCESS, fails, probe};
use std::fs;
use support::canary::Canary;
use support::{Output, Tool};

#[track_caller]
fn succeeds(tool: &Tool) -> Output {
    let output = tool.run().exits(0);
    assert_eq!(output.stdout, SUCCESS, "{}", output.transcript());
    output
}

#[test]
fn connects_with_tls_in_every_mode_but_disable() {
    let database = Database::of_sandbox();
    let root = format!("sslrootcert={}", database.root);
    for (query, verified) in [
        ("sslmode=require".to_owned(), "NOT verified (sslmode=require)"),
        ("sslmode=prefer".to_owned(), "NOT verified (sslmode=prefer)"),
        ("sslmode=allow".to_owned(), "NOT verified (sslmode=allow)"),
        (format!("sslmode=require&{root}"), "chain verified with `"),
        (format!("sslmode=verify-ca&{root}"), "chain verified with `"),
        (
            format!("sslmode=verify-full&{root}"),
            "chain and host name verified with `",
        ),
    ] {
        succeeds(&probe(&database.url(&query)))
            .says("  tls      ok     TLSv1.3, certificate `")
            .says(verified)
            .says("scram-sha-256, bound to the TLS connection")
            .says("  query    ok     select 1, PostgreSQL ");
    }
    let output = probe(&database.url("sslmode=disable")).run();
    let reason = "no pg_hba.conf entry for host \"127.0.0.1\"";
    fails(output, 1, "auth", reason, "use sslmode=require or stronger").says("no encryption (28000)");
}

#[test]
fn the_launcher_and_the_sandboxs_own_variables_do() {
    let database = Database::of_sandbox();
    let sandbox = database.sandbox;
    succeeds(&sandbox.launcher("bin/db/test"));
    succeeds(&sandbox.tool("db-test").args(["--url-env", "PROD_CONNECTION_URL"]));
    let json = sandbox.tool("db-test").args(["-o", "json"]).run().exits(0).json();
    let item = &json["items"][0];
    assert_eq!(item["name"], database.name);
    assert_eq!(item["user"], database.user);
    assert_eq!(item["tls"], "TLSv1.3");
    assert_eq!(item["read_only"], false);
    assert_eq!(item["in_recovery"], false);
    // As psql shows it.
    assert_eq!(
        item["server_version"].as_str(),
        Some(database.sql(&["show server_version"]).trim())
    );
}

#[test]
fn a_wrong_password_is_refused() {
    let database = Database::of_sandbox();
    let role = Role::new(&database, "right-password", "login");
    succeeds(&probe(&role.url("sslmode=require")));
    let wrong = role.url_with("wrong-password", &database.name, "sslmode=require");
    let output = probe(&wrong).run();
    let reason = format!(
        "password authentication failed for user \"{}\" (28P01)",
        role.name
    );
    fails(
        output,
        1,
        "auth",
        &reason,
        "the password in $CONNECTION_URL is not this user's",
    );
    // The fallback without TLS is refused for another reason: the first error is reported.
    let preferring = probe(&wrong.replace("sslmode=require", "sslmode=prefer")).args(["-o", "json"]);
    let output = preferring.run().exits(1);
    assert_eq!(output.json()["error"]["code"], "28P01");
    output.says("  auth     FAILED 28000 no pg_hba.conf entry");

    let none = format!(
        "postgresql://{}@{}/{}?sslmode=require",
        role.name, database.host, database.name
    );
    let output = probe(&none).run();
    fails(output, 1, "auth", "no password supplied", "PGPASSWORD");
    succeeds(&probe(&none).env("PGPASSWORD", "right-password"));
    // The URL has precedence.
    probe(&wrong).env("PGPASSWORD", "right-password").run().exits(1);
}

#[test]
fn a_missing_database_is_not_a_failed_login() {
    let database = Database::of_sandbox();
    let role = Role::new(&database, "right-password", "login");
    let url = role.url_with(&role.password, "no_such_database", "sslmode=require");
    let output = probe(&url).run();
    let reason = "database \"no_such_database\" does not exist (3D000)";
    fails(output, 1, "query", reason, "the login works").says("  auth     ok     user `");
}

#[test]
fn roles_that_may_not_connect() {
    let database = Database::of_sandbox();
    for (name, options, change, stage, reason, hint) in [
        (
            "no login",
            "nologin",
            None,
            "auth",
            "is not permitted to log in (28000)",
            "ALTER ROLE",
        ),
        (
            "limit",
            "login connection limit 0",
            None,
            "query",
            "too many connections for role",
            "pg_stat_activity",
        ),
        (
            "expired",
            "login valid until '2020-01-01'",
            None,
            "auth",
            "password authentication failed",
            "is not this user's",
        ),
        (
            "no privilege",
            "login",
            Some("revoke connect on database NAME from public".to_owned()),
            "query",
            "permission denied for database",
            "GRANT CONNECT",
        ),
        (
            "closed",
            "login",
            Some("alter database NAME allow_connections false".to_owned()),
            "query",
            "is not currently accepting connections (55000)",
            "ALLOW_CONNECTIONS",
        ),
    ] {
        let mut role = Role::new(&database, "right-password", options);
        if let Some(change) = change {
            role = role.with_database(&change);
        }
        let output = probe(&role.url("sslmode=require")).run().exits(1);
        let transcript = format!("{name}\n{}", output.transcript());
        assert!(
            output.stdout.starts_with(&format!("{ATTEMPT}Unable to connect")),
            "{transcript}"
        );
        assert!(output.stdout.contains(reason), "{transcript}");
        assert!(
            output.stderr.contains(&format!("  {stage:<8} FAILED ")),
            "{transcript}"
        );
        output.says("hint: ").says(hint);
    }
}

/// Certificates that are unrelated to the sandbox's.
fn unrelated() -> String {
    let path = support::root().join("crates/db-test/src/tls/certificates.pem");
    path.display().to_string()
}

#[test]
fn another_ca_is_not_trusted() {
    let database = Database::of_sandbox();
    let reason = "certificate verify failed: it is issued by `";
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = database.url(&format!("sslmode={mode}&sslrootcert={}", unrelated()));
        let output = probe(&url).run();
        fails(output, 1, "tls", reason, "sslrootcert=FILE has to hold");
    }
    // Amazon's CA for RDS is in no trust store.
    let rds = database.url_at(
        &format!("cruddur.abc123.us-east-1.rds.amazonaws.com:{}", database.port()),
        &format!(
            "hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={}",
            unrelated()
        ),
    );
    fails(probe(&rds).run(), 1, "tls", reason, "global-bundle.pem");
}

#[test]
fn the_certificate_has_to_be_for_the_host() {
    let database = Database::of_sandbox();
    let elsewhere = format!("elsewhere.example:{}", database.port());
    let query = |mode: &str| format!("hostaddr=127.0.0.1&sslmode={mode}&sslrootcert={}", database.root);
    let output = probe(&database.url_at(&elsewhere, &query("verify-full"))).run();
    let reason = "certificate verify failed: it is for ";
    fails(output, 1, "tls", reason, "by a name that the certificate holds")
        .says("and not for the host `elsewhere.example`");
    succeeds(&probe(&database.url_at(&elsewhere, &query("verify-ca"))));
    // The certificate holds the address.
    let address = format!("127.0.0.1:{}", database.port());
    let full = format!("sslmode=verify-full&sslrootcert={}", database.root);
    succeeds(&probe(&database.url_at(&address, &full)));
}

#[test]
fn the_users_root_file_is_used_as_by_libpq() {
    let database = Database::of_sandbox();
    let right = fs::read(&database.root).unwrap();
    let wrong = fs::read(unrelated()).unwrap();
    let home = ".postgresql/root.crt";
    let with = |query: &str, root: &[u8]| probe(&database.url(query)).file(home, root);
    succeeds(&with("sslmode=require", &right)).says("chain verified with `");
    succeeds(&with("sslmode=verify-full", &right)).says("chain and host name verified with `");
    let output = with("sslmode=require", &wrong).run();
    fails(output, 1, "tls", "certificate verify failed", "sslrootcert=FILE");
    // A missing file is an error only in the modes that verify.
    let absent = database.url("sslmode=require&sslrootcert=/nowhere/root.crt");
    succeeds(&probe(&absent))
        .says("db-test: warning: the root certificate file `/nowhere/root.crt` does not exist");
    let promised = absent.replace("require", "verify-ca");
    probe(&promised).run().exits(2).prints("");
}

#[test]
fn the_systems_ca_certificates_can_be_used() {
    let database = Database::of_sandbox();
    let tool = probe(&database.url("sslrootcert=system"));
    succeeds(&tool.clone().env("SSL_CERT_FILE", &database.root))
        .says("sslmode=verify-full sslrootcert=system")
        .says("chain and host name verified with the system's CA certificates");
    let output = tool.env("SSL_CERT_FILE", unrelated()).run();
    fails(output, 1, "tls", "certificate verify failed", "");
}

#[test]
fn tls_can_be_narrowed_and_the_login_bound_to_it() {
    let database = Database::of_sandbox();
    for (query, line) in [
        ("ssl_max_protocol_version=TLSv1.2", "  tls      ok     TLSv1.2, "),
        ("ssl_min_protocol_version=TLSv1.3", "  tls      ok     TLSv1.3, "),
        ("sslsni=0", "  tls      ok     TLSv1.3, "),
        (
            "channel_binding=require",
            "scram-sha-256, bound to the TLS connection",
        ),
        ("channel_binding=disable", "`, scram-sha-256 ("),
    ] {
        succeeds(&probe(&database.url(&format!("sslmode=require&{query}")))).says(line);
    }
    // PostgreSQL before 17 has no direct TLS.
    let direct = database.url("sslmode=require&sslnegotiation=direct");
    if database.sql(&["show server_version_num"]).trim() < "170000" {
        let output = probe(&direct).run();
        fails(output, 1, "tls", "the TLS handshake failed", "PostgreSQL 17");
    } else {
        succeeds(&probe(&direct));
    }
}

#[test]
fn the_session_has_to_be_of_the_requested_kind() {
    let database = Database::of_sandbox();
    for attrs in ["any", "read-write", "primary", "prefer-standby"] {
        succeeds(&probe(
            &database.url(&format!("sslmode=require&target_session_attrs={attrs}")),
        ));
    }
    let at = |query: &str| probe(&database.url_at(&format!("127.0.0.1:{}", database.port()), query));
    for (attrs, reason) in [
        ("read-only", "session is not read-only"),
        ("standby", "server is not in hot standby mode"),
    ] {
        let output = at(&format!("sslmode=require&target_session_attrs={attrs}")).run();
        fails(
            output,
            1,
            "query",
            reason,
            &format!("target_session_attrs={attrs}"),
        );
    }
    let read_only = "sslmode=require&options=-c%20default_transaction_read_only%3Don";
    succeeds(&at(&format!("{read_only}&target_session_attrs=read-only"))).says(", read-only (");
    let output = at(&format!("{read_only}&target_session_attrs=read-write")).run();
    fails(output, 1, "query", "session is read-only", "");
    let output = at("sslmode=require&options=-c%20no_such_setting%3D1").run();
    let reason = "unrecognized configuration parameter \"no_such_setting\" (42704)";
    fails(output, 1, "query", reason, "check `options`");
}

#[test]
fn a_password_of_all_kinds_of_characters_is_sent_unchanged() {
    let database = Database::of_sandbox();
    let password = r#"p@ss/w:rd?#%&= +é\"x"#;
    let encoded = "p%40ss%2Fw%3Ard%3F%23%25%26%3D%20%2B%C3%A9%5C%22x";
    let role = Role::new(&database, password, "login");
    let output = succeeds(&probe(&role.url_with(encoded, &database.name, "sslmode=require")));
    Canary::of(password).absent_from("a login", &output);
    let pairs = format!(
        "host=localhost port={} dbname={} user={} sslmode=require password='{}'",
        database.port(),
        database.name,
        role.name,
        password.replace('\\', r"\\")
    );
    succeeds(&probe(&pairs));
}
