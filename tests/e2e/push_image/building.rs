//! Builds: what is sent to the engine.

use super::{CONFIG, World, digest_of, host, sha, uri};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use support::Tool;
use support::engine::{EngineAnswer, EngineRequest};

/// The base is in ECR.
fn world() -> World {
    let world = World::new();
    world.pushed("base", "3", &sha("c1"));
    world
}

fn app(world: &World) -> Tool {
    world.tool().arg("app")
}

fn the_build(world: &World) -> EngineRequest {
    world.engine.all("POST /build").remove(0)
}

/// The path and the content of each file of the context.
fn context(build: &EngineRequest) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(build.body.as_slice());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        (path, content)
    });
    entries.collect()
}

#[test]
fn the_engine_gets_the_context_the_arguments_and_the_platform() {
    let world = world();
    let config = CONFIG.replace(
        "context = \"src\"",
        "context = \"src\", dockerfile = \"prod.Dockerfile\", target = \"last\"",
    );
    let tool = app(&world)
        .config_text(&config)
        .file("src/prod.Dockerfile", "FROM scratch AS last\n")
        .file(
            "src/.dockerignore",
            "*.log\n*Dockerfile\n.dockerignore\nnode_modules\n!node_modules/keep\n",
        )
        .file("src/a.log", "x")
        .file("src/node_modules/keep/me", "kept")
        .file("src/node_modules/other", "x");
    tool.run().exits(0);
    let build = the_build(&world);
    assert_eq!(build.headers["content-type"], "application/x-tar");
    assert_eq!(build.query["dockerfile"], "prod.Dockerfile");
    assert_eq!(build.query["target"], "last");
    assert_eq!(build.query["platform"], "linux/amd64");
    assert_eq!(
        serde_json::from_str::<Value>(&build.query["buildargs"]).unwrap(),
        json!({"BASE": format!("{}:3", uri("base"))})
    );
    let files: Vec<String> = context(&build).into_keys().collect();
    assert_eq!(
        files,
        [
            ".dockerignore",
            "app.py",
            "node_modules/",
            "node_modules/keep/",
            "node_modules/keep/me",
            "prod.Dockerfile",
        ]
    );
    // FROM scratch: no base is pulled.
    assert_eq!(world.engine.all("POST /images/create").len(), 0);
}

#[test]
fn the_base_is_pulled_with_the_tools_own_login_and_nothing_of_dockers() {
    let world = world();
    app(&world).without("DOCKER_CONFIG").run().exits(0);
    let pull = &world.engine.all("POST /images/create")[0];
    assert_eq!(pull.query["fromImage"], uri("base"));
    assert_eq!(pull.query["platform"], "linux/amd64");
    let login = |text: &str| -> Value { serde_json::from_slice(&URL_SAFE.decode(text).unwrap()).unwrap() };
    assert_eq!(
        login(&pull.headers["x-registry-auth"])["password"],
        "password-of-ecr"
    );
    let logins = login(&the_build(&world).headers["x-registry-config"]);
    assert_eq!(logins[host()]["password"], "password-of-ecr");
    assert_eq!(logins.as_object().unwrap().len(), 1);
}

#[test]
fn every_image_that_the_dockerfile_names_is_pulled_with_its_own_login() {
    let world = world();
    world.change(|store| {
        store
            .pullable
            .insert("docker.io/library/alpine:3".into(), sha("c7"));
        store
            .pullable
            .insert("registry.example.com/tools:1".into(), sha("c8"));
    });
    let tool = app(&world)
        .file(
            "src/Dockerfile",
            "ARG BASE\nFROM alpine:3 AS build\nFROM ${BASE}\nCOPY --from=build / /x\nCOPY --from=registry.example.com/tools:1 / /y\n",
        )
        .file(
            "docker/config.json",
            json!({"auths": {
                "registry.example.com": {"auth": "dXNlcjpwYXNz"},
                "https://index.docker.io/v1/": {"auth": "aHViOnB3"},
                "unused.example.com": {"auth": "eDp5"},
            }})
            .to_string(),
        );
    tool.run().exits(0);
    let pulled: Vec<String> = world
        .engine
        .all("POST /images/create")
        .into_iter()
        .map(|pull| pull.query["fromImage"].clone())
        .collect();
    assert_eq!(
        pulled,
        [
            "docker.io/library/alpine",
            &uri("base"),
            "registry.example.com/tools"
        ]
    );
    let logins = URL_SAFE
        .decode(&the_build(&world).headers["x-registry-config"])
        .unwrap();
    let logins: Value = serde_json::from_slice(&logins).unwrap();
    let mut hosts: Vec<&String> = logins.as_object().unwrap().keys().collect();
    hosts.sort();
    assert_eq!(
        hosts,
        [&host(), "https://index.docker.io/v1/", "registry.example.com"]
    );
}

#[test]
fn the_same_files_make_the_same_context() {
    let world = world();
    let bodies: Vec<Vec<u8>> = (0..2)
        .map(|_| {
            world.engine.forget();
            let tool = app(&world).env("SOURCE_DATE_EPOCH", "1000000000");
            tool.run().exits(0);
            the_build(&world).body
        })
        .collect();
    assert_eq!(bodies[0], bodies[1]);
    app(&world)
        .env("SOURCE_DATE_EPOCH", "yesterday")
        .run()
        .exits(2)
        .says("failed to read $SOURCE_DATE_EPOCH");
}

#[test]
fn a_build_that_fails_shows_its_last_lines_and_one_error() {
    let world = world();
    let error = "The command '/bin/sh -c pip3 install -r requirements.txt' returned a non-zero code: 1";
    let mut lines: Vec<Value> = (0..30)
        .map(|number| json!({"stream": format!("line {number}\n")}))
        .collect();
    lines.insert(
        0,
        json!({"stream": "Step 3/9 : RUN pip3 install -r requirements.txt\n"}),
    );
    lines.push(json!({"stream": "ERROR: no such package"}));
    lines.push(json!({"errorDetail": {"code": 1, "message": error}, "error": error}));
    world.engine.answer("POST /build", EngineAnswer::Lines(lines));
    let output = app(&world).arg("-q").run().exits(2);
    let expected = format!(
        "  line 29\n  ERROR: no such package\npush-image: error: failed to build image `app`: {error}\n"
    );
    let output = output.says(&expected).says("  line 11\n");
    assert!(!output.stderr.contains("line 9\n"), "{}", output.transcript());
    assert_eq!(output.stdout, "");
    // -v has printed them already.
    let verbose = app(&world).arg("-v").run().exits(2);
    assert_eq!(verbose.stderr.matches("  line 29\n").count(), 1);
    assert_eq!(verbose.stderr.matches("  line 0\n").count(), 1);
    assert_eq!(world.pushes(), [""; 0]);
}

#[test]
fn a_dockerfile_that_needs_buildkit_is_an_error() {
    let world = world();
    let error = "the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled";
    world
        .engine
        .answer("POST /build", EngineAnswer::error(400, error));
    app(&world)
        .run()
        .exits(2)
        .says(&format!("failed to build image `app`: {error}"))
        .says("hint: this version uses the engine's classic builder");
    let nothing = EngineAnswer::Lines(vec![json!({"stream": "done\n"})]);
    world.engine.answer("POST /build", nothing);
    app(&world)
        .run()
        .exits(2)
        .says("without an image and without an error");
}

#[test]
fn a_file_that_is_not_in_the_context_is_an_error_with_a_hint() {
    let world = world();
    for (path, hint) in [
        (
            "bin/db-test",
            "hint: the file is not in the build context, or .dockerignore excludes it: `make dist` builds",
        ),
        (
            "settings.py",
            "hint: create the file first, or remove it from .dockerignore",
        ),
    ] {
        let error = format!(
            "COPY failed: file not found in build context or excluded by .dockerignore: stat {path}: file does not exist"
        );
        let line = json!({"errorDetail": {"message": error}, "error": error});
        world
            .engine
            .answer("POST /build", EngineAnswer::Lines(vec![line]));
        app(&world)
            .run()
            .exits(2)
            .says(&format!("failed to build image `app`: {error}\n{hint}"));
    }
}

#[test]
fn a_large_context_is_warned_of() {
    let world = world();
    let tool = app(&world);
    let path = tool.folder().join("src/data/large");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // A sparse file, which takes no space on the disk.
    std::fs::File::create(&path)
        .unwrap()
        .set_len(210_000_000)
        .unwrap();
    tool.run().exits(0).says(
        "warning: app: the build context has 210.00 MB, 210.00 MB of it in `data`: exclude what the build does not need in .dockerignore",
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_before_anything_is_sent() {
    let world = world();
    // Root can read everything, so another user runs the tool.
    if !rustix::process::geteuid().is_root() {
        return locked_by_mode(&world, app(&world));
    }
    let tool = app(&world);
    let binary = support::bin_dir().join("push-image");
    let folder = tool.folder().to_owned();
    let copy = folder.join("push-image");
    std::fs::copy(&binary, &copy).unwrap();
    let script = format!(
        "chmod -R a+rX '{folder}' && chmod 600 '{folder}/src/app.py' && \
         exec setpriv --reuid=65534 --regid=65534 --clear-groups '{copy}' app",
        folder = folder.display(),
        copy = copy.display()
    );
    let shell = world.aws.point(support::program("sh"));
    let output = shell
        .args(["-c", &script])
        .env("DOCKER_HOST", world.engine.host())
        .current_dir(&folder)
        .run()
        .exits(2);
    output.says("src/app.py`: Permission denied");
    assert_eq!(world.engine.all("POST /build").len(), 0);
}

/// Reading a pipe would block until another process writes to it.
#[test]
fn a_dockerfile_that_is_a_pipe_is_refused() {
    let world = world();
    for name in ["Dockerfile", ".dockerignore"] {
        let tool = app(&world);
        let path = tool.folder().join("src").join(name);
        let _ = std::fs::remove_file(&path);
        support::program("mkfifo").arg(&path).run().exits(0);
        let output = tool.run().exits(2);
        let output = output.says(&format!("src/{name}`: not a regular file"));
        assert!(output.elapsed < std::time::Duration::from_secs(5));
    }
    assert_eq!(world.aws.requests(), []);
}

fn locked_by_mode(world: &World, tool: Tool) {
    use std::os::unix::fs::PermissionsExt;
    let path = tool.folder().join("src/app.py");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).unwrap();
    tool.run().exits(2).says("src/app.py`: Permission denied");
    assert_eq!(world.engine.all("POST /build").len(), 0);
}

#[test]
fn an_unchanged_build_keeps_a_name_on_the_engine() {
    let world = world();
    world.pushed("app", "latest", &sha("c2"));
    app(&world).run().exits(0).says("app: unchanged");
    let tags = world.engine.all(&format!("POST /images/{}/tag", sha("c2")));
    assert_eq!(tags.len(), 1);
    assert_eq!(tags[0].query["repo"], uri("app"));
    app(&world)
        .run()
        .exits(0)
        .prints(&format!("{}@{}", uri("app"), digest_of(&sha("c2"))));
    let tags = world.engine.all(&format!("POST /images/{}/tag", sha("c2")));
    assert_eq!(tags.len(), 1, "it has the name already");
}

#[test]
fn a_build_gets_the_proxies_of_dockers_configuration_as_with_docker() {
    let world = world();
    let file = json!({"proxies": {"default": {"httpProxy": "http://user:hunter22@proxy:1", "noProxy": "localhost"}}});
    let config = CONFIG.replace("args = {", "args = { NO_PROXY = \"own\",");
    let tool = app(&world)
        .config_text(&config)
        .file("docker/config.json", file.to_string());
    tool.run().exits(0);
    let arguments: Value = serde_json::from_str(&the_build(&world).query["buildargs"]).unwrap();
    assert_eq!(arguments["http_proxy"], "http://user:hunter22@proxy:1");
    assert_eq!(arguments["HTTP_PROXY"], "http://user:hunter22@proxy:1");
    assert_eq!(arguments["no_proxy"], "localhost");
    assert_eq!(arguments["NO_PROXY"], "own");
    let refused = "dial http://user:hunter22@proxy:1 refused";
    world.engine.answer(
        "POST /build",
        EngineAnswer::Lines(vec![
            json!({"errorDetail": {"message": refused}, "error": refused}),
        ]),
    );
    let output = tool.arg("-v").run().exits(2);
    assert!(!output.stderr.contains("hunter22"), "{}", output.transcript());
}
