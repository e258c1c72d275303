//! The command line and the output.

use super::{RUNNING, Server, answer, closed_port, probe};
use serde_json::Value;
use std::time::Duration;
use support::tool;

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
fn an_unsupported_url_is_refused_without_a_probe() {
    for (url, why) in [
        ("https://localhost:4567/", "plain HTTP, not TLS"),
        ("localhost:4567/api/health-check", "not an http:// URL"),
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
fn verbose_shows_each_address_with_its_time() {
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
fn a_closed_stdout_changes_nothing() {
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
