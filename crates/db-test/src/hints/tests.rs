//! One hint per cause.

use super::*;

fn context(host: &str) -> Context<'_> {
    Context {
        host,
        port: 5432,
        variable: "CONNECTION_URL",
    }
}

#[test]
fn each_cause_has_its_hint() {
    for (code, message, hint) in [
        (
            "28P01",
            "password authentication failed for user \"u\"",
            "is not this user's",
        ),
        (
            "28000",
            "no pg_hba.conf entry for host \"10.0.0.9\", user \"u\", database \"d\", no encryption",
            "sslmode=require",
        ),
        (
            "28000",
            "no pg_hba.conf entry for host \"10.0.0.9\", user \"u\", database \"d\", SSL off",
            "sslmode=require",
        ),
        (
            "28000",
            "no pg_hba.conf entry for host \"10.0.0.9\", user \"u\", database \"d\", SSL encryption",
            "pg_hba.conf has no line",
        ),
        (
            "28000",
            "pg_hba.conf rejects connection for host \"10.0.0.9\"",
            "pg_hba.conf has no line",
        ),
        ("28000", "PAM authentication failed for user \"u\"", "15 minutes"),
        ("28000", "role \"u\" is not permitted to log in", "LOGIN"),
        (
            "28000",
            "connection requires a valid client certificate",
            "not supported here",
        ),
        ("3D000", "database \"d\" does not exist", "the login works"),
        ("42501", "permission denied for database \"d\"", "GRANT CONNECT"),
        ("42704", "unrecognized configuration parameter \"x\"", "`options`"),
        ("53300", "sorry, too many clients already", "pg_stat_activity"),
        (
            "55000",
            "database \"d\" is not currently accepting connections",
            "ALLOW_CONNECTIONS",
        ),
        ("57P03", "the database system is starting up", "in a moment"),
        (
            "57P01",
            "terminating connection due to administrator command",
            "in a moment",
        ),
        (
            "XX000",
            "This RDS Proxy requires TLS connections.",
            "sslmode=require",
        ),
        (
            "XX000",
            "IAM authentication is allowed only with SSL connections.",
            "sslmode=require",
        ),
        (
            "XX000",
            "This RDS proxy has no credentials for the role u",
            "Secrets Manager",
        ),
    ] {
        let found = of_server(code, message, &context("h")).unwrap_or_default();
        assert!(found.contains(hint), "{code} {message}: {found}");
    }
    assert_eq!(of_server("XX000", "something else", &context("h")), None);
    assert_eq!(
        of_server("28000", "no PostgreSQL user name specified", &context("h")),
        None
    );
}
