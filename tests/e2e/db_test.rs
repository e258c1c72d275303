//! `db-test`: the stages of a connection, against scripted servers and against the sandbox's PostgreSQL.

mod agreement;
mod ca_certificates;
mod command_line;
mod container;
mod database;
mod postgres;
mod require_auth;
mod secrets;
mod servers;
mod several_hosts;
mod time;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{Output, Tool, tool};

const ATTEMPT: &str = "attempting connection\n";
const SUCCESS: &str = "attempting connection\nConnection successful!\n";

/// `db-test` with this connection string.
fn probe(url: &str) -> Tool {
    tool("db-test").env("CONNECTION_URL", url)
}

/// A server on a free port that runs `script` for each connection, which it numbers.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn on(host: &str, script: impl Fn(&mut TcpStream, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((host, 0))
            .unwrap_or_else(|error| panic!("this machine has no {host}, which this test needs: {error}"));
        Self::with(listener, script)
    }

    /// On a port that is free on 127.0.0.1, and below the range that the system assigns to other processes.
    fn on_ipv6_alone(script: impl Fn(&mut TcpStream, usize) + Send + Sync + 'static) -> Self {
        let first = 23_000 + u16::try_from(std::process::id() % 4_000).unwrap();
        let listener = (first..first + 1_000).find_map(|port| {
            TcpListener::bind(("127.0.0.1", port)).ok()?;
            TcpListener::bind(("::1", port)).ok()
        });
        Self::with(listener.expect("a port of ::1, which this test needs"), script)
    }

    fn with(listener: TcpListener, script: impl Fn(&mut TcpStream, usize) + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, script) = (Arc::clone(&connections), Arc::new(script));
        // The threads end with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let script = Arc::clone(&script);
                std::thread::spawn(move || script(&mut stream.unwrap(), number));
            }
        });
        Server { address, connections }
    }

    fn start(script: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::on("127.0.0.1", move |stream, _| script(stream))
    }

    /// A connection string with a password.
    fn url(&self, query: &str) -> String {
        format!("postgresql://u:pass-word@{}/d?{query}", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Nothing listens on this address.
const CLOSED: &str = "127.0.0.1:1";

// --- The parts of PostgreSQL's protocol that the scripts need ------------------------------------------------

/// A message of the client before the login, without its length; empty at the end of the connection.
fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 4];
    if stream.read_exact(&mut length).is_err() {
        return Vec::new();
    }
    let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
    let _ = stream.read_exact(&mut body);
    body
}

const SSL_REQUEST: [u8; 4] = [4, 210, 22, 47];

/// Answers the SSLRequest, if the client sends one, and reads the startup message.
fn answering_tls(stream: &mut TcpStream, answer: u8) -> Vec<u8> {
    let first = packet(stream);
    if first != SSL_REQUEST {
        return first;
    }
    stream.write_all(&[answer]).unwrap();
    packet(stream)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

/// `ErrorResponse`.
fn refusal(code: &str, text: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{code}\0M{text}\0\0").as_bytes())
}

/// `AuthenticationOk` to `ReadyForQuery`.
fn welcome() -> Vec<u8> {
    let key = message(b'K', &[0; 8]);
    [message(b'R', &[0; 4]), key, message(b'Z', b"I")].concat()
}

/// Answers each query without rows, as the consoles of some poolers do.
fn answer_queries(stream: &mut TcpStream) {
    let mut kind = [0];
    while stream.read_exact(&mut kind).is_ok() && kind != *b"X" {
        packet(stream);
        let answer = [message(b'C', b"SELECT 0\0"), message(b'Z', b"I")].concat();
        if stream.write_all(&answer).is_err() {
            break;
        }
    }
}

/// Accepts every login, without TLS.
fn let_in(stream: &mut TcpStream) {
    answering_tls(stream, b'N');
    stream.write_all(&welcome()).unwrap();
    answer_queries(stream);
}

/// Reads everything, and sends nothing.
fn stay_silent(stream: &mut TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

// --- Assertions ----------------------------------------------------------------------------------

/// Asserts the exit code, the reason on stdout and in the error, the stage that failed, and the hint unless it is
/// empty.
#[track_caller]
fn fails(output: Output, code: i32, stage: &str, reason: &str, hint: &str) -> Output {
    let transcript = output.transcript();
    let output = output.exits(code);
    let expected = format!("{ATTEMPT}Unable to connect to the database: {reason}");
    assert!(
        output.stdout.starts_with(&expected),
        "stdout does not begin with {expected}\n{transcript}"
    );
    let failed = output
        .stderr
        .lines()
        .filter(|line| line.starts_with(&format!("  {stage:<8} FAILED ")));
    assert!(failed.count() > 0, "no `{stage}` FAILED\n{transcript}");
    let output = output.says("db-test: error: failed to connect to database `");
    let output = output.says(&format!(": {reason}"));
    if hint.is_empty() {
        return output;
    }
    output.says("\nhint: ").says(hint)
}
