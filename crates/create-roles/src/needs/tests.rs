use super::*;
use serde_json::json;

fn target() -> AwsTarget {
    AwsTarget {
        account: "123456789012".into(),
        region: "us-east-1".into(),
    }
}

fn shown(definition: &Value) -> Vec<String> {
    let needs = needs(definition, &target());
    needs
        .iter()
        .map(|need| format!("{} on {}", need.actions.join("+"), need.resource))
        .collect()
}

#[test]
fn each_thing_that_ecs_does_before_the_start() {
    let logs = json!({"logDriver": "awslogs", "options": {"awslogs-group": "cruddur", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "p"}});
    let definition = json!({"containerDefinitions": [
        {
            "name": "flask",
            "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/backend-flask:1@sha256:00",
            "secrets": [
                {"name": "A", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/A"},
                {"name": "B", "valueFrom": "/cruddur/B"},
                {"name": "C", "valueFrom": "plain"},
                {"name": "D", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:d-AbCdEf:key::"},
                {"name": "E", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:d-AbCdEf:other::"},
            ],
            "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::bucket/a/b.env"}],
            "logConfiguration": logs,
        },
        {
            "name": "xray",
            "image": "public.ecr.aws/xray/aws-xray-daemon:3",
            "repositoryCredentials": {"credentialsParameter": "arn:aws:secretsmanager:us-east-1:123456789012:secret:hub-AbCdEf"},
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "x", "awslogs-create-group": "true", "awslogs-stream-prefix": "p"}},
        },
        {"name": "again", "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/backend-flask"},
    ]});
    assert_eq!(
        shown(&definition),
        [
            "ecr:GetAuthorizationToken on *",
            "ecr:BatchCheckLayerAvailability+ecr:GetDownloadUrlForLayer+ecr:BatchGetImage on arn:aws:ecr:us-east-1:123456789012:repository/team/backend-flask",
            "secretsmanager:GetSecretValue on arn:aws:secretsmanager:us-east-1:123456789012:secret:hub-AbCdEf",
            "ssm:GetParameters on arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/A",
            "ssm:GetParameters on arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/B",
            "ssm:GetParameters on arn:aws:ssm:us-east-1:123456789012:parameter/plain",
            "secretsmanager:GetSecretValue on arn:aws:secretsmanager:us-east-1:123456789012:secret:d-AbCdEf",
            "s3:GetObject on arn:aws:s3:::bucket/a/b.env",
            "s3:GetBucketLocation on arn:aws:s3:::bucket",
            "logs:CreateLogStream+logs:PutLogEvents on arn:aws:logs:eu-west-1:123456789012:log-group:cruddur:log-stream:p/flask/task",
            "logs:CreateLogGroup on arn:aws:logs:us-east-1:123456789012:log-group:x",
            "logs:CreateLogStream+logs:PutLogEvents on arn:aws:logs:us-east-1:123456789012:log-group:x:log-stream:p/xray/task",
        ]
    );
}

#[test]
fn nothing_is_needed_for_what_is_public() {
    assert_eq!(
        shown(&json!({"containerDefinitions": [{"name": "a", "image": "nginx"}]})),
        [""; 0]
    );
    assert_eq!(shown(&json!({})), [""; 0]);
}

#[test]
fn private_registries_are_known_by_their_host() {
    for (image, expected) in [
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a:1",
            Some(("123456789012", "cn-north-1", "a")),
        ),
        (
            "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/a/b@sha256:0",
            Some(("123456789012", "us-gov-west-1", "a/b")),
        ),
        ("public.ecr.aws/a/b", None),
        ("localhost:5000/a", None),
        ("a", None),
    ] {
        assert_eq!(private_ecr(image), expected, "{image}");
    }
}
