//! The calls to CloudWatch Logs.

use crate::plan::{Action, Desired, Key, Observed};
use anyhow::{Context, Result};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatchlogs::types::{LogGroup, LogGroupClass};
use cli::{Change, Console, Failure, Item};
use common::aws::{AttemptTracker, call, code_of};
use common::config::{AwsTarget, partition_of};
use reconcile::Tags;
use reconcile::backoff::Backoff;
use reconcile::lookup::Lookup;

/// What the calls need.
pub(crate) struct Store<'a> {
    pub(crate) client: Client,
    pub(crate) console: &'a Console,
    pub(crate) place: AwsTarget,
}

/// What came of [`Store::create`].
#[derive(PartialEq, Eq)]
pub(crate) enum Created {
    /// We made it.
    New,
    /// Somebody else made it in the meantime.
    Exists,
    /// It exists, and an earlier attempt of ours was not answered: it may be that one's.
    MayBeOurs,
}

impl Store<'_> {
    /// The ARN that the group has, or will have.
    pub(crate) fn arn(&self, name: &str) -> String {
        let AwsTarget { account, region } = &self.place;
        format!(
            "arn:{}:logs:{region}:{account}:log-group:{name}",
            partition_of(region)
        )
    }

    /// The group in the report.
    pub(crate) fn item(&self, desired: &Desired, action: &str, changes: Vec<Change>) -> Item {
        Item::new("log-group", &desired.name, action)
            .changes(changes)
            .detail("arn", self.arn(&desired.name))
    }

    /// Reads the group with its tags.
    ///
    /// # Errors
    /// When a call fails for any other reason than that it is not there.
    pub(crate) async fn describe(&self, desired: &Desired) -> Result<Lookup<Observed>> {
        // The two calls need nothing of each other, since the ARN is known beforehand.
        let read = async || {
            let (group, tags) = tokio::join!(self.find(&desired.name), self.tags(desired));
            Ok(match (group?, tags?) {
                (None, _) => Lookup::NotFound,
                (Some(group), Some(tags)) => Lookup::Found(Self::observed(&group, tags)),
                (Some(_), None) => Lookup::Inconsistent,
            })
        };
        Lookup::read_consistent(read).await
    }

    /// The group of exactly this name: CloudWatch looks for prefixes.
    async fn find(&self, name: &str) -> Result<Option<LogGroup>> {
        let mut token = None;
        loop {
            let request = self
                .client
                .describe_log_groups()
                .log_group_name_prefix(name)
                .set_next_token(token.take());
            let answer = request
                .send()
                .await
                .map_err(call("logs:DescribeLogGroups"))
                .with_context(|| format!("failed to describe log group `{name}`"))?;
            let next = answer.next_token;
            // An answer without the list is no answer, and not an empty list.
            let groups = answer.log_groups.ok_or_else(|| {
                Failure::error(format!(
                    "failed to describe log group `{name}`: logs:DescribeLogGroups answered without `logGroups`"
                ))
            })?;
            let mut groups = groups.into_iter();
            if let Some(group) = groups.find(|group| group.log_group_name() == Some(name)) {
                return Ok(Some(group));
            }
            match next {
                Some(next) => token = Some(next),
                None => return Ok(None),
            }
        }
    }

    /// The tags, `None` when the group is not there. Not asked for when the file has none.
    async fn tags(&self, desired: &Desired) -> Result<Option<Tags>> {
        if desired.tags.is_empty() {
            return Ok(Some(Tags::new()));
        }
        let request = self
            .client
            .list_tags_for_resource()
            .resource_arn(self.arn(&desired.name));
        match request.send().await {
            Ok(answer) => Ok(Some(answer.tags.unwrap_or_default().into_iter().collect())),
            Err(error) if code_of(&error) == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => {
                let failure = call("logs:ListTagsForResource")(error);
                Err(failure)
                    .with_context(|| format!("failed to read the tags of log group `{}`", desired.name))
            }
        }
    }

    fn observed(group: &LogGroup, tags: Tags) -> Observed {
        Observed {
            retention: group.retention_in_days(),
            account_policy: group.retention_policy_name().map(str::to_owned),
            key: group.kms_key_id().map(str::to_owned),
            class: group
                .log_group_class()
                .map_or("STANDARD", LogGroupClass::as_str)
                .to_owned(),
            tags,
            created: group.creation_time(),
        }
    }

    /// Makes the group, with its tags from birth. The retention is a call of its own.
    ///
    /// # Errors
    /// When CloudWatch refuses.
    pub(crate) async fn create(&self, desired: &Desired) -> Result<Created> {
        let name = &desired.name;
        let key = match &desired.key {
            Some(Key::Arn(arn)) => Some(arn.clone()),
            Some(Key::None) | None => None,
        };
        let class = desired.class.map(|class| LogGroupClass::from(class.as_str()));
        let tags = (!desired.tags.is_empty()).then(|| desired.tags.clone().into_iter().collect());
        let request = self
            .client
            .create_log_group()
            .log_group_name(name)
            .set_kms_key_id(key.clone())
            .set_log_group_class(class)
            .set_tags(tags);
        let operation = "logs:CreateLogGroup";
        let tracker = AttemptTracker::default();
        let sent = self.send(name, operation, false, async || {
            let request = request.clone().customize().interceptor(tracker.clone());
            request.send().await
        });
        match sent.await {
            Ok(_) => Ok(Created::New),
            Err(error) if code_of(&error) == Some("ResourceAlreadyExistsException") => {
                Ok(if tracker.may_have_applied() {
                    Created::MayBeOurs
                } else {
                    Created::Exists
                })
            }
            Err(error) => {
                let hint = self.hint_about_key(&error).filter(|_| key.is_some());
                let failure = call(operation)(error);
                Err(hinted(failure, hint)).with_context(|| format!("failed to create log group `{name}`"))
            }
        }
    }

    /// Does one call. A group that is `fresh` may not be known everywhere yet.
    ///
    /// # Errors
    /// When CloudWatch refuses.
    pub(crate) async fn change(&self, desired: &Desired, action: &Action, fresh: bool) -> Result<()> {
        let name = &desired.name;
        let (what, result) = match action {
            Action::Retain { days, .. } => {
                let operation = "logs:PutRetentionPolicy";
                let request = self.client.put_retention_policy();
                let request = request.log_group_name(name).retention_in_days((*days).into());
                let sent = self.send(name, operation, fresh, async || request.clone().send().await);
                let sent = sent.await.map(drop).map_err(call(operation));
                ("set the retention of", sent)
            }
            Action::RetainForEver => {
                let operation = "logs:DeleteRetentionPolicy";
                let request = self.client.delete_retention_policy().log_group_name(name);
                let sent = self.send(name, operation, fresh, async || request.clone().send().await);
                let sent = sent.await.map(drop).map_err(call(operation));
                ("take the retention off", sent)
            }
            Action::Associate { key, .. } => {
                let operation = "logs:AssociateKmsKey";
                let request = self.client.associate_kms_key();
                let request = request.log_group_name(name).kms_key_id(key);
                let sent = self.send(name, operation, fresh, async || request.clone().send().await);
                let sent = sent.await.map(drop).map_err(|error| {
                    let hint = self.hint_about_key(&error);
                    hinted(call(operation)(error), hint)
                });
                ("set the KMS key of", sent)
            }
            Action::Disassociate { .. } => {
                let operation = "logs:DisassociateKmsKey";
                let request = self.client.disassociate_kms_key().log_group_name(name);
                let sent = self.send(name, operation, fresh, async || request.clone().send().await);
                let sent = sent.await.map(drop).map_err(call(operation));
                ("take the KMS key off", sent)
            }
            Action::Tag(tags) => {
                let operation = "logs:TagResource";
                let tags = tags.clone().into_iter().collect();
                let request = self.client.tag_resource().resource_arn(self.arn(name));
                let request = request.set_tags(Some(tags));
                let sent = self.send(name, operation, fresh, async || request.clone().send().await);
                ("tag", sent.await.map(drop).map_err(call(operation)))
            }
        };
        result.with_context(|| format!("failed to {what} log group `{name}`"))
    }

    /// Sends until it goes through or fails for good: two requests that met pass, and so does a group that is
    /// a moment old.
    async fn send<T, E: ProvideErrorMetadata>(
        &self,
        name: &str,
        operation: &str,
        fresh: bool,
        mut request: impl AsyncFnMut() -> Result<T, SdkError<E>>,
    ) -> Result<T, SdkError<E>> {
        let retry_reason = |error: &SdkError<E>| match code_of(error)? {
            "OperationAbortedException" => Some("another request changes the log group".to_owned()),
            "ResourceNotFoundException" if fresh => {
                Some("the new log group is not known everywhere yet".to_owned())
            }
            _ => None,
        };
        let words = format!("{operation} for log group `{name}`");
        let attempt = async || self.console.in_flight(&words, request()).await;
        Backoff::CONFLICT.retry(self.console, retry_reason, attempt).await
    }

    /// CloudWatch names no reason when a key's policy shuts it out.
    fn hint_about_key<E: ProvideErrorMetadata>(&self, error: &SdkError<E>) -> Option<String> {
        (code_of(error) == Some("InvalidParameterException")).then(|| {
            format!(
                "the key must be symmetric, enabled and in this region, and its policy must let logs.{}.amazonaws.com use it",
                self.place.region
            )
        })
    }
}

fn hinted(failure: Failure, hint: Option<String>) -> Failure {
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
