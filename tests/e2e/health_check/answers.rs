//! The result for each kind of response.

use super::{Server, answer, does_not_run, probe, runs};
use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

#[test]
fn a_200_is_running_with_any_body() {
    for body in ["{\"success\":true}", "{\"success\": false}", "", "not JSON"] {
        runs(probe(&Server::sending(answer("200 OK", body)).url()).run());
    }
    let plain = "HTTP/1.0 200 OK\r\n\r\nas long as the connection lasts";
    runs(probe(&Server::sending(plain).url()).run());
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    runs(probe(&Server::sending(chunked).url()).run());
}

#[test]
fn any_other_status_is_not_running_and_is_named() {
    for status in [
        "201 Created",
        "204 No Content",
        "400 Bad Request",
        "401 Unauthorized",
        "404 Not Found",
        "500 Internal Server Error",
        "503 Service Unavailable",
    ] {
        let server = Server::sending(answer(status, if status.starts_with("204") { "" } else { "x" }));
        let why = format!(
            ": 127.0.0.1:{}: answered {status}, not 200",
            server.address.port()
        );
        does_not_run(probe(&server.url()).run(), &why);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let healthy = Server::healthy();
    let place = format!("http://127.0.0.1:{}/login?next=secret", healthy.address.port());
    let sent = place.replace("http://", "http://user:secret@");
    let head = format!("HTTP/1.1 302 Found\r\nLocation: {sent}\r\nContent-Length: 0\r\n\r\n");
    let server = Server::sending(head);
    let output = probe(&server.url()).run();
    assert!(!output.stderr.contains("secret"), "{}", output.transcript());
    let shown = place.replace("next=secret", "…");
    does_not_run(
        output,
        &format!("answered 302 Found, a redirect to `{shown}`, which is not followed"),
    );
    assert_eq!(healthy.requests(), Vec::<String>::new());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn sends_the_request_that_the_app_expects() {
    let server = Server::healthy();
    runs(probe(&server.url()).run());
    let requests = server.requests();
    let head: Vec<&str> = requests[0].lines().collect();
    assert_eq!(requests.len(), 1);
    assert_eq!(head[0], "GET /api/health-check HTTP/1.1");
    let header = |name: &str| {
        let prefix = format!("{name}: ");
        let line = head
            .iter()
            .find(|line| line.to_ascii_lowercase().starts_with(&prefix));
        line.map(|line| line[prefix.len()..].to_owned())
    };
    assert_eq!(
        header("host"),
        Some(format!("localhost:{}", server.address.port()))
    );
    assert_eq!(header("connection").as_deref(), Some("close"));
    assert!(header("user-agent").unwrap().starts_with("health-check/"));
}

#[test]
fn broken_responses_are_not_running() {
    let cases = [
        ("", "closed the connection without a response"),
        (
            "HTTP/1.1 200 OK\r\nContent-Le",
            "closed the connection without a response",
        ),
        (
            "SSH-2.0-OpenSSH_9.2\r\n\r\n",
            ": not an HTTP response: protocol: http parse fail: ",
        ),
        (
            "\u{0}\u{1}\u{2}\r\n\r\n",
            ": not an HTTP response: protocol: http parse fail: ",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
            "but the body broke off: ",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "but the body broke off: ",
        ),
    ];
    for (text, why) in cases {
        let output = probe(&Server::sending(text).url()).run();
        output.clone().says(why);
        does_not_run(output, "");
    }
    let long = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "x".repeat(20_000));
    let output = probe(&Server::sending(long).url()).run();
    does_not_run(output, "the head of the response is longer than 8 KB");
}

#[test]
fn a_server_that_resets_the_connection_is_not_running() {
    // Closing a socket with unread data resets the connection.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let _ = stream.peek(&mut [0]);
            drop(stream);
        }
    });
    does_not_run(probe(&url).run(), ": connection reset");
}

#[test]
fn an_endless_body_is_read_to_a_limit() {
    let server = Server::start(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 8192]).is_ok() {}
    });
    let output = probe(&server.url()).run();
    assert!(output.elapsed < Duration::from_secs(2), "{:?}", output.elapsed);
    runs(output);
}
