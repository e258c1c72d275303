use super::*;

/// The problems in one line: message, hint.
fn messages(text: &str, partition: Option<&str>) -> Vec<String> {
    let problems = problems(text, partition);
    let line = |problem: ArnProblem| match problem.hint {
        Some(hint) => format!("{}; {hint}", problem.message),
        None => problem.message,
    };
    problems.into_iter().map(line).collect()
}

#[test]
fn valid_arns_have_no_problem() {
    for text in [
        "arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/backend-flask/*",
        "arn:aws:ssm:*:123456789012:parameter/x",
        "arn:aws:ssm:us-east-1::parameter/aws/service/ecs/optimized-ami",
        "arn:aws:ssm:us-east-1::document/AWS-RunShellScript",
        "arn:aws:ecr:us-east-1:123456789012:repository/backend-flask",
        "arn:aws:logs:us-east-1:123456789012:log-group:cruddur:*",
        "arn:aws:logs:us-east-1:123456789012:*",
        "arn:aws:iam::123456789012:role/x",
        "arn:aws:iam::aws:policy/CloudWatchFullAccess",
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::*:role/x",
        "arn:aws:s3:::bucket",
        "arn:aws:s3:::bucket/a:b/*",
        "arn:aws:s3:us-east-1:123456789012:accesspoint/x",
        "arn:aws:kms:us-gov-west-1:123456789012:key/*",
        "arn:aws:ecs:us-east-1:123456789012:*",
        "arn:aws:ssm:us-east-1:123456789012:param*",
        "arn:aws:ssm:us-east-1:${aws:PrincipalAccount}:parameter/${aws:username}/*",
        "arn:*:ssm:us-east-1:123456789012:parameter/x",
        "arn:aws:ec2:us-east-1::image/ami-1",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-??????",
        "arn:aws:route53:::hostedzone/Z1",
        "arn:aws:newservice:us-east-1:123456789012:thing/x",
        "arn:aws:newservice:::thing",
        "arn:aws:ssm:unknown-region-1:000000000000:parameter/x",
    ] {
        assert_eq!(messages(text, None), [""; 0], "{text}");
    }
}

#[test]
fn each_problem_has_a_message() {
    let cases = [
        (
            "arn:aws:ssm:us-east-1::123456789012:parameter/cruddur/backend-flask/*",
            "it has one colon too many between region and account, so its account is empty and it never matches; did you \
             mean `arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/backend-flask/*`?",
        ),
        (
            "arn:aws:ssm:us-east-1::$AWS_ACCOUNT_ID:parameter/x",
            "it has one colon too many between region and account, so its account is empty and it never matches; did you \
             mean `arn:aws:ssm:us-east-1:$AWS_ACCOUNT_ID:parameter/x`?",
        ),
        (
            "arn:aws:ssm::us-east-1:123456789012:parameter/x",
            "it has one colon too many behind `ssm`, so its region is empty and it never matches; did you mean \
             `arn:aws:ssm:us-east-1:123456789012:parameter/x`?",
        ),
        (
            "arn::aws:ssm:us-east-1:123456789012:parameter/x",
            "it has one colon too many behind `arn`",
        ),
        (
            "arn:aws::ssm:us-east-1:123456789012:x",
            "it has one colon too many behind the partition",
        ),
        (
            "arn:aws:ssm:us-east-1:parameter/x",
            "it has 5 parts, and an ARN has 6; an ARN is arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE",
        ),
        (
            "arn:aws:iam:123456789012:role/x",
            "it has 5 parts, and an ARN has 6; did you mean `arn:aws:iam::123456789012:role/x`?",
        ),
        (
            "parameter/x",
            "it is no ARN; an ARN is arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE",
        ),
        (
            "arn:aws:ssm:us-east-1: 123456789012:parameter/x",
            "it has white space in it",
        ),
        (
            "arn:aws:ssm::123456789012:parameter/x",
            "its region is empty, and ssm has one; write ${AWS_REGION}, or * for all",
        ),
        (
            "arn:aws:ssm:us-east-1::parameter/x",
            "its account is empty, and ssm wants one; write ${AWS_ACCOUNT_ID}",
        ),
        (
            "arn:aws:iam:us-east-1:123456789012:role/x",
            "its region is `us-east-1`, and iam has none; leave the fourth part empty",
        ),
        (
            "arn:aws:s3:us-east-1::bucket",
            "its region is `us-east-1`, and s3 has none; leave the fourth part empty",
        ),
        (
            "arn:aws:s3::123456789012:bucket",
            "its account is `123456789012`, and s3 has none; leave the fifth part empty",
        ),
        (
            "arn:aws:ssm:us-east-1:12345:parameter/x",
            "its account `12345` is not 12 digits; write ${AWS_ACCOUNT_ID}",
        ),
        (
            "arn:aws:ssm:us-east-1:$AWS_ACCOUNT_ID:parameter/x",
            "its account `$AWS_ACCOUNT_ID` is not 12 digits; write ${AWS_ACCOUNT_ID}",
        ),
        (
            "arn:aws:ssm:useast1:123456789012:parameter/x",
            "its region `useast1` has not the form of one",
        ),
        (
            "arn:amazon:ssm:us-east-1:123456789012:parameter/x",
            "its partition `amazon` is none of AWS; they are aws, aws-cn, aws-us-gov, …; write ${AWS_PARTITION} for the one \
             at hand",
        ),
        (
            "arn:aws:ssm:us-east-1:123456789012:",
            "nothing stands behind its last colon",
        ),
        (
            "arn:aws:ecs:us-east-1:123456789012:cluster/x:",
            "it ends with a colon",
        ),
        (
            "arn:aws:ssm:us-east-1:123456789012:parameter//cruddur/x",
            "it has two slashes behind `parameter`, so it never matches; the name's own slash is the only one: \
             parameter${params.prefix}/*",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(messages(text, None), [expected], "{text}");
        assert!(problems(text, None).iter().all(|problem| problem.fatal), "{text}");
    }
}

#[test]
fn the_partition_is_the_callers() {
    let arn = "arn:aws:iam::aws:policy/CloudWatchFullAccess";
    assert_eq!(messages(arn, Some("aws")), [""; 0]);
    assert_eq!(
        messages(arn, Some("aws-cn")),
        [
            "its partition is `aws`, and this account is in `aws-cn`: it never matches; write ${AWS_PARTITION} for the one at hand"
        ]
    );
}

#[test]
fn an_unknown_resource_kind_is_not_fatal() {
    let found = problems("arn:aws:ssm:us-east-1:123456789012:parameters/x", None);
    assert_eq!(found.len(), 1);
    assert!(!found[0].fatal);
    assert_eq!(
        found[0].message,
        "`parameters/x` begins with none of the kinds that ssm has"
    );
}

#[test]
fn parts_are_split() {
    let arn = split("arn:aws:logs:us-east-1:123456789012:log-group:cruddur:*").unwrap();
    assert_eq!((arn.service, arn.resource), ("logs", "log-group:cruddur:*"));
    assert_eq!(split("arn:aws:logs"), None);
    assert_eq!(split("urn:aws:logs:a:b:c"), None);
}
