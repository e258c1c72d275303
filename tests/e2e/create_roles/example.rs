//! The roles of the example, as rows 12 and 13 of the job have them.

use super::iam::{Iam, forms};
use serde_json::{Value, json};
use support::root;

/// The statements of a policy: effect, actions, resources.
fn statements(document: &Value) -> Vec<(String, Vec<String>, Value)> {
    let document: Value = serde_json::from_str(document.as_str().unwrap()).unwrap();
    let statements = document["Statement"].as_array().unwrap().clone();
    let one = |statement: Value| {
        let actions = statement["Action"].as_array().unwrap().iter();
        let actions = actions
            .map(|action| action.as_str().unwrap().to_owned())
            .collect();
        (
            statement["Effect"].as_str().unwrap().to_owned(),
            actions,
            statement["Resource"].clone(),
        )
    };
    statements.into_iter().map(one).collect()
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn they_have_the_expected_names_and_permissions() {
    let (aws, iam) = Iam::with([]);
    let output = aws
        .launcher("bin/iam/create-roles")
        .current_dir(root())
        .run()
        .exits(0);
    output.prints(
        "arn:aws:iam::123456789012:role/CruddurServiceExecutionRole\narn:aws:iam::123456789012:role/CruddurTaskRole",
    );
    for form in forms(&aws, "CreateRole") {
        let trust: Value = serde_json::from_str(form["AssumeRolePolicyDocument"].as_str().unwrap()).unwrap();
        assert_eq!(
            trust["Statement"],
            json!([{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}])
        );
    }
    let put = forms(&aws, "PutRolePolicy");
    let names: Vec<(&Value, &Value)> = put
        .iter()
        .map(|form| (&form["RoleName"], &form["PolicyName"]))
        .collect();
    assert_eq!(
        names,
        [
            (
                &json!("CruddurServiceExecutionRole"),
                &json!("CruddurServiceExecutionPolicy")
            ),
            (&json!("CruddurTaskRole"), &json!("SSMAccessPolicy")),
        ]
    );
    assert_eq!(
        statements(&put[0]["PolicyDocument"]),
        [
            (
                "Allow".to_owned(),
                words(&[
                    "ecr:GetAuthorizationToken",
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:GetDownloadUrlForLayer",
                    "ecr:BatchGetImage",
                    "logs:CreateLogStream",
                    "logs:PutLogEvents",
                ]),
                json!("*"),
            ),
            (
                "Allow".to_owned(),
                words(&["ssm:GetParameters", "ssm:GetParameter"]),
                json!("arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/backend-flask/*"),
            ),
        ]
    );
    assert_eq!(
        statements(&put[1]["PolicyDocument"]),
        [(
            "Allow".to_owned(),
            words(&[
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ]),
            json!("*"),
        )]
    );
    let roles = iam.roles();
    assert_eq!(
        roles["CruddurTaskRole"].managed,
        [
            "arn:aws:iam::aws:policy/CloudWatchFullAccess",
            "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
        ]
    );
    assert!(roles["CruddurServiceExecutionRole"].managed.is_empty());
}
