//! The emulator as a process: what it requires, what it keeps, how it ends.

use super::{Endpoint, registry_request};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
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

/// An emulator for a region of the test's own, on free ports; the words of `program` come before the command.
fn emulator(sandbox: &Sandbox, program: &[&str], region: &str) -> Tool {
    let python = python(sandbox);
    let tool = match program {
        [] => Tool::new(python),
        [program, arguments @ ..] => Tool::new(program).args(arguments).arg(python),
    };
    let tool = sandbox
        .point(tool)
        .arg(root().join("scripts/lib/emulator.py"))
        .args(["--account", "123456789012", "--region", region, "--port", "0"])
        .args(["--registry-port", "0", "--registry-address", ADDRESS])
        .limit(Duration::from_secs(60));
    let state = tool.folder().join("state");
    tool.arg("--state").arg(state)
}

/// A running emulator. Its streams are files: a pipe can be read only at its end.
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

    fn in_region(sandbox: &Sandbox, region: &str) -> Self {
        let files = r#"exec "$@" >ready 2>>log"#;
        Self::of(emulator(sandbox, &["sh", "-c", files, "sh"], region))
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

    /// Ends the emulator as the sandbox does.
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
    let first = Started::in_region(sandbox, "mx-central-1");
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

    // One emulator runs per region.
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
    // Layers are files; those without a repository are removed.
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
    // Other users can't read the state.
    use std::os::unix::fs::PermissionsExt;
    let state = fs::metadata(tool.folder().join("state/services/ssm.json")).unwrap();
    assert_eq!(state.permissions().mode() & 0o077, 0);
}

#[test]
fn it_needs_an_engine_its_packages_and_a_loopback_address() {
    let sandbox = sandbox();
    let start = |more: &[&str]| emulator(sandbox, &[], "ap-southeast-6").args(more);
    start(&["--registry-address", "10.0.0.1"])
        .run()
        .exits(2)
        .says("`10.0.0.1` is not a loopback address");
    start(&[])
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .run()
        .exits(2)
        .says("emulator: error: the Docker engine does not answer: ");
    let program = root().join("scripts/lib/emulator.py");
    let bare = Tool::new(python(sandbox)).arg("-S").arg(program);
    bare.args(["--account", "1", "--region", "r", "--state", "state"])
        .run()
        .exits(2)
        .says("emulator: error: ministack is not installed");
}
