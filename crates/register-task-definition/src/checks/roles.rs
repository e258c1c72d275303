//! The two roles: whether they exist, and whether ECS tasks may assume them.

use super::context::{Checks, Findings, Missing, is_denied};
use anyhow::{Context, Result};
use aws_documents::{Field, policy};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use cli::{ErrorKind, Failure};
use common::aws::Client;
use common::aws::service::IAM;
use common::config::partition_of;
use common::json::text;
use futures_util::future::join_all;
use serde_json::{Value, json};

/// The service that assumes the roles of a task.
const ECS_TASKS: &str = "ecs-tasks.amazonaws.com";

pub(super) async fn check(checks: &Checks<'_>) -> Result<Findings> {
    let root = checks.document.field();
    let fields: Vec<Field> = ["executionRoleArn", "taskRoleArn"]
        .into_iter()
        .filter_map(|key| root.get(key))
        .collect();
    let client = Client::new(checks.aws, &IAM);
    let answers = join_all(fields.iter().map(|field| ask(checks, &client, field))).await;
    let mut findings = Findings::default();
    for answer in answers {
        let answer = answer?;
        findings.diagnostics.extend(answer.diagnostics);
        for planned in answer.planned {
            if !findings.planned.contains(&planned) {
                findings.planned.push(planned);
            }
        }
        findings.not_checked.extend(answer.not_checked);
        let seconds = |made: &DateTime| made.secs();
        findings.youngest_role = [findings.youngest_role, answer.youngest_role]
            .into_iter()
            .flatten()
            .max_by_key(seconds);
    }
    findings.not_checked.dedup();
    Ok(findings)
}

async fn ask(checks: &Checks<'_>, client: &Client, field: &Field<'_>) -> Result<Findings> {
    let mut findings = Findings::default();
    let written = field.text().unwrap_or_default();
    let Some(parts) = arn::split(written) else {
        return Ok(findings);
    };
    let name = parts.resource.rsplit('/').next().unwrap_or_default();
    let account = &checks.target.account;
    if parts.account != account {
        let message = format!(
            "role `{name}` is of account {}, and a task takes roles only of its own, {account}",
            parts.account
        );
        findings.error(checks.document, field, message, None);
        return Ok(findings);
    }
    let answer = match client.call("GetRole", &json!({"RoleName": name})).await {
        Ok(answer) => answer,
        Err(error) => {
            if error.kind() == ErrorKind::NotFound {
                let missing = Missing {
                    kind: "role",
                    name: name.to_owned(),
                    message: format!("there is no role `{name}`"),
                    created_by: is_own(checks, written).then_some("create-roles"),
                    hint: "create it, or correct the ARN".into(),
                };
                checks.missing(&mut findings, field, missing);
            } else if is_denied(error.code()) {
                let what = format!("whether role `{name}` exists and trusts {ECS_TASKS}");
                findings.denied(what, "iam:GetRole");
            } else {
                return Err(Failure::from(error))
                    .with_context(|| format!("failed to describe role `{name}`"));
            }
            return Ok(findings);
        }
    };
    let Some(role) = answer.get("Role").filter(|role| role.is_object()) else {
        findings
            .not_checked
            .push(format!("role `{name}` (iam:GetRole response omitted `Role`)"));
        return Ok(findings);
    };
    findings.youngest_role = DateTime::from_str(text(role, "CreateDate"), Format::DateTimeWithOffset).ok();
    let arn = text(role, "Arn");
    if arn != written {
        let message = format!("role `{name}` has another ARN: `{arn}`");
        findings.error(
            checks.document,
            field,
            message,
            Some("its path is a part of it".into()),
        );
    }
    let trust = text(role, "AssumeRolePolicyDocument");
    let trust =
        policy::decode("response of iam:GetRole", trust).map_err(|diagnostic| diagnostic.into_failure())?;
    if !admits(&trust) {
        let message = format!("role `{name}` does not trust {ECS_TASKS}: no task could assume it");
        let hint = if is_own(checks, written) {
            "run create-roles, which repairs its trust policy"
        } else {
            "allow sts:AssumeRole to that service in its trust policy"
        };
        findings.error(checks.document, field, message, Some(hint.into()));
    }
    Ok(findings)
}

/// Whether `create-roles` creates the role.
fn is_own(checks: &Checks, arn: &str) -> bool {
    let partition = partition_of(&checks.target.region);
    let mut roles = checks.config.schema.roles.iter();
    roles.any(|(_, role)| role.arn(partition, &checks.target.account) == arn)
}

/// Whether a trust policy admits ECS tasks: a statement allows it, and none denies it without a condition.
fn admits(trust: &Value) -> bool {
    let statements = list(trust.get("Statement"));
    let applies = |statement: &&Value, effect: &str| {
        let action = |action: &str| {
            let action = action.to_ascii_lowercase();
            matches!(action.as_str(), "*" | "sts:*" | "sts:assumerole" | "sts:assume*")
        };
        let principal = match statement.get("Principal") {
            Some(Value::String(text)) => text == "*",
            Some(other) => list(other.get("Service"))
                .iter()
                .any(|one| matches!(one.as_str(), Some(ECS_TASKS | "*"))),
            None => false,
        };
        let is_effect = statement.get("Effect").and_then(Value::as_str) == Some(effect);
        let actions = list(statement.get("Action"));
        is_effect && principal && actions.iter().filter_map(|one| one.as_str()).any(action)
    };
    let denied = statements
        .iter()
        .any(|statement| applies(statement, "Deny") && statement.get("Condition").is_none());
    !denied && statements.iter().any(|statement| applies(statement, "Allow"))
}

/// The elements of a list, which IAM lets a policy write as its only element.
fn list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(elements)) => elements.iter().collect(),
        Some(one) => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trust(effect: &str, principal: Value, action: Value) -> Value {
        json!({"Effect": effect, "Principal": principal, "Action": action})
    }

    #[test]
    fn trust_is_read_as_iam_reads_it() {
        let tasks = || json!({"Service": "ecs-tasks.amazonaws.com"});
        let allow = || trust("Allow", tasks(), json!("sts:AssumeRole"));
        let mut narrow = trust("Deny", tasks(), json!("sts:AssumeRole"));
        narrow["Condition"] = json!({"StringNotEquals": {"aws:SourceAccount": "123456789012"}});
        for (statement, expected) in [
            (allow(), true),
            (json!([allow()]), true),
            (
                trust(
                    "Allow",
                    json!({"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}),
                    json!(["sts:AssumeRole"]),
                ),
                true,
            ),
            (trust("Allow", json!("*"), json!("STS:AssumeRole")), true),
            (trust("Allow", tasks(), json!("sts:*")), true),
            (json!([allow(), narrow]), true),
            (
                trust(
                    "Allow",
                    json!({"Service": "ecs.amazonaws.com"}),
                    json!("sts:AssumeRole"),
                ),
                false,
            ),
            (trust("Allow", tasks(), json!("sts:TagSession")), false),
            (
                trust("Allow", json!({"AWS": "*"}), json!("sts:AssumeRole")),
                false,
            ),
            (
                json!([allow(), trust("Deny", tasks(), json!("sts:AssumeRole"))]),
                false,
            ),
            (json!([]), false),
        ] {
            assert_eq!(admits(&json!({"Statement": statement})), expected, "{statement}");
        }
        assert!(!admits(&Value::Null));
    }
}
