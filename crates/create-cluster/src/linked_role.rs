//! The service-linked role of ECS: without it ECS can manage nothing in the account. ECS makes it by itself
//! when the caller may; where it has not, we do.

use crate::plan::Plan;
use anyhow::{Context, Result};
use aws_sdk_iam::Client;
use cli::duration;
use cli::{Console, ErrorKind, Failure};
use common::aws::{AttemptTracker, call, code_of};
use std::time::Duration;

/// The role that ECS looks for.
pub(crate) const NAME: &str = "AWSServiceRoleForECS";

/// Whom it is for.
const SERVICE: &str = "ecs.amazonaws.com";

/// How long IAM may take: a cluster that is there can be looked after without it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the account has the role.
#[derive(Debug)]
pub(crate) enum Presence {
    There,
    Missing,
    /// We may not look; with the refusal.
    Denied(Failure),
    /// IAM does not say.
    Unknown(Failure),
}

/// Looks for the role.
pub(crate) async fn look(client: &Client) -> Presence {
    let sent = client.get_role().role_name(NAME).send();
    let Ok(answer) = tokio::time::timeout(PATIENCE, sent).await else {
        let message = format!("iam:GetRole got no answer within {}", duration::show(PATIENCE));
        return Presence::Unknown(Failure::error(message).kind(ErrorKind::Network).code("network"));
    };
    let Err(error) = answer else {
        return Presence::There;
    };
    let kind = match code_of(&error) {
        Some("NoSuchEntity") => return Presence::Missing,
        Some("AccessDenied") => Presence::Denied,
        _ => Presence::Unknown,
    };
    kind(call("iam:GetRole")(error))
}

/// Whether the role is to be made, for a cluster that is to be treated by `plan`. Who may not look hears of it
/// only when something is to be done: ECS itself refuses what it can't do without the role.
///
/// # Errors
/// When IAM does not say, and nothing is there yet that shows that ECS is in use.
pub(crate) fn is_to_be_made(presence: Presence, plan: &Plan, console: &Console) -> Result<bool> {
    let words = |why: Failure| format!("service-linked role `{NAME}` not judged: {why}");
    match presence {
        Presence::There => return Ok(false),
        Presence::Missing => return Ok(true),
        Presence::Unknown(why) if matches!(plan, Plan::Create(..)) => {
            return Err(why).with_context(|| format!("failed to look for the service-linked role `{NAME}`"));
        }
        Presence::Denied(why) if *plan == Plan::Nothing => console.debug(words(why)),
        Presence::Denied(why) | Presence::Unknown(why) => console.warn(words(why)),
    }
    Ok(false)
}

/// Makes the role. `false`: it was there already, which is fine. One that is there after an attempt of ours that was
/// not answered is taken for that one's.
///
/// # Errors
/// When IAM refuses.
pub(crate) async fn create(client: &Client) -> Result<bool> {
    let tracker = AttemptTracker::default();
    let request = client.create_service_linked_role().aws_service_name(SERVICE);
    let request = request.customize().interceptor(tracker.clone());
    let result = request.send().await;
    let Err(error) = result else { return Ok(true) };
    let taken = error
        .as_service_error()
        .and_then(|error| error.meta().message())
        .is_some_and(|message| message.contains("has been taken in this account"));
    match code_of(&error) {
        Some("InvalidInput") if taken => Ok(tracker.may_have_applied()),
        Some("EntityAlreadyExists") => Ok(tracker.may_have_applied()),
        _ => {
            let failure = call("iam:CreateServiceLinkedRole")(error);
            Err(failure).with_context(|| format!("failed to create the service-linked role `{NAME}`"))
        }
    }
}
