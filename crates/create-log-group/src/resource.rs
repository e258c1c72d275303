//! The log group as a resource of the loop, and the calls to CloudWatch Logs.

use crate::plan::{self, Action, Desired, Observed, Plan, deletes_after};
use anyhow::{Context, Result};
use cli::error::ErrorSummary;
use cli::{Console, ErrorKind, Failure, Item};
use common::aws::CallError;
use common::aws::Client;
use reconcile::{Backoff, Created, Lookup, Resource, Tags};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::cell::Cell;

/// The log group.
pub(crate) struct CloudWatchLogGroup<'a> {
    pub(crate) client: Client,
    pub(crate) console: &'a Console,
    pub(crate) desired: Desired,
    pub(crate) region: &'a str,
    /// Whether the group is known to have no events.
    pub(crate) is_empty: Cell<bool>,
}

/// A page of DescribeLogGroups.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    log_groups: Option<Vec<Observed>>,
    next_token: Option<String>,
}

/// The response of DescribeLogStreams.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamPage {
    log_streams: Option<Vec<Value>>,
}

/// The response of ListTagsForResource.
#[derive(Deserialize)]
struct TagList {
    tags: Option<Tags>,
}

impl Resource for CloudWatchLogGroup<'_> {
    type Observed = Observed;
    type Action = Action;
    const KIND: &'static str = "log-group";

    fn name(&self) -> &str {
        &self.desired.group.name
    }

    /// The two calls run at the same time, since the ARN is known beforehand.
    async fn observe(&self) -> Result<Lookup<Observed>> {
        let (group, tags) = tokio::join!(self.describe(), self.tags());
        Ok(match (group?, tags?) {
            (None, _) => Lookup::NotFound,
            (Some(group), Some(tags)) => Lookup::Found(Observed { tags, ..group }),
            (Some(_), None) => Lookup::Inconsistent,
        })
    }

    fn plan(&self, observed: Option<&Observed>) -> Result<Plan, Failure> {
        plan::plan(&self.desired, observed)
    }

    fn destroys(&self, plan: &Plan) -> Vec<String> {
        let of = format!(" of {}", self.label());
        let words = self
            .deletes(plan)
            .map(|days| format!("delete {}", events_older_than(days, &of)));
        words.into_iter().collect()
    }

    fn planned_item(&self, item: Item, plan: &Plan) -> Item {
        match self.deletes(plan) {
            Some(days) => item.detail("deletes", events_older_than(days, "")),
            None => item,
        }
    }

    async fn check_plan(&self, plan: &Plan) -> Result<()> {
        if deletes_after(plan).is_some() {
            self.is_empty.set(self.has_no_streams().await?);
        }
        Ok(())
    }

    async fn create(&self) -> Result<Created> {
        let body = self.desired.creation();
        let may_have_applied = Cell::new(false);
        match self.send("CreateLogGroup", &body, false, &may_have_applied).await {
            Ok(()) => Ok(Created::New),
            Err(error) if error.code() == Some("ResourceAlreadyExistsException") => {
                Ok(Created::existing(may_have_applied.get()))
            }
            Err(error) => Err(self.failure("create", &body, error)),
        }
    }

    async fn perform(&self, action: &Action, just_created: bool) -> Result<()> {
        let Action { operation, body, .. } = action;
        let sent = self.send(operation, body, just_created, &Cell::default()).await;
        sent.map_err(|error| self.failure(action.purpose, body, error))?;
        if let Some(key) = &action.old_key {
            self.console.warn(format!(
                "existing events remain encrypted with {key}; do not delete it"
            ));
        }
        Ok(())
    }

    fn item(&self, item: Item, _: Option<&Observed>) -> Item {
        item.detail("arn", self.desired.arn.as_str())
    }

    fn line(&self, _: Option<&Observed>) -> Option<String> {
        Some(self.desired.arn.clone())
    }
}

impl CloudWatchLogGroup<'_> {
    /// The group of exactly this name: DescribeLogGroups searches for prefixes.
    async fn describe(&self) -> Result<Option<Observed>> {
        let context = || format!("failed to describe {}", self.label());
        let mut body = json!({"logGroupNamePrefix": self.name()});
        loop {
            let page: Page = self
                .read("DescribeLogGroups", &body)
                .await
                .with_context(context)?;
            // A response without the list is not an empty list.
            let groups = page
                .log_groups
                .ok_or_else(|| unparseable("logs:DescribeLogGroups response omitted `logGroups`".to_owned()));
            let mut groups = groups.with_context(context)?.into_iter();
            if let Some(group) = groups.find(|group| group.log_group_name == self.name()) {
                return Ok(Some(group));
            }
            match page.next_token {
                Some(token) => body["nextToken"] = token.into(),
                None => return Ok(None),
            }
        }
    }

    /// The tags, `None` when the group does not exist. Read only when the file has tags.
    async fn tags(&self) -> Result<Option<Tags>> {
        if self.desired.tags.is_empty() {
            return Ok(Some(Tags::new()));
        }
        let body = json!({"resourceArn": self.desired.arn});
        match self.read::<TagList>("ListTagsForResource", &body).await {
            Ok(list) => Ok(Some(list.tags.unwrap_or_default())),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("failed to read the tags of {}", self.label())),
        }
    }

    /// The age in days from which on `plan` deletes events, if the group may have any.
    fn deletes(&self, plan: &Plan) -> Option<u16> {
        deletes_after(plan).filter(|_| !self.is_empty.get())
    }

    /// Whether the group has no streams, and so no events. An earlier run may have been interrupted between the creation
    /// of the group and that of its retention. `false` when the caller may not look.
    async fn has_no_streams(&self) -> Result<bool> {
        let body = json!({"logGroupName": self.name(), "limit": 1});
        match self.read::<StreamPage>("DescribeLogStreams", &body).await {
            Ok(page) => Ok(page.log_streams.is_some_and(|streams| streams.is_empty())),
            Err(error) if ErrorSummary::of(&error).kind == ErrorKind::Denied || is_not_found(&error) => {
                self.console.debug(format!("{error:#}"));
                Ok(false)
            }
            Err(error) => {
                Err(error).with_context(|| format!("failed to look for events of {}", self.label()))
            }
        }
    }

    async fn read<T: DeserializeOwned>(&self, operation: &str, body: &Value) -> Result<T> {
        let response = self.client.call(operation, body).await.map_err(Failure::from)?;
        serde_json::from_value(response).map_err(|error| {
            unparseable(format!(
                "logs:{operation} returned an unparseable response: {error}"
            ))
            .into()
        })
    }

    /// Sends a request, and again while another request conflicts with it, or a new group has not propagated.
    /// `may_have_applied` is set when one of the attempts got no response.
    async fn send(
        &self,
        operation: &str,
        body: &Value,
        just_created: bool,
        may_have_applied: &Cell<bool>,
    ) -> Result<(), CallError> {
        let retry_reason = |error: &CallError| match error.code()? {
            "OperationAbortedException" => Some("another request changes the log group".to_owned()),
            "ResourceNotFoundException" if just_created => {
                Some("CloudWatch has not propagated the new log group yet".to_owned())
            }
            _ => None,
        };
        let words = format!("logs:{operation} for {}", self.label());
        let attempt = async || {
            let call = self.client.call(operation, body);
            self.console
                .in_flight(&words, call)
                .await
                .map(drop)
                .inspect_err(|error| {
                    may_have_applied.set(may_have_applied.get() || error.may_have_applied());
                })
        };
        Backoff::CONFLICT.retry(self.console, retry_reason, attempt).await
    }

    /// The error of a call with this `body`.
    fn failure(&self, purpose: &str, body: &Value, error: CallError) -> anyhow::Error {
        // CloudWatch gives no reason when the policy of a key does not let it use the key.
        let is_about_key =
            error.code() == Some("InvalidParameterException") && body.get("kmsKeyId").is_some();
        let mut failure = Failure::from(error);
        if is_about_key {
            failure = failure.hint(format!(
                "the key must be symmetric, enabled and in this region, and its policy must let logs.{}.amazonaws.com use it",
                self.region
            ));
        }
        anyhow::Error::from(failure).context(format!("failed to {purpose} {}", self.label()))
    }
}

fn is_not_found(error: &anyhow::Error) -> bool {
    ErrorSummary::of(error).code.as_deref() == Some("ResourceNotFoundException")
}

fn unparseable(message: String) -> Failure {
    Failure::error(message).kind(ErrorKind::Unparseable)
}

/// The events that a retention of so many `days` deletes; `of` is their log group.
fn events_older_than(days: u16, of: &str) -> String {
    let unit = if days == 1 { "day" } else { "days" };
    format!("the events{of} that are older than {days} {unit}")
}
