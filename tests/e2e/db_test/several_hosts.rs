//! Several hosts and addresses, in libpq's order and by libpq's rules.

use super::{CLOSED, SUCCESS, Server, answering_tls, fails, let_in, packet, probe, refusal, stay_silent};
use std::io::Write;

/// A connection string for two servers, without their TLS.
fn both(first: &str, second: &Server) -> String {
    format!(
        "postgresql://u:pass-word@{first},{}/d?sslmode=disable",
        second.address
    )
}

#[test]
fn the_second_is_tried_when_the_first_does_not_answer() {
    let good = Server::start(let_in);
    let silent = Server::start(stay_silent);
    let starting = Server::start(|stream| {
        packet(stream);
        stream
            .write_all(&refusal("57P03", "the database system is starting up"))
            .unwrap();
    });
    let silent_url = format!("{}&connect_timeout=1", both(&silent.address.to_string(), &good));
    for (name, url, line) in [
        (
            "refused",
            both(CLOSED, &good),
            "  tcp      FAILED 127.0.0.1:1 connection refused",
        ),
        (
            "unknown",
            both("nosuch.invalid", &good),
            "  dns      FAILED could not translate host name `nosuch.invalid`",
        ),
        (
            "silent",
            silent_url,
            "  auth     FAILED connected, but then no response within 1 s (connect_timeout)",
        ),
        (
            "starting",
            both(&starting.address.to_string(), &good),
            "  auth     FAILED 57P03 the database system is starting up",
        ),
    ] {
        let output = probe(&url).run().exits(0);
        assert_eq!(output.stdout, SUCCESS, "{name}");
        output.says(line).says("  query    ok     select 1");
    }
}

#[test]
fn no_other_is_tried_after_a_server_that_refuses() {
    let refusing = |code: &'static str| {
        Server::start(move |stream| {
            packet(stream);
            stream.write_all(&refusal(code, "no")).unwrap();
        })
    };
    let good = Server::start(let_in);
    for code in ["28P01", "28000", "53300"] {
        let first = refusing(code);
        let output = probe(&both(&first.address.to_string(), &good)).run();
        fails(output, 1, "auth", &format!("no ({code})"), "");
        assert_eq!(first.connections(), 1);
    }
    let closing = Server::start(|_| {});
    probe(&both(&closing.address.to_string(), &good)).run().exits(1);
    assert_eq!(good.connections(), 0);
}

#[test]
fn all_failures_are_named() {
    let url = format!("postgresql://u@{CLOSED},nosuch.invalid/d");
    let output = probe(&url).run();
    let reason = "127.0.0.1:1: connection refused; nosuch.invalid: could not translate host name";
    // The hint is that of the attempt that reached the later stage.
    fails(output, 1, "tcp", reason, "nothing listens on port 1");
    let json = probe(&url).args(["-o", "json"]).run().exits(1).json();
    assert_eq!(json["error"]["code"], "connection-refused");
}

#[test]
fn localhost_is_both_families_without_a_look_up() {
    let servers = [
        Server::on("127.0.0.1", |stream, _| let_in(stream)),
        Server::on_ipv6_alone(|stream, _| let_in(stream)),
    ];
    for server in servers {
        let url = format!("postgresql://u@localhost:{}/d", server.address.port());
        let output = probe(&url).run().exits(0);
        assert_eq!(output.stdout, SUCCESS, "{}", server.address);
        output.says("  dns      -      not needed: localhost is 127.0.0.1 and ::1");
    }
}

#[test]
fn an_ipv6_address_and_a_hostaddr_are_not_looked_up() {
    let server = Server::on("::1", |stream, _| let_in(stream));
    let port = server.address.port();
    for url in [
        format!("postgresql://u@[::1]:{port}/d"),
        format!("postgresql://u@db.example:{port}/d?hostaddr=::1"),
        format!("host=db.example hostaddr=::1 port={port} user=u dbname=d"),
    ] {
        let output = probe(&url).run().exits(0);
        assert_eq!(output.stdout, SUCCESS, "{url}");
    }
    assert_eq!(server.connections(), 3);
}

#[test]
fn a_random_order_still_tries_all() {
    let good = Server::start(let_in);
    let url = format!(
        "{}&load_balance_hosts=random",
        both(&format!("{CLOSED},{CLOSED}"), &good)
    );
    for _ in 0..8 {
        assert_eq!(probe(&url).run().exits(0).stdout, SUCCESS);
    }
}

#[test]
fn prefer_standby_accepts_any_server_in_the_second_pass() {
    // Its responses do not contain whether it is a standby.
    let server = Server::start(let_in);
    for (attrs, code) in [
        ("standby", 1),
        ("read-write", 1),
        ("prefer-standby", 0),
        ("any", 0),
    ] {
        let url = server.url(&format!("target_session_attrs={attrs}"));
        let output = probe(&url).run().exits(code);
        if code == 1 {
            output.says(&format!(
                "target_session_attrs={attrs} requests another kind of server"
            ));
        }
    }
}

#[test]
fn tls_is_never_requested_over_a_socket() {
    // Over TCP, this server would get an SSLRequest.
    let folder = tempfile::TempDir::new().unwrap();
    let listener = std::os::unix::net::UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
    std::thread::spawn(move || {
        use std::io::Read;
        let (mut stream, _) = listener.accept().unwrap();
        let mut start = [0; 8];
        stream.read_exact(&mut start).unwrap();
        // Protocol 3.0, and not an SSLRequest.
        assert_eq!(start[4..], [0, 3, 0, 0]);
        stream
            .write_all(&refusal("28P01", "password authentication failed"))
            .unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let url = format!(
        "postgresql://u:p@/d?host={}&sslmode=require",
        folder.path().display()
    );
    let output = probe(&url).run();
    let reason = "password authentication failed (28P01)";
    fails(output, 1, "auth", reason, "").says("  tls      -      none: never used over a socket");
}

#[test]
fn no_other_host_is_tried_after_a_server_without_tls() {
    let without = Server::start(|stream| {
        answering_tls(stream, b'N');
    });
    let good = Server::start(let_in);
    let url = format!(
        "postgresql://u@{},{}/d?sslmode=require",
        without.address, good.address
    );
    let output = probe(&url).run();
    fails(output, 1, "tls", "the server does not support TLS", "");
    assert_eq!(good.connections(), 0);
}
