//! ECR's own preview of a lifecycle policy: which images it would delete. It changes nothing.

use crate::store::Store;
use anyhow::{Context, Result};
use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecr::types::{ImageActionType, LifecyclePolicyPreviewResult, LifecyclePolicyPreviewStatus};
use cli::{Console, Failure};
use common::aws::{call, code_of};
use reconcile::backoff::Backoff;
use serde_json::{Value, json};
use std::time::Duration;

/// How long ECR may take. With many thousands of images it takes longer, and nobody knows.
const WAIT: Backoff = Backoff {
    initial: Duration::from_millis(200),
    max_interval: Duration::from_secs(2),
    max_elapsed: Duration::from_secs(20),
};

/// Images that are shown one by one.
const SHOWN: usize = 20;

/// Images that are read: beyond them only the number is told.
const READ: usize = 1000;

/// What a policy would do to the images that are there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Preview {
    /// How many images would be deleted.
    expiring: usize,
    /// How many would go to the archive.
    archived: usize,
    /// Those that would be deleted, as far as they were read.
    images: Vec<Image>,
}

#[derive(Debug, PartialEq, Eq)]
struct Image {
    digest: String,
    tags: Vec<String>,
    priority: i32,
}

/// What came of asking.
#[derive(Debug)]
pub(crate) enum Asked {
    /// ECR knows.
    Known(Preview),
    /// It could not be found out; why.
    NotJudged(String),
}

impl Asked {
    /// What the policy of the repository `name` deletes or may delete, in words that complete "this will …";
    /// `None` when it deletes nothing.
    pub(crate) fn deletion(&self, name: &str) -> Option<String> {
        match self {
            Asked::Known(preview) => match preview.expiring {
                0 => None,
                1 => Some(format!("delete 1 image of repository `{name}`")),
                many => Some(format!("delete {many} images of repository `{name}`")),
            },
            Asked::NotJudged(_) => Some(format!(
                "put a lifecycle policy that may delete images of repository `{name}`"
            )),
        }
    }
}

/// Why a preview is not there yet, or not at all.
enum Hurdle {
    /// It comes; with what ECR says.
    Busy(String),
    Failed(anyhow::Error),
}

impl Preview {
    /// For people: what would become of the images of the repository `name`.
    pub(crate) fn tell(&self, name: &str, console: &Console) {
        console.info(match self.expiring {
            0 => format!("{name}: the lifecycle policy deletes no image that is there now"),
            1 => format!("{name}: the lifecycle policy deletes 1 image that is there now"),
            many => format!("{name}: the lifecycle policy deletes {many} images that are there now"),
        });
        for image in self.images.iter().take(SHOWN) {
            let tags = if image.tags.is_empty() {
                "untagged".to_owned()
            } else {
                image.tags.join(", ")
            };
            console.info(format!("  {} ({tags}), by rule {}", image.digest, image.priority));
        }
        let shown = self.images.len().min(SHOWN);
        if self.expiring > shown && shown > 0 {
            console.info(format!("  and {} more", self.expiring - shown));
        }
        if self.archived > 0 {
            console.info(format!("{name}: the lifecycle policy archives {}", self.archived));
        }
    }

    /// For the JSON document.
    pub(crate) fn to_json(&self) -> Value {
        let images = self
            .images
            .iter()
            .map(|image| json!({"digest": image.digest, "tags": image.tags, "rule": image.priority}));
        json!({
            "deletes": self.expiring,
            "archives": self.archived,
            "images": images.collect::<Vec<_>>(),
        })
    }

    fn add(&mut self, result: &LifecyclePolicyPreviewResult) {
        let action = result.action().and_then(|action| action.r#type());
        if action == Some(&ImageActionType::Transition) {
            self.archived += 1;
            return;
        }
        self.images.push(Image {
            digest: result
                .image_digest()
                .unwrap_or("an image without a digest")
                .to_owned(),
            tags: result.image_tags().to_vec(),
            priority: result.applied_rule_priority().unwrap_or_default(),
        });
    }
}

/// Asks ECR what `policy` would do to the repository `name`.
///
/// # Errors
/// When ECR finds the policy itself wrong: then nothing may be changed yet.
pub(crate) async fn ask(store: &Store<'_>, name: &str, policy: &Value) -> Result<Asked> {
    let text = policy.to_string();
    let context = || format!("failed to preview the lifecycle policy of repository `{name}`");
    let busy = |hurdle: &Hurdle| match hurdle {
        Hurdle::Busy(words) => Some(words.clone()),
        Hurdle::Failed(_) => None,
    };
    let asked = WAIT
        .retry(store.console, busy, async || {
            let request = store
                .client
                .start_lifecycle_policy_preview()
                .repository_name(name)
                .lifecycle_policy_text(&text);
            request
                .send()
                .await
                .map(drop)
                .map_err(|error| match code_of(&error) {
                    Some("LifecyclePolicyPreviewInProgressException") => {
                        Hurdle::Busy("another preview goes on".to_owned())
                    }
                    Some("InvalidParameterException") => {
                        let failure = call("ecr:StartLifecyclePolicyPreview")(error);
                        Hurdle::Failed(anyhow::Error::from(failure))
                    }
                    _ => Hurdle::Failed(not_judged(call("ecr:StartLifecyclePolicyPreview")(error))),
                })
        })
        .await;
    if let Err(hurdle) = asked {
        return outcome(hurdle).with_context(context);
    }
    let preview = WAIT
        .retry(store.console, busy, async || read(store, name, policy).await)
        .await;
    match preview {
        Ok(preview) => Ok(Asked::Known(preview)),
        Err(hurdle) => outcome(hurdle).with_context(context),
    }
}

/// A failure of the preview that is none of the policy.
#[derive(Debug)]
struct NotJudged(String);

impl std::fmt::Display for NotJudged {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for NotJudged {}

fn not_judged(failure: Failure) -> anyhow::Error {
    NotJudged(failure.to_string()).into()
}

fn outcome(hurdle: Hurdle) -> Result<Asked> {
    match hurdle {
        Hurdle::Busy(words) => Ok(Asked::NotJudged(words)),
        Hurdle::Failed(error) => match error.downcast::<NotJudged>() {
            Ok(NotJudged(words)) => Ok(Asked::NotJudged(words)),
            Err(error) => Err(error),
        },
    }
}

/// All pages of the finished preview.
async fn read(store: &Store<'_>, name: &str, policy: &Value) -> Result<Preview, Hurdle> {
    let mut preview = Preview::default();
    let mut token = None;
    loop {
        let request = store
            .client
            .get_lifecycle_policy_preview()
            .repository_name(name)
            .set_next_token(token.take());
        let answer = request.send().await.map_err(refused)?;
        match answer.status() {
            Some(LifecyclePolicyPreviewStatus::Complete) => {}
            Some(LifecyclePolicyPreviewStatus::InProgress) => {
                return Err(Hurdle::Busy("ECR is still at work on the preview".to_owned()));
            }
            status => {
                let word = status.map_or("no state", LifecyclePolicyPreviewStatus::as_str);
                let words = format!("ecr:GetLifecyclePolicyPreview answered with {word}");
                return Err(Hurdle::Failed(NotJudged(words).into()));
            }
        }
        // Somebody else may have asked about a policy of theirs in the meantime.
        let about = answer.lifecycle_policy_text().map(serde_json::from_str::<Value>);
        if !matches!(about, None | Some(Ok(_))) || matches!(&about, Some(Ok(other)) if other != policy) {
            let words = "another preview has taken the place of ours".to_owned();
            return Err(Hurdle::Failed(NotJudged(words).into()));
        }
        answer
            .preview_results()
            .iter()
            .for_each(|result| preview.add(result));
        let total = answer
            .summary()
            .and_then(|summary| summary.expiring_image_total_count());
        let total = total
            .and_then(|total| usize::try_from(total).ok())
            .unwrap_or_default();
        preview.expiring = preview.expiring.max(total).max(preview.images.len());
        token = answer.next_token().map(str::to_owned);
        if token.is_none() || preview.images.len() >= READ {
            return Ok(preview);
        }
    }
}

fn refused<E: ProvideErrorMetadata + std::error::Error + 'static>(error: SdkError<E>) -> Hurdle {
    if code_of(&error) == Some("LifecyclePolicyPreviewNotFoundException") {
        return Hurdle::Busy("the preview is not known yet".to_owned());
    }
    Hurdle::Failed(not_judged(call("ecr:GetLifecyclePolicyPreview")(error)))
}
