//! `health-check`: one question, and what it makes of each kind of answer and of none.

use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::sandbox::{Sandbox, sandbox};
use support::{Output, Tool, tool, wait_for};
use tempfile::TempDir;

const RUNNING: &str = "Flask server is running";
const NOT_RUNNING: &str = "Flask server is not running";

/// A server on a free port that does `answer` with each connection, after it has read the request.
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
        // It ends with the process: a thread that waits holds up nobody.
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

    /// Sends this and closes.
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

/// Exit code 1, the words, and one line of stderr that ends with `why`.
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

// --- Answers ------------------------------------------------------------------------------------------

#[test]
fn a_200_is_running_whatever_the_body_says() {
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
    let head = format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n");
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
fn asks_as_the_app_expects_it() {
    let server = Server::healthy();
    runs(probe(&server.url()).run());
    let requests = server.requests();
    let head: Vec<&str> = requests[0].lines().collect();
    assert_eq!(requests.len(), 1);
    assert_eq!(head[0], "GET /api/health-check HTTP/1.1");
    let header = |name: &str| {
        let wanted = format!("{name}: ");
        let line = head
            .iter()
            .find(|line| line.to_ascii_lowercase().starts_with(&wanted));
        line.map(|line| line[wanted.len()..].to_owned())
    };
    assert_eq!(
        header("host"),
        Some(format!("localhost:{}", server.address.port()))
    );
    assert_eq!(header("connection").as_deref(), Some("close"));
    assert!(header("user-agent").unwrap().starts_with("health-check/"));
}

#[test]
fn answers_that_are_none_are_not_running() {
    let cases = [
        ("", "closed the connection without an answer"),
        (
            "HTTP/1.1 200 OK\r\nContent-Le",
            "closed the connection without an answer",
        ),
        (
            "SSH-2.0-OpenSSH_9.2\r\n\r\n",
            ": no HTTP answer: protocol: http parse fail: ",
        ),
        (
            "\u{0}\u{1}\u{2}\r\n\r\n",
            ": no HTTP answer: protocol: http parse fail: ",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
            "but its body broke off: ",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "but its body broke off: ",
        ),
    ];
    for (text, why) in cases {
        let output = probe(&Server::sending(text).url()).run();
        output.clone().says(why);
        does_not_run(output, "");
    }
    let long = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "x".repeat(20_000));
    let output = probe(&Server::sending(long).url()).run();
    does_not_run(output, "the head of the answer is longer than 8 KB");
}

#[test]
fn a_server_that_resets_the_connection_is_not_running() {
    // Nobody has read the request: closing then resets.
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

// --- Time ---------------------------------------------------------------------------------------------

/// Ends with the timeout, and not long after it.
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
fn the_timeout_covers_the_whole_answer() {
    let silent = Server::start(|_| std::thread::sleep(Duration::from_secs(60)));
    gives_up(&silent, "connected, but no answer within 300 ms");
    let dribbling_head = Server::start(|stream| drip(stream, &healthy_answer()));
    gives_up(&dribbling_head, "connected, but no answer within 300 ms");
    let dribbling_body = Server::start(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        drip(stream, &"x".repeat(1000));
    });
    gives_up(
        &dribbling_body,
        "answered 200 OK, but its body broke off: not whole within 300 ms",
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
    does_not_run(output, "no answer within 2 s");
}

/// What a server looks like whose every worker hangs: the connections queue up, until the system takes no more.
#[test]
fn an_address_that_takes_no_connection_leaves_time_for_the_next() {
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
    runs(
        probe(&Server::healthy().url())
            .args(["--timeout", "99999999999999h"])
            .run(),
    );
}

// --- Addresses ----------------------------------------------------------------------------------------

#[test]
fn a_closed_port_is_told_for_each_address() {
    let port = closed_port();
    let url = format!("http://localhost:{port}/api/health-check");
    let why = format!(
        "health-check: error: failed to check `{url}`: 127.0.0.1:{port}: connection refused; \
         [::1]:{port}: connection refused"
    );
    does_not_run(probe(&url).run(), &why);
}

#[test]
fn localhost_finds_servers_of_either_family() {
    runs(
        probe(
            &Server::on("127.0.0.1", |stream| {
                drop(stream.write_all(healthy_answer().as_bytes()))
            })
            .url(),
        )
        .run(),
    );
    runs(
        probe(
            &Server::on("::1", |stream| {
                drop(stream.write_all(healthy_answer().as_bytes()))
            })
            .url(),
        )
        .run(),
    );
}

#[test]
fn other_hosts_are_taken_as_they_are() {
    let server = Server::healthy();
    let port = server.address.port();
    for host in ["127.0.0.1", "LOCALHOST", "localhost."] {
        runs(probe(&format!("http://{host}:{port}/")).run());
    }
    // Only the family that the URL names.
    let output = probe(&format!("http://[::1]:{port}/")).run();
    does_not_run(output, &format!(": [::1]:{port}: connection refused"));
}

#[test]
fn a_name_that_is_not_known_is_not_running() {
    let output = probe("http://name.invalid:4567/")
        .args(["--timeout", "10s"])
        .run();
    output.clone().says(": failed to look up `name.invalid`: ");
    does_not_run(output, "");
}

/// A proxy's answer says nothing about the app, and `localhost` is not the proxy's.
#[test]
fn no_proxy_is_asked() {
    let names = [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ];
    let proxied = |url: &str, proxy: u16| {
        let proxy = format!("http://127.0.0.1:{proxy}");
        probe(url).envs(names.map(|name| (name, proxy.clone()))).run()
    };
    // The app is dead, and the proxy says 200 to everything.
    let proxy = Server::healthy();
    let url = format!("http://localhost:{}/", closed_port());
    does_not_run(proxied(&url, proxy.address.port()), "connection refused");
    assert_eq!(proxy.requests(), Vec::<String>::new());
    // The app is well, and the proxy dead.
    runs(proxied(&Server::healthy().url(), closed_port()));
}

// --- The command line ---------------------------------------------------------------------------------

#[test]
fn a_wrong_command_line_is_one_not_two() {
    for arguments in [
        vec!["--nonsense"],
        vec!["http://localhost:4567/"],
        vec!["--timeout", "0"],
        vec!["--timeout", "soon"],
        vec!["--url"],
        vec!["-o", "yaml"],
    ] {
        let output = tool("health-check")
            .args(&arguments)
            .run()
            .exits(1)
            .says("error: ");
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
    let document = tool("health-check")
        .args(["-o", "json", "--nonsense"])
        .run()
        .exits(1)
        .json();
    assert_eq!(document["outcome"], "failed");
    assert_eq!(document["error"]["code"], "usage");
}

#[test]
fn a_url_that_can_not_be_asked_is_refused_without_a_verdict() {
    for (url, why) in [
        ("https://localhost:4567/", "plain HTTP, not TLS"),
        ("localhost:4567/api/health-check", "no http:// URL"),
        ("http://user:hunter2@localhost:4567/", "a user name or password"),
        ("http://localhost:99999/", "the port is not a number"),
    ] {
        let output = probe(url).run().exits(1).says(why).says("hint: ");
        assert_eq!(output.stdout, "");
        assert!(!output.stderr.contains("hunter2"));
        let document = probe(url).args(["-o", "json"]).run().exits(1).json();
        assert_eq!(document["outcome"], "failed");
        assert_eq!(document["error"]["code"], "usage");
    }
}

#[test]
fn help_and_version_are_zero() {
    tool("health-check").arg("--help").run().exits(0);
    tool("health-check").arg("--version").run().exits(0);
}

#[test]
fn json_is_one_document_either_way() {
    let server = Server::healthy();
    let document = probe(&server.url()).args(["-o", "json"]).run().exits(0).json();
    assert_eq!(document["tool"], "health-check");
    assert_eq!(document["outcome"], "ok");
    assert_eq!(document["url"], server.url());
    let item = &document["items"][0];
    assert_eq!(item["name"], server.address.to_string());
    assert_eq!(item["status"], 200);
    assert_eq!(document.get("error"), None);

    let failing = |server: &Server| {
        probe(&server.url())
            .args(["-o", "json", "--timeout", "300ms"])
            .run()
            .exits(1)
            .json()
    };
    let document = failing(&Server::sending(answer("503 Service Unavailable", "")));
    assert_eq!(document["outcome"], "no");
    assert_eq!(document["error"]["code"], "status");
    assert_eq!(document["items"][0]["status"], 503);
    let document = failing(&Server::start(|_| std::thread::sleep(Duration::from_secs(60))));
    assert_eq!(document["error"]["code"], "timeout");
    assert_eq!(document["items"][0]["status"], Value::Null);

    let url = format!("http://localhost:{}/", closed_port());
    let document = probe(&url).args(["-o", "json"]).run().exits(1).json();
    assert_eq!(document["error"]["code"], "connection-refused");
    assert_eq!(document["items"].as_array().unwrap().len(), 2);
    let message = document["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("127.0.0.1:") && message.contains("[::1]:"),
        "{message}"
    );
}

#[test]
fn verbose_tells_each_address_with_its_time() {
    let output = probe(&Server::healthy().url())
        .arg("-v")
        .run()
        .exits(0)
        .prints(RUNNING);
    assert!(
        output
            .transcript()
            .ends_with("health-check: 127.0.0.1:PORT: answered 200 OK (TIME)\n"),
        "{}",
        output.transcript()
    );
}

#[test]
fn a_token_in_the_query_is_sent_and_not_shown() {
    let server = Server::sending(answer("403 Forbidden", ""));
    let output = probe(&format!("{}?token=hunter2", server.url()))
        .args(["-v", "-o", "json"])
        .run()
        .exits(1);
    assert!(server.requests()[0].contains("?token=hunter2"));
    assert!(
        !output.stdout.contains("hunter2") && !output.stderr.contains("hunter2"),
        "{}",
        output.transcript()
    );
}

#[test]
fn a_reader_that_has_gone_away_changes_nothing() {
    let healthy = Server::healthy();
    let closed = format!("http://localhost:{}/", closed_port());
    for (url, code) in [(healthy.url(), 0), (closed, 1)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let errors = writer.try_clone().unwrap();
        let status = probe(&url)
            .command()
            .stdout(writer)
            .stderr(errors)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(code), "{url}");
    }
}

// --- In a container -------------------------------------------------------------------------------------

fn docker(sandbox: &Sandbox, arguments: &[&str]) -> Tool {
    sandbox
        .program("docker")
        .args(arguments)
        .limit(Duration::from_secs(120))
}

/// A container and its image, gone with the test.
struct Container<'a>(&'a Sandbox, String);

impl Drop for Container<'_> {
    fn drop(&mut self) {
        for arguments in [["rm", "--force", &self.1], ["rmi", "--force", &self.1]] {
            let _ = docker(self.0, &arguments).command().output();
        }
    }
}

/// The static probe in an image that holds nothing else: no shell, no hosts file that knows `localhost`, no resolver.
#[test]
fn the_static_probe_is_a_health_check_in_an_empty_image() {
    let sandbox = sandbox();
    let built = support::root().join("backend-flask/bin/health-check");
    assert!(built.is_file(), "`{}` is not built: make dist", built.display());
    let folder = TempDir::new().unwrap();
    fs::copy(&built, folder.path().join("health-check")).unwrap();
    fs::write(folder.path().join("empty"), "").unwrap();

    let app = Server::healthy();
    // What keeps the container up is the probe as well, on a server that says nothing.
    let silent = Server::start(|_| std::thread::sleep(Duration::from_secs(120)));
    let dockerfile = format!(
        "FROM scratch\nCOPY health-check /health-check\nUSER 65534:65534\n\
         HEALTHCHECK --interval=1s --retries=1 CMD [\"/health-check\", \"--url\", \"{}\"]\n\
         CMD [\"/health-check\", \"--timeout\", \"100s\", \"--url\", \"{}\"]\n",
        app.url(),
        silent.url()
    );
    fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
    let container = Container(sandbox, sandbox.unique("empty"));
    let name = container.1.as_str();
    docker(
        sandbox,
        &[
            "build",
            "--quiet",
            "--tag",
            name,
            &folder.path().display().to_string(),
        ],
    )
    .env("DOCKER_BUILDKIT", "0")
    .run()
    .exits(0);
    let empty = folder.path().join("empty").display().to_string();
    let mounts = ["/etc/hosts", "/etc/resolv.conf"].map(|path| format!("--volume={empty}:{path}:ro"));
    let run = [
        "run",
        "--detach",
        "--name",
        name,
        "--network=host",
        "--read-only",
        &mounts[0],
        &mounts[1],
        name,
    ];
    docker(sandbox, &run).run().exits(0);
    let health = wait_for("the first health check", || {
        let format = "{{json .State.Health}}";
        let output = docker(sandbox, &["inspect", "--format", format, name])
            .run()
            .exits(0);
        let health: Value = serde_json::from_str(&output.stdout).unwrap();
        (health["Status"] != "starting").then_some(health)
    });
    assert_eq!(health["Status"], "healthy", "{health}");
    assert_eq!(health["Log"][0]["Output"], format!("{RUNNING}\n"));

    let exec = docker(
        sandbox,
        &["exec", name, "/health-check", "--url", "http://app.invalid/"],
    );
    exec.run()
        .exits(1)
        .prints(NOT_RUNNING)
        .says("failed to look up `app.invalid`");
    let closed = format!("http://localhost:{}/", closed_port());
    let refused = docker(sandbox, &["exec", name, "/health-check", "--url", &closed]).run();
    refused.exits(1).says("connection refused; [::1]:");
}
