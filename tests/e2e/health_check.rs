//! `health-check` against servers with every kind of response.

mod addresses;
mod answers;
mod command_line;
mod container;
mod time;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use support::{Output, Tool, tool};

const RUNNING: &str = "Flask server is running";
const NOT_RUNNING: &str = "Flask server is not running";

/// A server on a free port that runs `answer` for each connection, after it has read the request.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn on(host: &str, answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((host, 0))
            .unwrap_or_else(|error| panic!("this machine has no {host}, which this test needs: {error}"));
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answer = Arc::new(answer);
        // The threads end with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    seen.lock().unwrap().push(head_of_request(&mut stream));
                    answer(&mut stream);
                });
            }
        });
        Server { address, requests }
    }

    fn start(answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::on("127.0.0.1", answer)
    }

    /// Sends this text and closes the connection.
    fn sending(text: impl Into<Vec<u8>>) -> Self {
        let text = text.into();
        Self::start(move |stream| {
            let _ = stream.write_all(&text);
        })
    }

    fn healthy() -> Self {
        Self::sending(healthy_answer())
    }

    /// The URL with `localhost` as its host.
    fn url(&self) -> String {
        format!("http://localhost:{}/api/health-check", self.address.port())
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn head_of_request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn healthy_answer() -> String {
    answer("200 OK", "{\"success\":true}")
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A port on which nothing listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn probe(url: &str) -> Tool {
    tool("health-check").args(["--url", url])
}

#[track_caller]
fn runs(output: Output) {
    let output = output.exits(0).prints(RUNNING);
    // Some container engines count anything on stderr as a failure.
    assert_eq!(output.stderr, "");
}

/// Asserts the exit code 1, the line on stdout, and one line on stderr that ends with `why`.
#[track_caller]
fn does_not_run(output: Output, why: &str) {
    let output = output.exits(1).prints(NOT_RUNNING);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.transcript());
    assert!(
        output
            .stderr
            .starts_with("health-check: error: failed to check `http://"),
        "{}",
        output.transcript()
    );
    assert!(
        output.stderr.trim_end().ends_with(why),
        "no `{why}` at the end\n{}",
        output.transcript()
    );
}
