//! The log streams of containers, as the awslogs driver names them.

use anyhow::Result;
use common::aws::Aws;
use common::aws::CallError;
use common::aws::Client;
use common::aws::service::LOGS;
use common::json::{list, text};
use ecs::names::last_part;
use serde_json::{Value, json};

/// The most empty pages in a row that are read: CloudWatch cuts a stream into pages by time as well, and there may be
/// no events in one. What arrives later is found by the next read.
const EMPTY_PAGES: u32 = 5;

/// Where the lines of a container go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogTarget {
    pub(crate) container: String,
    pub(crate) group: String,
    pub(crate) region: Option<String>,
    pub(crate) prefix: String,
}

/// The containers of a task definition that log to CloudWatch.
pub(crate) fn targets(definition: &Value) -> Vec<LogTarget> {
    let targets = list(definition, "containerDefinitions").iter().filter_map(|one| {
        let log = one.get("logConfiguration")?;
        let options = log.get("options")?;
        let option = |key: &str| Some(text(options, key).to_owned()).filter(|text| !text.is_empty());
        (text(log, "logDriver") == "awslogs").then_some(())?;
        Some(LogTarget {
            container: text(one, "name").to_owned(),
            group: option("awslogs-group")?,
            region: option("awslogs-region"),
            prefix: option("awslogs-stream-prefix")?,
        })
    });
    targets.collect()
}

impl LogTarget {
    /// `PREFIX/CONTAINER/TASK`, for the id or the ARN of a task.
    pub(crate) fn stream(&self, task: &str) -> String {
        format!("{}/{}/{}", self.prefix, self.container, last_part(task))
    }

    /// The client of the group's region.
    pub(crate) fn client(&self, aws: &Aws) -> Client {
        match &self.region {
            Some(region) => Client::new(&aws.in_region(region), &LOGS),
            None => Client::new(aws, &LOGS),
        }
    }

    /// The last lines of a task; none when it has not logged.
    ///
    /// # Errors
    /// When the call fails.
    pub(crate) async fn last(&self, aws: &Aws, task: &str, count: u32) -> Result<Vec<String>, CallError> {
        let client = self.client(aws);
        let mut request = json!({
            "logGroupName": self.group, "logStreamName": self.stream(task), "startFromHead": false, "limit": count,
        });
        for _ in 0..EMPTY_PAGES {
            let page = page(&client, &request).await?;
            let lines: Vec<String> = lines(&page).collect();
            let token = text(&page, "nextBackwardToken");
            if !lines.is_empty() || !turn(&mut request, token) {
                return Ok(lines);
            }
        }
        Ok(Vec::new())
    }

    /// Gives the lines after `token` to `take`, page by page, and moves `token` on with each page.
    ///
    /// # Errors
    /// When a call fails. The lines of the pages before it have been taken.
    pub(crate) async fn read(
        &self,
        client: &Client,
        task: &str,
        token: &mut Option<String>,
        mut take: impl FnMut(Vec<String>),
    ) -> Result<(), CallError> {
        let mut request = json!({
            "logGroupName": self.group, "logStreamName": self.stream(task), "startFromHead": true,
        });
        if let Some(token) = token {
            turn(&mut request, token);
        }
        let mut empty = 0;
        while empty < EMPTY_PAGES {
            let page = page(client, &request).await?;
            let lines: Vec<String> = lines(&page).collect();
            empty = if lines.is_empty() { empty + 1 } else { 0 };
            let next = text(&page, "nextForwardToken");
            let is_end = !turn(&mut request, next);
            if !next.is_empty() {
                *token = Some(next.to_owned());
            }
            take(lines);
            if is_end {
                break;
            }
        }
        Ok(())
    }

    /// The context of an error of a read.
    pub(crate) fn failed_to_read(&self, task: &str) -> String {
        let (group, stream) = (&self.group, self.stream(task));
        format!("failed to read log stream `{stream}` of `{group}`")
    }
}

/// A page of a stream; an empty one where the stream does not exist: it is created with the container.
async fn page(client: &Client, request: &Value) -> Result<Value, CallError> {
    match client.call("GetLogEvents", request).await {
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(json!({})),
        answer => answer,
    }
}

fn lines(page: &Value) -> impl Iterator<Item = String> {
    let events = list(page, "events").iter();
    events.map(|event| without_line_end(text(event, "message")).to_owned())
}

/// Turns `request` to the page of `token`; false at the end of the stream, where CloudWatch returns the token that was
/// sent, or none.
pub(crate) fn turn(request: &mut Value, token: &str) -> bool {
    let is_new = !token.is_empty() && token != text(request, "nextToken");
    if is_new && let Some(members) = request.as_object_mut() {
        members.insert("nextToken".into(), token.into());
    }
    is_new
}

/// The text of an event, which may contain the end of the line.
pub(crate) fn without_line_end(text: &str) -> &str {
    text.trim_end_matches(['\n', '\r'])
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
