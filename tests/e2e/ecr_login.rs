//! `ecr-login`: one token, one entry in docker's file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use support::aws::{FakeAws, ecr, registry, token};
use support::canary::Canary;
use support::{Tool, executable};

const FILE: &str = "docker/config.json";

fn signed_in(password: &str) -> FakeAws {
    let aws = FakeAws::start();
    aws.answer(
        ecr("GetAuthorizationToken"),
        200,
        token(&registry("us-east-1"), password),
    );
    aws
}

fn docker_file(tool: &Tool) -> Value {
    serde_json::from_str(&tool.read(FILE)).unwrap()
}

fn auth(password: &str) -> String {
    STANDARD.encode(format!("AWS:{password}"))
}

#[test]
fn stores_the_token_for_docker_and_prints_where() {
    let aws = signed_in("secret-password");
    let tool = aws.tool("ecr-login");
    assert_eq!(
        tool.transcript(),
        "exit: 0\n\
         --- stdout\n\
         123456789012.dkr.ecr.us-east-1.amazonaws.com until 2033-05-18T03:33:20Z\n\
         --- stderr\n\
         ecr-login: note: AWS calls go to http://127.0.0.1:PORT (endpoint override)\n\
         signed in to 123456789012.dkr.ecr.us-east-1.amazonaws.com: stored in FOLDER/docker/config.json\n"
    );
    let host = registry("us-east-1");
    assert_eq!(
        docker_file(&tool),
        json!({"auths": {host: {"auth": auth("secret-password")}}})
    );
    let path = tool.folder().join(FILE);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // One call: the account is taken from the response.
    assert_eq!(aws.targets(), [ecr("GetAuthorizationToken")]);
    // No temporary file is left.
    let mut names: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["config.json", "config.json.lock"]);
}

#[test]
fn a_second_login_replaces_the_first() {
    let aws = signed_in("first-password");
    let tool = aws.tool("ecr-login");
    tool.run().exits(0);
    aws.answer(
        ecr("GetAuthorizationToken"),
        200,
        token(&registry("us-east-1"), "second-password"),
    );
    tool.run().exits(0);
    let file = docker_file(&tool);
    assert_eq!(file["auths"].as_object().unwrap().len(), 1);
    assert_eq!(
        file["auths"][registry("us-east-1")]["auth"],
        auth("second-password")
    );
}

#[test]
fn keeps_everything_else_in_the_file_and_its_order() {
    let aws = signed_in("p");
    let before = r#"{"zeta":{"future":[1,2.50,null]},"auths":{"ghcr.io":{"auth":"eA==","email":"x"}},"currentContext":"c","credHelpers":{"gcr.io":"gcloud"}}"#;
    let tool = aws.tool("ecr-login").file(FILE, before);
    tool.run().exits(0);
    let mut expected: Value = serde_json::from_str(before).unwrap();
    expected["auths"][registry("us-east-1")] = json!({"auth": auth("p")});
    assert_eq!(docker_file(&tool).to_string(), expected.to_string());
}

#[test]
fn keeps_numbers_as_they_are_and_takes_auths_of_null_for_empty() {
    let aws = signed_in("p");
    let before = r#"{"auths":null,"future":[9223372036854775809123,1.50]}"#;
    let tool = aws.tool("ecr-login").file(FILE, before);
    tool.run().exits(0);
    assert_eq!(
        docker_file(&tool)["auths"][registry("us-east-1")]["auth"],
        auth("p")
    );
    let text = tool.read(FILE);
    assert!(text.contains("[9223372036854775809123,1.50]"), "{text}");
}

#[test]
fn a_file_that_no_login_can_change_is_refused_before_the_call() {
    let aws = signed_in("p");
    let twice = r#"{"auths":{"ghcr.io":{"auth":"eA=="},"ghcr.io":{}}}"#;
    let tool = aws.tool("ecr-login").file(FILE, twice);
    for tool in [tool.clone(), tool.clone().arg("--dry-run")] {
        tool.run()
            .exits(2)
            .says("config.json`: the key `ghcr.io` is there twice in `auths`\n")
            .says("hint: remove one of the two");
    }
    assert_eq!(tool.read(FILE), twice);

    let tool = aws.tool("ecr-login").file("docker/other", "");
    let [link, device] = [FILE, "docker/device"].map(|name| tool.folder().join(name));
    // As root, which the gate is, a node like `/dev/null`; other users can only make a pipe.
    let made = [&["c", "1", "3"][..], &["p"]]
        .map(|kind| support::program("mknod").arg(&device).args(kind).run().code);
    assert!(made.contains(&Some(0)));
    symlink("device", &link).unwrap();
    tool.run()
        .exits(2)
        .says("docker/device` is not a regular file\n")
        .says("hint: ");
    assert!(!fs::metadata(&device).unwrap().is_file());
    assert_eq!(aws.requests(), []);
}

#[test]
fn a_malformed_file_is_left_unchanged() {
    let aws = signed_in("p");
    for broken in ["{\"auths\": {", "[]", "null, hunter2"] {
        let tool = aws.tool("ecr-login").file(FILE, broken);
        let output = tool.run().exits(2).says("failed to read docker's configuration");
        assert!(!output.stderr.contains("hunter2"), "{}", output.stderr);
        assert_eq!(tool.read(FILE), broken);
    }
    assert_eq!(aws.requests(), []);
}

#[test]
fn a_dry_run_stores_nothing() {
    let aws = signed_in("p");
    let tool = aws.tool("ecr-login").args(["--dry-run", "-o", "json"]);
    let document = tool.run().exits(0).json();
    assert_eq!(document["outcome"], "planned");
    assert!(!tool.folder().join(FILE).exists());
}

#[test]
fn a_credential_helper_gets_the_token_and_the_file_an_empty_entry() {
    let aws = signed_in("for-the-helper");
    let tool = aws.tool("ecr-login").file(FILE, r#"{"credsStore":"e2e"}"#);
    let helper = tool.folder().join("bin/docker-credential-e2e");
    executable(&helper, "#!/bin/sh\ncat >\"$HOME/stored-$1\"\n");
    let path = format!("{}:/usr/bin:/bin", helper.parent().unwrap().display());
    let tool = tool.env("PATH", path);
    let output = tool.run().exits(0).says("stored in docker-credential-e2e");
    let given: Value = serde_json::from_str(&tool.read("stored-store")).unwrap();
    let host = registry("us-east-1");
    assert_eq!(
        given,
        json!({"ServerURL": host, "Username": "AWS", "Secret": "for-the-helper"})
    );
    assert_eq!(
        docker_file(&tool),
        json!({"credsStore": "e2e", "auths": {host: {}}})
    );
    Canary::of("for-the-helper").absent_from("helper", &output);
}

#[test]
fn a_helpers_message_is_in_the_error_without_the_token() {
    let canary = Canary::new();
    let aws = signed_in(canary.value());
    let script = "#!/bin/sh\necho first >&2\ncat >&2\nprintf '\\n key ring is locked\\n\\n' >&2\nexit 1\n";
    let failing = with_helper(&aws, script);
    let output = failing
        .run()
        .exits(2)
        .says("failed to store credentials with `docker-credential-e2e`: key ring is locked\n");
    canary.absent_from("a helper that repeats its input", &output);
    // The last line itself may contain the token.
    let output = with_helper(&aws, "#!/bin/sh\ncat >&2\nexit 1\n")
        .run()
        .exits(2)
        .says("***");
    canary.absent_from("a helper whose last line is its input", &output);
    let output = with_helper(&aws, "#!/bin/sh\ncat >&2\n").run().exits(0);
    canary.absent_from("a helper that repeats its input and does its work", &output);
}

/// `ecr-login` with this credential helper for all hosts.
fn with_helper(aws: &FakeAws, script: &str) -> Tool {
    let tool = aws.tool("ecr-login").file(FILE, r#"{"credsStore":"e2e"}"#);
    let helper = tool.folder().join("bin/docker-credential-e2e");
    executable(&helper, script);
    let path = format!("{}:/usr/bin:/bin", helper.parent().unwrap().display());
    tool.env("PATH", path)
}

#[test]
fn the_same_token_again_is_no_change() {
    let aws = signed_in("p");
    let tool = aws.tool("ecr-login").args(["-o", "json"]);
    let run = || tool.run().exits(0).json();
    assert_eq!(run()["outcome"], "changed");
    let again = run();
    assert_eq!(again["outcome"], "unchanged");
    assert_eq!(again["items"][0]["action"], "none");
    let path = tool.folder().join(FILE);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(run()["outcome"], "changed");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_lock_that_another_login_holds_is_named() {
    let aws = signed_in("p");
    let tool = aws.tool("ecr-login").file("docker/config.json.lock", "");
    let lock = fs::File::open(tool.folder().join("docker/config.json.lock")).unwrap();
    lock.lock().unwrap();
    tool.run()
        .exits(2)
        .says("docker/config.json.lock`: another login has held the lock for 10 s\n")
        .says("hint: find the process with `fuser -v ");
}

#[test]
fn a_helper_that_gets_tokens_by_itself_needs_nothing() {
    let aws = signed_in("p");
    let file = json!({"credHelpers": {registry("us-east-1"): "ecr-login"}}).to_string();
    let tool = aws.tool("ecr-login").file(FILE, &file).args(["-o", "json"]);
    let output = tool.run().exits(0).says("gets tokens for");
    let document = output.json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(document["items"][0]["action"], "none");
    assert_eq!(tool.read(FILE), file);
    let plan = tool.arg("--dry-run").run().exits(0).json();
    assert_eq!(
        (&plan["outcome"], &plan["items"]),
        (&document["outcome"], &document["items"])
    );
}

#[test]
fn logins_at_the_same_time_lose_no_entry() {
    let regions = ["us-east-1", "eu-west-1", "ap-south-1", "ca-central-1"];
    let shared = support::tool("ecr-login").env("RUST_BACKTRACE", "1");
    let servers = regions.map(|region| {
        let aws = FakeAws::start();
        aws.answer(
            ecr("GetAuthorizationToken"),
            200,
            token(&registry(region), region),
        );
        aws
    });
    let running: Vec<_> = servers
        .iter()
        .map(|aws| aws.point(shared.clone()).spawn())
        .collect();
    for child in running {
        child.wait().exits(0);
    }
    let file = docker_file(&shared);
    for region in regions {
        assert_eq!(file["auths"][registry(region)]["auth"], auth(region), "{file}");
    }
}

#[test]
fn an_error_of_ecr_names_the_call() {
    let aws = FakeAws::start();
    aws.refuse(
        ecr("GetAuthorizationToken"),
        "AccessDeniedException",
        "User: ci may not",
    );
    assert_eq!(
        aws.tool("ecr-login").transcript(),
        "exit: 2\n\
         --- stdout\n\
         --- stderr\n\
         ecr-login: note: AWS calls go to http://127.0.0.1:PORT (endpoint override)\n\
         ecr-login: error: failed to get a token for docker: ecr:GetAuthorizationToken failed: \
         AccessDeniedException: User: ci may not\n\
         hint: grant `ecr:GetAuthorizationToken` to the caller (`aws sts get-caller-identity`)\n"
    );
    assert_eq!(aws.bodies(ecr("GetAuthorizationToken")), [json!({})]);
}

#[test]
fn malformed_responses_are_errors_and_store_nothing() {
    let good = token(&registry("us-east-1"), "p");
    let with = |field: &str, value: Value| {
        let mut answer = good.clone();
        answer["authorizationData"][0][field] = value;
        answer
    };
    let answers = [
        json!({}),
        json!({"authorizationData": []}),
        json!({"authorizationData": [{}]}),
        with("authorizationToken", json!("!!! not base64 !!!")),
        with("authorizationToken", json!(STANDARD.encode("no colon"))),
        with("authorizationToken", Value::Null),
        with("proxyEndpoint", Value::Null),
        with("proxyEndpoint", json!("https://registry.example.com")),
    ];
    for answer in answers {
        let aws = FakeAws::start();
        aws.answer(ecr("GetAuthorizationToken"), 200, answer.clone());
        let tool = aws.tool("ecr-login");
        let output = tool.run();
        assert_eq!(output.code, Some(2), "{answer}\n{}", output.transcript());
        assert!(!tool.folder().join(FILE).exists(), "{answer}");
    }
}

#[test]
fn the_token_is_in_no_output() {
    let canary = Canary::new();
    let aws = signed_in(canary.value());
    let host = registry("us-east-1");
    let output = aws.tool("ecr-login").args(["-v", "-o", "json"]).run().exits(0);
    canary.absent_from("a login", &output);

    // Errors after the token was received.
    let odd = FakeAws::start();
    odd.answer(
        ecr("GetAuthorizationToken"),
        200,
        token("registry.example.com", canary.value()),
    );
    let unwritable = aws.tool("ecr-login").env("DOCKER_CONFIG", "/proc/self");
    let failing = aws
        .tool("ecr-login")
        .file(FILE, json!({"credHelpers": {host: "absent"}}).to_string());
    let malformed = aws
        .tool("ecr-login")
        .file(FILE, format!("{{\"auths\": \"{}\"", canary.value()));
    let elsewhere = aws.tool("ecr-login").env("AWS_ACCOUNT_ID", "111122223333");
    canary.absent_from_errors([
        ("an endpoint that is not ECR's", odd.tool("ecr-login").arg("-v")),
        ("a folder that can't be written", unwritable.arg("-v")),
        ("a helper that is not there", failing.arg("-v")),
        ("a malformed file", malformed.arg("-v")),
        ("another account", elsewhere.arg("-v")),
    ]);
}

/// A folder that every user can read, with a copy of the tool.
fn folder_of_all() -> tempfile::TempDir {
    let mut builder = tempfile::Builder::new();
    let folder = builder
        .permissions(Permissions::from_mode(0o755))
        .tempdir()
        .unwrap();
    fs::copy(
        support::bin_dir().join("ecr-login"),
        folder.path().join("ecr-login"),
    )
    .unwrap();
    folder
}

/// The tool of [`folder_of_all`], run by a user without a name.
fn as_another_user(aws: &FakeAws, folder: &Path) -> Tool {
    let tool = aws.point(support::program("setpriv"));
    let tool = tool.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    tool.arg(folder.join("ecr-login")).current_dir(folder)
}

/// Root, which the gate is, would be allowed to keep the group.
#[test]
fn a_file_of_ones_own_with_another_group_is_no_obstacle() {
    let aws = signed_in("secret-password");
    let folder = folder_of_all();
    let docker = folder.path().join("docker");
    let file = docker.join("config.json");
    fs::create_dir(&docker).unwrap();
    fs::write(&file, "{\"x\":1}").unwrap();
    let [own, foreign] = [".config.jsonAbC123", ".config.jsonXyZ789"].map(|name| docker.join(name));
    fs::write(&own, "").unwrap();
    fs::write(&foreign, "").unwrap();
    chown(&own, Some(65534), Some(65534)).unwrap();
    chown(&docker, Some(65534), Some(65534)).unwrap();
    chown(&file, Some(65534), Some(0)).unwrap();
    let tool = as_another_user(&aws, folder.path()).env("DOCKER_CONFIG", &docker);
    tool.run().exits(0);
    let stored: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(stored["x"], 1);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // Of temporary files, only those of the same user are removed.
    assert!(!own.exists() && foreign.exists());
}

/// As root, which the gate is: `sudo ecr-login` in the home of another user, who signs in afterwards.
#[test]
fn the_owner_of_the_folder_can_sign_in_after_root() {
    let aws = signed_in("of-root");
    let folder = folder_of_all();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    chown(&home, Some(65534), Some(65534)).unwrap();
    let docker = home.join(".docker");
    let by_root = aws.tool("ecr-login").env("DOCKER_CONFIG", &docker);
    by_root.run().exits(0);
    aws.answer(
        ecr("GetAuthorizationToken"),
        200,
        token(&registry("us-east-1"), "of-the-owner"),
    );
    let owner = as_another_user(&aws, folder.path()).env("DOCKER_CONFIG", &docker);
    owner.run().exits(0);
    let text = fs::read_to_string(docker.join("config.json")).unwrap();
    assert!(text.contains(&auth("of-the-owner")), "{text}");
}
