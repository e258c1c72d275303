//! What SSM, ECR and IAM refuse, and the emulator by itself would accept.

use super::Endpoint;
use serde_json::{Value, json};
use support::sandbox::sandbox;

#[test]
fn parameters() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let folder = format!("/{}", sandbox.unique("parameters"));
    let name = |leaf: &str| format!("{folder}/{leaf}");
    let text = |name: String, value: &str| json!({"Name": name, "Value": value, "Type": "String"});
    let with = |mut request: Value, key: &str, value: Value| {
        request[key] = value;
        request
    };
    let long = "x".repeat(4097);
    let deep = format!("{folder}{}", "/level".repeat(15));
    let cases = [
        (
            "empty",
            text(name("a"), ""),
            "ValidationException",
            "'value' failed to satisfy constraint",
        ),
        (
            "space",
            text(name("a b"), "x"),
            "ValidationException",
            "can't be prefixed",
        ),
        (
            "no slash",
            text(format!("a{folder}"), "x"),
            "ValidationException",
            "can't be prefixed",
        ),
        (
            "reserved",
            text("/aws/a".into(), "x"),
            "AccessDeniedException",
            "reserved parameter name",
        ),
        (
            "deep",
            text(deep, "x"),
            "HierarchyLevelLimitExceededException",
            "15 levels",
        ),
        (
            "large",
            text(name("a"), &long),
            "ValidationException",
            "4096 characters",
        ),
        (
            "nested",
            text(name("a"), "{{ssm:x}}"),
            "ValidationException",
            "can't nest another parameter",
        ),
        (
            "type",
            with(text(name("a"), "x"), "Type", json!("Text")),
            "ValidationException",
            "'type' failed to satisfy constraint",
        ),
        (
            "key",
            with(text(name("a"), "x"), "KeyId", json!("alias/aws/ssm")),
            "ValidationException",
            "SecureString type parameter only",
        ),
        (
            "unknown key",
            json!({"Name": name("a"), "Value": "x", "Type": "SecureString", "KeyId": "alias/nobody-made-this"}),
            "InvalidKeyId",
            "alias/nobody-made-this",
        ),
        (
            "pattern",
            with(text(name("a"), "x"), "AllowedPattern", json!("^[0-9]+$")),
            "ParameterPatternMismatchException",
            "allowedPattern",
        ),
        (
            "tags on overwrite",
            with(
                with(text(name("a"), "x"), "Overwrite", json!(true)),
                "Tags",
                json!([{"Key": "a", "Value": "b"}]),
            ),
            "ValidationException",
            "tags and overwrite can't be used together",
        ),
    ];
    for (case, request, code, words) in cases {
        let (found, message) = endpoint.refusal("ssm", "PutParameter", &request);
        assert_eq!(found, code, "{case}: {message}");
        assert!(message.contains(words), "{case}: {message}");
        assert!(!message.contains(&long), "{case}: the value is in the message");
    }

    // At the limit it is taken, and measured in bytes.
    endpoint.ask("ssm", "PutParameter", &text(name("full"), &long[1..]));
    let (code, _) = endpoint.refusal("ssm", "PutParameter", &text(name("bytes"), &"ä".repeat(2049)));
    assert_eq!(code, "ValidationException");
    let names: Vec<String> = (0..11).map(|number| name(&number.to_string())).collect();
    let (code, _) = endpoint.refusal("ssm", "GetParameters", &json!({"Names": names}));
    assert_eq!(code, "ValidationException");
    let tags = json!({"ResourceType": "Parameter", "ResourceId": name("none"), "Tags": [{"Key": "a", "Value": "b"}]});
    assert_eq!(
        endpoint.refusal("ssm", "AddTagsToResource", &tags).0,
        "InvalidResourceId"
    );
    endpoint.ask("ssm", "DeleteParameters", &json!({"Names": [name("full")]}));
}

#[test]
fn a_secure_string_is_read_with_decryption_only_and_has_versions() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let name = format!("/{}", sandbox.unique("secure"));
    let put = |value: &str, overwrite: bool| {
        let request = json!({"Name": name, "Value": value, "Type": "SecureString", "Overwrite": overwrite});
        endpoint.call("ssm", "PutParameter", &request)
    };
    assert_eq!(put("first value", false).1["Version"], 1);
    assert_eq!(put("second value", false).1["__type"], "ParameterAlreadyExists");
    assert_eq!(put("second value", true).1["Version"], 2);

    let request = json!({"Names": [name, format!("{name}:1")], "WithDecryption": true});
    let answer = endpoint.ask("ssm", "GetParameters", &request);
    let value = |version: u64| {
        let all = answer["Parameters"].as_array().unwrap();
        all.iter().find(|one| one["Version"] == version).unwrap()["Value"].clone()
    };
    assert_eq!(
        (value(1), value(2)),
        (json!("first value"), json!("second value"))
    );

    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode("second value");
    let sealed = endpoint.ask("ssm", "GetParameter", &json!({"Name": name}));
    let sealed = sealed["Parameter"]["Value"].as_str().unwrap();
    assert!(
        !sealed.contains(&encoded) && !sealed.contains("second value"),
        "{sealed}"
    );
    endpoint.ask("ssm", "DeleteParameter", &json!({"Name": name}));
}

#[test]
fn repositories() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let create = |name: &str, more: Value| {
        let mut request = more;
        request["repositoryName"] = name.into();
        endpoint.refusal("ecr", "CreateRepository", &request)
    };
    for name in ["Upper", "a", "-a", "a//b", "a_-b"] {
        let (code, message) = create(name, json!({}));
        assert_eq!(code, "InvalidParameterException", "{name}: {message}");
    }
    for more in [
        json!({"imageTagMutability": "FROZEN"}),
        json!({"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}),
    ] {
        let (code, message) = create(&sandbox.unique("mutability"), more);
        assert_eq!(code, "InvalidParameterException", "{message}");
    }
    let absent = json!({"repositoryNames": ["nobody-made-this"]});
    let (code, message) = endpoint.refusal("ecr", "DescribeRepositories", &absent);
    assert_eq!(code, "RepositoryNotFoundException");
    assert!(
        message.ends_with("does not exist in the registry with id '123456789012'"),
        "{message}"
    );
}

#[test]
fn the_service_linked_role_of_ecs() {
    let endpoint = Endpoint::of(sandbox());
    let role = [("RoleName", "AWSServiceRoleForECS")];
    let create = |more: &[(&str, &str)]| {
        let service = [("AWSServiceName", "ecs.amazonaws.com")];
        endpoint.iam("CreateServiceLinkedRole", &[&service, more].concat())
    };
    endpoint.iam("DeleteServiceLinkedRole", &role);
    let arn = "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS</Arn>";
    let (status, answer) = create(&[]);
    assert_eq!((status, answer.contains(arn)), (200, true), "{answer}");
    let (status, answer) = endpoint.iam("GetRole", &role);
    assert_eq!((status, answer.contains(arn)), (200, true), "{answer}");
    let taken = "<Code>InvalidInput</Code><Message>Service role name AWSServiceRoleForECS has been taken in this \
                 account, please try a different suffix.</Message>";
    let (status, answer) = create(&[]);
    assert_eq!((status, answer.contains(taken)), (400, true), "{answer}");
    let (status, answer) = create(&[("CustomSuffix", "other")]);
    assert_eq!(
        (status, answer.contains("Custom suffix is not allowed")),
        (400, true),
        "{answer}"
    );
    assert_eq!(endpoint.iam("DeleteServiceLinkedRole", &role).0, 200);
    assert_eq!(endpoint.iam("GetRole", &role).0, 404);
}

#[test]
fn roles_and_policies() {
    let sandbox = sandbox();
    let endpoint = Endpoint::of(sandbox);
    let role = sandbox.unique("role");
    let create = |document: &Value| {
        let document = document
            .as_str()
            .map_or_else(|| document.to_string(), str::to_owned);
        endpoint.iam(
            "CreateRole",
            &[("RoleName", &role), ("AssumeRolePolicyDocument", &document)],
        )
    };
    let trust = |statement: Value| json!({"Version": "2012-10-17", "Statement": [statement]});
    let tasks = json!({"Service": "ecs-tasks.amazonaws.com"});
    let cases = [
        (json!("{"), "invalid Json"),
        (json!({"Version": "2012-10-17", "Statement": []}), "Syntax errors"),
        (
            trust(json!({"Effect": "Allow", "Action": "sts:AssumeRole"})),
            "required field Principal",
        ),
        (
            trust(json!({"Effect": "Allow", "Principal": tasks, "Action": "s3:GetObject"})),
            "STS AssumeRole actions",
        ),
        (
            trust(
                json!({"Effect": "Allow", "Principal": tasks, "Action": "sts:AssumeRole", "Resource": "*"}),
            ),
            "prohibited field Resource",
        ),
    ];
    for (document, words) in cases {
        let (status, answer) = create(&document);
        assert_eq!(status, 400, "{document}: {answer}");
        assert!(
            answer.contains("MalformedPolicyDocument") && answer.contains(words),
            "{document}: {answer}"
        );
    }
    let good = trust(json!({"Effect": "Allow", "Principal": tasks, "Action": ["sts:AssumeRole"]}));
    assert_eq!(create(&good).0, 200);
    let attach =
        |policy: &str| endpoint.iam("AttachRolePolicy", &[("RoleName", &role), ("PolicyArn", policy)]);
    for policy in [
        "arn:aws:iam::aws:policy/CloudWatchFullAcces",
        "arn:aws:iam::123456789012:policy/none",
    ] {
        let (status, answer) = attach(policy);
        assert_eq!(
            (status, answer.contains("NoSuchEntity")),
            (404, true),
            "{policy}: {answer}"
        );
    }
    // The two of the job.
    for name in ["CloudWatchFullAccess", "AWSXRayDaemonWriteAccess"] {
        let policy = format!("arn:aws:iam::aws:policy/{name}");
        assert_eq!(attach(&policy).0, 200, "{name}");
        endpoint.iam("DetachRolePolicy", &[("RoleName", &role), ("PolicyArn", &policy)]);
    }
    assert_eq!(endpoint.iam("DeleteRole", &[("RoleName", &role)]).0, 200);
}
