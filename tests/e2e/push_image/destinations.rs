//! `--registry`: another registry than ECR.

use super::{World, digest_of, sha};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};
use support::Tool;
use support::engine::EngineAnswer;

const HOST: &str = "127.0.0.1:5000";

const CONFIG: &str = r#"
version = 1
[app]
name = "e2e"
expect_account = "111122223333"
[[image]]
name = "base"
repository = "base"
tags = ["3", "3.11"]
from = "python:3"
"#;

fn tool(world: &World) -> Tool {
    world.tool().config_text(CONFIG).args(["--registry", HOST])
}

/// Scripts the registry that is read through the engine.
fn script_registry(world: &World, host: &str) {
    for tag in ["3", "3.11"] {
        let store = std::sync::Arc::clone(&world.store);
        let place = (format!("{host}/base"), tag.to_owned());
        world
            .engine
            .answer_with(
                &format!("GET /distribution/{host}/base:{tag}/json"),
                move |_| match super::lock(&store).tags.get(&place) {
                    Some(digest) => {
                        EngineAnswer::Json(200, json!({"Descriptor": {"digest": digest}, "Platforms": []}))
                    }
                    None => EngineAnswer::error(404, "manifest unknown: manifest unknown"),
                },
            );
    }
}

#[test]
fn another_registry_needs_no_call_to_aws() {
    let world = World::new();
    script_registry(&world, HOST);
    let file = json!({"auths": {HOST: {"auth": "dXNlcjpwYXNz"}}});
    let tool = tool(&world)
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_REGION")
        .file("docker/config.json", file.to_string());
    let document = tool.clone().args(["-o", "json"]).run().exits(0).json();
    assert_eq!(document["outcome"], "changed");
    assert_eq!(document["registry"], HOST);
    assert_eq!(
        document["items"][0]["uri"],
        format!("{HOST}/base@{}", digest_of(&sha("c1")))
    );
    // Each tag is pushed, with docker's login.
    assert_eq!(
        world.pushes(),
        [format!("{HOST}/base:3"), format!("{HOST}/base:3.11")]
    );
    let push = &world.engine.all(&format!("POST /images/{HOST}/base/push"))[0];
    let login: Value =
        serde_json::from_slice(&URL_SAFE.decode(&push.headers["x-registry-auth"]).unwrap()).unwrap();
    assert_eq!(login["password"], "pass");
    tool.run().exits(0).says("base: unchanged");
    assert_eq!(world.pushes().len(), 2);
    assert_eq!(world.aws.requests(), []);
}

#[test]
fn without_a_login_the_header_is_empty() {
    let world = World::new();
    script_registry(&world, HOST);
    tool(&world).run().exits(0);
    let push = &world.engine.all(&format!("POST /images/{HOST}/base/push"))[0];
    let login: Value =
        serde_json::from_slice(&URL_SAFE.decode(&push.headers["x-registry-auth"]).unwrap()).unwrap();
    assert_eq!(login["password"], Value::Null);
}

#[test]
fn plain_http_goes_to_this_machine_only() {
    let world = World::new();
    let host = "registry.example.com:5000";
    script_registry(&world, host);
    let info = |secure: bool| {
        let index = json!({"Name": host, "Mirrors": [], "Secure": secure, "Official": false});
        EngineAnswer::Json(200, json!({"RegistryConfig": {"IndexConfigs": {host: index}}}))
    };
    world.engine.answer("GET /info", info(false));
    let tool = world.tool().config_text(CONFIG).args(["--registry", host]);
    let output = tool.run().exits(2);
    output.says(
        "refused to push to `registry.example.com:5000`: it is one of the engine's `insecure-registries`",
    );
    assert_eq!(world.pushes(), [""; 0]);
    world.engine.answer("GET /info", info(true));
    tool.run().exits(0);
}

/// As in the engine, a range of addresses applies to all names that resolve into it.
#[test]
fn no_login_goes_into_a_network_of_insecure_registries() {
    let world = World::new();
    let networks = |networks: &[&str]| {
        let config = json!({"InsecureRegistryCIDRs": networks, "IndexConfigs": {}});
        EngineAnswer::Json(200, json!({"RegistryConfig": config}))
    };
    world
        .engine
        .answer("GET /info", networks(&["10.0.0.0/8", "127.0.0.0/8"]));
    let host = "10.1.2.3:5000";
    script_registry(&world, host);
    let tool = world.tool().config_text(CONFIG).args(["--registry", host]);
    tool.run().exits(2).says("refused to push to `10.1.2.3:5000`: ");
    assert_eq!(world.pushes(), [""; 0]);

    // The source of an image: refused only when there is a login to protect.
    let name = format!("{host}/python:3");
    world.change(|store| drop(store.pullable.insert(name.clone(), sha("c1"))));
    let from = world.tool().arg("base").args(["--from", &format!("base={name}")]);
    let file = json!({"auths": {host: {"auth": "dXNlcjpwYXNz"}}}).to_string();
    let signed_in = from.clone().file("docker/config.json", file).run().exits(2);
    signed_in.says("refused to sign in to `10.1.2.3:5000`: ");
    assert_eq!(world.engine.all("POST /images/create").len(), 0);
    std::fs::remove_file(from.folder().join("docker/config.json")).unwrap();
    from.run().exits(0);

    world.engine.answer("GET /info", networks(&["192.168.0.0/16"]));
    tool.run().exits(0);
}

#[test]
fn the_registry_replaces_ecrs_host_in_the_file() {
    let world = World::new();
    let config = super::CONFIG.replace(
        "[[image]]\nname = \"base\"\nrepository = \"base\"\ntags = [\"3\"]\nfrom = \"python:3\"\n",
        "",
    );
    assert!(!config.contains("python:3"));
    world.change(|store| drop(store.pullable.insert(format!("{HOST}/base:3"), sha("c1"))));
    let store = std::sync::Arc::clone(&world.store);
    world.engine.answer_with(
        &format!("GET /distribution/{HOST}/app:latest/json"),
        move |_| match super::lock(&store)
            .tags
            .get(&(format!("{HOST}/app"), "latest".to_owned()))
        {
            Some(digest) => {
                EngineAnswer::Json(200, json!({"Descriptor": {"digest": digest}, "Platforms": []}))
            }
            None => EngineAnswer::error(404, "manifest unknown"),
        },
    );
    world
        .tool()
        .config_text(&config)
        .args(["--registry", HOST])
        .run()
        .exits(0);
    let build = &world.engine.all("POST /build")[0];
    assert_eq!(
        build.query["buildargs"],
        format!("{{\"BASE\":\"{HOST}/base:3\"}}")
    );
    // A file that refers to the account needs the caller identity.
    assert_eq!(world.aws.requests(), []);
    let named = config.replace("[\"latest\"]", "[\"latest\", \"${AWS_ACCOUNT_ID}\"]");
    world
        .tool()
        .config_text(&named)
        .args(["--registry", HOST, "--dry-run"])
        .run();
    assert_eq!(world.aws.targets(), ["GetCallerIdentity"]);
}

#[test]
fn a_registry_is_a_host_and_nothing_else() {
    let world = World::new();
    for text in [
        "https://registry.example.com",
        "registry",
        "registry.example.com/path",
    ] {
        let output = world.tool().args(["--registry", text]).run().exits(2);
        output.says("write HOST or HOST:PORT");
    }
    assert_eq!(world.aws.requests(), []);
}
