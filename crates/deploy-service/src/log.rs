//! The log streams of containers, as the awslogs driver names them.

use crate::refusal::{Refusal, RefusalContext};
use crate::service::{list, text};
use anyhow::Result;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::{Builder, Region};
use common::aws::{Aws, code_of};
use serde_json::Value;

/// So many empty pages one after the other are looked behind: CloudWatch cuts a stream into pages by time, too, and
/// there may be none in between. What comes later is found at the next look.
const EMPTY_PAGES: u32 = 5;

/// Where a container's lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) container: String,
    pub(crate) group: String,
    pub(crate) region: Option<String>,
    pub(crate) prefix: String,
}

/// A segment of a stream.
#[derive(Debug, Default)]
struct Page {
    lines: Vec<String>,
    /// Where it goes on; the token that was sent, when this is the end.
    forward: Option<String>,
    backward: Option<String>,
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
    pub(crate) async fn last(&self, aws: &Aws, task: &str, count: i32) -> Result<Vec<String>> {
        let mut token = None;
        for _ in 0..EMPTY_PAGES {
            let page = self.page(aws, task, Some(count), token.as_deref()).await;
            let page = page.with_context(|| self.failed_to_read(task))?;
            if !page.lines.is_empty() || page.backward.is_none() || page.backward == token {
                return Ok(page.lines);
            }
            token = page.backward;
        }
        Ok(Vec::new())
    }

    /// Gives each line after `token` to `take`, which moves on with each page that was read.
    ///
    /// # Errors
    /// When CloudWatch refuses. What was read before has been taken all the same.
    pub(crate) async fn next(
        &self,
        aws: &Aws,
        task: &str,
        token: &mut Option<String>,
        mut take: impl FnMut(String),
    ) -> Result<(), Refusal> {
        let mut empty = 0;
        while empty < EMPTY_PAGES {
            let page = self.page(aws, task, None, token.as_deref()).await?;
            empty = if page.lines.is_empty() { empty + 1 } else { 0 };
            page.lines.into_iter().for_each(&mut take);
            // The token that was sent is the end, for now; an empty page is none.
            let is_end = page.forward.is_none() || page.forward == *token;
            *token = page.forward.or(token.take());
            if is_end {
                break;
            }
        }
        Ok(())
    }

    /// What was being done when reading did not go well.
    pub(crate) fn failed_to_read(&self, task: &str) -> String {
        let (group, stream) = (&self.group, self.stream(task));
        format!("failed to read log stream `{stream}` of `{group}`")
    }

    async fn page(
        &self,
        aws: &Aws,
        task: &str,
        last: Option<i32>,
        token: Option<&str>,
    ) -> Result<Page, Refusal> {
        let request = self
            .client(aws)
            .get_log_events()
            .log_group_name(&self.group)
            .log_stream_name(self.stream(task))
            .start_from_head(last.is_none())
            .set_limit(last)
            .set_next_token(token.map(str::to_owned));
        let answer = match request.send().await {
            Ok(answer) => answer,
            // The stream comes with the container.
            Err(error) if code_of(&error) == Some("ResourceNotFoundException") => return Ok(Page::default()),
            Err(error) => return Err(Refusal::of("logs:GetLogEvents", error)),
        };
        let lines = answer.events().iter();
        let lines = lines.map(|event| without_line_end(event.message().unwrap_or_default()).to_owned());
        Ok(Page {
            lines: lines.collect(),
            forward: answer.next_forward_token().map(str::to_owned),
            backward: answer.next_backward_token().map(str::to_owned),
        })
    }
}

/// A line's text, which may come with its end.
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
