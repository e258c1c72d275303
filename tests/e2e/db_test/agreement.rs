//! The same connection strings for `psql`, which uses libpq, and for `db-test`: both connect, or none.

use super::database::{Database, Role};
use super::{CLOSED, Server, let_in, probe};
use support::Tool;

fn psql(database: &Database, url: &str) -> Tool {
    // libpq must not read the user's files either.
    database
        .sandbox
        .program("psql")
        .without("PGPASSWORD")
        .args(["--no-psqlrc", "-Atc", "select 1", url])
}

#[track_caller]
fn agree(database: &Database, urls: &[String]) {
    for url in urls {
        let theirs = psql(database, url).run();
        let ours = probe(url).run();
        assert_eq!(
            ours.code == Some(0),
            theirs.code == Some(0),
            "{url}\npsql: {}\ndb-test: {}",
            theirs.transcript(),
            ours.transcript()
        );
    }
}

#[test]
fn on_modes_and_certificates() {
    let database = Database::of_sandbox();
    let unrelated = support::root().join("crates/db-test/src/tls/certificates.pem");
    let roots = [
        String::new(),
        format!("&sslrootcert={}", database.root),
        format!("&sslrootcert={}", unrelated.display()),
        "&sslrootcert=/nowhere".to_owned(),
    ];
    let mut urls = Vec::new();
    for mode in [
        "disable",
        "allow",
        "prefer",
        "require",
        "verify-ca",
        "verify-full",
    ] {
        for root in &roots {
            urls.push(database.url(&format!("sslmode={mode}{root}")));
            let elsewhere = format!("elsewhere.example:{}", database.port());
            urls.push(database.url_at(&elsewhere, &format!("hostaddr=127.0.0.1&sslmode={mode}{root}")));
        }
    }
    agree(&database, &urls);
}

#[test]
fn on_what_a_connection_string_means() {
    let database = Database::of_sandbox();
    let role = Role::new(&database, "right-password", "login");
    let port = database.port();
    let of_query = |query: &str| database.url(query);
    let mut urls: Vec<String> = [
        "",
        "sslmode=",
        "sslmode=Require",
        "ssl=true",
        "ssl=false",
        "requiressl=1",
        "application_name=a@b",
        "user=",
        "port=",
        "connect_timeout=",
        "connect_timeout=5",
        "connect_timeout=1.5",
        "keepalives=x",
        "channel_binding=require",
        "channel_binding=require&sslmode=disable",
        "target_session_attrs=read-write",
        "target_session_attrs=read-only",
        "target_session_attrs=standby",
        "target_session_attrs=prefer-standby",
        "options=-c%20search_path%3Dx",
        "options=-c%20nonsense%3Dx",
        "sslmode=require&",
        "sslmode=require&&",
        "ssl_max_protocol_version=TLSv1.2",
        "ssl_max_protocol_version=TLSv1.1",
        "client_encoding=latin1",
        "client_encoding=bogus",
        "schema=public",
        "dbname=no_such_database",
        "password=wrong",
    ]
    .map(of_query)
    .to_vec();
    urls.extend([
        role.url("sslmode=prefer"),
        role.url_with("wrong", "cruddur", "sslmode=prefer"),
        database.url_at(&format!("{CLOSED},localhost:{port}"), ""),
        database.url_at(&format!("nosuch.invalid:{port},localhost:{port}"), ""),
        database.url_at("localhost", &format!("port={port}")),
        database.url_at("nosuch.invalid", &format!("port={port}&host=localhost")),
        database.url_at("localhost,127.0.0.1", &format!("port={port}")),
        database.url_at("localhost,127.0.0.1", &format!("port=1,{port}")),
        database.url_at("localhost,127.0.0.1", &format!("port=1,2,{port}")),
        database.url_at(&format!("%6cocalhost:{port}"), ""),
        database.url_at(&format!("local%zzhost:{port}"), ""),
        database.url_at("/nowhere", ""),
        format!("{}\n", database.url("").trim_end_matches('?')),
        format!("{}\n", database.url("sslmode=require")),
        format!("\n{}", database.url("")),
    ]);
    agree(&database, &urls);
}

/// Servers that close the connection, or speak another protocol.
#[test]
fn on_broken_servers() {
    let database = Database::of_sandbox();
    let good = Server::start(let_in);
    let closing = Server::start(|_| {});
    let http = Server::start(|stream| {
        use std::io::Write;
        super::packet(stream);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let urls: Vec<String> = [&closing, &http]
        .into_iter()
        .flat_map(|server| {
            ["disable", "prefer", "require"].map(|mode| {
                let second = good.address;
                format!("postgresql://u@{},{second}/d?sslmode={mode}", server.address)
            })
        })
        .collect();
    agree(&database, &urls);
    assert_eq!(good.connections(), 0);
}
