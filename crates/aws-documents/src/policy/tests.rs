use super::*;
use crate::expand::expand;
use serde_json::json;

/// Each diagnostic as `line:column path: message`, warnings with a `?`.
fn lint(kind: Kind, text: &str) -> Vec<String> {
    let document = Document::parse(Path::new("p.json"), text).unwrap();
    let diagnostics = check(
        &document,
        kind,
        Limits {
            partition: Some("aws"),
        },
    );
    let line = |diagnostic: Diagnostic| {
        let mark = if diagnostic.is_error() { "" } else { "? " };
        let text = diagnostic.to_string();
        format!("{mark}{}", text.strip_prefix("p.json:").unwrap_or(&text))
    };
    diagnostics.into_iter().map(line).collect()
}

/// An identity policy with one statement on one line, whose members stand from column 44 on.
fn statement(members: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"x":1,{members}}}]}}"#).replace("\"x\":1,", "")
}

fn identity(members: &str) -> Vec<String> {
    lint(Kind::Identity, &statement(members))
}

const READ: &str = r#""Action":"ssm:GetParameters","Resource":"*""#;

#[test]
fn valid_policies_have_no_diagnostic() {
    let good = [
        (Kind::Identity, statement(&format!("\"Effect\":\"Allow\",{READ}"))),
        (Kind::Identity, statement(r#""Sid":"A1","Effect":"Deny","NotAction":["s3:*","*"],"NotResource":["arn:aws:s3:::b/*"]"#)),
        (
            Kind::Identity,
            r#"{"Version":"2012-10-17","Id":"x","Statement":{"Effect":"Allow","Action":"ssm:Get*","Resource":"arn:aws:ssm:us-east-1:123456789012:parameter/${aws:username}/*",
                "Condition":{"Bool":{"aws:SecureTransport":true},"StringLikeIfExists":{"aws:x":["a","b"]},"ForAllValues:StringEquals":{"aws:TagKeys":["${*}"]},"ArnLike":{"aws:SourceArn":"arn:aws:ecs:us-east-1:123456789012:*"},"NumericLessThan":{"aws:x":[1,"2"]}}}}"#.to_owned(),
        ),
        (Kind::Trust, statement(r#""Effect":"Allow","Principal":{"Service":["ecs-tasks.amazonaws.com"]},"Action":["sts:AssumeRole","sts:TagSession"]"#)),
        (Kind::Trust, statement(r#""Effect":"Allow","Principal":{"AWS":["123456789012","arn:aws:iam::123456789012:root"],"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRole""#)),
        (Kind::Resource, statement(r#""Sid":"allow pull","Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage""#)),
    ];
    for (kind, text) in good {
        assert_eq!(lint(kind, &text), [""; 0], "{text}");
    }
}

#[test]
fn an_escaped_dollar_is_a_dollar() {
    let latest = "arn:aws:lambda:us-east-1:123456789012:function:f:";
    let text = statement(&format!(
        r#""Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"{latest}$$LATEST","Condition":{{"StringEquals":{{"aws:x":["5$$","${{$}}"]}}}}"#
    ));
    let document = Document::parse(Path::new("p.json"), &text).unwrap();
    let document = expand(&document, &|text| Ok(text.replace("$$", "$"))).unwrap();
    assert_eq!(
        document.to_value()["Statement"][0]["Resource"],
        format!("{latest}$LATEST")
    );
    assert_eq!(check(&document, Kind::Identity, Limits::default()), []);
}

#[test]
fn a_doubled_colon_in_an_arn_is_an_error() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\n    \"Effect\": \"Allow\",\n    \"Action\": [\"ssm:GetParameters\", \
                \"ssm:GetParameter\"],\n    \"Resource\": \"arn:aws:ssm:us-east-1::123456789012:parameter/cruddur/backend-flask/*\"\n  }]\n}\n";
    assert_eq!(
        lint(Kind::Identity, text),
        [
            "6:17: Statement[0].Resource: `arn:aws:ssm:us-east-1::123456789012:parameter/cruddur/backend-flask/*`: it has one \
          colon too many between region and account, so its account is empty and it never matches"
        ]
    );
}

#[test]
fn diagnostics_of_statements() {
    let cases: [(&str, &[&str]); 22] = [
        (
            "",
            &[
                "Statement[0]: `Effect` is missing",
                "Statement[0]: `Action` is missing (or `NotAction`)",
                "Statement[0]: `Resource` is missing (or `NotResource`)",
            ],
        ),
        (
            r#""Effect":"allow","Action":"s3:*","Resource":"*""#,
            &["Statement[0].Effect: it must be `Allow` or `Deny`"],
        ),
        (
            r#""Effect":"Allow","Actions":"s3:*","Resource":"*""#,
            &[
                "Statement[0]: `Action` is missing (or `NotAction`)",
                "Statement[0].Actions: IAM has no key `Actions` here",
            ],
        ),
        (
            r#""effect":"Allow","Action":"s3:*","Resource":"*""#,
            &[
                "Statement[0]: `Effect` is missing",
                "Statement[0].effect: IAM has no key `effect` here",
            ],
        ),
        (
            r#""Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*""#,
            &["Statement[0].NotAction: it can't stand beside `Action`"],
        ),
        (
            r#""Effect":"Allow","Action":"s3:*","Resource":"*","NotResource":"*""#,
            &["Statement[0].NotResource: it can't stand beside `Resource`"],
        ),
        (
            r#""Effect":"Allow","Action":"GetParameters","Resource":"*""#,
            &["Statement[0].Action: the action `GetParameters` has no service before it"],
        ),
        (
            r#""Effect":"Allow","Action":["ssm:Get Parameters"],"Resource":"*""#,
            &["Statement[0].Action[0]: `ssm:Get Parameters` is no action: they look like ssm:GetParameters"],
        ),
        (
            r#""Effect":"Allow","Action":"*:GetParameters","Resource":"*""#,
            &["Statement[0].Action: `*:GetParameters` is no action: they look like ssm:GetParameters"],
        ),
        (
            r#""Effect":"Allow","Action":[],"Resource":"*""#,
            &["Statement[0].Action: the array is empty"],
        ),
        (
            r#""Effect":"Allow","Action":["",1],"Resource":"*""#,
            &[
                "Statement[0].Action[0]: the string is empty",
                "Statement[0].Action[1]: it must be a string",
            ],
        ),
        (
            r#""Effect":"Allow","Action":{},"Resource":"*""#,
            &["Statement[0].Action: it must be a string or an array of strings, not an object"],
        ),
        (
            r#""Effect":"Allow","Action":"s3:*","Resource":"my-bucket""#,
            &["Statement[0].Resource: `my-bucket`: it is no ARN"],
        ),
        (
            r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws-cn:s3:::b""#,
            &[
                "Statement[0].Resource: `arn:aws-cn:s3:::b`: its partition is `aws-cn`, and this account is in `aws`: it never matches",
            ],
        ),
        (
            r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${BUCKET}""#,
            &["Statement[0].Resource: `${BUCKET}` is not a variable of IAM and would stay as it is"],
        ),
        // CloudFormation's, which IAM does not know.
        (
            r#""Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:${AWS::AccountId}:q""#,
            &["Statement[0].Resource: `${AWS::AccountId}` is not a variable of IAM and would stay as it is"],
        ),
        (
            r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::<bucket>/x""#,
            &["Statement[0].Resource: `<bucket>` is not a variable of IAM and would stay as it is"],
        ),
        (
            r#""Sid":"with space","Effect":"Allow","Action":"s3:*","Resource":"*""#,
            &["Statement[0].Sid: it must be of letters and digits"],
        ),
        (
            r#""Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*""#,
            &["Statement[0].Principal: a policy of a role has no principal: it applies to the role"],
        ),
        (
            r#""Effect":"Allow","Action":"s3:*","Resource":"*","Sid":null"#,
            &["Statement[0].Sid: IAM does not accept null"],
        ),
        (
            r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b–c""#,
            &["Statement[0].Resource: IAM does not accept `–` in a policy, only Latin-1 characters"],
        ),
        (
            r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":"x""#,
            &["Statement[0].Condition: a condition is an object: operator, key, values"],
        ),
    ];
    for (members, expected) in cases {
        let found: Vec<String> = identity(members)
            .iter()
            .map(|line| line.split_once(": ").unwrap().1.to_owned())
            .collect();
        assert_eq!(found, expected, "{members}");
    }
}

#[test]
fn diagnostics_of_conditions() {
    let cases: [(&str, &[&str]); 7] = [
        (
            r#"{"StringEqual":{"aws:x":"y"}}"#,
            &["Statement[0].Condition.StringEqual: `StringEqual` is no operator of a condition"],
        ),
        (
            r#"{"stringequals":{"aws:x":"y"}}"#,
            &["Statement[0].Condition.stringequals: `stringequals` is no operator of a condition"],
        ),
        (
            r#"{"StringEquals":"aws:x"}"#,
            &["Statement[0].Condition.StringEquals: an operator holds an object: key and values"],
        ),
        (
            r#"{"StringEquals":{"x":"y"}}"#,
            &[
                "Statement[0].Condition.StringEquals.x: `x` is no condition key: they look like aws:SourceAccount",
            ],
        ),
        (
            r#"{"StringEquals":{"aws:ResourceTag/${APP}":"y"}}"#,
            &[
                "Statement[0].Condition.StringEquals.aws:ResourceTag/${APP}: `aws:ResourceTag/${APP}` is no condition key: they look like aws:SourceAccount",
            ],
        ),
        (
            r#"{"StringEquals":{"aws:x":[]}}"#,
            &["Statement[0].Condition.StringEquals.aws:x: the array is empty"],
        ),
        (
            r#"{"ArnEquals":{"aws:SourceArn":"arn:aws:ecs:us-east-1::123456789012:cluster/x"}}"#,
            &[
                "Statement[0].Condition.ArnEquals.aws:SourceArn: `arn:aws:ecs:us-east-1::123456789012:cluster/x`: it has one \
               colon too many between region and account, so its account is empty and it never matches",
            ],
        ),
    ];
    for (condition, expected) in cases {
        let found: Vec<String> = identity(&format!("\"Effect\":\"Allow\",{READ},\"Condition\":{condition}"))
            .iter()
            .map(|line| line.split_once(": ").unwrap().1.to_owned())
            .collect();
        assert_eq!(found, expected, "{condition}");
    }
}

#[test]
fn patterns_of_arns_in_conditions() {
    let found = |pattern: &str| {
        let condition = format!(r#"{{"ArnLike":{{"aws:SourceArn":"{pattern}"}}}}"#);
        identity(&format!("\"Effect\":\"Allow\",{READ},\"Condition\":{condition}"))
    };
    for pattern in [
        "*",
        "arn:aws:ecs:*",
        "arn:*:ecs:*:123456789012:*",
        "arn:aws:ecs:us-east-1:123456789012:*",
    ] {
        assert_eq!(found(pattern), [""; 0], "{pattern}");
    }
    let doubled = found("arn:aws:ecs:us-east-1::123456789012:*");
    assert!(
        doubled.len() == 1 && doubled[0].contains("one colon too many"),
        "{doubled:?}"
    );
}

#[test]
fn diagnostics_of_trust_policies() {
    let cases: [(&str, &[&str]); 9] = [
        (
            r#""Action":"sts:AssumeRole""#,
            &["Statement[0]: `Principal` is missing"],
        ),
        (
            r#""Principal":"ecs","Action":"sts:AssumeRole""#,
            &["Statement[0].Principal: a principal is \"*\", or an object"],
        ),
        (
            r#""Principal":{"service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole""#,
            &["Statement[0].Principal.service: `service` is none of AWS, Service, Federated, CanonicalUser"],
        ),
        (
            r#""Principal":{"Service":"ecs-tasks"},"Action":"sts:AssumeRole""#,
            &["Statement[0].Principal.Service: `ecs-tasks` is no service principal"],
        ),
        (
            r#""Principal":{"Service":[]},"Action":"sts:AssumeRole""#,
            &["Statement[0].Principal.Service: the array is empty"],
        ),
        (
            r#""Principal":{"AWS":"arn:aws:iam:123456789012:root"},"Action":"sts:AssumeRole""#,
            &[
                "Statement[0].Principal.AWS: `arn:aws:iam:123456789012:root`: it has 5 parts, and an ARN has 6",
            ],
        ),
        (
            r#""Principal":{"AWS":"arn:aws:iam::123456789012:role/*"},"Action":"sts:AssumeRole""#,
            &["Statement[0].Principal.AWS: a principal can't hold a wildcard"],
        ),
        (
            r#""Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"ssm:GetParameters""#,
            &[
                "Statement[0].Action: a trust policy can't allow `ssm:GetParameters`, only sts:AssumeRole… and related actions",
            ],
        ),
        (
            r#""Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole","Resource":"*""#,
            &["Statement[0].Resource: a trust policy has no resource: it applies to the role itself"],
        ),
    ];
    for (members, expected) in cases {
        let found: Vec<String> = lint(
            Kind::Trust,
            &statement(&format!("\"Effect\":\"Allow\",{members}")),
        )
        .iter()
        .map(|line| line.split_once(": ").unwrap().1.to_owned())
        .collect();
        assert_eq!(found, expected, "{members}");
    }
    let any_principal = statement(r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole""#);
    assert_eq!(
        lint(Kind::Trust, &any_principal),
        ["? 1:68: Statement[0].Principal: every AWS account may assume this role"]
    );
}

#[test]
fn what_never_matches_is_a_warning() {
    let never = identity(
        r#""Effect":"Allow","Action":["ecr:GetAuthorizationToken","logs:PutLogEvents"],"Resource":["arn:aws:logs:us-east-1:123456789012:log-group:cruddur"]"#,
    );
    assert_eq!(
        never,
        [
            "? 1:66: Statement[0].Action[0]: ecr:GetAuthorizationToken takes no resource but `*`, so this never allows it",
            "? 1:127: Statement[0].Resource[0]: logs:PutLogEvents works on streams, so this never allows it",
        ]
    );
    let fine = r#""Effect":"Allow","Action":"logs:PutLogEvents","Resource":"arn:aws:logs:us-east-1:123456789012:log-group:cruddur:*""#;
    assert_eq!(identity(fine), [""; 0]);
}

#[test]
fn diagnostics_of_the_policy_as_a_whole() {
    let body = format!("{{\"Effect\":\"Allow\",{READ}}}");
    let cases = [
        ("[]".to_owned(), vec!["1:1: a policy is an object, not an array"]),
        (
            "{\"Version\":\"2012-10-17\"}".to_owned(),
            vec!["1:1: `Statement` is missing"],
        ),
        (
            "{\"Version\":\"2012-10-17\",\"Statement\":[]}".to_owned(),
            vec!["1:37: Statement: it must be an object, or an array with at least one"],
        ),
        (
            "{\"Version\":\"2012-10-17\",\"Statement\":[1]}".to_owned(),
            vec!["1:38: Statement[0]: a statement is an object, not a number"],
        ),
        (
            format!("{{\"Statement\":{body}}}"),
            vec!["? 1:1: `Version` is missing; IAM then takes 2008-10-17, without its variables"],
        ),
        (
            format!("{{\"Version\":\"2008-10-17\",\"Statement\":{body}}}"),
            vec!["? 1:12: Version: in this version IAM takes its variables for plain text"],
        ),
        (
            format!("{{\"Version\":\"2012-10-18\",\"Statement\":{body}}}"),
            vec!["1:12: Version: the versions of IAM are 2012-10-17 and 2008-10-17"],
        ),
        (
            format!("{{\"Version\":\"2012-10-17\",\"statement\":{body}}}"),
            vec![
                "1:1: `Statement` is missing",
                "1:25: statement: IAM has no key `statement` here",
            ],
        ),
        (
            format!(
                "{{\"Version\":\"2012-10-17\",\"Statement\":[{0},{0}]}}",
                body.replacen('{', "{\"Sid\":\"A\",", 1)
            ),
            vec!["1:118: Statement[1].Sid: `A` stands twice in this policy"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(lint(Kind::Identity, &text), expected, "{text}");
    }
}

#[test]
fn a_trust_policy_has_a_size() {
    let of = |length: usize| {
        let external = "x".repeat(length);
        statement(&format!(
            r#""Effect":"Allow","Principal":{{"Service":"ecs-tasks.amazonaws.com"}},"Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"sts:ExternalId":"{external}"}}}}"#
        ))
    };
    let length = size(&serde_json::from_str(&of(0)).unwrap());
    assert_eq!(lint(Kind::Trust, &of(LARGEST_TRUST - length)), [""; 0]);
    let quota = lint(Kind::Trust, &of(LARGEST_TRUST - length + 1));
    assert_eq!(
        quota,
        [
            "? 1:1: it has 2049 characters, and a trust policy may have 2048 unless the account's quota was raised"
        ]
    );
    let over = lint(Kind::Trust, &of(LARGEST_TRUST_EVER - length + 1));
    assert_eq!(
        over,
        ["1:1: it has 8193 characters, and a trust policy at most 8192"]
    );
}

#[test]
fn white_space_does_not_count() {
    assert_eq!(size(&json!({"a": "b c\td"})), r#"{"a":"bc\td"}"#.len());
}

#[test]
fn hints_name_the_next_step() {
    let document = Document::parse(
        Path::new("p.json"),
        &statement(r#""effect":"Allow","Actions":"x","Resource":"*""#),
    )
    .unwrap();
    let diagnostics = check(&document, Kind::Identity, Limits::default());
    let hints: Vec<&str> = diagnostics
        .iter()
        .filter_map(|diagnostic| diagnostic.hint.as_deref())
        .collect();
    assert_eq!(hints, ["did you mean `Effect`?", "did you mean `Action`?"]);
}

// --- Equality -----------------------------------------------------------------------------------------

fn policy(statement: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statement})
}

#[test]
fn ways_of_writing_the_same_are_equal() {
    let one = json!({"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"});
    let other = json!({"Effect": "Allow", "Action": ["ssm:getparameters"], "Resource": ["*"]});
    let trust = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}});
    let arrays = json!({"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": ["ecs-tasks.amazonaws.com"]}});
    let with = |condition: Value| {
        policy(json!({"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": condition}))
    };
    let principal =
        |principal: Value| policy(json!({"Effect": "Allow", "Action": "a:b", "Principal": principal}));
    let pairs = [
        (policy(one.clone()), policy(json!([other]))),
        (policy(trust), policy(arrays)),
        (
            policy(json!([one, {"Effect": "Deny", "NotAction": ["a:x", "a:y"], "NotResource": ["r", "s"]}])),
            policy(json!([{"NotAction": ["a:Y", "a:X"], "Effect": "Deny", "NotResource": ["s", "r"]}, one])),
        ),
        (
            json!({"Statement": one}),
            json!({"Version": "2008-10-17", "Statement": [one]}),
        ),
        (
            with(json!({"Bool": {"aws:SecureTransport": true}})),
            with(json!({"Bool": {"AWS:securetransport": ["true"]}})),
        ),
        (
            with(json!({"NumericLessThan": {"a:b": 5}})),
            with(json!({"NumericLessThan": {"a:b": "5"}})),
        ),
        (
            with(json!({"StringLike": {"a:b": ["x", "y"]}})),
            with(json!({"StringLike": {"a:b": ["y", "x", "y"]}})),
        ),
        (principal(json!("*")), principal(json!({"AWS": ["*"]}))),
        (
            principal(json!({"AWS": "123456789012"})),
            principal(json!({"AWS": "arn:aws:iam::123456789012:root"})),
        ),
    ];
    for (one, other) in pairs {
        assert_eq!(difference(&one, &other), [], "{one} {other}");
        assert!(equal(&other, &one), "{one} {other}");
    }
}

#[test]
fn differences_have_their_paths() {
    let from = policy(json!([
        {"Sid": "Token", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": ["ssm:GetParameter"], "Resource": "arn:old"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    ]));
    let to = policy(json!([
        {"Effect": "Allow", "Action": ["ssm:GetParameter", "ssm:GetParameters"], "Resource": ["arn:new"]},
        {"Sid": "Token", "Effect": "Deny", "Action": ["ECR:getAuthorizationToken"], "Resource": "*",
         "Condition": {"StringEquals": {"aws:x": ["y"]}}},
    ]));
    let shown: Vec<String> = difference(&from, &to).iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "Statement[0].Action: (none) -> ssm:GetParameters",
            "Statement[0].Resource: arn:old -> arn:new",
            "Statement[1].Effect: Allow -> Deny",
            "Statement[1].Condition.StringEquals.aws:x: (none) -> y",
            r#"Statement[2]: {"Effect":"Allow","Action":"s3:*","Resource":"*"} -> (none)"#,
        ]
    );
    // Backwards it is as long, and never empty.
    assert_eq!(difference(&to, &from).len(), shown.len());
}

#[test]
fn a_sid_and_a_resources_case_matter() {
    let of = |sid: &str, resource: &str| {
        policy(json!({"Sid": sid, "Effect": "Allow", "Action": "s3:*", "Resource": resource}))
    };
    assert!(!equal(&of("A", "*"), &of("B", "*")));
    assert!(!equal(&of("A", "arn:aws:s3:::b"), &of("A", "arn:aws:s3:::B")));
    let version = json!({"Version": "2008-10-17", "Statement": []});
    assert!(!equal(&policy(json!([])), &version));
}

#[test]
fn what_iam_hands_out_is_unescaped() {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "a+b% ü"}]});
    let escaped: String = policy
        .to_string()
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    assert_eq!(decode("x", &escaped).unwrap(), policy);
    // A plus is a plus, and a policy that is not escaped keeps its percent signs.
    assert_eq!(decode("x", r#" {"a": "%41+"}"#).unwrap(), json!({"a": "%41+"}));
    assert_eq!(
        decode("x", "%7B%22a%22%3A%22b+c%25%22%7D").unwrap(),
        json!({"a": "b+c%"})
    );
    assert!(decode("trust policy of `x`", "%7B").is_err());
    assert!(decode("x", "").is_err());
}
