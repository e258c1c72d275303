//! The sandbox's PostgreSQL: which connections it accepts.

use support::Output;
use support::sandbox::sandbox;

fn psql(url: &str, query: &str) -> Output {
    sandbox()
        .program("psql")
        .args([url, "--no-psqlrc", "-Atc", query])
        .run()
}

#[test]
fn postgresql_accepts_only_tls_with_the_right_password() {
    let url = sandbox().get("CONNECTION_URL");
    let tls = "select version, current_user from pg_stat_ssl join pg_stat_activity using (pid) where pid = pg_backend_pid()";
    psql(url, tls).exits(0).prints("TLSv1.3|cruddur");
    // The rights of a master user on RDS.
    let rights = "select rolcreatedb, rolcreaterole, rolsuper from pg_roles where rolname = current_user";
    psql(url, rights).exits(0).prints("t|t|f");

    psql(&url.replace("verify-full", "disable"), "select 1")
        .exits(2)
        .says("no encryption");
    let (user, rest) = url.split_once("cruddur:").unwrap();
    let (_, rest) = rest.split_once('@').unwrap();
    psql(&format!("{user}cruddur:wrong@{rest}"), "select 1")
        .exits(2)
        .says("password authentication failed");
    psql(&format!("{user}postgres@{rest}&password="), "select 1").exits(2);
    // The certificate is signed by the sandbox's own authority.
    let elsewhere = "sslrootcert=/etc/ssl/certs/ca-certificates.crt";
    let (start, _) = url.split_once("sslrootcert=").unwrap();
    psql(&format!("{start}{elsewhere}"), "select 1")
        .exits(2)
        .says("certificate verify failed");
}
