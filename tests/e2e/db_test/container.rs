//! The static binary in an image that contains nothing else: no shell, no users, no certificates, no hosts file.

use super::{SUCCESS, Server, fails, let_in, refusal, stay_silent};
use std::fs;
use std::io::Write;
use std::time::Duration;
use support::Output;
use support::sandbox::{Sandbox, sandbox};
use tempfile::TempDir;

/// An image with only the probe, removed at the end of the test.
struct Image {
    sandbox: &'static Sandbox,
    name: String,
    folder: TempDir,
}

impl Image {
    fn build() -> Self {
        let sandbox = sandbox();
        let built = support::root().join("backend-flask/bin/db-test");
        assert!(built.is_file(), "`{}` is not built: make dist", built.display());
        let folder = TempDir::new().unwrap();
        fs::copy(&built, folder.path().join("db-test")).unwrap();
        fs::write(folder.path().join("empty"), "").unwrap();
        fs::write(folder.path().join("resolv.conf"), "nameserver 192.0.2.1\n").unwrap();
        let dockerfile = "FROM scratch\nCOPY db-test /db-test\nUSER 65534:65534\nENTRYPOINT [\"/db-test\"]\n";
        fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
        let image = Image {
            sandbox,
            name: sandbox.unique("scratch"),
            folder,
        };
        let context = image.folder.path().display().to_string();
        let build = sandbox
            .program("docker")
            .args(["build", "--quiet", "--tag", &image.name, &context]);
        build
            .env("DOCKER_BUILDKIT", "0")
            .limit(Duration::from_secs(120))
            .run()
            .exits(0);
        image
    }

    fn run(&self, network: &str, url: &str, arguments: &[&str]) -> Output {
        let mount = |file: &str, path: &str| {
            format!("--volume={}:{path}:ro", self.folder.path().join(file).display())
        };
        self.sandbox
            .program("docker")
            .args(["run", "--rm", "--read-only", "--network", network])
            .args([
                mount("empty", "/etc/hosts"),
                mount("resolv.conf", "/etc/resolv.conf"),
            ])
            .args(["--env", "CONNECTION_URL", &self.name])
            .args(arguments)
            .env("CONNECTION_URL", url)
            .limit(Duration::from_secs(60))
            .run()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let remove = self
            .sandbox
            .program("docker")
            .args(["rmi", "--force", &self.name]);
        let _ = remove.command().output();
    }
}

#[test]
fn the_static_probe_needs_nothing_but_itself() {
    let image = Image::build();
    let server = Server::start(let_in);
    let port = server.address.port();
    let output = image
        .run("host", &format!("postgresql://u@localhost:{port}/d"), &[])
        .exits(0);
    assert_eq!(output.stdout, SUCCESS);

    // There are no trusted certificates.
    let database = image.sandbox.get("CONNECTION_URL");
    let (plain, _) = database.split_once('?').unwrap();
    let output = image
        .run("host", &format!("{plain}?sslmode=require"), &[])
        .exits(0);
    assert_eq!(output.stdout, SUCCESS);
    output.says("NOT verified (sslmode=require)");
    let output = image
        .run("host", &format!("{plain}?sslrootcert=system"), &[])
        .exits(2);
    output.says("no trusted certificate found on this system");
    let output = image
        .run("host", &format!("{plain}?sslmode=verify-full"), &[])
        .exits(2);
    output.says("root certificate file").says("does not exist");

    // The image has no user with this uid.
    let output = image
        .run("host", &format!("postgresql://localhost:{port}/d"), &[])
        .exits(2);
    output.says("failed to find a user name");

    let refusing = Server::start(|stream| {
        super::answering_tls(stream, b'N');
        stream
            .write_all(&refusal("28P01", "password authentication failed"))
            .unwrap();
    });
    let output = image.run("host", &refusing.url(""), &[]);
    fails(output, 1, "auth", "password authentication failed (28P01)", "");

    let silent = Server::start(stay_silent);
    let output = image.run("host", &silent.url(""), &["--timeout", "300ms"]);
    fails(
        output,
        3,
        "tls",
        "connected, but then no response within 300 ms",
        "",
    );
}

#[test]
fn an_unreachable_name_server_does_not_block() {
    let image = Image::build();
    let url = "postgresql://u:p@db.example/d";
    let output = image.run("none", url, &["--timeout", "1s"]);
    let reason = "the look-up of host name `db.example` did not end within 1 s (--timeout)";
    fails(output, 3, "dns", reason, "/etc/resolv.conf");
}
