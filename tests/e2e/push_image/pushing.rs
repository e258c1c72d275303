//! Pushes and tags: what is sent, and what is not.

use super::{World, digest_of, host, sha, uri};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};
use support::aws::ecr;
use support::engine::EngineAnswer;

#[test]
fn copies_and_builds_what_ecr_does_not_have_in_the_order_of_the_file() {
    let world = World::new();
    let expected = format!(
        "exit: 0\n\
         --- stdout\n\
         {base}@{first}\n\
         {app}@{second}\n\
         --- stderr\n\
         push-image: note: AWS calls go to http://127.0.0.1:PORT (endpoint override)\n\
         base: pulling docker.io/library/python:3\n\
         \x20 layer aaaaaaaaaaaa: pulled, 1.50 MB\n\
         base: pushing to {base}:3\n\
         \x20 layer bbbbbbbbbbbb: already there\n\
         \x20 layer aaaaaaaaaaaa: pushed, 12.35 MB\n\
         base: pushed {first}\n\
         app: pulling {base}:3\n\
         \x20 layer aaaaaaaaaaaa: pulled, 1.50 MB\n\
         app: building ./src/Dockerfile\n\
         \x20 Step 1/2 : FROM ${{BASE}}\n\
         app: pushing to {app}:latest\n\
         \x20 layer bbbbbbbbbbbb: already there\n\
         \x20 layer aaaaaaaaaaaa: pushed, 12.35 MB\n\
         app: pushed {second}\n",
        base = uri("base"),
        app = uri("app"),
        first = digest_of(&sha("c1")),
        second = digest_of(&sha("c2")),
    );
    assert_eq!(world.tool().transcript().replace("FOLDER/", "./"), expected);
    assert_eq!(world.pushes(), ["base:3", "app:latest"]);
    // The engine uploads the images; the tool itself sends no writing call to AWS.
    assert_eq!(world.aws.writes(), []);
    // One login for the whole run.
    assert_eq!(world.aws.bodies(ecr("GetAuthorizationToken")).len(), 1);
}

#[test]
fn the_engine_gets_the_login_in_the_form_that_it_reads() {
    let world = World::new();
    // The answer of ECR is base64 text; a password with such letters shows the alphabet.
    world.aws.answer(
        ecr("GetAuthorizationToken"),
        200,
        support::aws::token(&host(), "~~~>>>???"),
    );
    world.tool().arg("base").run().exits(0);
    let push = &world.engine.all(&format!("POST /images/{}/push", uri("base")))[0];
    let login: Value =
        serde_json::from_slice(&URL_SAFE.decode(&push.headers["x-registry-auth"]).unwrap()).unwrap();
    assert_eq!(login["username"], "AWS");
    assert_eq!(login["password"], "~~~>>>???");
    assert_eq!(login["serveraddress"], host());
}

#[test]
fn a_second_run_pushes_nothing_and_asks_for_no_login() {
    let world = World::new();
    world.tool().run().exits(0);
    world.engine.forget();
    world.aws.forget();
    let output = world.tool().arg("base").args(["-o", "json"]).run().exits(0);
    let document = output.json();
    assert_eq!(document["outcome"], "unchanged");
    let digest = digest_of(&sha("c1"));
    assert_eq!(
        document["items"],
        json!([{
            "kind": "image",
            "name": "base",
            "action": "none",
            "changes": [],
            "uri": format!("{}@{digest}", uri("base")),
            "digest": digest,
            "tags": ["3"],
            "size": 110,
            "source": "docker.io/library/python:3",
        }])
    );
    assert_eq!(document["account"], "123456789012");
    assert_eq!(document["region"], "us-east-1");
    assert_eq!(world.pushes(), [""; 0]);
    assert_eq!(world.aws.bodies(ecr("GetAuthorizationToken")), [Value::Null; 0]);
    let second = world
        .tool()
        .run()
        .exits(0)
        .says("base: unchanged")
        .says("app: unchanged");
    assert_eq!(second.stdout.lines().count(), 2);
    assert_eq!(world.pushes(), [""; 0]);
}

#[test]
fn an_image_that_the_engine_never_pushed_is_recognised_by_its_configuration() {
    let world = World::new();
    world.pushed("base", "3", &sha("c1"));
    world.tool().arg("base").run().exits(0).says("base: unchanged");
    assert_eq!(world.pushes(), [""; 0]);
}

#[test]
fn an_index_is_recognised_by_the_digest_of_its_pull() {
    let world = World::new();
    world.aws.answer(
        ecr("BatchGetImage"),
        200,
        json!({"images": [{
            "imageId": {"imageTag": "3", "imageDigest": sha("aa")},
            "imageManifest": "{\"schemaVersion\":2,\"manifests\":[]}",
        }]}),
    );
    let known = format!("{}@{}", uri("base"), sha("aa"));
    let elsewhere = format!("own/image@{}", sha("ab"));
    world.local("docker.io/own/image:1", &sha("c9"), &[&known, &elsewhere]);
    world.change(|store| drop(store.pullable.insert("docker.io/own/image:1".into(), sha("c9"))));
    world
        .engine
        .answer("POST /images/create", EngineAnswer::Lines(Vec::new()));
    let output = world
        .tool()
        .args(["base", "--from", "base=own/image:1"])
        .run()
        .exits(0);
    output.prints(&known).says("base: unchanged");
    assert_eq!(world.pushes(), [""; 0]);
}

#[test]
fn an_image_that_ecr_no_longer_has_is_pushed_again() {
    let world = World::new();
    world.tool().arg("base").run().exits(0);
    world.change(|store| store.tags.clear());
    world.engine.forget();
    world.tool().arg("base").run().exits(0).says("base: pushed");
    assert_eq!(world.pushes(), ["base:3"]);
    assert_eq!(world.digest("base", "3"), Some(digest_of(&sha("c1"))));
}

#[test]
fn a_tag_that_another_client_moved_is_restored() {
    let world = World::new();
    world.tool().arg("base").run().exits(0);
    world.pushed("base", "3", &sha("c9"));
    let document = world.tool().args(["base", "-o", "json"]).run().exits(0).json();
    assert_eq!(document["outcome"], "changed");
    assert_eq!(
        document["items"][0]["changes"],
        json!([{"path": "tags.3", "from": digest_of(&sha("c9")), "to": digest_of(&sha("c1"))}])
    );
    assert_eq!(world.digest("base", "3"), Some(digest_of(&sha("c1"))));
}

#[test]
fn further_tags_are_given_by_ecr_itself() {
    let world = World::new();
    let config = super::CONFIG.replace("[\"3\"]", "[\"3\", \"3.11\", \"stable\"]");
    let tool = world.tool().config_text(&config).arg("base");
    let document = tool.clone().args(["-o", "json"]).run().exits(0).json();
    assert_eq!(document["items"][0]["action"], "push");
    assert_eq!(world.pushes(), ["base:3"]);
    let digest = digest_of(&sha("c1"));
    for tag in ["3", "3.11", "stable"] {
        assert_eq!(world.digest("base", tag).as_ref(), Some(&digest), "{tag}");
    }
    // Restoring a deleted tag needs no push.
    world.change(|store| drop(store.tags.remove(&("base".into(), "3.11".into()))));
    world.aws.forget();
    let document = tool.clone().args(["-o", "json"]).run().exits(0).json();
    assert_eq!(document["outcome"], "changed");
    assert_eq!(document["items"][0]["action"], "tag");
    assert_eq!(
        document["items"][0]["changes"],
        json!([{"path": "tags.3.11", "from": null, "to": digest}])
    );
    assert_eq!(world.pushes(), ["base:3"]);
    let writes: Vec<String> = world.aws.writes().into_iter().map(|write| write.target).collect();
    assert_eq!(writes, [ecr("PutImage")]);
    tool.run().exits(0).says("base: unchanged");
}

#[test]
fn a_push_that_changes_nothing_is_no_change() {
    let world = World::new();
    // ECR's manifest cannot be compared with the engine's image: only the push shows that it is the same.
    let digest = digest_of(&sha("c1"));
    world.aws.answer(
        ecr("BatchGetImage"),
        200,
        json!({"images": [{"imageId": {"imageTag": "3", "imageDigest": digest}, "imageManifest": "{}"}]}),
    );
    let document = world.tool().args(["base", "-o", "json"]).run().exits(0).json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(document["items"][0]["action"], "none");
    assert_eq!(world.pushes(), ["base:3"]);
}

#[test]
fn an_expired_login_is_renewed_once() {
    let world = World::new();
    let tokens = ["first-password", "second-password"];
    for password in tokens {
        world.aws.answer_once(
            ecr("GetAuthorizationToken"),
            200,
            support::aws::token(&host(), password),
        );
    }
    let call = format!("POST /images/{}/push", uri("base"));
    let expired = "denied: Your authorization token has expired. Reauthenticate and try again.";
    let store = std::sync::Arc::clone(&world.store);
    world.engine.answer_with(&call, move |request| {
        let login = String::from_utf8(URL_SAFE.decode(&request.headers["x-registry-auth"]).unwrap()).unwrap();
        if login.contains("first-password") {
            EngineAnswer::Lines(vec![
                json!({"errorDetail": {"message": expired}, "error": expired}),
            ])
        } else {
            super::engine(&mut super::lock(&store), request)
        }
    });
    world.tool().arg("base").run().exits(0).says("base: pushed");
    assert_eq!(world.engine.all(&call).len(), 2);

    // A second rejection is an error.
    let refusal = json!({"errorDetail": {"message": expired}, "error": expired});
    world.change(|store| store.tags.clear());
    world.engine.forget();
    world.engine.answer(&call, EngineAnswer::Lines(vec![refusal]));
    let output = world.tool().arg("base").run().exits(2);
    output
        .says("Your authorization token has expired")
        .says("hint: ECR issued this login itself");
    assert_eq!(world.engine.all(&call).len(), 2);
}
