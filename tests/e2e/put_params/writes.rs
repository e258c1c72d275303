//! What is written, and what is not.

use super::{CONFIG, as_desired, calls, config_with, each_item, parameter, store, tool};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::aws::ssm;

#[test]
fn creates_what_is_missing_with_its_tags() {
    let aws = store(&[]);
    assert_eq!(
        tool(&aws).transcript(),
        "exit: 0\n\
         --- stdout\n\
         /e2e/ONE  created  version 1  env SOURCE_ONE\n\
         /e2e/TWO  created  version 1  template of SOURCE_TWO\n\
         --- stderr\n\
         put-params: note: AWS calls go to http://127.0.0.1:PORT (endpoint override)\n"
    );
    let put = |name: &str, value: &str| {
        json!({
            "Name": name, "Value": value, "Type": "SecureString", "Overwrite": false,
            "Tags": [{"Key": "app", "Value": "e2e"}],
        })
    };
    let mut bodies = aws.bodies(ssm("PutParameter"));
    bodies.sort_by_key(|body| body["Name"].to_string());
    assert_eq!(
        bodies,
        [
            put("/e2e/ONE", "value-of-one"),
            put("/e2e/TWO", "x-team=value-of-two")
        ]
    );
    assert_eq!(aws.writes().len(), 2);

    // What was written is what the second run finds.
    aws.forget();
    let document = tool(&aws).args(["-o", "json"]).run().exits(0).json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(aws.writes(), []);
}

#[test]
fn leaves_what_is_right_alone() {
    let aws = as_desired();
    let document = tool(&aws).args(["-o", "json"]).run().exits(0).json();
    assert_eq!(document["outcome"], "unchanged");
    assert_eq!(document["account"], "123456789012");
    assert_eq!(document["region"], "us-east-1");
    assert_eq!(
        document["items"][1],
        json!({
            "kind": "parameter", "name": "/e2e/TWO", "action": "none", "changes": [],
            "type": "SecureString", "version": 7, "source": "template of SOURCE_TWO",
            "arn": "arn:aws:ssm:us-east-1:123456789012:parameter/e2e/TWO",
        })
    );
    assert_eq!(aws.writes(), []);
    // Nothing depends on the fields that only DescribeParameters returns.
    assert_eq!(
        calls(&aws),
        [
            "GetCallerIdentity",
            "GetParameters",
            "ListTagsForResource",
            "ListTagsForResource"
        ]
    );
    tool(&aws).run().exits(0).prints(
        "/e2e/ONE  unchanged  version 7  env SOURCE_ONE\n\
         /e2e/TWO  unchanged  version 7  template of SOURCE_TWO",
    );
}

#[test]
fn a_new_value_keeps_key_tier_and_description() {
    let mut one = parameter("the-old-value");
    one.key = "alias/own";
    one.tier = "Advanced";
    one.description = "words of another user";
    let aws = store(&[("/e2e/ONE", one), ("/e2e/TWO", parameter("x-team=value-of-two"))]);
    let output = tool(&aws).run().exits(0);
    assert_eq!(
        aws.bodies(ssm("PutParameter")),
        [json!({
            "Name": "/e2e/ONE", "Value": "value-of-one", "Type": "SecureString", "Overwrite": true,
            "KeyId": "alias/own", "Tier": "Advanced", "Description": "words of another user",
        })]
    );
    assert_eq!(aws.writes().len(), 1);
    output
        .says("put-params: note: 1 value has changed: running ECS tasks keep the old ones until a new deployment")
        .prints(
            "/e2e/ONE  updated    version 8  env SOURCE_ONE  (value)\n\
             /e2e/TWO  unchanged  version 7  template of SOURCE_TWO",
        );
}

#[test]
fn what_the_file_says_of_key_tier_and_description_is_written() {
    let config = CONFIG.replace(
        "prefix = \"/e2e\"",
        "prefix = \"/e2e\"\nkms_key = \"alias/own\"\ntier = \"Advanced\"",
    );
    let config = config.replace("\"SOURCE_ONE\"", "\"SOURCE_ONE\", description = \"new words\"");
    let aws = as_desired();
    let document = tool(&aws)
        .config_text(&config)
        .args(["ONE", "-o", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(
        document["items"][0]["changes"],
        json!([
            {"path": "kms_key", "from": "alias/aws/ssm", "to": "alias/own"},
            {"path": "tier", "from": "Standard", "to": "Advanced"},
            {"path": "description", "from": "", "to": "new words"},
        ])
    );
    let body = &aws.bodies(ssm("PutParameter"))[0];
    assert_eq!(
        (&body["KeyId"], &body["Tier"], &body["Description"]),
        (&json!("alias/own"), &json!("Advanced"), &json!("new words"))
    );

    // The same for a new one; a plain String has no key.
    let plain = config.replace("description", "type = \"String\", description");
    let aws = store(&[]);
    tool(&aws).config_text(&plain).run().exits(0);
    let mut bodies = aws.bodies(ssm("PutParameter"));
    bodies.sort_by_key(|body| body["Name"].to_string());
    assert_eq!(bodies[0]["KeyId"], Value::Null);
    assert_eq!(bodies[0]["Type"], "String");
    assert_eq!(bodies[1]["KeyId"], "alias/own");
}

#[test]
fn tags_are_added_without_a_new_version() {
    let mut one = parameter("value-of-one");
    one.tags = [
        ("app".to_owned(), "other".to_owned()),
        ("owner".to_owned(), "x".to_owned()),
    ]
    .into();
    let aws = store(&[("/e2e/ONE", one)]);
    let output = tool(&aws).arg("ONE").run().exits(0);
    assert_eq!(
        aws.bodies(ssm("AddTagsToResource")),
        [json!({
            "ResourceType": "Parameter", "ResourceId": "/e2e/ONE", "Tags": [{"Key": "app", "Value": "e2e"}],
        })]
    );
    assert_eq!(aws.writes().len(), 1);
    assert!(!output.stderr.contains("deployment"), "{}", output.stderr);
    output.prints("/e2e/ONE  updated  version 7  env SOURCE_ONE  (tags.app: other -> e2e)");
}

#[test]
fn a_new_value_and_new_tags_are_two_calls() {
    let mut one = parameter("old");
    one.tags.clear();
    let aws = store(&[("/e2e/ONE", one)]);
    tool(&aws).arg("ONE").run().exits(0);
    let writes: Vec<String> = aws
        .writes()
        .iter()
        .map(|write| write.operation().to_owned())
        .collect();
    assert_eq!(writes, ["PutParameter", "AddTagsToResource"]);
    assert_eq!(aws.bodies(ssm("PutParameter"))[0]["Tags"], Value::Null);
}

#[test]
fn values_are_sent_as_they_are() {
    let values = [
        "https://example.com/callback",
        "file:///etc/hostname",
        "-leading-dash",
        "$2a$10$abcdefghij",
        "first line\nsecond line",
        "a=b&c=\"d\" 'e' \\f ünïcode",
    ];
    for value in values {
        let aws = store(&[]);
        let written = |aws: &support::aws::FakeAws| aws.bodies(ssm("PutParameter"))[0]["Value"].clone();
        tool(&aws).arg("ONE").env("SOURCE_ONE", value).run().exits(0);
        assert_eq!(written(&aws), value);

        let file = config_with("ONE = { file = \"secret/value\" }");
        for ending in ["\n", "\r\n", ""] {
            let aws = store(&[]);
            tool(&aws)
                .config_text(&file)
                .file("secret/value", format!("{value}{ending}"))
                .run()
                .exits(0);
            assert_eq!(written(&aws), value, "{ending:?}");
        }
    }
    // Files are found beside ops.toml, wherever the command is given.
    let aws = store(&[]);
    let tool = tool(&aws)
        .file("app/ops.toml", config_with("ONE = { file = \"value\" }"))
        .file("app/value", "from-a-file")
        .args(["--config", "app/ops.toml"]);
    tool.run()
        .exits(0)
        .says("file `value` can be read by others: chmod 600 it")
        .prints("/e2e/ONE  created  version 1  file value");
}

#[test]
fn a_plan_sends_no_writing_call_and_check_makes_it_a_no() {
    let aws = store(&[("/e2e/ONE", parameter("old"))]);
    let dry = tool(&aws).args(["--dry-run", "-o", "json"]).run().exits(0).json();
    assert_eq!(dry["outcome"], "planned");
    assert_eq!(each_item(&dry, "action"), ["update", "create"]);
    assert_eq!(
        dry["items"][0]["changes"],
        json!([{"path": "value", "from": "***", "to": "***"}])
    );
    assert_eq!(each_item(&dry, "version"), [json!(7), Value::Null]);
    tool(&aws).arg("--check").run().exits(1).prints(
        "/e2e/ONE  update  version 7  env SOURCE_ONE  (value)\n\
         /e2e/TWO  create  new        template of SOURCE_TWO",
    );
    assert_eq!(aws.writes(), []);
    tool(&as_desired()).arg("--check").run().exits(0);
}

#[test]
fn a_secure_string_never_becomes_a_plain_one() {
    let aws = store(&[("/e2e/ONE", parameter("value-of-one"))]);
    let plain = CONFIG.replace("\"SOURCE_ONE\"", "\"SOURCE_ONE\", type = \"String\"");
    for arguments in [vec![], vec!["--dry-run"]] {
        let output = tool(&aws).config_text(&plain).args(&arguments).run().exits(2);
        output
            .says("failed to plan parameter `/e2e/ONE`: it is a SecureString; as String its value would be stored in plain text")
            .says("hint: if that is intended, delete it first: aws ssm delete-parameter --name /e2e/ONE")
            .prints(
                "/e2e/ONE  blocked  version 7  env SOURCE_ONE\n\
                 /e2e/TWO  create   new        template of SOURCE_TWO",
            );
    }
    let document = tool(&aws)
        .config_text(&plain)
        .args(["-o", "json"])
        .run()
        .exits(2)
        .json();
    assert_eq!(document["error"]["code"], "type");
    assert_eq!(each_item(&document, "action"), ["blocked", "create"]);
    assert_eq!(aws.writes(), []);

    // The other way it is what the file asks for.
    let mut one = parameter("value-of-one");
    one.kind = "String";
    let aws = store(&[("/e2e/ONE", one)]);
    tool(&aws)
        .arg("ONE")
        .run()
        .exits(0)
        .prints("/e2e/ONE  updated  version 8  env SOURCE_ONE  (type: String -> SecureString)");
}

#[test]
fn an_advanced_parameter_does_not_become_standard() {
    let mut one = parameter("value-of-one");
    one.tier = "Advanced";
    let aws = store(&[("/e2e/ONE", one)]);
    let standard = CONFIG.replace("prefix = \"/e2e\"", "prefix = \"/e2e\"\ntier = \"Standard\"");
    let output = tool(&aws).config_text(&standard).arg("ONE").run().exits(2);
    output.says("failed to plan parameter `/e2e/ONE`: it has the tier Advanced");
    assert_eq!(aws.writes(), []);
}

#[test]
fn throttled_calls_are_retried() {
    for code in ["ThrottlingException", "TooManyUpdates"] {
        let aws = store(&[]);
        for _ in 0..3 {
            aws.refuse_once(ssm("PutParameter"), code, "Rate exceeded");
        }
        aws.refuse_once(ssm("GetParameters"), "ThrottlingException", "Rate exceeded");
        tool(&aws).run().exits(0);
        // Two parameters, and each refusal once more.
        assert_eq!(aws.bodies(ssm("PutParameter")).len(), 5, "{code}");
    }
}

/// A server that takes five at once, and then twenty a second.
#[test]
fn many_follow_the_rate_that_is_permitted() {
    let entries: Vec<String> = (0..60)
        .map(|number| format!("N{number} = {{ env = \"SOURCE_ONE\" }}"))
        .collect();
    let aws = store(&[]);
    let bucket = Mutex::new((5.0_f64, Instant::now()));
    aws.answer_with(ssm("PutParameter"), move |_| {
        let mut bucket = bucket.lock().unwrap();
        let (tokens, at) = *bucket;
        let tokens = (tokens + at.elapsed().as_secs_f64() * 20.0).min(5.0);
        let taken = tokens >= 1.0;
        *bucket = (if taken { tokens - 1.0 } else { tokens }, Instant::now());
        if taken {
            (200, json!({"Version": 1}))
        } else {
            (
                400,
                json!({"__type": "ThrottlingException", "message": "Rate exceeded"}),
            )
        }
    });
    // Nothing is there, and after six calls everything.
    let reads = AtomicUsize::new(0);
    aws.answer_with(ssm("GetParameters"), move |body| {
        let names = &body["Names"];
        if reads.fetch_add(1, Ordering::Relaxed) < 6 {
            return (200, json!({"Parameters": [], "InvalidParameters": names}));
        }
        let found =
            names.as_array().unwrap().iter().map(
                |name| json!({"Name": name, "Type": "SecureString", "Value": "value-of-one", "Version": 1}),
            );
        (200, json!({"Parameters": found.collect::<Vec<_>>()}))
    });
    let output = tool(&aws)
        .config_text(&config_with(&entries.join("\n")))
        .run()
        .exits(0);
    assert_eq!(
        output.stdout.matches("  created  ").count(),
        60,
        "{}",
        output.transcript()
    );
    let sent = aws.bodies(ssm("PutParameter")).len();
    assert!(sent > 60 && sent < 90, "{sent} calls for 60 parameters");
    output.says("put-params: note: SSM is throttling; slowing down");
}

#[test]
fn throttling_without_end_is_bounded() {
    // The SDK does not retry in addition to the tool.
    for code in ["TooManyUpdates", "ThrottlingException"] {
        let aws = store(&[]);
        aws.refuse(ssm("PutParameter"), code, "");
        let output = tool(&aws).arg("ONE").env("AWS_MAX_ATTEMPTS", "4").run().exits(2);
        assert_eq!(aws.bodies(ssm("PutParameter")).len(), 4);
        output
            .says(&format!(
                "failed to put parameter `/e2e/ONE`: ssm:PutParameter failed: {code}"
            ))
            .says("hint: throttled; safe to re-run");
    }
}

#[test]
fn a_parameter_that_another_caller_creates_is_compared() {
    // The read does not find the parameter, and the write does.
    let missing = json!({"Parameters": [], "InvalidParameters": ["/e2e/ONE"]});
    let aws = store(&[("/e2e/ONE", parameter("value-of-one"))]);
    aws.answer_once(ssm("GetParameters"), 200, missing.clone());
    tool(&aws)
        .arg("ONE")
        .run()
        .exits(0)
        .prints("/e2e/ONE  unchanged  version 7  env SOURCE_ONE");
    assert_eq!(aws.bodies(ssm("PutParameter")).len(), 1);

    let aws = store(&[("/e2e/ONE", parameter("their-value"))]);
    aws.answer_once(ssm("GetParameters"), 200, missing.clone());
    tool(&aws)
        .arg("ONE")
        .run()
        .exits(0)
        .prints("/e2e/ONE  updated  version 8  env SOURCE_ONE  (value)");
    let overwrite: Vec<Value> = aws
        .bodies(ssm("PutParameter"))
        .iter()
        .map(|body| body["Overwrite"].clone())
        .collect();
    assert_eq!(overwrite, [false, true]);

    // The parameter was deleted while being created: one more attempt, and no further one.
    let aws = store(&[]);
    aws.refuse(ssm("PutParameter"), "ParameterAlreadyExists", "exists");
    tool(&aws)
        .arg("ONE")
        .run()
        .exits(2)
        .says("parameter `/e2e/ONE`: it was deleted while being created");
    assert_eq!(aws.bodies(ssm("PutParameter")).len(), 1);
}

#[test]
fn changes_beside_a_refused_call_are_reported() {
    let refuse_one = |code: &'static str| {
        let aws = store(&[]);
        aws.answer_with(ssm("PutParameter"), move |body| match body["Name"].as_str() {
            Some("/e2e/ONE") => (400, json!({"__type": code, "message": "not this one"})),
            _ => (200, json!({"Version": 1})),
        });
        aws
    };
    let aws = refuse_one("ParameterLimitExceeded");
    let document = tool(&aws).args(["-o", "json"]).run().exits(4).json();
    assert_eq!(document["outcome"], "partial");
    assert_eq!(document["error"]["code"], "ParameterLimitExceeded");
    assert_eq!(each_item(&document, "action"), ["failed", "create"]);
    assert_eq!(document["items"][0]["error"]["code"], "ParameterLimitExceeded");
    let aws = refuse_one("ParameterLimitExceeded");
    let output = tool(&aws).run().exits(4);
    output
        .says("put-params: error: failed to put parameter `/e2e/ONE`: ssm:PutParameter failed: ParameterLimitExceeded: not this one")
        .prints(
            "/e2e/ONE  failed   new        env SOURCE_ONE\n\
             /e2e/TWO  created  version 1  template of SOURCE_TWO",
        );
}

#[test]
fn an_error_about_the_caller_stops_the_rest() {
    let entries: Vec<String> = (0..12)
        .map(|number| format!("N{number} = {{ env = \"SOURCE_ONE\" }}"))
        .collect();
    let aws = store(&[]);
    aws.refuse(ssm("PutParameter"), "ExpiredTokenException", "too late");
    let document = tool(&aws)
        .config_text(&config_with(&entries.join("\n")))
        .args(["-o", "json"])
        .run()
        .exits(2)
        .json();
    let sent = aws.bodies(ssm("PutParameter")).len();
    assert!(sent <= 5, "{sent} calls");
    let actions = each_item(&document, "action");
    assert_eq!(actions.iter().filter(|action| *action == "failed").count(), sent);
    assert_eq!(
        actions.iter().filter(|action| *action == "skipped").count(),
        12 - sent
    );
    assert_eq!(document["error"]["code"], "ExpiredTokenException");
}

#[test]
fn a_parameter_that_is_not_allowed_does_not_stop_the_others() {
    let entries: Vec<String> = (0..12)
        .map(|number| format!("N{number} = {{ env = \"SOURCE_ONE\" }}"))
        .collect();
    let aws = store(&[]);
    for _ in 0..7 {
        aws.refuse_once(ssm("PutParameter"), "AccessDeniedException", "not this one");
    }
    let output = tool(&aws)
        .config_text(&config_with(&entries.join("\n")))
        .args(["-o", "json"])
        .run()
        .exits(4);
    assert_eq!(aws.bodies(ssm("PutParameter")).len(), 12);
    let actions = each_item(&output.json(), "action");
    let count = |word: &str| actions.iter().filter(|action| *action == word).count();
    assert_eq!((count("failed"), count("create")), (7, 5), "{actions:?}");
    let refused = " failed: AccessDeniedException: not this one";
    assert_eq!(output.stderr.matches(refused).count(), 7, "{}", output.stderr);
    output.says("failed to put 7 of 12 parameters");
}

#[test]
fn several_refused_calls_are_reported_one_a_line() {
    let aws = store(&[]);
    aws.refuse(ssm("PutParameter"), "ParameterLimitExceeded", "full");
    let output = tool(&aws).run().exits(2);
    let errors: Vec<&str> = output.stderr.lines().skip(1).collect();
    assert_eq!(errors.len(), 4, "{}", output.stderr);
    for name in ["ONE", "TWO"] {
        let line = format!(
            "put-params: error: failed to put parameter `/e2e/{name}`: ssm:PutParameter failed: ParameterLimitExceeded: full"
        );
        assert!(errors.contains(&line.as_str()), "{}", output.stderr);
    }
    assert!(errors[2].starts_with("hint: delete unused parameters"));
    assert_eq!(errors[3], "put-params: error: failed to put 2 of 2 parameters");
}

#[test]
fn a_value_without_its_tags_is_a_part() {
    let mut one = parameter("old");
    one.tags.clear();
    let aws = store(&[("/e2e/ONE", one)]);
    aws.refuse(ssm("AddTagsToResource"), "AccessDeniedException", "no");
    let output = tool(&aws).arg("ONE").args(["-o", "json"]).run().exits(4);
    assert_eq!(output.json()["items"][0]["version"], 8);
    output
        .says("failed to tag parameter `/e2e/ONE`: ssm:AddTagsToResource failed: AccessDeniedException: no");
}

#[test]
fn a_deadline_in_the_middle_reports_the_changes() {
    let aws = store(&[]);
    aws.answer_once(ssm("PutParameter"), 200, json!({"Version": 1}));
    aws.answer_delayed(ssm("PutParameter"), Duration::from_secs(60), 500, json!({}));
    let output = tool(&aws).args(["--timeout", "2s", "-o", "json"]).run().exits(3);
    let document = output.json();
    assert_eq!(document["outcome"], "timeout");
    assert_eq!(document["error"]["code"], "timeout");
    let mut actions = each_item(&document, "action");
    actions.sort_by_key(ToString::to_string);
    assert_eq!(actions, ["create", "unfinished"]);
    output.says("error: not done after 2 s");
}

#[test]
fn a_write_of_another_caller_in_between_is_a_warning() {
    let aws = store(&[("/e2e/ONE", parameter("old"))]);
    aws.answer_once(ssm("PutParameter"), 200, json!({"Version": 9}));
    let output = tool(&aws).arg("ONE").run().exits(0);
    output.says("put-params: warning: parameter `/e2e/ONE` went from version 7 to 9: another caller wrote it in the meantime");
}

#[test]
fn what_was_written_is_read_back() {
    let read = |value: &str, version: i64| {
        json!({
            "Parameters": [{"Name": "/e2e/ONE", "Type": "SecureString", "Value": value, "Version": version}],
            "InvalidParameters": [],
        })
    };
    let missing = json!({"Parameters": [], "InvalidParameters": ["/e2e/ONE"]});
    for (after, warning) in [
        (
            read("another-value", 1),
            "reads back with another value than was written",
        ),
        (
            read("another-value", 2),
            "is in version 2 already: another caller writes it as well",
        ),
        (missing.clone(), "does not read back in version 1 yet"),
        (json!({}), "failed to read the new values back: "),
    ] {
        let aws = store(&[]);
        aws.answer_once(ssm("GetParameters"), 200, missing.clone());
        aws.answer(ssm("GetParameters"), 200, after);
        let output = tool(&aws).arg("ONE").run().exits(0);
        output.says("put-params: warning: ").says(warning);
    }
    // AWS may need a moment.
    let aws = store(&[]);
    for _ in 0..3 {
        aws.answer_once(ssm("GetParameters"), 200, missing.clone());
    }
    let output = tool(&aws).arg("ONE").run().exits(0);
    assert!(!output.stderr.contains("warning"), "{}", output.stderr);
}
