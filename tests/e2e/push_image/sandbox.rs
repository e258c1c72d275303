//! With a real engine and a registry that requires ECR's login, read back with other clients.

use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use support::sandbox::{Sandbox, sandbox};
use support::{Output, Tool, wait_for};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(180);

/// A repository with a unique name. It and its images on the engine are removed with the value.
struct Repository {
    sandbox: &'static Sandbox,
    name: String,
}

impl Repository {
    fn new(stem: &str) -> Self {
        let sandbox = sandbox();
        let name = sandbox.unique(stem);
        let made = sandbox.tool("create-repository").config_text(&format!(
            "version = 1\n[app]\nname = \"e2e\"\n[[repository]]\nname = \"{name}\"\n"
        ));
        made.run().exits(0);
        Repository { sandbox, name }
    }

    fn uri(&self) -> String {
        format!("{}/{}", self.sandbox.get("ECR_REGISTRY"), self.name)
    }

    fn config(&self, tags: &str, source: &str) -> String {
        format!(
            "version = 1\n[app]\nname = \"e2e\"\n[[image]]\nname = \"app\"\nrepository = \"{}\"\ntags = {tags}\n{source}\n",
            self.name
        )
    }

    /// `push-image` with a docker configuration without logins.
    fn push(&self, tags: &str, source: &str) -> Tool {
        let tool = self
            .sandbox
            .tool("push-image")
            .config_text(&self.config(tags, source));
        tool.env("OPS_IMAGE_FROM", "").limit(LIMIT)
    }

    /// The aws CLI's description of the image with this tag.
    fn described(&self, tag: &str) -> Option<Value> {
        let id = format!("imageTag={tag}");
        let arguments = [
            "ecr",
            "describe-images",
            "--repository-name",
            &self.name,
            "--image-ids",
            &id,
            "--output",
            "json",
        ];
        let output = self.sandbox.program("aws").args(arguments).run();
        let answer: Value = serde_json::from_str(&output.stdout).ok()?;
        answer["imageDetails"].get(0).cloned()
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let list = ["images", "--all", "--digests", "--format", "{{.ID}}", &self.uri()].map(str::to_owned);
        let found = self.sandbox.program("docker").args(list).command().output();
        let ids = found.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        for id in ids.unwrap_or_default().lines() {
            let _ = self
                .sandbox
                .program("docker")
                .args(["rmi", "--force", id])
                .command()
                .output();
        }
        let delete = [
            "ecr",
            "delete-repository",
            "--force",
            "--repository-name",
            &self.name,
        ];
        let _ = self.sandbox.program("aws").args(delete).command().output();
    }
}

fn docker(arguments: &[&str]) -> Tool {
    sandbox().program("docker").args(arguments).limit(LIMIT)
}

/// An image that only this machine has, with one unique file.
fn import(name: &str) -> Image {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(name.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "name", name.as_bytes()).unwrap();
    docker(&["import", "-", name])
        .stdin(archive.into_inner().unwrap())
        .run()
        .exits(0);
    Image(name.to_owned())
}

/// A name on the engine that is removed with the value.
struct Image(String);

impl Drop for Image {
    fn drop(&mut self) {
        let _ = docker(&["rmi", "--force", &self.0]).command().output();
    }
}

fn outcome(output: &Output) -> (String, String) {
    let document = output.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&document["outcome"]), text(&document["items"][0]["digest"]))
}

#[test]
fn what_is_pushed_is_what_others_see_and_a_second_run_changes_nothing() {
    let repository = Repository::new("push");
    let local = import(&repository.sandbox.unique("copy"));
    let from = format!("from = \"{}\"", local.0);
    let push = repository.push("[\"1\", \"2\"]", &from).args(["-o", "json"]);
    let (first, digest) = outcome(&push.run().exits(0));
    assert_eq!(first, "changed");
    assert_eq!(
        outcome(&push.run().exits(0)),
        ("unchanged".to_owned(), digest.clone())
    );

    // The aws CLI.
    for tag in ["1", "2"] {
        assert_eq!(
            repository.described(tag).unwrap()["imageDigest"],
            digest.as_str(),
            "{tag}"
        );
    }
    // skopeo, which reads from the registry.
    let login = repository.sandbox.tool("ecr-login");
    login.run().exits(0);
    let file = login.folder().join("docker/config.json");
    let image = format!("docker://{}:2", repository.uri());
    let inspect = ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &image];
    let seen = repository.sandbox.program("skopeo").args(inspect);
    seen.env("REGISTRY_AUTH_FILE", &file)
        .run()
        .exits(0)
        .prints(&digest);
    // docker, without the image on the engine.
    let pinned = format!("{}@{digest}", repository.uri());
    for name in [&local.0, &format!("{}:1", repository.uri()), &pinned] {
        docker(&["rmi", "--force", name]).run();
    }
    assert_ne!(docker(&["image", "inspect", &pinned]).run().code, Some(0));
    let pull = docker(&["pull", "--quiet", &pinned]).env("DOCKER_CONFIG", file.parent().unwrap());
    pull.run().exits(0);
    let name = docker(&["create", &pinned, "x"]).run().exits(0).stdout;
    let container = Container(name.trim().to_owned());
    assert_eq!(exported(&container)["name"], local.0.as_bytes());
}

struct Container(String);

impl Drop for Container {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", &self.0]).command().output();
    }
}

/// The files of a container, without those that the engine adds.
fn exported(container: &Container) -> std::collections::BTreeMap<String, Vec<u8>> {
    use std::io::Read;
    let output = docker(&["export", &container.0]).command().output().unwrap();
    let mut archive = tar::Archive::new(output.stdout.as_slice());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut content = format!("{:o} ", entry.header().mode().unwrap()).into_bytes();
        if path == "name" {
            content.clear();
        }
        entry.read_to_end(&mut content).unwrap();
        (path, content)
    });
    let engines = [".dockerenv", "dev/", "etc/", "proc/", "sys/"];
    entries
        .filter(|(path, _)| !engines.iter().any(|own| path.starts_with(own)))
        .collect()
}

#[test]
fn an_image_is_built_from_the_pushed_base_with_the_tools_own_login_alone() {
    let base = Repository::new("base");
    let app = Repository::new("app");
    let local = import(&base.sandbox.unique("base"));
    let pushed = base.push("[\"1\"]", &format!("from = \"{}\"", local.0));
    pushed.run().exits(0);
    // An outdated base of the same name on the engine must not be used.
    let stale = import(&base.sandbox.unique("stale"));
    let name = format!("{}:1", base.uri());
    docker(&["tag", &stale.0, &name]).run().exits(0);

    let source = format!(
        "build = {{ context = \"src\", args = {{ BASE = \"${{ECR_REGISTRY}}/{}:1\" }} }}",
        base.name
    );
    let tool = app
        .push("[\"latest\"]", &source)
        .file("src/Dockerfile", "ARG BASE\nFROM ${BASE}\nCOPY added /added\n")
        .file("src/added", "x");
    // The sandbox's docker configuration may have a login; this one is empty.
    assert!(!tool.folder().join("docker").exists());
    let output = tool.clone().args(["-o", "json"]).run().exits(0);
    let (word, digest) = outcome(&output);
    assert_eq!(word, "changed");
    assert_eq!(app.described("latest").unwrap()["imageDigest"], digest.as_str());
    let built = format!("{}:latest", app.uri());
    let container = Container(
        docker(&["create", &built, "x"])
            .run()
            .exits(0)
            .stdout
            .trim()
            .to_owned(),
    );
    let files = exported(&container);
    assert_eq!(files["name"], local.0.as_bytes());
    assert!(files.contains_key("added"));
    assert!(!tool.folder().join("docker").exists(), "a login was written");
    assert_eq!(
        outcome(&tool.args(["-o", "json"]).run().exits(0)),
        ("unchanged".to_owned(), digest)
    );
}

/// Files, modes and links to test an ignore file with.
fn lay_out(folder: &Path) {
    use std::os::unix::fs::{PermissionsExt, symlink};
    for path in [
        "app.py",
        "README.md",
        "docs/a.md",
        "docs/deep/b.md",
        "docs/c.txt",
        "node_modules/x/index.js",
        "node_modules/keep/index.js",
        "build/out.o",
        "src/build/in.o",
        "src/main.pyc",
        "src/main.py",
        "src/deep/er/x.pyc",
        "tmp1/a",
        "tmp/a",
        "bin/run",
        ".env",
        ".git/HEAD",
        "name with space",
        "#odd",
    ] {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "x").unwrap();
    }
    fs::set_permissions(folder.join("bin/run"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder.join(".env"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("app.py", folder.join("link")).unwrap();
    fs::write(folder.join("Dockerfile"), "FROM scratch\nCOPY . /\n").unwrap();
}

#[test]
fn an_ignore_file_excludes_what_docker_excludes() {
    let repository = Repository::new("ignore");
    let rules = [
        "",
        "**/*.pyc\nnode_modules\n.git\n",
        "*\n!src\n!bin/run\nsrc/build\n",
        "docs/*\n!docs/*.md\n/build\ntmp?\n**/deep\n",
        "**\n!app.py\n!node_modules/keep\n.env\n",
        " # not a comment\n#odd\nname with space\nbuild/\n./src/../bin\n",
        "Dockerfile\n.dockerignore\n[a-c]*\n!**/a.md\n",
        "[^d]*\n",
    ];
    for text in rules {
        let folder = TempDir::new().unwrap();
        lay_out(folder.path());
        fs::write(folder.path().join(".dockerignore"), text).unwrap();
        let theirs = Image(format!("{}:theirs", repository.uri()));
        let build = docker(&["build", "--quiet", "--tag", &theirs.0, "."]).env("DOCKER_BUILDKIT", "0");
        build.current_dir(folder.path()).run().exits(0);
        let source = format!("build = {{ context = \"{}\" }}", folder.path().display());
        repository.push("[\"ours\"]", &source).run().exits(0);
        let files = |tag: &str| {
            let image = format!("{}:{tag}", repository.uri());
            let id = docker(&["create", &image, "x"]).run().exits(0).stdout;
            exported(&Container(id.trim().to_owned()))
        };
        assert_eq!(files("ours"), files("theirs"), "{text:?}");
    }
}

#[test]
fn a_fresh_clone_makes_the_same_image() {
    let repository = Repository::new("clone");
    let new = |folder: &TempDir| {
        let source = format!("build = {{ context = \"{}\" }}", folder.path().display());
        repository.push("[\"1\"]", &source).args(["-o", "json"])
    };
    let clones = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    for (number, clone) in clones.iter().enumerate() {
        for name in ["b", "a"] {
            let mut file = fs::File::create(clone.path().join(name)).unwrap();
            file.write_all(repository.name.as_bytes()).unwrap();
            let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + number as u64);
            file.set_modified(time).unwrap();
        }
        fs::write(clone.path().join("Dockerfile"), "FROM scratch\nCOPY . /\n").unwrap();
    }
    let (first, digest) = outcome(&new(&clones[0]).run().exits(0));
    assert_eq!(first, "changed");
    assert_eq!(
        outcome(&new(&clones[1]).run().exits(0)),
        ("unchanged".to_owned(), digest)
    );
}

#[test]
fn an_interrupted_push_leaves_no_tag() {
    let repository = Repository::new("interrupt");
    let tool = repository
        .push("[\"1\"]", "build = { context = \"src\" }")
        .file("src/Dockerfile", "FROM scratch\nCOPY large /\n");
    // Incompressible data takes long to compress.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .take(10_000_000)
    .flatten()
    .collect();
    fs::write(tool.folder().join("src/large"), noise).unwrap();
    let running = tool.clone().hears_signals().spawn();
    let name = format!("{}:1", repository.uri());
    wait_for("the build", || {
        (docker(&["image", "inspect", &name]).run().code == Some(0)).then_some(())
    });
    running.signal(Signal::INT);
    running.wait().ends_by(Signal::INT);
    // An engine that continued the push would finish within this time.
    let end = Instant::now() + Duration::from_secs(4);
    while Instant::now() < end {
        assert_eq!(repository.described("1"), None);
    }
    tool.run().exits(0).says("app: pushed");
    assert!(repository.described("1").is_some());
}
