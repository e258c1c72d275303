//! The one call that registers a revision. It is not idempotent: whether one without an answer went through is
//! looked up before it is sent again.

use super::Job;
use crate::ecs::{Refusal, Registered};
use crate::plan::Plan;
use anyhow::{Context, Result};
use reconcile::backoff::Backoff;
use reconcile::tags;
use serde_json::Value;
use std::time::Duration;

/// How often the call is sent when no answer comes; the SDK's own number of attempts.
const ATTEMPTS: u32 = 3;

/// How long ECS gets to end what it did not answer, before it is looked for; the second time twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// What came of a registration.
pub(super) enum Done {
    New(Registered),
    /// Another run registered the same in the meantime.
    Same(Registered),
}

impl Job<'_> {
    /// Registers it, and tries again what heals: two runs that met, a role that was made a moment ago, and too
    /// many calls.
    pub(super) async fn register(&self, role_is_new: Option<bool>) -> Result<Done> {
        let mut request = self.definition.clone();
        if let Some(members) = request.as_object_mut().filter(|_| !self.tags.is_empty()) {
            members.insert("tags".to_owned(), tags::to_json(self.tags));
        }
        let patience = match role_is_new {
            Some(true) => Backoff::PROPAGATION,
            _ => Backoff::CONFLICT,
        };
        let healing = |refusal: &Refusal| match refusal {
            Refusal::Concurrent(_) => Some("somebody else registers a revision".to_owned()),
            Refusal::Throttled(_) => Some("ECS limits the rate".to_owned()),
            Refusal::Role(_) if role_is_new != Some(false) => {
                Some("ECS does not know the new role everywhere yet".to_owned())
            }
            Refusal::Role(_) | Refusal::AttemptTracker(_) | Refusal::Other(_) => None,
        };
        // Whether a call of ours may have gone through, and whether another run was at it.
        let (mut unsure, mut met) = (false, false);
        let attempt = async || {
            // Whoever was faster may have registered the very same.
            if met && let Ok(Some(latest)) = self.the_same().await {
                return Ok(if unsure {
                    Done::New(latest)
                } else {
                    Done::Same(latest)
                });
            }
            let words = format!("ecs:RegisterTaskDefinition for task definition `{}`", self.family);
            let sent = self.send(&request, &mut unsure);
            let result = self.console.in_flight(words, sent).await;
            met = matches!(result, Err(Refusal::Concurrent(_)));
            result.map(Done::New)
        };
        let done = patience.retry(self.console, healing, attempt).await;
        done.map_err(Refusal::into_failure)
            .with_context(|| format!("failed to register task definition `{}`", self.family))
    }

    /// Sends the call. When no answer comes, it looks whether the revision is there, and sends it again only when
    /// it is not.
    async fn send(&self, request: &Value, unsure: &mut bool) -> Result<Registered, Refusal> {
        let mut attempt = 1;
        loop {
            let failure = match self.ecs.register(request).await {
                Err(Refusal::AttemptTracker(failure)) => failure,
                other => return other,
            };
            *unsure = true;
            tokio::time::sleep(PAUSE * attempt).await;
            match self.the_same().await {
                Ok(Some(latest)) => {
                    self.console.debug(format!("{failure}: it had gone through"));
                    return Ok(latest);
                }
                Ok(None) if attempt < ATTEMPTS => {
                    self.console
                        .debug(format!("{failure}: it had not gone through, trying again"));
                }
                Ok(None) | Err(_) => return Err(Refusal::AttemptTracker(failure)),
            }
            attempt += 1;
        }
    }

    /// The latest revision, when it is what the file wants.
    async fn the_same(&self) -> Result<Option<Registered>> {
        let latest = self.ecs.describe(self.family).await?;
        Ok(latest.filter(|latest| Plan::new(self.definition, self.tags, Some(latest)) == Plan::Nothing))
    }
}
