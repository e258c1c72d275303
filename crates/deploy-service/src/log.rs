//! The log streams of containers, as the awslogs driver names them.

use crate::service::{list, text};
use anyhow::{Context, Result};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::{Builder, Region};
use common::Failure;
use common::aws::{Aws, call, code_of};
use serde_json::Value;

/// Where a container's lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) container: String,
    pub(crate) group: String,
    pub(crate) region: Option<String>,
    pub(crate) prefix: String,
}

/// One line, with its time in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) time: i64,
    pub(crate) text: String,
}

/// The containers of a task definition that log to CloudWatch.
pub(crate) fn targets(definition: &Value) -> Vec<Target> {
    let targets = list(definition, "containerDefinitions").iter().filter_map(|one| {
        let log = one.get("logConfiguration")?;
        let options = log.get("options")?;
        let option = |key: &str| Some(text(options, key).to_owned()).filter(|text| !text.is_empty());
        (text(log, "logDriver") == "awslogs").then_some(())?;
        Some(Target {
            container: text(one, "name").to_owned(),
            group: option("awslogs-group")?,
            region: option("awslogs-region"),
            prefix: option("awslogs-stream-prefix")?,
        })
    });
    targets.collect()
}

/// The id of a task: the end of its ARN.
pub(crate) fn task_id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

impl Target {
    /// `PREFIX/CONTAINER/TASK`
    pub(crate) fn stream(&self, task: &str) -> String {
        format!("{}/{}/{}", self.prefix, self.container, task_id(task))
    }

    /// The client of the group's region.
    pub(crate) fn client(&self, aws: &Aws) -> Client {
        let mut config = Builder::from(&aws.sdk);
        if let Some(region) = &self.region {
            config = config.region(Region::new(region.clone()));
        }
        Client::from_conf(config.build())
    }

    /// The last lines of a task; none when it has not logged.
    ///
    /// # Errors
    /// When CloudWatch refuses.
    pub(crate) async fn last(&self, aws: &Aws, task: &str, count: i32) -> Result<Vec<Line>> {
        self.read(aws, task, Some(count), &mut None).await
    }

    /// The lines after `token`, which moves on.
    ///
    /// # Errors
    /// When CloudWatch refuses.
    pub(crate) async fn next(&self, aws: &Aws, task: &str, token: &mut Option<String>) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        loop {
            let before = token.clone();
            let more = self.read(aws, task, None, token).await?;
            // The same token again is the end, for now.
            if *token == before || more.is_empty() {
                lines.extend(more);
                return Ok(lines);
            }
            lines.extend(more);
        }
    }

    async fn read(
        &self,
        aws: &Aws,
        task: &str,
        last: Option<i32>,
        token: &mut Option<String>,
    ) -> Result<Vec<Line>> {
        let stream = self.stream(task);
        let request = self
            .client(aws)
            .get_log_events()
            .log_group_name(&self.group)
            .log_stream_name(&stream)
            .start_from_head(last.is_none())
            .set_limit(last)
            .set_next_token(token.clone());
        let answer = match request.send().await {
            Ok(answer) => answer,
            // The stream comes with the first line.
            Err(error) if code_of(&error) == Some("ResourceNotFoundException") => return Ok(Vec::new()),
            Err(error) => {
                let failure: Failure = call("logs:GetLogEvents")(error);
                return Err(failure)
                    .with_context(|| format!("failed to read log stream `{}` of `{stream}`", self.group));
            }
        };
        if let Some(next) = answer.next_forward_token() {
            *token = Some(next.to_owned());
        }
        let lines = answer.events().iter().map(|event| Line {
            time: event.timestamp().unwrap_or_default(),
            text: event.message().unwrap_or_default().trim_end().to_owned(),
        });
        Ok(lines.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_containers_with_awslogs_have_a_stream() {
        let options =
            json!({"awslogs-group": "g", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "p"});
        let definition = json!({"containerDefinitions": [
            {"name": "web", "logConfiguration": {"logDriver": "awslogs", "options": options}},
            {"name": "other", "logConfiguration": {"logDriver": "splunk", "options": options}},
            {"name": "quiet"},
        ]});
        let targets = targets(&definition);
        assert_eq!(targets.len(), 1);
        assert_eq!(
            targets[0].stream("arn:aws:ecs:us-east-1:123456789012:task/c/0123"),
            "p/web/0123"
        );
    }
}
