//! The connection string's source, the output, and signals.

use super::{
    ATTEMPT, CLOSED, SUCCESS, Server, answer_queries, answering_tls, fails, let_in, probe, refusal,
    stay_silent, welcome,
};
use rustix::process::Signal;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use support::{Tool, tool, wait_for};

#[test]
fn prints_the_words_of_the_original_script() {
    let server = Server::start(let_in);
    let output = probe(&server.url("")).run().exits(0);
    assert_eq!(output.stdout, SUCCESS);
    assert_eq!(
        output.transcript(),
        "exit: 0\n\
         --- stdout\n\
         attempting connection\n\
         Connection successful!\n\
         --- stderr\n  \
           config   ok     user=u host=127.0.0.1 port=PORT dbname=d sslmode=prefer password=set (from $CONNECTION_URL) (TIME)\n  \
           dns      -      not needed: 127.0.0.1 is an address\n  \
           tcp      ok     127.0.0.1:PORT (TIME)\n  \
           tls      -      NOT encrypted: the server has no TLS (sslmode=prefer) (TIME)\n  \
           auth     ok     user `u`, no password asked for (TIME)\n  \
           query    ok     select 1 (TIME)\n"
            .replace("port=PORT", &format!("port={}", server.address.port()))
    );
    let quiet = probe(&server.url("")).arg("-q").run().exits(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), (SUCCESS, ""));
}

#[test]
fn quiet_leaves_the_error_and_its_hint() {
    let output = probe(&format!("postgresql://u@{CLOSED}/d"))
        .arg("-q")
        .run()
        .exits(1);
    assert_eq!(
        output.stdout,
        format!("{ATTEMPT}Unable to connect to the database: connection refused\n")
    );
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(
        lines,
        [
            "db-test: error: failed to connect to database `d` at `127.0.0.1:1`: connection refused",
            "hint: `127.0.0.1` is reachable, but nothing listens on port 1",
        ]
    );
}

#[test]
fn without_a_connection_string_nothing_is_on_stdout() {
    let cases = [
        (None, "`$CONNECTION_URL` is not set"),
        (Some(""), "`$CONNECTION_URL` is empty"),
        (Some(" \n"), "`$CONNECTION_URL` is empty"),
        (
            Some("nonsense"),
            "in `$CONNECTION_URL`: missing \"=\" in connection info string",
        ),
        (
            Some("postgresql://u:p@ss@h/d"),
            "in `$CONNECTION_URL`: an `@` in the host or database name",
        ),
        (
            Some("postgresql+psycopg2://u:p@h/d"),
            "in `$CONNECTION_URL`: this is an SQLAlchemy URL",
        ),
        (
            Some("postgresql://h/d?sslmode=Require"),
            "in `$CONNECTION_URL`: invalid sslmode value",
        ),
        (
            Some("postgresql://h/d?sslcert=c"),
            "in `$CONNECTION_URL`: `sslcert` can't be used",
        ),
        (
            Some("postgresql://u@h/d?sslmode=verify-full"),
            "root certificate file `FOLDER/.postgresql/root.crt` does not exist",
        ),
        (
            Some("postgresql://u@h/d?sslrootcert=/dev/null"),
            "failed to read the root certificate file `/dev/null`: not a regular file",
        ),
        (
            Some("postgresql://u@h/d?sslrootcert=/"),
            "failed to read the root certificate file `/`: ",
        ),
    ];
    for (value, error) in cases {
        let tool = match value {
            Some(value) => probe(value),
            None => tool("db-test"),
        };
        let output = tool.run().exits(2);
        let transcript = output.transcript();
        assert_eq!(output.stdout, "", "{value:?}");
        let mut lines = output.stderr.lines();
        let line = lines
            .next()
            .unwrap_or_default()
            .replace(&tool.folder().display().to_string(), "FOLDER");
        assert!(line.starts_with("db-test: error: "), "{transcript}");
        assert!(line.contains(error), "{value:?}: no `{error}`\n{transcript}");
        assert!(
            lines.next().unwrap_or_default().starts_with("hint: "),
            "{transcript}"
        );
        assert_eq!(lines.next(), None, "{transcript}");

        let json = tool.args(["-o", "json"]).run().exits(2).json();
        assert_eq!(json["outcome"], "failed", "{value:?}");
        assert_eq!(json["stages"][0]["stage"], "config", "{value:?}");
        assert_eq!(json["stages"][0]["outcome"], "failed", "{value:?}");
        assert!(json["error"]["hint"].is_string(), "{value:?}");
    }
}

#[test]
fn a_value_that_is_not_utf_8_is_malformed() {
    let value = OsStr::from_bytes(b"postgresql://u:\xff@h/d");
    let output = tool("db-test").env("CONNECTION_URL", value).run().exits(2);
    output.prints("").says("`$CONNECTION_URL` is not UTF-8");
}

#[test]
fn another_variable_can_hold_it() {
    let server = Server::start(let_in);
    let other = tool("db-test")
        .env("PROD_URL", server.url(""))
        .args(["--url-env", "PROD_URL"]);
    let output = other.run().exits(0).says("(from $PROD_URL)");
    assert_eq!(output.stdout, SUCCESS);
    let unset = probe(&server.url("")).args(["--url-env", "PROD_URL"]);
    unset
        .run()
        .exits(2)
        .prints("")
        .says("`$PROD_URL` is not set")
        .says("hint: export PROD_URL=");
}

#[test]
fn a_connection_string_on_the_command_line_is_refused() {
    let server = Server::start(let_in);
    let url = server.url("");
    for arguments in [vec![url.as_str()], vec!["--url-env", &url], vec!["--", &url]] {
        let output = probe(&url).args(&arguments).run().exits(2);
        assert_eq!(output.stdout, "");
        assert!(!output.stderr.contains("pass-word"), "{}", output.stderr);
        let json = probe(&url).args(&arguments).args(["-o", "json"]);
        // After `--` there are no options.
        if arguments[0] != "--" {
            assert_eq!(json.run().exits(2).json()["error"]["code"], "usage");
        }
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_wrong_flag_is_a_usage_error() {
    for arguments in [
        ["--no-such-flag", "-q"],
        ["--timeout", "0"],
        ["--timeout", "soon"],
    ] {
        let output = probe("postgresql://h/d").args(arguments).run().exits(2);
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
    let json = probe("postgresql://h/d").args(["--no-such-flag", "-o", "json"]);
    assert_eq!(json.run().exits(2).json()["error"]["code"], "usage");
}

#[test]
fn json_is_one_document_with_the_stages_and_their_times() {
    let server = Server::start(let_in);
    let url = server.url("sslmode=disable");
    let json = probe(&url).args(["-o", "json"]).run().exits(0).json();
    assert_eq!(json["tool"], "db-test");
    assert_eq!(json["outcome"], "ok");
    assert_eq!(json["items"][0]["kind"], "database");
    assert_eq!(json["items"][0]["name"], "d");
    assert_eq!(json["items"][0]["tls"], serde_json::Value::Null);
    let stages: Vec<String> = json["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| format!("{} {}", stage["stage"], stage["outcome"]).replace('"', ""))
        .collect();
    let expected = [
        "config ok",
        "dns skipped",
        "tcp ok",
        "tls skipped",
        "auth ok",
        "query ok",
    ];
    assert_eq!(stages, expected);
    for stage in [0, 2, 4, 5] {
        assert!(
            json["stages"][stage]["ms"].is_number(),
            "{}",
            json["stages"][stage]
        );
    }
    assert_eq!(json["stages"][2]["place"], server.address.to_string());

    let closed = probe(&format!("postgresql://u@{CLOSED}/d")).args(["-o", "json"]);
    let json = closed.run().exits(1).json();
    assert_eq!(json["outcome"], "no");
    assert_eq!(json["error"]["code"], "connection-refused");
    assert_eq!(json["stages"][2]["outcome"], "failed");
    assert_eq!(json["stages"][2]["place"], CLOSED);
}

#[test]
fn white_space_around_a_url_is_treated_as_in_libpq() {
    let server = Server::start(|stream| {
        let startup = answering_tls(stream, b'N');
        let is_plain = startup.windows(12).any(|part| part == b"\0database\0d\0");
        let answer = if is_plain {
            welcome()
        } else {
            refusal("3D000", "database \"d\n\" does not exist")
        };
        stream.write_all(&answer).unwrap();
        answer_queries(stream);
    });
    let url = server.url("");
    let url = url.trim_end_matches('?');
    let output = probe(&format!("{url} ")).arg("-q").run().exits(0);
    assert_eq!((&*output.stdout, &*output.stderr), (SUCCESS, ""));
    for end in ["\n", "\t"] {
        let output = probe(&format!("{url}{end}")).run();
        fails(output, 1, "auth", "database \"d \" does not exist", "")
            .says("db-test: warning: the URL ends in a newline or tab, which is a part of its last value");
    }
    probe(&server.url("sslmode=disable\n"))
        .run()
        .exits(2)
        .says("invalid sslmode value")
        .says("hint: the URL ends in a newline or tab");
    probe(&format!("\n{url}"))
        .run()
        .exits(2)
        .says("there is white space before the URL");
}

#[test]
fn variables_are_defaults_for_what_the_url_lacks() {
    let server = Server::start(let_in);
    let port = server.address.port().to_string();
    let tool = probe("postgresql:///")
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", &port)
        .env("PGUSER", "from-variable")
        .env("PGDATABASE", "shop")
        .env("PGSSLMODE", "disable")
        .env("PGPASSWORD", "pass-word");
    tool.run().exits(0).says(&format!(
        "user=from-variable host=127.0.0.1 port={port} dbname=shop sslmode=disable password=set"
    ));
}

#[test]
fn a_variable_that_is_wrong_is_named_and_not_the_connection_string() {
    for (name, value, message, hint) in [
        (
            "PGPORT",
            "abc",
            "invalid port number",
            "a port is a number from 1 to 65535",
        ),
        (
            "PGSSLMODE",
            "Require",
            "invalid sslmode value",
            "one of disable, allow",
        ),
        (
            "PGCONNECT_TIMEOUT",
            "soon",
            "invalid integer value for connection option \"connect_timeout\"",
            "PGCONNECT_TIMEOUT=5",
        ),
        (
            "PGSERVICE",
            "s",
            "`service` can't be used: service files are not read",
            "psql",
        ),
        (
            "PGHOSTADDR",
            "db.example",
            "a hostaddr value is not a numeric address",
            "`host`",
        ),
        (
            "PGSSLMAXPROTOCOLVERSION",
            "TLSv1.1",
            "invalid SSL protocol version range",
            "unset",
        ),
    ] {
        let output = probe("postgresql://u@h/d").env(name, value).run().exits(2);
        assert!(!output.stderr.contains("percent-encoded"), "{}", output.stderr);
        assert!(!output.stderr.contains("CONNECTION_URL"), "{}", output.stderr);
        output
            .prints("")
            .says(&format!(
                "db-test: error: failed to read `${name}`: {message}\nhint: "
            ))
            .says(hint);
    }
    // An error in the connection string itself.
    let own = probe("postgresql://u@h:abc/d").env("PGPORT", "1").run().exits(2);
    own.says("failed to read the connection string in `$CONNECTION_URL`: invalid port number");
}

#[test]
fn a_signal_ends_it_as_a_signal_does() {
    let server = Server::start(stay_silent);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let before = server.connections();
        // The process that runs the tests may ignore some of them, in the background for example.
        let running = Tool::new("env")
            .arg("--default-signal")
            .arg(support::bin_dir().join("db-test"))
            .env("CONNECTION_URL", server.url(""))
            .spawn();
        wait_for("the connection", || (server.connections() > before).then_some(()));
        running.signal(signal);
        running.wait().ends_by(signal);
    }
}

#[test]
fn a_closed_stdout_is_no_panic() {
    let server = Server::start(let_in);
    for arguments in [vec![], vec!["-o", "json"], vec!["--help"]] {
        let tool = probe(&server.url("")).args(&arguments);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = tool.command().stdout(writer).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    }
}
