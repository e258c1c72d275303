//! `--simulate`: asks IAM's simulator whether the execution role may do what the task definition needs.

use crate::client::{Iam, MISSING};
use crate::needs::{Need, needs};
use crate::resource::PROPAGATION;
use anyhow::{Context, Result};
use aws_documents::Diagnostic;
use cli::{Exit, Failure, Item, Outcome, Report};
use common::aws::CallError;
use common::config::{AwsTarget, Config, Variables};
use common::documents::expand;
use common::json::{list, text};
use futures_util::future::join_all;
use reconcile::backoff::Backoff;
use serde_json::{Value, json};
use std::time::Duration;

/// How long the simulator may deny what was allowed a moment ago: seconds, as a rule.
const SIMULATOR_PROPAGATION: Backoff = Backoff {
    initial: Duration::from_millis(500),
    max_interval: Duration::from_secs(4),
    max_elapsed: Duration::from_secs(15),
};

/// A role, and the permissions that it needs.
pub(crate) struct Question {
    role: String,
    needs: Vec<Need>,
}

/// The simulator's answer for one call.
struct Answer {
    action: String,
    resource: String,
    decision: Decision,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Decision {
    Allowed,
    /// With the simulator's word.
    Denied(String),
    /// With the reason.
    NotJudged(String),
}

impl Question {
    /// The role's ARN.
    pub(crate) fn role(&self) -> &str {
        &self.role
    }

    /// The role's name.
    pub(crate) fn name(&self) -> &str {
        self.role.rsplit('/').next().unwrap_or_default()
    }

    /// Reads the task definition of `ops.toml`. An image stands for its repository: which digest it is does
    /// not matter here.
    ///
    /// # Errors
    /// When `ops.toml` has none. The diagnostics of the file itself are the inner result.
    pub(crate) fn read(config: &Config, target: &AwsTarget) -> Result<Result<Self, Vec<Diagnostic>>> {
        let mut variables = Variables::new(&config.schema, target);
        for image in config.images(&variables)? {
            let reference = format!("{}/{}", target.ecr_registry(), image.repository);
            variables.set(format!("image.{}", image.name), reference);
        }
        let table = config.task_definition(&variables)?;
        let table = table.ok_or_else(|| config.no_table("task_definition"))?;
        let document = match config.read_document(&config.resolve(&table.file)) {
            Ok(document) => document,
            Err(diagnostic) => return Ok(Err(vec![diagnostic])),
        };
        let expanded = match expand(&document, &variables) {
            Ok(expanded) => expanded,
            Err(diagnostics) => return Ok(Err(diagnostics)),
        };
        let Some(role) = expanded.field().text_of("executionRoleArn").map(str::to_owned) else {
            let mut diagnostic = Diagnostic::of_file(
                &expanded.file,
                "`executionRoleArn` is missing: there is no role to simulate",
            );
            diagnostic.hint = Some("write ${roles.execution.arn}".into());
            return Ok(Err(vec![diagnostic]));
        };
        let needs = needs(&expanded.to_value(), target);
        Ok(Ok(Question { role, needs }))
    }
}

/// Simulates, and adds the decisions to the report.
///
/// # Errors
/// When a call to IAM fails.
pub(crate) async fn simulate(iam: &Iam<'_>, question: &Question, mut report: Report) -> Result<Report> {
    let console = iam.console;
    let role = question.name();
    if report.outcome == Outcome::Planned {
        console.info(format!("{role}: simulated as IAM has it now, without the plan"));
    }
    let answers = match answers(iam, question, is_changed(question, &report)).await {
        Ok(answers) => answers,
        Err(error) if report.outcome == Outcome::Changed => return Ok(console.partial(&error, report)),
        Err(error) => return Err(error),
    };
    let (mut allowed, mut denied) = (0, Vec::new());
    for answer in &answers {
        let what = format!("{} on {}", answer.action, answer.resource);
        let word = match &answer.decision {
            Decision::Allowed => {
                allowed += 1;
                "allowed"
            }
            Decision::Denied(reason) => {
                denied.push(format!("{what} ({reason})"));
                "denied"
            }
            Decision::NotJudged(why) => {
                console.warn(format!("not judged: {what}: {why}"));
                "not-judged"
            }
        };
        console.debug(format!("{what}: {word}"));
        let item = Item::new("permission", what, word);
        report.items.push(item.detail("role", question.role.as_str()));
    }
    let total = answers.len();
    if denied.is_empty() {
        let sum = format!("{allowed} of {total} permissions that the task definition needs are allowed");
        console.info(format!("{role}: {sum}"));
        return Ok(report);
    }
    let what = match denied.as_slice() {
        [only] => format!(": {only}"),
        several => {
            several
                .iter()
                .for_each(|what| console.stderr(&format!("  denied: {what}")));
            String::new()
        }
    };
    let count = denied.len();
    let message = format!(
        "role `{role}` lacks {count} of the {total} permissions that the task definition needs{what}"
    );
    let failure = Failure::new(Exit::Negative, message)
        .code("permission-missing")
        .hint("grant them in a policy file of the role, and run create-roles again");
    Ok(console.failed(&failure.into(), report))
}

/// Whether this run created or changed the role.
fn is_changed(question: &Question, report: &Report) -> bool {
    let is_it = |item: &Item| {
        item.kind == "role"
            && item.action != "none"
            && item.details.get("arn").and_then(Value::as_str) == Some(question.role())
    };
    report.outcome == Outcome::Changed && report.items.iter().any(is_it)
}

/// All answers. Those for a role that was `changed` a moment ago may be about the role before.
async fn answers(iam: &Iam<'_>, question: &Question, changed: bool) -> Result<Vec<Answer>> {
    let early = |answers: &Vec<Answer>| {
        let denied = |answer: &Answer| matches!(answer.decision, Decision::Denied(_));
        (changed && answers.iter().any(denied)).then(|| {
            let name = question.name();
            format!("the simulator may not have the change of role `{name}` yet")
        })
    };
    let attempt = async || {
        let needs = question.needs.iter();
        let asked = join_all(needs.map(|need| ask(iam, question, need, changed))).await;
        let asked: Result<Vec<Vec<Answer>>> = asked.into_iter().collect();
        match asked.map(|answers| answers.into_iter().flatten().collect()) {
            Ok(answers) if early(&answers).is_some() => Err(answers),
            other => Ok(other),
        }
    };
    let settled = SIMULATOR_PROPAGATION.retry(iam.console, early, attempt).await;
    settled.unwrap_or_else(Ok)
}

/// The answers for one resource. One resource a call, which every simulator (and emulator) supports.
async fn ask(iam: &Iam<'_>, question: &Question, need: &Need, changed: bool) -> Result<Vec<Answer>> {
    let request = json!({
        "PolicySourceArn": question.role,
        "ActionNames": need.actions,
        "ResourceArns": [need.resource],
    });
    let missing = |error: &CallError| {
        let name = question.name();
        (changed && error.code() == Some(MISSING))
            .then(|| format!("the simulator does not have the new role `{name}` yet"))
    };
    let results = PROPAGATION.retry(iam.console, missing, async || {
        iam.pages("SimulatePrincipalPolicy", request.clone(), "EvaluationResults")
            .await
    });
    let results = results
        .await
        .map_err(Failure::from)
        .with_context(|| format!("failed to simulate role `{}`", question.name()))?;
    let answer = |action: &&'static str| {
        let result = results
            .iter()
            .find(|result| text(result, "EvalActionName").eq_ignore_ascii_case(action));
        let decision = match result {
            None => Decision::NotJudged("the simulator omitted it".into()),
            Some(result) if text(result, "EvalDecision") == "allowed" => Decision::Allowed,
            Some(result) => match list(result, "MissingContextValues") {
                [] => Decision::Denied(text(result, "EvalDecision").to_owned()),
                keys => {
                    let keys: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
                    Decision::NotJudged(format!("a condition needs {}", keys.join(", ")))
                }
            },
        };
        Answer {
            action: (*action).to_owned(),
            resource: need.resource.clone(),
            decision,
        }
    };
    Ok(need.actions.iter().map(answer).collect())
}
