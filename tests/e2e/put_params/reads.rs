//! What is asked, and what is made of the answers.

use super::{CONFIG, as_desired, calls, config_with, parameter, store, tool};
use serde_json::{Value, json};
use support::aws::ssm;

#[test]
fn twelve_parameters_are_read_in_two_calls() {
    let entries: Vec<String> = (0..12)
        .map(|number| format!("N{number} = {{ env = \"SOURCE_ONE\" }}"))
        .collect();
    let aws = store(&[]);
    let config = config_with(&entries.join("\n"));
    tool(&aws).config_text(&config).arg("--dry-run").run().exits(0);
    let mut sizes: Vec<usize> = aws
        .bodies(ssm("GetParameters"))
        .iter()
        .map(|body| body["Names"].as_array().unwrap().len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 10]);
    assert_eq!(aws.writes(), []);

    let output = tool(&aws).config_text(&config).run().exits(0);
    assert_eq!(output.stdout.lines().count(), 12);
    // The order is the file's, whatever came first.
    assert!(output.stdout.starts_with("/e2e/N0 "), "{}", output.stdout);
    assert!(
        output
            .stdout
            .trim_end()
            .lines()
            .last()
            .unwrap()
            .starts_with("/e2e/N11 ")
    );
    assert_eq!(aws.writes().len(), 12);
}

#[test]
fn a_read_that_fails_is_not_taken_for_absence() {
    for (code, message) in [
        ("AccessDeniedException", "not authorized"),
        ("InternalServerError", "broken"),
        ("UnrecognizedClientException", "who"),
    ] {
        let aws = store(&[]);
        aws.refuse(ssm("GetParameters"), code, message);
        let output = tool(&aws).env("AWS_MAX_ATTEMPTS", "1").run().exits(2);
        output.says(&format!(
            "put-params: error: failed to read 2 parameters: ssm:GetParameters failed: {code}: {message}"
        ));
        assert_eq!(aws.writes(), []);
    }
    for answer in [
        json!({}),
        json!({"Parameters": [], "InvalidParameters": []}),
        json!({"Parameters": [], "InvalidParameters": ["/e2e/TWO"]}),
    ] {
        let aws = store(&[]);
        aws.answer(ssm("GetParameters"), 200, answer);
        let output = tool(&aws).run().exits(2);
        output.says("ssm:GetParameters response omitted parameter `/e2e/ONE`");
        assert_eq!(aws.writes(), []);
    }
    for field in ["Name", "Type", "Value"] {
        let mut one = json!({"Name": "/e2e/ONE", "Type": "SecureString", "Value": "v", "Version": 1});
        one.as_object_mut().unwrap().remove(field);
        let aws = store(&[]);
        aws.answer(
            ssm("GetParameters"),
            200,
            json!({"Parameters": [one], "InvalidParameters": ["/e2e/TWO"]}),
        );
        tool(&aws)
            .run()
            .exits(2)
            .says(&format!("ssm:GetParameters response omitted `{field}`"));
        assert_eq!(aws.writes(), []);
    }
}

#[test]
fn without_the_right_to_decrypt_the_key_is_named() {
    let aws = store(&[]);
    let message = "The ciphertext refers to a customer master key that you are not allowed to access.";
    aws.refuse(ssm("GetParameters"), "AccessDeniedException", message);
    let output = tool(&aws).run().exits(2);
    output
        .says("hint: grant `ssm:GetParameters` to the caller, and `kms:Decrypt` on the key of these parameters: values are compared decrypted");
    assert_eq!(aws.writes(), []);
}

#[test]
fn each_call_is_named_as_iam_spells_it() {
    let differing = || store(&[("/e2e/ONE", parameter("old"))]);
    for (operation, what) in [
        ("GetParameters", "failed to read parameter `/e2e/ONE`"),
        (
            "DescribeParameters",
            "failed to read key and tier of parameter `/e2e/ONE`",
        ),
        ("PutParameter", "failed to put parameter `/e2e/ONE`"),
    ] {
        let aws = differing();
        aws.refuse(
            ssm(operation),
            "AccessDeniedException",
            "User: ci is not authorized",
        );
        let output = tool(&aws).arg("ONE").run().exits(2);
        output
            .says(&format!(
                "{what}: ssm:{operation} failed: AccessDeniedException: User: ci is not authorized"
            ))
            .says(&format!("hint: grant `ssm:{operation}` "));
        let wrote = aws.writes().len();
        assert_eq!(wrote, usize::from(operation == "PutParameter"), "{operation}");
    }
    let aws = store(&[]);
    aws.refuse_query("GetCallerIdentity", "AccessDenied", "no");
    tool(&aws)
        .run()
        .exits(2)
        .says("failed to get caller identity: sts:GetCallerIdentity failed: AccessDenied: no");
}

#[test]
fn a_denied_read_that_was_only_a_check_is_a_warning() {
    let aws = as_desired();
    aws.refuse(ssm("ListTagsForResource"), "AccessDeniedException", "no");
    aws.refuse(ssm("DescribeParameters"), "AccessDeniedException", "no");
    let declared = CONFIG.replace("prefix = \"/e2e\"", "prefix = \"/e2e\"\nkms_key = \"alias/own\"");
    let output = tool(&aws)
        .config_text(&declared)
        .args(["-o", "json"])
        .run()
        .exits(0);
    assert_eq!(output.json()["outcome"], "unchanged");
    output
        .says("put-params: warning: key, tier and description not judged: ssm:DescribeParameters failed: AccessDeniedException: no")
        .says("put-params: warning: tags not judged: failed to read the tags of parameter `/e2e/ONE`: ssm:ListTagsForResource failed: AccessDeniedException: no");
    assert_eq!(aws.writes(), []);

    // With key and tier in the file, a new value can still be written.
    let aws = store(&[("/e2e/ONE", parameter("old"))]);
    aws.refuse(ssm("DescribeParameters"), "AccessDeniedException", "no");
    let both = declared.replace("kms_key", "tier = \"Standard\"\nkms_key");
    tool(&aws)
        .config_text(&both)
        .arg("ONE")
        .run()
        .exits(0)
        .says("warning: key, tier and description not judged");
    assert_eq!(aws.bodies(ssm("PutParameter"))[0]["KeyId"], "alias/own");

    // Any other error ends the run.
    let aws = as_desired();
    aws.refuse(ssm("ListTagsForResource"), "InternalServerError", "broken");
    tool(&aws).env("AWS_MAX_ATTEMPTS", "1").run().exits(2);
}

#[test]
fn descriptions_come_in_pages() {
    let aws = store(&[("/e2e/ONE", parameter("old"))]);
    let page = |body: &Value| match body["NextToken"].as_str() {
        None => (200, json!({"Parameters": [], "NextToken": "more"})),
        Some(_) => (
            200,
            json!({"Parameters": [{"Name": "/e2e/ONE", "KeyId": "alias/own", "Tier": "Standard"}]}),
        ),
    };
    aws.answer_with(ssm("DescribeParameters"), page);
    tool(&aws).arg("ONE").run().exits(0);
    assert_eq!(aws.bodies(ssm("PutParameter"))[0]["KeyId"], "alias/own");

    // A SecureString without a key is half an answer: its new version would get another key.
    for parameters in [json!([]), json!([{"Name": "/e2e/ONE", "Tier": "Standard"}])] {
        let aws = store(&[("/e2e/ONE", parameter("old"))]);
        aws.answer(ssm("DescribeParameters"), 200, json!({"Parameters": parameters}));
        let output = tool(&aws).arg("ONE").run().exits(2);
        output.says("ssm:DescribeParameters response omitted ");
        assert_eq!(aws.writes(), []);
    }
}

#[test]
fn only_the_named_ones_are_looked_at() {
    let aws = as_desired();
    tool(&aws).without("SOURCE_TWO").arg("ONE").run().exits(0);
    assert_eq!(aws.bodies(ssm("GetParameters"))[0]["Names"], json!(["/e2e/ONE"]));
    aws.forget();
    let output = tool(&aws).arg("THREE").run().exits(2);
    output
        .says("failed to find parameter `THREE`")
        .says("it has: ONE, TWO");
    assert_eq!(calls(&aws), [""; 0]);
}

#[test]
fn without_tags_in_the_file_none_are_read() {
    let aws = as_desired();
    let untagged = CONFIG.replace("tags = { app = \"e2e\" }", "");
    tool(&aws).config_text(&untagged).run().exits(0);
    assert_eq!(calls(&aws), ["GetCallerIdentity", "GetParameters"]);
}
