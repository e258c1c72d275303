//! Removes what an earlier run of the journey made in a sandbox that stayed up, with the aws CLI.

use super::{LIMIT, PARAMETERS};
use support::sandbox::Sandbox;

/// Each command may fail: what it deletes need not exist.
const SCRIPT: &str = r#"
text() { aws "$@" --output text | tr '\t' '\n' | grep -v '^None$'; }
aws ecs delete-service --force --cluster cruddur --service backend-flask
while text ecs list-tasks --cluster cruddur --query 'taskArns[]' | grep -q .; do sleep 0.2; done
for revision in $(text ecs list-task-definitions --family-prefix backend-flask --query 'taskDefinitionArns[]'); do
    aws ecs deregister-task-definition --task-definition "$revision"
done
aws ecs delete-cluster --cluster cruddur
aws logs delete-log-group --log-group-name cruddur
for role in CruddurServiceExecutionRole CruddurTaskRole; do
    for arn in $(text iam list-attached-role-policies --role-name $role --query 'AttachedPolicies[].PolicyArn'); do
        aws iam detach-role-policy --role-name $role --policy-arn "$arn"
    done
    for name in $(text iam list-role-policies --role-name $role --query 'PolicyNames[]'); do
        aws iam delete-role-policy --role-name $role --policy-name "$name"
    done
    aws iam delete-role --role-name $role
done
for name in cruddur-python backend-flask; do
    aws ecr delete-repository --force --repository-name $name
done
for name; do aws ssm delete-parameter --name "/cruddur/backend-flask/$name"; done
true
"#;

pub(super) fn start_afresh(sandbox: &Sandbox) {
    let shell = sandbox.program("bash").args(["-c", SCRIPT, "bash"]);
    shell.args(PARAMETERS).limit(LIMIT).run().exits(0);
}
