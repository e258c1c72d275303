//! The address of the engine, and errors of the connection.

use super::{World, uri};
use serde_json::json;
use std::net::TcpListener;
use support::Tool;
use support::engine::{EngineAnswer, FakeEngine};

fn with_context(tool: Tool, name: &str, host: &str) -> Tool {
    let meta = json!({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": false}}});
    tool.without("DOCKER_HOST")
        .file("docker/contexts/meta/0123abcd/meta.json", meta.to_string())
}

#[test]
fn a_missing_engine_is_an_error_with_a_hint() {
    let world = World::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = format!("tcp://{}", free.local_addr().unwrap());
    drop(free);
    for (host, words, hint) in [
        (
            "unix:///nowhere/docker.sock",
            "the socket does not exist",
            "hint: start the engine",
        ),
        (refused.as_str(), "connection refused", "hint: start the engine"),
        (
            "ssh://me@build.example.com",
            "does not support ssh to the engine",
            "hint: forward its socket",
        ),
        ("fd://", "expected unix:// or tcp://", ""),
    ] {
        let output = world.tool().arg("base").env("DOCKER_HOST", host).run().exits(2);
        let output = output.says("Docker engine").says(words).says(hint);
        assert_eq!(output.stdout, "", "{host}");
        let json = world.tool().args(["base", "-o", "json"]).env("DOCKER_HOST", host);
        assert_eq!(json.run().exits(2).json()["error"]["code"], "engine");
    }
    let tls = world.tool().arg("base").env("DOCKER_TLS_VERIFY", "1");
    tls.run()
        .exits(2)
        .says("this version does not support TLS to the engine");
    assert_eq!(world.engine.calls(), [""; 0]);
}

#[test]
fn another_server_at_the_address_is_an_error() {
    let world = World::new();
    world.engine.answer(
        "GET /version",
        EngineAnswer::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
    );
    world
        .tool()
        .arg("base")
        .run()
        .exits(2)
        .says("failed to reach the Docker engine at `tcp://127.0.0.1:");
    world
        .engine
        .answer("GET /version", EngineAnswer::Json(200, json!({"hello": 1})));
    world
        .tool()
        .arg("base")
        .run()
        .exits(2)
        .says("failed to reach the Docker engine at `tcp://127.0.0.1:");
}

#[test]
fn the_current_context_of_docker_is_used() {
    let world = World::new();
    let tool = with_context(world.tool().arg("base"), "mine", &world.engine.host());
    let chosen = tool
        .clone()
        .file("docker/config.json", r#"{"currentContext":"mine"}"#);
    chosen.run().exits(0).says("base: pushed");
    // The variable takes precedence over the file, and DOCKER_HOST over both.
    let variable = tool.clone().env("DOCKER_CONTEXT", "absent");
    let output = variable.run().exits(2);
    output
        .says("failed to find the docker context `absent`")
        .says("hint: `docker context ls`");
    let over = tool
        .env("DOCKER_CONTEXT", "absent")
        .env("DOCKER_HOST", world.engine.host());
    over.run().exits(0).says("base: unchanged");
}

#[test]
fn a_socket_works_like_a_port() {
    let world = World::new();
    let tool = world.tool().arg("base");
    let path = tool.folder().join("engine.sock");
    let engine = FakeEngine::start_at(&path);
    let store = std::sync::Arc::clone(&world.store);
    engine.otherwise(move |request| super::engine(&mut super::lock(&store), request));
    tool.env("DOCKER_HOST", engine.host())
        .run()
        .exits(0)
        .says("base: pushed");
    assert!(
        engine
            .calls()
            .contains(&format!("POST /images/{}/push", uri("base")))
    );
    assert_eq!(world.engine.calls(), [""; 0]);
}

#[test]
fn a_socket_of_another_user_is_an_error_with_a_hint() {
    if !rustix::process::geteuid().is_root() {
        // Only root can create a socket that the user of this test may not use.
        let output = World::new()
            .tool()
            .arg("base")
            .env("DOCKER_HOST", "unix:///root/docker.sock")
            .run();
        output.exits(2).says("permission denied");
        return;
    }
    let world = World::new();
    let tool = world.tool();
    let folder = tool.folder().to_owned();
    let socket = folder.join("engine.sock");
    let _engine = FakeEngine::start_at(&socket);
    let copy = folder.join("push-image");
    std::fs::copy(support::bin_dir().join("push-image"), &copy).unwrap();
    let script = format!(
        "chmod -R a+rX '{folder}' && chmod 600 '{socket}' && \
         exec setpriv --reuid=65534 --regid=65534 --clear-groups '{copy}' base",
        folder = folder.display(),
        socket = socket.display(),
        copy = copy.display()
    );
    let shell = world.aws.point(support::program("sh")).args(["-c", &script]);
    let output = shell
        .env("DOCKER_HOST", format!("unix://{}", socket.display()))
        .current_dir(&folder)
        .run()
        .exits(2);
    output
        .says("permission denied")
        .says("hint: join the group of the socket");
}
