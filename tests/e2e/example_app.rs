//! `backend-flask/`: the example app's image, built by the engine's own client and run as ECS would run it.

use serde_json::Value;
use std::fs;
use std::time::Duration;
use support::sandbox::{Sandbox, sandbox};
use support::{Tool, root, wait_for};
use tempfile::TempDir;

/// The container and its image, gone with the test.
struct Container<'a> {
    sandbox: &'a Sandbox,
    name: String,
}

impl Container<'_> {
    fn docker(&self, arguments: &[&str]) -> Tool {
        // The first build installs the app's packages.
        let docker = self.sandbox.program("docker").env("DOCKER_BUILDKIT", "0");
        docker.args(arguments).limit(Duration::from_secs(300))
    }

    fn prints(&self, arguments: &[&str]) -> String {
        self.docker(arguments).run().exits(0).stdout.trim().to_owned()
    }

    fn inspect(&self, format: &str) -> String {
        self.prints(&["inspect", "--type=container", "--format", format, &self.name])
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        for arguments in [["rm", "--force"], ["rmi", "--force"]] {
            let _ = self
                .docker(&[arguments[0], arguments[1], &self.name])
                .command()
                .output();
        }
    }
}

/// The base that `scripts/base-image` has seen to: the stand-in, where the sandbox says so, or the real one.
fn base(sandbox: &Sandbox) -> String {
    let script = "printf %s \"${OPS_IMAGE_FROM:-}\"";
    let chosen = sandbox.program("sh").args(["-c", script]).run().exits(0).stdout;
    let chosen = chosen
        .strip_prefix("cruddur-python=")
        .unwrap_or("python:3.10-slim-buster");
    chosen.to_owned()
}

#[test]
fn the_image_runs_without_root_answers_is_healthy_and_stops_at_once() {
    let sandbox = sandbox();
    let container = Container {
        sandbox,
        name: sandbox.unique("app"),
    };
    let name = container.name.as_str();
    // A copy, in which something lies about that must not go into an image.
    let context = TempDir::new().unwrap();
    let source = root().join("backend-flask");
    for file in [
        "app.py",
        "requirements.txt",
        "Dockerfile",
        ".dockerignore",
        "bin/health-check",
        "bin/db-test",
    ] {
        let to = context.path().join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(source.join(file), to).unwrap_or_else(|error| panic!("{file}: {error} (make dist)"));
    }
    for file in [".env", "bin/other", "__pycache__/app.pyc", "notes.txt"] {
        let to = context.path().join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, "SECRET=canary").unwrap();
    }
    let argument = format!("BASE_IMAGE={}", base(sandbox));
    let folder = context.path().display().to_string();
    container.prints(&[
        "build",
        "--quiet",
        "--tag",
        name,
        "--build-arg",
        &argument,
        &folder,
    ]);

    // As a hardened task would: nothing to write to, no capability.
    let run = [
        "run",
        "--detach",
        "--name",
        name,
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
    ];
    let run = [
        &run[..],
        &["--health-interval=1s", "--publish=127.0.0.1::4567", name],
    ]
    .concat();
    container.prints(&run);
    let address = container.prints(&["port", name, "4567/tcp"]);
    let url = format!("http://{}/api/health-check", address.lines().next().unwrap());
    let answer = wait_for("the app", || {
        let curl = sandbox
            .program("curl")
            .args(["-fsS", "-i", "--noproxy", "*", &url])
            .run();
        (curl.code == Some(0)).then_some(curl.stdout)
    });
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let body: Value = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
    assert_eq!(body, serde_json::json!({"success": true}));

    assert_eq!(container.prints(&["exec", name, "id", "-u"]), "4567");
    let files = container.prints(&[
        "exec",
        name,
        "find",
        "/backend-flask",
        "/usr/local/bin",
        "-type",
        "f",
    ]);
    let mut files: Vec<&str> = files.lines().filter(|file| !file.ends_with(".pyc")).collect();
    files.sort_unstable();
    for file in [
        "/backend-flask/app.py",
        "/usr/local/bin/db-test",
        "/usr/local/bin/health-check",
    ] {
        assert!(files.contains(&file), "{files:?}");
    }
    let own: Vec<_> = files
        .iter()
        .filter(|file| file.starts_with("/backend-flask/"))
        .collect();
    assert_eq!(
        own,
        [&"/backend-flask/app.py", &"/backend-flask/requirements.txt"]
    );
    assert!(!files.contains(&"/usr/local/bin/other"), "{files:?}");

    let health = wait_for("the image's own health check", || {
        let health: Value = serde_json::from_str(&container.inspect("{{json .State.Health}}")).unwrap();
        (health["Status"] != "starting").then_some(health)
    });
    assert_eq!(health["Status"], "healthy", "{health}");
    // A first check may come before the server listens.
    let last = health["Log"].as_array().unwrap().last().unwrap();
    assert_eq!(last["Output"], "Flask server is running\n");

    // Python as process 1 would wait for the engine to kill it, after ten seconds.
    let stop = container.docker(&["stop", name]).run().exits(0);
    assert!(stop.elapsed < Duration::from_secs(5), "{:?}", stop.elapsed);
    assert_eq!(
        container.inspect("{{.State.ExitCode}} {{.State.OOMKilled}}"),
        "0 false"
    );
}
