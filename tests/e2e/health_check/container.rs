//! The static binary as a container engine runs it.

use super::{NOT_RUNNING, RUNNING, Server, closed_port};
use serde_json::Value;
use std::fs;
use std::time::Duration;
use support::sandbox::{Sandbox, sandbox};
use support::{Tool, wait_for};
use tempfile::TempDir;

fn docker(sandbox: &Sandbox, arguments: &[&str]) -> Tool {
    sandbox
        .program("docker")
        .args(arguments)
        .limit(Duration::from_secs(120))
}

/// A container and its image, removed at the end of the test.
struct Container<'a>(&'a Sandbox, String);

impl Drop for Container<'_> {
    fn drop(&mut self) {
        for arguments in [["rm", "--force", &self.1], ["rmi", "--force", &self.1]] {
            let _ = docker(self.0, &arguments).command().output();
        }
    }
}

/// The image contains nothing but the probe: no shell, no hosts file with `localhost`, no resolver.
#[test]
fn the_static_probe_is_a_health_check_in_an_empty_image() {
    let sandbox = sandbox();
    let built = support::root().join("backend-flask/bin/health-check");
    assert!(built.is_file(), "`{}` is not built: make dist", built.display());
    let folder = TempDir::new().unwrap();
    fs::copy(&built, folder.path().join("health-check")).unwrap();
    fs::write(folder.path().join("empty"), "").unwrap();

    let app = Server::healthy();
    // The probe also keeps the container running, by waiting for a silent server.
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
