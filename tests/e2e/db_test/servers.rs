//! Servers that are unreachable, broken, or no PostgreSQL servers.

use super::{
    CLOSED, SUCCESS, Server, answer_queries, answering_tls, fails, let_in, message, packet, probe, refusal,
    stay_silent, welcome,
};
use std::io::{Read, Write};
use support::Tool;

#[test]
fn nothing_listens() {
    let output = probe(&format!("postgresql://u:p@{CLOSED}/d")).run();
    fails(
        output,
        1,
        "tcp",
        "connection refused",
        "nothing listens on port 1",
    );
}

#[test]
fn the_name_does_not_exist() {
    let output = probe("postgresql://u:p@nosuch.invalid/d").run();
    let reason = "could not translate host name `nosuch.invalid` to an address";
    let output = fails(output, 1, "dns", reason, "");
    assert!(!output.stderr.contains("  tcp "), "{}", output.stderr);
}

#[test]
fn a_socket_that_is_not_there() {
    let tool = probe("postgresql://u:p@/d?host=/nowhere");
    fails(tool.run(), 1, "tcp", "no such socket", "unix_socket_directories");
}

#[test]
fn the_server_has_no_tls() {
    let server = Server::start(let_in);
    for mode in ["require", "verify-ca", "verify-full"] {
        let certificates = support::root().join("crates/db-test/src/tls/certificates.pem");
        let url = server.url(&format!("sslmode={mode}&sslrootcert={}", certificates.display()));
        let output = probe(&url).run();
        fails(output, 1, "tls", "the server does not support TLS", "ssl = on");
    }
    for mode in ["disable", "allow", "prefer"] {
        let output = probe(&server.url(&format!("sslmode={mode}"))).run().exits(0);
        assert_eq!(output.stdout, SUCCESS, "{mode}");
        output.says("NOT encrypted").says(&format!("(sslmode={mode})"));
    }
}

#[test]
fn closes_at_once() {
    let server = Server::start(|_| {});
    let closed = "the server closed the connection unexpectedly";
    for (mode, stage) in [("disable", "auth"), ("prefer", "tls"), ("require", "tls")] {
        let output = probe(&server.url(&format!("sslmode={mode}"))).run();
        fails(output, 1, stage, closed, "load balancer");
    }
    let after_no = Server::start(|stream| {
        answering_tls(stream, b'N');
    });
    fails(probe(&after_no.url("")).run(), 1, "auth", closed, "load balancer");
}

#[test]
fn closes_in_the_handshake() {
    let server = Server::start(|stream| {
        packet(stream);
        stream.write_all(b"S").unwrap();
    });
    let output = probe(&server.url("sslmode=require")).run();
    fails(output, 1, "tls", "the TLS handshake failed: ", "");
}

#[test]
fn is_not_postgresql() {
    for (answer, first, hint) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[..],
            "H",
            "an HTTP server",
        ),
        (b"-ERR unknown command\r\n", "-", "Redis"),
        (b"220 mail.example ESMTP\r\n", "2", "mail or FTP"),
        (b"\x15\x03\x01\x00\x02\x02\x0a", r"\x15", "right port"),
    ] {
        let server = Server::start(move |stream| {
            packet(stream);
            let _ = stream.write_all(answer);
        });
        for (mode, stage) in [("disable", "auth"), ("prefer", "tls"), ("require", "tls")] {
            let output = probe(&server.url(&format!("sslmode={mode}"))).run();
            let reason = format!("the server is not PostgreSQL: its response begins with `{first}`");
            fails(output, 1, stage, &reason, hint);
        }
    }
    // A server that sends first.
    let ssh = Server::start(|stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
        stay_silent(stream);
    });
    let url = ssh.url("sslmode=disable");
    fails(
        probe(&url).run(),
        1,
        "auth",
        "the server is not PostgreSQL",
        "SSH",
    );
}

#[test]
fn answers_with_an_error_instead_of_a_yes_or_no() {
    let server = Server::start(|stream| {
        packet(stream);
        let _ = stream.write_all(&refusal("53300", "sorry, too many clients already"));
    });
    let output = probe(&server.url("sslmode=require")).run();
    let reason = "the server responded to the TLS request with an error";
    fails(output, 1, "tls", reason, "check its log");
    // Without TLS the text of the error is shown.
    let output = probe(&server.url("sslmode=disable")).run();
    let reason = "sorry, too many clients already (53300)";
    fails(output, 1, "auth", reason, "no connection is free");
}

#[test]
fn refuses_with_a_code() {
    for (code, text, hint) in [
        (
            "57P03",
            "the database system is starting up",
            "try again in a moment",
        ),
        (
            "28000",
            "pg_hba.conf rejects connection for host \"10.0.0.1\"",
            "pg_hba.conf",
        ),
        ("28000", "PAM authentication failed for user \"u\"", "15 minutes"),
        (
            "XX000",
            "This RDS Proxy requires TLS connections.",
            "sslmode=require",
        ),
        ("XX000", "something unheard of", ""),
    ] {
        let server = Server::start(move |stream| {
            answering_tls(stream, b'N');
            stream.write_all(&refusal(code, text)).unwrap();
        });
        let output = probe(&server.url("")).args(["-o", "json"]).run().exits(1);
        let json = output.json();
        assert_eq!(json["error"]["code"], code);
        let message = json["error"]["message"].as_str().unwrap();
        assert!(message.ends_with(&format!("{text} ({code})")), "{message}");
        let found = json["error"]["hint"].as_str().unwrap_or_default();
        assert!(found.contains(hint), "{text}: {found}");
    }
}

#[test]
fn asks_for_what_is_not_supported() {
    // GSSAPI.
    let server = Server::start(|stream| {
        answering_tls(stream, b'N');
        stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 7]).unwrap();
        stay_silent(stream);
    });
    let output = probe(&server.url("")).run();
    fails(
        output,
        1,
        "auth",
        "unsupported authentication method",
        "psql may still",
    );
}

#[test]
fn prefer_goes_on_without_tls_when_the_handshake_fails() {
    let server = Server::on("127.0.0.1", |stream, number| match number {
        0 => {
            packet(stream);
            stream.write_all(b"S").unwrap();
            let _ = stream.write_all(b"this is no TLS at all, and long enough");
            stay_silent(stream);
        }
        _ => {
            assert_ne!(packet(stream), super::SSL_REQUEST);
            stream.write_all(&welcome()).unwrap();
            answer_queries(stream);
        }
    });
    let output = probe(&server.url("sslmode=prefer")).run().exits(0);
    assert_eq!(output.stdout, SUCCESS);
    output
        .says("  tls      FAILED the TLS handshake failed: the response is not TLS")
        .says("  tls      -      NOT encrypted: the attempt with TLS failed (sslmode=prefer)");
    assert_eq!(server.connections(), 2);
}

#[test]
fn allow_asks_for_tls_only_after_a_refusal() {
    let refusing = Server::on("127.0.0.1", |stream, number| {
        if number == 0 {
            assert_ne!(packet(stream), super::SSL_REQUEST);
            stream
                .write_all(&refusal("28000", "no pg_hba.conf entry, no encryption"))
                .unwrap();
        } else {
            assert_eq!(packet(stream), super::SSL_REQUEST);
            stream.write_all(b"N").unwrap();
        }
    });
    let output = probe(&refusing.url("sslmode=allow")).run().exits(1);
    assert_eq!(refusing.connections(), 2);
    let output = output.says("without TLS: no pg_hba.conf entry, no encryption (28000)");
    output.says("with TLS: the server does not support TLS");

    let broken = Server::start(|stream| {
        packet(stream);
    });
    probe(&broken.url("sslmode=allow")).run().exits(1);
    assert_eq!(broken.connections(), 1);
}

/// Proxy variables are for HTTP.
#[test]
fn no_proxy_is_used() {
    let proxy = Server::start(stay_silent);
    let server = Server::start(let_in);
    let with_proxies = |tool: Tool| {
        let url = format!("http://{}", proxy.address);
        let names = [
            "ALL_PROXY",
            "HTTPS_PROXY",
            "HTTP_PROXY",
            "all_proxy",
            "https_proxy",
            "http_proxy",
        ];
        tool.envs(names.map(|name| (name, url.clone())))
    };
    with_proxies(probe(&server.url(""))).run().exits(0);
    with_proxies(probe(&format!("postgresql://u@{CLOSED}/d")))
        .run()
        .exits(1);
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn control_characters_of_a_server_are_removed() {
    let server = Server::start(|stream| {
        answering_tls(stream, b'N');
        stream
            .write_all(&refusal("28000", "go \x1b[2J\x07away\r\nhint: rm -rf"))
            .unwrap();
    });
    let output = probe(&server.url("")).run().exits(1);
    for stream in [&output.stdout, &output.stderr] {
        let odd = |letter: char| letter.is_control() && letter != '\n';
        assert!(!stream.contains(odd), "{stream:?}");
        assert!(!stream.contains("\nhint: rm"), "{stream:?}");
    }
}

#[test]
fn does_not_know_the_encoding() {
    let refused = "invalid value for parameter \"client_encoding\": \"it's\"";
    let server = Server::start(move |stream| {
        answering_tls(stream, b'N');
        stream.write_all(&welcome()).unwrap();
        let mut kind = [0];
        while stream.read_exact(&mut kind).is_ok() && kind == *b"Q" {
            let answer = match &packet(stream)[..] {
                b"set client_encoding to 'it''s'\0" => refusal("22023", refused),
                _ => message(b'C', b"SET\0"),
            };
            stream.write_all(&[answer, message(b'Z', b"I")].concat()).unwrap();
        }
    });
    let output = probe(&server.url("client_encoding=it%27s")).run();
    fails(output, 1, "query", refused, "correct client_encoding");
    for query in ["", "client_encoding=utf8", "client_encoding=auto"] {
        probe(&server.url(query)).run().exits(0);
    }
    let output = probe(&server.url("")).env("PGCLIENTENCODING", "it's").run();
    fails(output, 1, "query", refused, "correct client_encoding");
}

#[test]
fn refuses_the_query_and_closes_at_once() {
    let server = Server::start(|stream| {
        answering_tls(stream, b'N');
        stream.write_all(&welcome()).unwrap();
        stream.read_exact(&mut [0]).unwrap();
        packet(stream);
        stream.write_all(&refusal("57P01", "out of order")).unwrap();
    });
    // It depends on whether the end arrives with the message.
    for _ in 0..20 {
        fails(
            probe(&server.url("")).run(),
            1,
            "query",
            "out of order (57P01)",
            "",
        );
    }
}
