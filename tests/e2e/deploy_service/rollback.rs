//! `rollback`: where it goes, and that it asks.

use super::fake::{
    self, ARN, SERVICE_REVISION, answers, definitions, deployed, revision, service, tool, with, writes,
};
use serde_json::{Value, json};
use support::Tool;
use support::aws::{FakeAws, ecs};

/// A service that is brought from `present` to revision `back`.
fn goes_back(aws: &FakeAws, present: &Value, back: u64) {
    let begun = service(&[
        &format!("back PRIMARY {back} IN_PROGRESS"),
        "new ACTIVE 9 COMPLETED",
    ]);
    aws.answer(ecs("UpdateService"), 200, json!({"service": begun}));
    let done = service(&[&format!("back PRIMARY {back} COMPLETED")]);
    answers(aws, &[present.clone(), begun, done]);
}

/// On revision 2, which was deployed after revision 1.
pub(super) fn on_two() -> FakeAws {
    let aws = fake::start();
    deployed(&aws, &[2, 1]);
    goes_back(&aws, &service(&["new PRIMARY 2 COMPLETED"]), 1);
    aws
}

fn rollback(aws: &FakeAws, arguments: &[&str]) -> Tool {
    tool(aws, &["rollback", "--poll", "20ms"]).args(arguments)
}

/// The active revisions that ECS lists.
fn listed(aws: &FakeAws, revisions: &[u64]) {
    let arns: Vec<String> = revisions.iter().map(|number| revision(*number)).collect();
    aws.answer(
        ecs("ListTaskDefinitions"),
        200,
        json!({"taskDefinitionArns": arns}),
    );
}

#[test]
fn it_asks_before_it_goes_back() {
    let aws = on_two();
    rollback(&aws, &[])
        .run()
        .exits(2)
        .says("refused to roll service `web` back from `web:2` to `web:1`: ");
    assert_eq!(writes(&aws), [""; 0]);

    let aws = on_two();
    let output = rollback(&aws, &["--yes"]).run().exits(0);
    output.prints(ARN);
    assert_eq!(
        aws.bodies(ecs("UpdateService")),
        [json!({"cluster": "apps", "service": "web", "taskDefinition": revision(1)})]
    );

    let aws = on_two();
    let output = rollback(&aws, &[]).on_a_terminal("y\n").run();
    assert!(
        output.stdout.contains("this will roll service `web` back"),
        "{}",
        output.transcript()
    );
    assert_eq!(writes(&aws), ["UpdateService"]);
}

#[test]
fn a_plan_says_where_it_would_go_and_why() {
    let aws = on_two();
    let output = rollback(&aws, &["--dry-run", "-o", "json"])
        .run()
        .exits(0)
        .says("web: `web:1` is the last one deployed successfully before `web:2`\n")
        .says("  taskDefinition: web:2 -> web:1\n");
    assert_eq!(
        output.json()["items"][0]["why"],
        "`web:1` is the last one deployed successfully before `web:2`"
    );
    assert_eq!(writes(&aws), [""; 0]);
    assert_eq!(
        aws.bodies(ecs("ListServiceDeployments")),
        [json!({"cluster": "apps", "service": "web", "status": ["SUCCESSFUL"], "maxResults": 100})]
    );
    // The numbers of the revisions are of no interest.
    assert_eq!(aws.bodies(ecs("ListTaskDefinitions")), [Value::Null; 0]);
}

#[test]
fn it_goes_to_what_was_deployed_and_not_to_what_was_registered() {
    let active: Vec<_> = (1..=9).map(|number| (number, "ACTIVE")).collect();
    for (history, present, back) in [
        // 8 was never deployed, or failed.
        (&[9, 7, 5][..], 9, 7),
        // The higher number came first.
        (&[3, 6], 3, 6),
        // A second rollback goes one further.
        (&[5, 9, 5, 4], 5, 4),
    ] {
        let aws = fake::start();
        definitions(&aws, &active);
        deployed(&aws, history);
        goes_back(
            &aws,
            &service(&[&format!("new PRIMARY {present} COMPLETED")]),
            back,
        );
        rollback(&aws, &["--yes"]).run().exits(0);
        assert_eq!(
            aws.bodies(ecs("UpdateService"))[0]["taskDefinition"],
            revision(back)
        );
    }
}

#[test]
fn what_was_deregistered_is_passed_over() {
    let aws = fake::start();
    definitions(&aws, &[(5, "ACTIVE"), (7, "INACTIVE"), (9, "ACTIVE")]);
    deployed(&aws, &[9, 7, 6, 5]);
    goes_back(&aws, &service(&["new PRIMARY 9 COMPLETED"]), 5);
    rollback(&aws, &["--yes"])
        .run()
        .exits(0)
        .says("web: `web:7` is passed over: it was deregistered\n")
        // It was deleted, even.
        .says("web: `web:6` is passed over: it was deregistered\n")
        .says("  taskDefinition: web:9 -> web:5\n");
    // Where none is left, the numbers have to do.
    let aws = fake::start();
    definitions(&aws, &[(4, "ACTIVE"), (7, "INACTIVE"), (9, "ACTIVE")]);
    deployed(&aws, &[9, 7]);
    listed(&aws, &[9, 4]);
    goes_back(&aws, &service(&["new PRIMARY 9 COMPLETED"]), 4);
    rollback(&aws, &["--yes"])
        .run()
        .exits(0)
        .says("warning: web: what ran before `web:9` is not known: no revision that was deployed before it is active any more. `web:4` is ");
}

#[test]
fn the_history_is_read_page_by_page() {
    let aws = fake::start();
    definitions(&aws, &[(1, "ACTIVE"), (2, "ACTIVE")]);
    // 30 deployments of revision 2 in pages of 10, one of them empty, and in none of their orders the newest first.
    aws.answer_with(ecs("ListServiceDeployments"), |body| {
        let page: usize = body["nextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let briefs = (0..10).map(|at| {
            let at = page * 10 + 9 - at;
            json!({"targetServiceRevisionArn": format!("{SERVICE_REVISION}/{at}"), "createdAt": 1000.5 - at as f64})
        });
        let briefs: Vec<Value> = if page == 1 { Vec::new() } else { briefs.collect() };
        let token = if page < 3 { json!((page + 1).to_string()) } else { Value::Null };
        (200, json!({"serviceDeployments": briefs, "nextToken": token}))
    });
    let mut revisions = [2; 40];
    revisions[38] = 1;
    revisions[39] = 3;
    fake::service_revisions(&aws, &revisions);
    goes_back(&aws, &service(&["new PRIMARY 2 COMPLETED"]), 1);
    rollback(&aws, &["--yes"]).run().exits(0);
    assert_eq!(aws.bodies(ecs("UpdateService"))[0]["taskDefinition"], revision(1));
    assert_eq!(aws.bodies(ecs("ListServiceDeployments")).len(), 4);
}

/// What is different in an AWS.
type Script = dyn Fn(&FakeAws);

#[test]
fn without_a_history_it_goes_by_number_and_says_so() {
    let no = "ecs:ListServiceDeployments failed: ";
    let fake = |script: &Script| {
        let aws = on_two();
        definitions(&aws, &[(1, "ACTIVE"), (2, "ACTIVE"), (3, "ACTIVE")]);
        // The page with the right one is not the first.
        aws.answer_with(ecs("ListTaskDefinitions"), |body| {
            match body["nextToken"].as_str() {
                None => (
                    200,
                    json!({"taskDefinitionArns": [revision(3), revision(2)], "nextToken": "n"}),
                ),
                Some(_) => (200, json!({"taskDefinitionArns": [revision(1)]})),
            }
        });
        script(&aws);
        aws
    };
    let refuse = |operation: &'static str, code: &'static str| {
        move |aws: &FakeAws| {
            aws.refuse(ecs(operation), code, "no");
        }
    };
    let empty = |aws: &FakeAws| {
        deployed(aws, &[]);
    };
    let forgotten = |aws: &FakeAws| fake::service_revisions(aws, &[]);
    let unknown = |aws: &FakeAws| {
        aws.answer_text(
            ecs("ListServiceDeployments"),
            404,
            "<html>not found</html>",
            "text/html",
        );
    };
    let unsupported = refuse("ListServiceDeployments", "UnsupportedFeatureException");
    let cases: [(&Script, &str); 4] = [
        (&unsupported, &format!("{no}UnsupportedFeatureException: no")),
        (&unknown, "ecs:ListServiceDeployments returned a non-AWS response"),
        (
            &empty,
            "ECS lists no successful deployment of another revision before it",
        ),
        (
            &forgotten,
            "ECS lists no successful deployment of another revision before it",
        ),
    ];
    for (script, why) in cases {
        let aws = fake(script);
        rollback(&aws, &["--dry-run"])
            .run()
            .exits(0)
            .says(&format!("warning: web: what ran before `web:2` is not known: {why}"))
            .says(". `web:1` is the active revision with the next lower number: check that it is the right one\n")
            .says("web: `web:1` is the active revision before `web:2` by its number\n")
            .says("  taskDefinition: web:2 -> web:1\n");
        assert_eq!(
            aws.bodies(ecs("ListTaskDefinitions"))[0],
            json!({"familyPrefix": "web", "status": "ACTIVE", "sort": "DESC", "maxResults": 100})
        );
    }
    // The list of the revisions is denied too.
    let aws = fake(&unsupported);
    aws.refuse(ecs("ListTaskDefinitions"), "AccessDeniedException", "no");
    rollback(&aws, &["--yes"])
        .run()
        .exits(2)
        .says("ecs:ListTaskDefinitions failed: AccessDeniedException: no\n")
        .says("hint: grant `ecs:ListTaskDefinitions` to ");
}

#[test]
fn a_history_that_may_not_be_read_is_not_guessed_at() {
    for operation in ["ListServiceDeployments", "DescribeServiceRevisions"] {
        let aws = on_two();
        listed(&aws, &[2, 1]);
        aws.refuse(ecs(operation), "AccessDeniedException", "no");
        rollback(&aws, &["--yes"])
            .run()
            .exits(2)
            .says(&format!("ecs:{operation} failed: AccessDeniedException: no"))
            .says("hint: grant `ecs:ListServiceDeployments` and `ecs:DescribeServiceRevisions`, or name the revision with --task-definition");
        assert_eq!(writes(&aws), [""; 0]);
    }
}

#[test]
fn a_history_that_can_not_be_read_now_is_not_taken_for_none() {
    for operation in ["ListServiceDeployments", "DescribeServiceRevisions"] {
        for code in ["ThrottlingException", "ServerException"] {
            let aws = on_two();
            listed(&aws, &[2, 1]);
            aws.refuse(ecs(operation), code, "no");
            rollback(&aws, &["--yes"]).run().exits(2).says(&format!(
                "failed to roll back service `web`: ecs:{operation} failed: {code}"
            ));
            assert_eq!(writes(&aws), [""; 0]);
        }
    }
}

#[test]
fn of_a_deployment_that_goes_on_it_goes_to_what_ran_before() {
    for state in ["IN_PROGRESS", "FAILED"] {
        // Neither the history nor the revisions are asked for.
        let aws = fake::start();
        let now = service(&[&format!("new PRIMARY 2 {state}"), "old ACTIVE 1 COMPLETED"]);
        goes_back(&aws, &now, 1);
        rollback(&aws, &["--yes"])
            .run()
            .exits(0)
            .says("web: `web:1` is what ran before `web:2`, whose deployment has not completed\n");
        assert_eq!(aws.bodies(ecs("UpdateService"))[0]["taskDefinition"], revision(1));
    }
    // What ran before was deregistered while it ran.
    let aws = fake::start();
    definitions(&aws, &[(1, "ACTIVE"), (2, "INACTIVE"), (3, "ACTIVE")]);
    deployed(&aws, &[2, 1]);
    goes_back(
        &aws,
        &service(&["new PRIMARY 3 IN_PROGRESS", "old ACTIVE 2 COMPLETED"]),
        1,
    );
    rollback(&aws, &["--yes"]).run().exits(0);
    assert_eq!(aws.bodies(ecs("UpdateService"))[0]["taskDefinition"], revision(1));
}

#[test]
fn where_ecs_goes_back_already_it_waits() {
    let aws = fake::start();
    let now = service(&[
        "back PRIMARY 1 IN_PROGRESS | ECS deployment circuit breaker: rolling back to deploymentId old.",
        "new ACTIVE 2 FAILED",
        "old ACTIVE 1 COMPLETED",
    ]);
    answers(&aws, &[now.clone(), now, service(&["back PRIMARY 1 COMPLETED"])]);
    rollback(&aws, &[])
        .run()
        .exits(0)
        .says("web: ECS rolls back to `web:1` already\n")
        .says("web:1 is deployed, its deployment COMPLETED\n");
    assert_eq!(writes(&aws), [""; 0]);
}

#[test]
fn without_an_earlier_revision_there_is_no_way_back() {
    let aws = on_two();
    deployed(&aws, &[2]);
    listed(&aws, &[2]);
    rollback(&aws, &["--yes"])
        .run()
        .exits(2)
        .says("failed to roll back service `web`: `web` has no active revision before `web:2`")
        .says("hint: name one with --task-definition");
    let aws = fake::start();
    answers(&aws, &[with(service(&[]), "status", "INACTIVE".into())]);
    rollback(&aws, &["--yes"])
        .run()
        .exits(2)
        .says("failed to roll back service `web`: there is none");
}
