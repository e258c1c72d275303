//! No output contains the password: on no path, in no format, at no level of detail.

use super::database::{Database, Role};
use super::{CLOSED, Server, answering_tls, let_in, message, packet, probe, refusal, stay_silent};
use std::io::{Read, Write};
use support::canary::Canary;
use support::{Tool, tool};

/// Each call without options, with `-v`, and with `-v -o json`.
fn in_every_form(cases: Vec<(&str, Tool)>) -> Vec<(&str, Tool)> {
    cases
        .into_iter()
        .flat_map(|(name, tool)| {
            [
                (name, tool.clone()),
                (name, tool.clone().arg("-v")),
                (name, tool.args(["-v", "-o", "json"])),
            ]
        })
        .collect()
}

#[test]
fn not_when_it_goes_well() {
    let canary = Canary::new();
    let server = Server::start(let_in);
    let url = server.url("").replace("pass-word", canary.value());
    for (name, tool) in in_every_form(vec![("a login", probe(&url))]) {
        canary.absent_from(name, &tool.run().exits(0));
    }
}

#[test]
fn not_when_the_connection_string_is_malformed() {
    let canary = Canary::new();
    let secret = canary.value();
    let cases = [
        "{}",
        "'postgresql://u:{}@h/d'",
        "psql postgresql://u:{}@h/d",
        "DATABASE_URL=postgresql://u:{}@h/d",
        "POSTGRESQL://u:{}@h/d",
        "jdbc:postgresql://h/d?user=u&password={}",
        "postgresql+psycopg2://u:{}@h/d",
        "mysql://u:{}@h/d",
        "postgresql://u:{}@x@h/d",
        "postgresql://u:x@{}@h/d",
        "postgresql://u:x/{}@h/d",
        "postgresql://u:{}%zz@h/d",
        "postgresql://u:{} x@h/d",
        "postgresql://u:{}/d",
        "postgresql://u:{}",
        "postgresql://u:{}@h:port/d",
        "postgresql://u:{}@[::1/d",
        "postgresql://h/d?password={}&sslmode=Require",
        "postgresql://h/d?{}",
        "postgresql://h/d?{}=x",
        "postgresql://h/d?password=x&{}",
        "postgresql://h/d?password=x={}",
        "postgresql://h/d?sslmode={}",
        "postgresql://h?password=x@{}&user=u",
        "postgresql://h?user=u&password=x@{}/",
        "postgresql://u:{}@h/d?sslcert=x",
        "postgresql://u:{}@h/d?sslmode=verify-full",
        "host=h password={} x",
        "host=h password='{}",
        "host=h password=x {}",
        "host=h@{}",
        "host=h dbname=postgresql://u:{}@h/d",
    ]
    .map(|text| (text, probe(&text.replace("{}", secret))));
    canary.absent_from_errors(in_every_form(cases.to_vec()));
}

#[test]
fn not_when_it_is_given_in_the_wrong_place() {
    let canary = Canary::new();
    let url = format!("postgresql://u:{}@h/d", canary.value());
    let cases = vec![
        ("an argument", tool("db-test").arg(&url)),
        ("a variable's name", tool("db-test").args(["--url-env", &url])),
        ("a flag's value", tool("db-test").arg(format!("--url={url}"))),
        (
            "PGPASSWORD",
            probe(&format!("postgresql://u@{CLOSED}/d")).env("PGPASSWORD", canary.value()),
        ),
        (
            "a variable that is wrong",
            probe("postgresql://h/d").env("PGPORT", canary.value()),
        ),
    ];
    canary.absent_from_errors(in_every_form(cases));
}

/// The string is no secret in itself: one without a password may equal a part of the output.
#[test]
fn the_password_alone_is_hidden() {
    let port = CLOSED.trim_start_matches("127.0.0.1:");
    let shown = format!("host=127.0.0.1 port={port}");
    let output = probe(&shown).env("PGUSER", "u").run().exits(1);
    output.says(&format!("user=u {shown} dbname=u "));
    // Raw and percent-encoded, and where it is the name of the user and of the database too.
    let echoing = Server::start(|stream| {
        answering_tls(stream, b'N');
        let text = "no p@ss/word and no p%40ss%2Fword";
        stream.write_all(&refusal("28P01", text)).unwrap();
    });
    let encoded = "p%40ss%2Fword";
    let url = format!("postgresql://{encoded}:{encoded}@{}/{encoded}", echoing.address);
    for format in ["text", "json"] {
        let output = probe(&url).args(["-o", format]).run().exits(1);
        let output = output.says("user=*** host=127.0.0.1 ").says("no *** and no ***");
        for form in ["p@ss/word", encoded] {
            assert!(!output.transcript().contains(form), "{}", output.transcript());
        }
    }
}

#[test]
fn not_when_the_server_fails() {
    let canary = Canary::new();
    let secret = canary.value();
    let limited = |server: &Server| {
        let url = server.url("").replace("pass-word", secret);
        probe(&url).args(["--timeout", "300ms"])
    };
    let silent = Server::start(stay_silent);
    let half = Server::start(|stream| {
        packet(stream);
        stream.write_all(b"S").unwrap();
        stay_silent(stream);
    });
    let closing = Server::start(|_| {});
    let http = Server::start(|stream| {
        packet(stream);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let refusing = Server::start(|stream| {
        answering_tls(stream, b'N');
        stream.write_all(&refusal("28P01", "no")).unwrap();
    });
    // A server that requests the password in clear text and repeats it.
    let echoing = Server::start(|stream| {
        answering_tls(stream, b'N');
        stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3]).unwrap();
        let mut kind = [0];
        stream.read_exact(&mut kind).unwrap();
        let password = packet(stream);
        let password = String::from_utf8_lossy(&password).replace('\0', "");
        let text = format!("no entry for {password}");
        let detail = format!("SFATAL\0VFATAL\0C28000\0M{text}\0Dyou sent '{password}'\0\0");
        stream.write_all(&message(b'E', detail.as_bytes())).unwrap();
    });
    assert_ne!(
        limited(&echoing).run().exits(1).says("no entry for ***").stdout,
        ""
    );
    let with_password = |rest: &str| probe(&format!("postgresql://u:{secret}@{rest}"));
    canary.absent_from_errors(in_every_form(vec![
        ("refused", with_password(&format!("{CLOSED}/d"))),
        ("no such name", with_password("nosuch.invalid/d")),
        ("no such socket", with_password("/d?host=/nowhere")),
        ("silent", limited(&silent)),
        ("S, then silent", limited(&half)),
        ("closing", limited(&closing)),
        ("http", limited(&http)),
        ("refusing", limited(&refusing)),
        ("echoing", limited(&echoing)),
        (
            "several hosts",
            with_password(&format!("{CLOSED},{},nosuch.invalid/d", closing.address)),
        ),
        ("no root certificate", with_password("h/d?sslrootcert=/dev/null")),
    ]));
}

#[test]
fn not_when_postgresql_refuses() {
    let canary = Canary::new();
    let database = Database::of_sandbox();
    let role = Role::new(&database, canary.value(), "login");
    let output = probe(&role.url("sslmode=require"))
        .args(["-v", "-o", "json"])
        .run()
        .exits(0);
    canary.absent_from("a login", &output);
    let wrong = |query: &str| probe(&role.url_with(&format!("{}x", canary.value()), "cruddur", query));
    canary.absent_from_errors(in_every_form(vec![
        ("wrong password", wrong("sslmode=require")),
        ("wrong password, prefer", wrong("sslmode=prefer")),
        ("no encryption", probe(&role.url("sslmode=disable"))),
        (
            "no database",
            probe(&role.url_with(canary.value(), "no_such_database", "sslmode=require")),
        ),
        (
            "wrong name",
            probe(&role.url(&format!(
                "sslmode=verify-full&host=elsewhere.example&hostaddr=127.0.0.1&sslrootcert={}",
                database.root
            ))),
        ),
    ]));
}
