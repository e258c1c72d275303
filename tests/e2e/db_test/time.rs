//! One deadline covers everything.

use super::{Server, answering_tls, fails, packet, probe, stay_silent, welcome};
use std::io::Write;
use std::process::Command;
use std::time::Duration;
use support::{Output, Tool};

/// At least as long as the limit, and not much longer.
#[track_caller]
fn lasted(output: &Output, limit: Duration) {
    let elapsed = output.elapsed;
    assert!(elapsed >= limit, "{elapsed:?}");
    assert!(elapsed < limit + Duration::from_secs(3), "{elapsed:?}");
}

const LIMIT: Duration = Duration::from_millis(400);

fn limited(url: &str) -> Tool {
    probe(url).args(["--timeout", "400ms"])
}

#[track_caller]
fn runs_out(server: &Server, query: &str, stage: &str, words: &str) {
    let output = limited(&server.url(query)).run();
    lasted(&output, LIMIT);
    let reason = format!("{words} within 400 ms (--timeout)");
    fails(output, 3, stage, &reason, "load balancer");
    let json = limited(&server.url(query))
        .args(["-o", "json"])
        .run()
        .exits(3)
        .json();
    assert_eq!(json["outcome"], "timeout");
    assert_eq!(json["error"]["code"], "timeout");
    let stages = json["stages"].as_array().unwrap();
    assert_eq!(stages.last().unwrap()["stage"], stage);
    assert_eq!(stages.last().unwrap()["outcome"], "failed");
}

const THEN_NOTHING: &str = "connected, but then no response";

#[test]
fn a_server_that_stays_silent() {
    let server = Server::start(stay_silent);
    runs_out(&server, "sslmode=disable", "auth", THEN_NOTHING);
    runs_out(&server, "sslmode=prefer", "tls", THEN_NOTHING);
    runs_out(&server, "sslmode=require", "tls", THEN_NOTHING);
}

#[test]
fn a_server_that_says_yes_to_tls_and_then_nothing() {
    let server = Server::start(|stream| {
        packet(stream);
        stream.write_all(b"S").unwrap();
        stay_silent(stream);
    });
    runs_out(&server, "sslmode=require", "tls", THEN_NOTHING);
    runs_out(&server, "sslmode=prefer", "tls", THEN_NOTHING);
}

#[test]
fn a_server_that_says_no_to_tls_and_then_nothing() {
    let server = Server::start(|stream| {
        answering_tls(stream, b'N');
        stay_silent(stream);
    });
    runs_out(&server, "sslmode=prefer", "auth", THEN_NOTHING);
}

#[test]
fn a_server_that_asks_for_a_password_and_then_nothing() {
    let server = Server::start(|stream| {
        answering_tls(stream, b'N');
        stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3]).unwrap();
        stay_silent(stream);
    });
    runs_out(&server, "", "auth", THEN_NOTHING);
}

#[test]
fn a_server_that_answers_no_query() {
    let server = Server::start(|stream| {
        answering_tls(stream, b'N');
        stream.write_all(&welcome()).unwrap();
        stay_silent(stream);
    });
    runs_out(&server, "", "query", "logged in, but then no response");
}

#[test]
fn a_server_that_trickles() {
    let server = Server::start(|stream| {
        answering_tls(stream, b'N');
        // A notice of 256 MiB, byte by byte.
        let _ = stream.write_all(&[b'N', 0x10, 0, 0, 0]);
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    runs_out(&server, "", "auth", THEN_NOTHING);
}

#[test]
fn connect_timeout_ends_one_attempt() {
    let server = Server::start(stay_silent);
    let output = probe(&server.url("connect_timeout=1")).run();
    lasted(&output, Duration::from_secs(1));
    let reason = "connected, but then no response within 1 s (connect_timeout)";
    fails(output, 3, "tls", reason, "load balancer");
}

#[test]
fn the_deadline_ends_all_attempts() {
    let silent = Server::start(stay_silent);
    let url = format!("postgresql://u@{0},{0},{0}/d?connect_timeout=60", silent.address);
    let output = limited(&url).run().exits(3);
    lasted(&output, LIMIT);
    assert_eq!(silent.connections(), 1);
    output.says("no response within 400 ms (--timeout)");
}

#[test]
fn the_default_is_ten_seconds() {
    let server = Server::start(stay_silent);
    let output = probe(&server.url("")).run();
    lasted(&output, Duration::from_secs(10));
    let reason = "connected, but then no response within 10 s (--timeout)";
    fails(output, 3, "tls", reason, "");
}

/// Opening a pipe without a writer blocks.
#[test]
fn a_file_without_end_is_not_read() {
    let plain = probe("postgresql://u@h/d");
    let pipe = plain.folder().join("pipe");
    let home = plain.folder().join(".postgresql");
    std::fs::create_dir(&home).unwrap();
    let made = Command::new("mkfifo")
        .arg(&pipe)
        .arg(home.join("root.crt"))
        .status();
    assert!(made.unwrap().success());
    let named = |path: &str| {
        plain
            .clone()
            .env("CONNECTION_URL", format!("postgresql://u@h/d?sslrootcert={path}"))
    };
    let pipe = pipe.display().to_string();
    for (tool, path) in [
        (named(&pipe), pipe.as_str()),
        (named("/dev/zero"), "/dev/zero"),
        (plain.clone(), "/.postgresql/root.crt"),
        (named("system").env("SSL_CERT_FILE", &pipe), pipe.as_str()),
    ] {
        let output = tool.limit(Duration::from_secs(5)).run().exits(2);
        output
            .prints("")
            .says("failed to read the root certificate file `")
            .says(&format!("{path}`: not a regular file"))
            .says("\nhint: ");
    }
}
