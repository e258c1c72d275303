//! The timeout.

use super::{NOT_RUNNING, Server, does_not_run, healthy_answer, probe, runs};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Asserts that the probe ends at the timeout, and not much later.
#[track_caller]
fn gives_up(server: &Server, why: &str) {
    let output = probe(&server.url()).args(["--timeout", "300ms"]).run();
    assert!(
        output.elapsed >= Duration::from_millis(300) && output.elapsed < Duration::from_secs(3),
        "{:?}",
        output.elapsed
    );
    does_not_run(output, why);
}

fn drip(stream: &mut TcpStream, text: &str) {
    for byte in text.bytes() {
        if stream.write_all(&[byte]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(40));
    }
}

#[test]
fn the_timeout_covers_the_whole_response() {
    let silent = Server::start(|_| std::thread::sleep(Duration::from_secs(60)));
    gives_up(&silent, "connected, but no response within 300 ms");
    let dribbling_head = Server::start(|stream| drip(stream, &healthy_answer()));
    gives_up(&dribbling_head, "connected, but no response within 300 ms");
    let dribbling_body = Server::start(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        drip(stream, &"x".repeat(1000));
    });
    gives_up(
        &dribbling_body,
        "answered 200 OK, but the body broke off: incomplete after 300 ms",
    );
}

#[test]
fn two_seconds_are_the_default() {
    let silent = Server::start(|_| std::thread::sleep(Duration::from_secs(60)));
    let output = probe(&silent.url()).run();
    assert!(
        output.elapsed >= Duration::from_secs(2) && output.elapsed < Duration::from_secs(4),
        "{:?}",
        output.elapsed
    );
    does_not_run(output, "no response within 2 s");
}

/// A server whose workers all hang: connections queue up, until the system accepts no more.
#[test]
fn an_address_without_connection_leaves_time_for_the_next() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let queued: Vec<TcpStream> = (0..800)
        .map_while(|_| TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok())
        .collect();
    assert!(queued.len() < 800, "the queue of a listener never filled");
    let url = format!("http://localhost:{}/", address.port());
    let began = Instant::now();
    let output = probe(&url).args(["--timeout", "600ms"]).run();
    assert!(began.elapsed() < Duration::from_secs(3));
    let output = output.exits(1).prints(NOT_RUNNING);
    let waited = output.stderr.split("no connection within ").nth(1).unwrap();
    let waited: u64 = waited.split(' ').next().unwrap().parse().unwrap();
    assert!(
        (200..=300).contains(&waited),
        "not half of the time\n{}",
        output.stderr
    );
    assert!(
        output
            .transcript()
            .ends_with(": 127.0.0.1:PORT: no connection within TIME; [::1]:PORT: connection refused\n"),
        "{}",
        output.transcript()
    );
}

#[test]
fn an_absurd_timeout_is_no_panic() {
    let server = Server::healthy();
    let with = |timeout: &str| probe(&server.url()).args(["--timeout", timeout]).run();
    runs(with("8760h"));
    with("4000000000000000h")
        .exits(1)
        .says("out of range: at most 8760h");
}
