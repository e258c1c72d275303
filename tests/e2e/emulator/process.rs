//! The emulator as a process: what it needs, what it keeps, how it ends.

use super::registry::digest_of;
use super::{Endpoint, curl, registry_request};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;
use support::sandbox::{Sandbox, sandbox};
use support::{Running, Tool, root, wait_for};

/// An address of loopback that nothing else of the project uses.
const ADDRESS: &str = "127.0.66.77";

/// The Python of the sandbox's environment, beside its aws CLI.
fn python(sandbox: &Sandbox) -> PathBuf {
    let mut folders = std::env::split_paths(sandbox.get("PATH"));
    let aws = folders.find_map(|folder| fs::canonicalize(folder.join("aws")).ok());
    aws.unwrap().with_file_name("python")
}

/// An emulator for a region that nobody else uses, on free ports; `program` comes in front of it.
fn emulator(sandbox: &Sandbox, program: &[&str], region: &str) -> Tool {
    let python = python(sandbox);
    let tool = match program {
        [] => Tool::new(python),
        [program, arguments @ ..] => Tool::new(program).args(arguments).arg(python),
    };
    let tool = sandbox
        .point(tool)
        .arg(root().join("scripts/lib/emulator.py"))
        .args(["--account", "123456789012", "--region", region])
        .args([
            "--port",
            "0",
            "--registry-port",
            "0",
            "--registry-address",
            ADDRESS,
        ])
        .limit(Duration::from_secs(60));
    let state = tool.folder().join("state");
    tool.arg("--state").arg(state)
}

/// One that runs. Its streams are files: a pipe can be read only at its end.
struct Started {
    running: Running,
    tool: Tool,
    endpoint: Endpoint,
    host: String,
    registry: String,
}

impl Started {
    fn of(tool: Tool) -> Self {
        let _ = fs::remove_file(tool.folder().join("ready"));
        let running = tool.spawn();
        let line: Value = wait_for("the emulator", || {
            let text = fs::read_to_string(tool.folder().join("ready")).ok()?;
            text.ends_with('\n').then(|| serde_json::from_str(&text).unwrap())
        });
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        assert_eq!(line["pid"], running.id(), "{line}");
        let host = text("registry");
        Started {
            endpoint: Endpoint {
                url: text("endpoint"),
                region: host.split('.').nth(3).unwrap().to_owned(),
            },
            registry: format!("http://{}", text("registry_address")),
            running,
            tool,
            host,
        }
    }

    fn in_region(sandbox: &Sandbox, region: &str, more: &[&str]) -> Self {
        let files = r#"exec "$@" >ready 2>>log"#;
        Self::of(emulator(sandbox, &["sh", "-c", files, "sh"], region).args(more))
    }

    fn request(&self, path: &str, password: &str, arguments: &[&str]) -> (String, u16) {
        let user = format!("AWS:{password}");
        registry_request(
            &format!("{}{path}", self.registry),
            &self.host,
            Some(&user),
            arguments,
        )
    }

    /// Ends it as the sandbox does.
    fn end(self) -> Tool {
        self.running.signal(Signal::TERM);
        let output = self.running.wait().exits(0);
        assert!(output.elapsed < Duration::from_secs(30));
        self.tool
    }
}

#[test]
fn its_state_outlives_a_restart_and_no_secret_is_in_its_log() {
    let sandbox = sandbox();
    let first = Started::in_region(sandbox, "mx-central-1", &[]);
    let parameter = json!({"Name": "/kept/SECRET", "Value": "the-secret-value", "Type": "SecureString"});
    first.endpoint.ask("ssm", "PutParameter", &parameter);
    first
        .endpoint
        .ask("ecr", "CreateRepository", &json!({"repositoryName": "kept"}));
    first
        .endpoint
        .ask("ecr", "CreateRepository", &json!({"repositoryName": "gone"}));
    let password = first.endpoint.password();
    // Of `0123456789` and of `gone`.
    let kept = "sha256:84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
    let lost = "sha256:283bb9deef02e6843abfb538efa1eca70801bd8a701c3f98191e123496339247";
    for (repository, digest, content) in [
        ("kept", kept, "0123456789"),
        ("gone", kept, "0123456789"),
        ("gone", lost, "gone"),
    ] {
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let upload = ["--request", "POST", "--data-binary", content];
        let (body, status) = first.request(&path, &password, &upload);
        assert_eq!(status, 201, "{body}");
    }
    let gone = json!({"repositoryName": "gone", "force": true});
    first.endpoint.ask("ecr", "DeleteRepository", &gone);

    // One registry has one host name.
    let second = emulator(sandbox, &[], "mx-central-1").run().exits(2);
    second
        .says("emulator: error: another emulator of 123456789012-mx-central-1 runs")
        .says("hint: ")
        .prints("");

    let second = Started::of(first.end());
    let answer = second.endpoint.ask(
        "ssm",
        "GetParameter",
        &json!({"Name": "/kept/SECRET", "WithDecryption": true}),
    );
    assert_eq!(answer["Parameter"]["Value"], "the-secret-value");
    let blob = format!("/v2/kept/blobs/{kept}");
    assert_eq!(
        second.request(&blob, &password, &[]),
        ("0123456789".to_owned(), 200)
    );
    assert_eq!(
        second.request(&blob.replace("kept", "gone"), &password, &[]).1,
        404
    );

    let tool = second.end();
    // The layers are files, and those that nobody names any more are gone.
    let blobs = fs::read_dir(tool.folder().join("state/blobs")).unwrap();
    let blobs: Vec<_> = blobs
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(blobs, [kept.replace(':', "-")]);
    let log = tool.read("log");
    assert!(log.contains("PutParameter: /kept/SECRET"), "{log}");
    for secret in ["the-secret-value", &password[..40]] {
        assert!(!log.contains(secret), "a secret is in the log: {log}");
    }
    // Others on the machine can't read them either.
    use std::os::unix::fs::PermissionsExt;
    let state = fs::metadata(tool.folder().join("state/services/ssm.json")).unwrap();
    assert_eq!(state.permissions().mode() & 0o077, 0);
}

#[test]
fn a_password_and_the_address_of_a_layer_expire() {
    let sandbox = sandbox();
    let emulator = Started::in_region(sandbox, "ap-southeast-7", &["--token-lifetime", "3"]);
    let password = emulator.endpoint.password();
    assert_eq!(emulator.request("/v2/", &password, &[]).1, 200);
    // An image of a configuration alone; no address is valid for longer than the password.
    let repository = json!({"repositoryName": "expiry"});
    emulator.endpoint.ask("ecr", "CreateRepository", &repository);
    let digest = digest_of("{}");
    let upload = format!("/v2/expiry/blobs/uploads/?digest={digest}");
    let send = |path: &str, method: &str, body: &str| {
        let kind = "Content-Type: application/vnd.oci.image.manifest.v1+json";
        let arguments = ["--request", method, "--header", kind, "--data-binary", body];
        let (body, status) = emulator.request(path, &password, &arguments);
        assert_eq!(status, 201, "{body}");
    };
    send(&upload, "POST", "{}");
    let kind = "application/vnd.oci.image.config.v1+json";
    let image = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [],
        "config": {"mediaType": kind, "digest": digest, "size": 2}});
    send("/v2/expiry/manifests/1", "PUT", &image.to_string());
    let layer = json!({"repositoryName": "expiry", "layerDigest": digest});
    let answer = emulator.endpoint.ask("ecr", "GetDownloadUrlForLayer", &layer);
    let address = answer["downloadUrl"].as_str().unwrap();
    let fetch = || curl().arg(address).run().exits(0).stdout;
    assert_eq!(fetch(), "{}\n200");
    let body = wait_for("the password to expire", || {
        let (body, status) = emulator.request("/v2/", &password, &[]);
        (status == 403).then_some(body)
    });
    assert!(
        body.contains("Your authorization token has expired. Reauthenticate and try again."),
        "{body}"
    );
    let body = wait_for("the address to expire", || {
        let output = fetch();
        output.ends_with("\n403").then_some(output)
    });
    assert!(body.contains("Request has expired"), "{body}");
    emulator.end();
}

#[test]
fn it_says_why_it_can_t_start() {
    let sandbox = sandbox();
    let start = |more: &[&str]| emulator(sandbox, &[], "ap-southeast-6").args(more);
    let usage = [
        (&["--account", "12"], "`12` is no account id"),
        (&["--region", "here"], "`here` is no region"),
        (
            &["--registry-address", "10.0.0.1"],
            "`10.0.0.1` is no address of loopback",
        ),
        (&["--health-divisor", "0"], "`0` is not above 0"),
        (&["--port", "70000"], "`70000` is no port"),
    ];
    for (arguments, words) in usage {
        start(arguments)
            .run()
            .exits(2)
            .says(words)
            .says("hint: `emulator.py --help`");
    }
    let taken = TcpListener::bind((ADDRESS, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    start(&["--registry-port", &port])
        .run()
        .exits(2)
        .says(&format!(
            "error: failed to listen on {ADDRESS}:{port}: Address already in use"
        ))
        .says("hint: `ss -ltnp");
    start(&[])
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .run()
        .exits(2)
        .says("emulator: error: the Docker engine does not answer: ")
        .says("hint: start it");
    // Without the packages of its environment.
    let bare = Tool::new(python(sandbox))
        .arg("-S")
        .arg(root().join("scripts/lib/emulator.py"));
    bare.args([
        "--account",
        "123456789012",
        "--region",
        "ap-southeast-6",
        "--state",
        "state",
    ])
    .run()
    .exits(2)
    .says("emulator: error: ministack is not installed")
    .says("hint: run scripts/install-deps");
}
