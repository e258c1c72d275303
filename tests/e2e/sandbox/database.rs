//! The sandbox's PostgreSQL: who gets in, and from where.

use super::evaluated;
use std::fs;
use support::sandbox::sandbox;
use support::{Output, root};

fn psql(url: &str, query: &str) -> Output {
    sandbox()
        .program("psql")
        .args([url, "--no-psqlrc", "-Atc", query])
        .run()
}

#[test]
fn postgresql_takes_tls_and_the_right_password_and_nothing_else() {
    let url = sandbox().get("CONNECTION_URL");
    let tls = "select version, current_user from pg_stat_ssl join pg_stat_activity using (pid) where pid = pg_backend_pid()";
    psql(url, tls).exits(0).prints("TLSv1.3|cruddur");
    // What a master user on RDS may do, and no more.
    let rights = "select rolcreatedb, rolcreaterole, rolsuper from pg_roles where rolname = current_user";
    psql(url, rights).exits(0).prints("t|t|f");
    let stored = "select count(*) from pg_roles where rolcanlogin and not rolsuper and rolname = 'cruddur'";
    psql(url, stored).exits(0).prints("1");

    psql(&url.replace("verify-full", "disable"), "select 1")
        .exits(2)
        .says("no encryption");
    let (user, rest) = url.split_once("cruddur:").unwrap();
    let (_, rest) = rest.split_once('@').unwrap();
    psql(&format!("{user}cruddur:wrong@{rest}"), "select 1")
        .exits(2)
        .says("password authentication failed");
    psql(&format!("{user}postgres@{rest}&password="), "select 1").exits(2);
    // The authority is its own: nobody else's certificate is taken for it.
    let elsewhere = "sslrootcert=/etc/ssl/certs/ca-certificates.crt";
    let (start, _) = url.split_once("sslrootcert=").unwrap();
    psql(&format!("{start}{elsewhere}"), "select 1")
        .exits(2)
        .says("certificate verify failed");
}

/// From inside a container, over the bridge: TLS, and a certificate that holds for the gateway's address.
#[test]
fn a_container_reaches_postgresql_over_the_bridge() {
    let sandbox = sandbox();
    let url = sandbox.get("PROD_CONNECTION_URL");
    let place = url.split_once('@').unwrap().1.split('/').next().unwrap();
    let (gateway, port) = place.split_once(':').unwrap();
    let authority = fs::read_to_string(
        root()
            .join(".sandbox")
            .join(sandbox.get("OPS_SANDBOX"))
            .join("ca.crt"),
    )
    .unwrap();
    // The gate has made sure of one of the two.
    let environment = evaluated("sh", &[]);
    let stand_in = environment
        .get("OPS_IMAGE_FROM")
        .and_then(|from| from.split('=').nth(1));
    let image = stand_in.unwrap_or("python:3.10-slim-buster");
    // The eight bytes with which a client asks for TLS.
    let program = "import os, socket, ssl, sys\n\
        context = ssl.create_default_context(cadata=os.environ['AUTHORITY'])\n\
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), 5) as plain:\n\
        \x20   plain.sendall(bytes([0, 0, 0, 8, 4, 210, 22, 47]))\n\
        \x20   assert plain.recv(1) == b'S'\n\
        \x20   with context.wrap_socket(plain, server_hostname=sys.argv[1]) as secure:\n\
        \x20       print(secure.version())\n";
    let output = sandbox
        .program("docker")
        .args([
            "run",
            "--rm",
            "--env",
            "AUTHORITY",
            image,
            "python3",
            "-c",
            program,
            gateway,
            port,
        ])
        .env("AUTHORITY", authority)
        .run()
        .exits(0);
    output.prints("TLSv1.3");
    let listening = sandbox.program("ss").args(["-ltnH"]).run();
    if listening.code == Some(0) {
        let everywhere = [
            format!("0.0.0.0:{port}"),
            format!("*:{port}"),
            format!("[::]:{port}"),
        ];
        for line in listening.stdout.lines() {
            assert!(
                !everywhere.iter().any(|address| line.contains(address.as_str())),
                "{line}"
            );
        }
    }
}
