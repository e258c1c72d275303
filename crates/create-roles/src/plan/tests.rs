use super::*;
use serde_json::json;

const CLOUD_WATCH: &str = "arn:aws:iam::aws:policy/CloudWatchFullAccess";
const X_RAY: &str = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess";

fn trust() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
}

fn allow(action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
}

fn desired() -> Desired {
    Desired {
        key: "task".into(),
        name: "Task".into(),
        path: "/".into(),
        trust: trust(),
        inline: vec![("Access".into(), allow("ssm:GetParameters"))],
        managed: vec![CLOUD_WATCH.into(), X_RAY.into()],
        boundary: None,
        tags: Tags::from([("app".into(), "cruddur".into())]),
    }
}

/// What IAM has when it is as [`desired`], with something of another owner.
fn observed() -> Observed {
    Observed {
        name: "Task".into(),
        arn: "arn:aws:iam::123456789012:role/Task".into(),
        path: "/".into(),
        trust: json!({"Version": "2012-10-17", "Statement": {"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": ["ecs-tasks.amazonaws.com"]}}}),
        inline: vec!["Access".into(), "Other".into()],
        documents: BTreeMap::from([("Access".into(), allow("SSM:getparameters"))]),
        managed: vec![
            X_RAY.into(),
            CLOUD_WATCH.into(),
            "arn:aws:iam::aws:policy/ReadOnlyAccess".into(),
        ],
        boundary: Some("arn:aws:iam::123456789012:policy/Boundary".into()),
        tags: Tags::from([("app".into(), "cruddur".into()), ("owner".into(), "other".into())]),
    }
}

fn actions(plan: &Plan) -> Vec<Action> {
    plan.steps().iter().map(|step| step.action.clone()).collect()
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.changes().iter().map(ToString::to_string).collect()
}

#[test]
fn the_same_in_other_words_is_no_difference() {
    let plan = plan(&desired(), Some(&observed()), false).unwrap();
    assert_eq!(plan, Plan::Nothing);
    assert_eq!(
        (plan.verb(), plan.steps(), plan.changes()),
        ("none", [].as_slice(), vec![])
    );
}

#[test]
fn a_new_role_gets_everything() {
    let mut desired = desired();
    desired.path = "/apps/".into();
    desired.boundary = Some("arn:aws:iam::123456789012:policy/Boundary".into());
    let plan = plan(&desired, None, true).unwrap();
    assert_eq!(plan.verb(), "create");
    assert_eq!(
        actions(&plan),
        [
            Action::Attach(CLOUD_WATCH.into()),
            Action::Attach(X_RAY.into()),
            Action::Put("Access".into(), allow("ssm:GetParameters")),
        ]
    );
    let paths: Vec<String> = plan.changes().into_iter().map(|change| change.path).collect();
    assert_eq!(
        paths,
        [
            "trust",
            "path",
            "permissions_boundary",
            "tags.app",
            "managed",
            "managed",
            "inline.Access"
        ]
    );
    assert_eq!(
        policies_of(&plan, &desired),
        [CLOUD_WATCH, X_RAY, "arn:aws:iam::123456789012:policy/Boundary"]
    );
    assert!(removals(&plan, "Task").is_empty());
}

#[test]
fn only_what_differs_is_changed() {
    let mut observed = observed();
    observed.trust = json!({"Version": "2012-10-17", "Statement": {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}});
    observed.documents = BTreeMap::from([("Access".into(), allow("ssm:GetParameter"))]);
    observed.managed = vec![X_RAY.into()];
    observed.tags = Tags::from([("app".into(), "other".into())]);
    let mut desired = desired();
    desired.boundary = Some("arn:aws:iam::123456789012:policy/New".into());
    let plan = plan(&desired, Some(&observed), false).unwrap();
    assert_eq!(
        actions(&plan),
        [
            Action::Trust(trust()),
            Action::Bound("arn:aws:iam::123456789012:policy/New".into()),
            Action::Attach(CLOUD_WATCH.into()),
            Action::Put("Access".into(), allow("ssm:GetParameters")),
            Action::Tag(desired.tags.clone()),
        ]
    );
    assert_eq!(
        lines(&plan),
        [
            "trust.Statement[0].Principal.Service: ec2.amazonaws.com -> ecs-tasks.amazonaws.com".to_owned(),
            "permissions_boundary: arn:aws:iam::123456789012:policy/Boundary -> arn:aws:iam::123456789012:policy/New".to_owned(),
            format!("managed: (none) -> {CLOUD_WATCH}"),
            "inline.Access.Statement[0].Action: ssm:GetParameter -> ssm:GetParameters".to_owned(),
            "tags.app: other -> cruddur".to_owned(),
        ]
    );
    assert_eq!(
        policies_of(&plan, &desired),
        ["arn:aws:iam::123456789012:policy/New", CLOUD_WATCH]
    );
}

#[test]
fn an_inline_policy_that_is_missing_is_put_as_a_whole() {
    let mut observed = observed();
    observed.documents.clear();
    let plan = plan(&desired(), Some(&observed), false).unwrap();
    assert_eq!(
        actions(&plan),
        [Action::Put("Access".into(), allow("ssm:GetParameters"))]
    );
    assert_eq!(
        plan.changes(),
        [Change::new(
            "inline.Access",
            Value::Null,
            allow("ssm:GetParameters")
        )]
    );
}

#[test]
fn what_the_file_does_not_name_goes_only_with_prune() {
    let (desired, observed) = (desired(), observed());
    let expected = Unmanaged {
        inline: vec!["Other".into()],
        managed: vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".into()],
    };
    assert_eq!(unmanaged(&desired, &observed), expected);
    let plan = plan(&desired, Some(&observed), true).unwrap();
    assert_eq!(
        actions(&plan),
        [
            Action::Detach("arn:aws:iam::aws:policy/ReadOnlyAccess".into()),
            Action::Delete("Other".into()),
        ]
    );
    assert_eq!(
        lines(&plan),
        [
            "managed: arn:aws:iam::aws:policy/ReadOnlyAccess -> (none)",
            "inline: Other -> (none)"
        ]
    );
    assert_eq!(
        removals(&plan, "Task"),
        [
            "detach `arn:aws:iam::aws:policy/ReadOnlyAccess` from role `Task`",
            "delete inline policy `Other` of role `Task`",
        ]
    );
}

#[test]
fn what_is_fixed_for_good_is_an_error_that_says_so() {
    let mut elsewhere = desired();
    elsewhere.path = "/apps/".into();
    let error = plan(&elsewhere, Some(&observed()), false)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "failed to change the path of role `Task` from `/` to `/apps/`: a path is set only at creation"
    );
    let mut small = observed();
    small.name = "task".into();
    let error = plan(&desired(), Some(&small), false).unwrap_err().to_string();
    assert_eq!(
        error,
        "failed to use the role name `Task`: IAM has a role `task`, and ignores case"
    );
}

#[test]
fn what_was_taken_away_must_be_gone_and_nothing_else() {
    let desired = desired();
    let before = observed();
    let Plan::Update(steps) = plan(&desired, Some(&before), true).unwrap() else {
        panic!("there is something to take away")
    };
    let still = |after: &Observed, steps: &[Step<Action>]| {
        let remaining = remaining(plan(&desired, Some(after), true).unwrap(), steps);
        remaining
            .changes()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        still(&before, &steps),
        [
            "managed: arn:aws:iam::aws:policy/ReadOnlyAccess -> (none)",
            "inline: Other -> (none)"
        ]
    );
    assert_eq!(still(&before, &[]), [""; 0]);
    let mut after = before;
    after.managed.pop();
    assert_eq!(still(&after, &steps), ["inline: Other -> (none)"]);
    after.inline.pop();
    after.inline.push("Of another caller".into());
    assert_eq!(still(&after, &steps), [""; 0]);
    // What was set counts always.
    after.tags.clear();
    assert_eq!(still(&after, &steps), ["tags.app: (none) -> cruddur"]);
    assert_ne!(
        remaining(plan(&desired, None, true).unwrap(), &steps),
        Plan::Nothing
    );
}
