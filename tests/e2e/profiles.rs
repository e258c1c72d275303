//! Where the tools work, and as whom: profiles, endpoints, expectations.

use serde_json::json;
use support::Tool;
use support::aws::{FakeAws, ecr, registry, token, with_credentials};
use support::canary::Canary;

const APP: &str = "version = 1\n[app]\nname = \"e2e\"\n";

fn signed_in() -> FakeAws {
    let aws = FakeAws::start();
    let answer = token(&registry("us-east-1"), "password");
    aws.answer(ecr("GetAuthorizationToken"), 200, answer);
    aws
}

/// `tool` with these files of the AWS configuration.
fn configured(tool: Tool, config: &str, credentials: &str) -> Tool {
    let folder = tool.folder().to_owned();
    tool.file("aws/config", config)
        .file("aws/credentials", credentials)
        .env("AWS_CONFIG_FILE", folder.join("aws/config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.join("aws/credentials"))
}

const PROFILES: &str =
    "[profile file]\nregion = us-east-1\n[profile process]\ncredential_process = sh $HOME/process\n";
const KEYS: &str = "[file]\naws_access_key_id = of-the-file\naws_secret_access_key = dummy-secret\n";

#[test]
fn a_profile_that_is_named_wins_over_exported_keys() {
    let aws = signed_in();
    let answer = json!({"Version": 1, "AccessKeyId": "of-the-process", "SecretAccessKey": "dummy-secret"});
    let tool = configured(aws.tool("ecr-login"), PROFILES, KEYS)
        .file("process", format!("cat <<'END'\n{answer}\nEND\n"))
        .env("AWS_ACCESS_KEY_ID", "of-the-environment");
    tool.clone().args(["--profile", "file"]).run().exits(0);
    tool.clone().args(["--profile", "process"]).run().exits(0);
    // The variable is weaker than the keys, as with the AWS CLI.
    tool.env("AWS_PROFILE", "file").run().exits(0);
    assert_eq!(
        aws.signing_keys(),
        ["of-the-file", "of-the-process", "of-the-environment"]
    );
}

#[test]
fn a_profile_that_no_file_has_is_refused() {
    let aws = signed_in();
    let tool = configured(aws.tool("ecr-login"), PROFILES, KEYS).args(["--profile", "nosuch"]);
    tool.run()
        .exits(2)
        .says("failed to find profile `nosuch` in the AWS configuration\n")
        .says("hint: it has: file, process\n");
    let without = aws.tool("ecr-login").args(["--profile", "nosuch", "-o", "json"]);
    let without = without.run().exits(2);
    assert_eq!(without.json()["error"]["code"], "no-profile");
    assert_eq!(aws.requests(), []);
}

#[test]
fn what_a_credential_process_writes_is_shown_nowhere() {
    let canary = Canary::new();
    let script = format!(
        "echo first >&2\necho 'token {}' >&2\necho Stderr: again >&2\nexit 3\n",
        canary.value()
    );
    for arguments in [vec!["-v"], vec!["-o", "json"]] {
        for profile in [vec![], vec!["--profile", "default"]] {
            let aws = signed_in();
            let tool = configured(
                aws.tool("ecr-login"),
                "[default]\ncredential_process = sh $HOME/process\n",
                "",
            )
            .without("AWS_ACCESS_KEY_ID")
            .without("AWS_SECRET_ACCESS_KEY")
            .file("process", &script)
            .args(&arguments)
            .args(profile);
            let output = tool
                .run()
                .exits(2)
                .says("external process exited with code exit status: 3\n");
            canary.absent_from("a credential process", &output);
            assert!(!output.stderr.contains("again"), "{}", output.stderr);
        }
    }
}

#[test]
fn an_endpoint_of_the_profile_is_announced_with_quiet_too() {
    let aws = signed_in();
    let services = format!(
        "[default]\nservices = local\n[services local]\necr =\n  endpoint_url = {}\n",
        aws.url()
    );
    let general = format!("[default]\nendpoint_url = {}\n", aws.url());
    for (config, words) in [
        (&services, "ecr-login: note: ECR calls go to http://127.0.0.1:"),
        (&general, "ecr-login: note: AWS calls go to http://127.0.0.1:"),
    ] {
        let tool = configured(with_credentials(support::tool("ecr-login")), config, "");
        tool.clone().run().exits(0).says(words);
        let quiet = tool.arg("-q").run().exits(0).says(words);
        assert_eq!(quiet.stderr.lines().count(), 1, "{}", quiet.stderr);
    }
    let ignored = format!("{services}[profile other]\nignore_configured_endpoint_urls = true\n");
    let tool = configured(with_credentials(support::tool("ecr-login")), &ignored, "");
    // Another profile, another endpoint: nothing is announced that is not in force.
    let tool = tool
        .env("AWS_PROFILE", "other")
        .env("AWS_ENDPOINT_URL_ECR", aws.url())
        .args(["--timeout", "5s", "-q"])
        .env("HTTPS_PROXY", "http://127.0.0.1:1");
    let output = tool.run().exits(2);
    assert!(!output.stderr.contains("calls go to"), "{}", output.stderr);
    assert!(
        !output.stderr.contains("AWS_ENDPOINT_URL_ECR is"),
        "{}",
        output.stderr
    );
}

#[test]
fn what_is_expected_can_stand_in_the_environment() {
    let aws = signed_in();
    let account = format!("{APP}expect_account = \"${{DEPLOY_ACCOUNT}}\"\n");
    let region = format!("{APP}expect_region = \"${{DEPLOY_REGION}}\"\n");
    let tool = aws.tool("ecr-login").config_text(&account);
    tool.clone()
        .env("DEPLOY_ACCOUNT", "111122223333")
        .run()
        .exits(2)
        .says("refused to work in account `123456789012`: the config file expects `111122223333`");
    tool.clone().env("DEPLOY_ACCOUNT", "123456789012").run().exits(0);
    aws.forget();
    tool.run()
        .exits(2)
        .says("app.expect_account needs the environment variable `DEPLOY_ACCOUNT`");
    let tool = aws.tool("ecr-login").config_text(&region);
    tool.clone()
        .env("DEPLOY_REGION", "eu-west-1")
        .run()
        .exits(2)
        .says("refused to work in region `us-east-1`: the config file expects `eu-west-1`");
    tool.run().exits(2).says("app.expect_region needs");
    assert_eq!(aws.requests(), []);
}
