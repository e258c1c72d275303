//! ECR's own preview of a lifecycle policy: which images it would delete. It changes nothing.

use crate::client::Ecr;
use anyhow::{Context, Result};
use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecr::types::{ImageActionType, LifecyclePolicyPreviewResult, LifecyclePolicyPreviewStatus};
use cli::Console;
use common::aws::{call, code_of};
use reconcile::Backoff;
use serde_json::{Value, json};
use std::time::Duration;

/// How long ECR may take. With many thousands of images it takes longer, and the preview is unavailable.
const WAIT: Backoff = Backoff {
    initial: Duration::from_millis(200),
    max_interval: Duration::from_secs(2),
    max_elapsed: Duration::from_secs(20),
};

/// How many images are printed one by one.
const SHOWN: usize = 20;

/// How many images are read; of the others only the number is printed.
const READ: usize = 1000;

/// What a policy would do to the images.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Preview {
    /// How many images would be deleted.
    expiring: usize,
    /// How many would go to the archive.
    archived: usize,
    /// The images that would be deleted, up to [`READ`].
    images: Vec<Image>,
}

#[derive(Debug, PartialEq, Eq)]
struct Image {
    digest: String,
    tags: Vec<String>,
    priority: i32,
}

/// The preview, or the reason why there is none.
#[derive(Debug)]
pub(crate) enum Forecast {
    Known(Preview),
    Unavailable(String),
}

impl Forecast {
    /// What the policy of the repository `name` deletes or may delete, in words that complete "this will …";
    /// `None` when it deletes nothing.
    pub(crate) fn deletion(&self, name: &str) -> Option<String> {
        match self {
            Forecast::Known(preview) => match preview.expiring {
                0 => None,
                1 => Some(format!("delete 1 image of repository `{name}`")),
                many => Some(format!("delete {many} images of repository `{name}`")),
            },
            Forecast::Unavailable(_) => Some(format!(
                "put a lifecycle policy that may delete images of repository `{name}`"
            )),
        }
    }

    /// Prints what would happen to the images of the repository `name`.
    pub(crate) fn print(&self, name: &str, console: &Console) {
        match self {
            Forecast::Known(preview) => preview.print(name, console),
            Forecast::Unavailable(reason) => console.warn(format!(
                "could not preview the lifecycle policy of repository `{name}`: {reason}"
            )),
        }
    }
}

/// Why there is no preview yet, or none at all.
enum Obstacle {
    /// ECR is computing it; with the state in words.
    Busy(String),
    Unavailable(String),
    Failed(anyhow::Error),
}

impl Obstacle {
    fn retry_reason(&self) -> Option<String> {
        match self {
            Obstacle::Busy(words) => Some(words.clone()),
            Obstacle::Unavailable(_) | Obstacle::Failed(_) => None,
        }
    }
}

impl Preview {
    fn print(&self, name: &str, console: &Console) {
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
/// When ECR rejects the policy itself: then nothing may be changed yet.
pub(crate) async fn preview(ecr: &Ecr<'_>, name: &str, policy: &Value) -> Result<Forecast> {
    let text = policy.to_string();
    let start = async || {
        let request = ecr.client.start_lifecycle_policy_preview();
        let request = request.repository_name(name).lifecycle_policy_text(&text);
        request.send().await.map(drop).map_err(not_started)
    };
    let started = WAIT.retry(ecr.console, Obstacle::retry_reason, start).await;
    let result = match started {
        Ok(()) => {
            let read = async || read(ecr, name, policy).await;
            WAIT.retry(ecr.console, Obstacle::retry_reason, read).await
        }
        Err(obstacle) => Err(obstacle),
    };
    match result {
        Ok(preview) => Ok(Forecast::Known(preview)),
        Err(Obstacle::Busy(words) | Obstacle::Unavailable(words)) => Ok(Forecast::Unavailable(words)),
        Err(Obstacle::Failed(error)) => Err(error)
            .with_context(|| format!("failed to preview the lifecycle policy of repository `{name}`")),
    }
}

fn not_started<E>(error: SdkError<E>) -> Obstacle
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = code_of(&error).map(str::to_owned);
    let failure = || call("ecr:StartLifecyclePolicyPreview")(error);
    match code.as_deref() {
        Some("LifecyclePolicyPreviewInProgressException") => {
            Obstacle::Busy("another preview is in progress".to_owned())
        }
        Some("InvalidParameterException") => Obstacle::Failed(failure().into()),
        _ => Obstacle::Unavailable(failure().to_string()),
    }
}

/// All pages of the finished preview.
async fn read(ecr: &Ecr<'_>, name: &str, policy: &Value) -> Result<Preview, Obstacle> {
    let mut preview = Preview::default();
    let mut token = None;
    loop {
        let request = ecr
            .client
            .get_lifecycle_policy_preview()
            .repository_name(name)
            .set_next_token(token.take());
        let answer = request.send().await.map_err(not_read)?;
        match answer.status() {
            Some(LifecyclePolicyPreviewStatus::Complete) => {}
            Some(LifecyclePolicyPreviewStatus::InProgress) => {
                return Err(Obstacle::Busy("ECR is still computing the preview".to_owned()));
            }
            status => {
                let word = status.map_or("(none)", LifecyclePolicyPreviewStatus::as_str);
                let words = format!("ecr:GetLifecyclePolicyPreview returned the status {word}");
                return Err(Obstacle::Unavailable(words));
            }
        }
        // Another caller may have started a preview of another policy in the meantime.
        let about = answer.lifecycle_policy_text().map(serde_json::from_str::<Value>);
        if !matches!(about, None | Some(Ok(_))) || matches!(&about, Some(Ok(other)) if other != policy) {
            let words = "a preview of another policy replaced it".to_owned();
            return Err(Obstacle::Unavailable(words));
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

fn not_read<E: ProvideErrorMetadata + std::error::Error + 'static>(error: SdkError<E>) -> Obstacle {
    if code_of(&error) == Some("LifecyclePolicyPreviewNotFoundException") {
        return Obstacle::Busy("the preview is not visible yet".to_owned());
    }
    Obstacle::Unavailable(call("ecr:GetLifecyclePolicyPreview")(error).to_string())
}
