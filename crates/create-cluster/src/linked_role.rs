//! The service-linked role of ECS, without which ECS can manage nothing in the account. ECS creates it with the
//! permissions of the caller; where that has not happened, this module does.

use crate::plan::Plan;
use anyhow::{Context, Result};
use cli::duration;
use cli::{Console, ErrorKind, Failure};
use common::aws::Client;
use serde_json::json;
use std::time::Duration;

/// The name of the role.
pub(crate) const NAME: &str = "AWSServiceRoleForECS";

/// The service that assumes it.
const SERVICE: &str = "ecs.amazonaws.com";

/// How long IAM may take: an existing cluster can be changed without its answer.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether the account has the role.
#[derive(Debug)]
pub(crate) enum Presence {
    Found,
    NotFound,
    /// The caller may not look; with the error.
    Denied(Failure),
    /// IAM gave no usable answer; with the error.
    Unknown(Failure),
}

/// Looks for the role.
pub(crate) async fn look(client: &Client) -> Presence {
    let request = json!({"RoleName": NAME});
    let sent = client.call("GetRole", &request);
    let Ok(answer) = tokio::time::timeout(LOOK_TIMEOUT, sent).await else {
        let message = format!(
            "iam:GetRole got no response within {}",
            duration::show(LOOK_TIMEOUT)
        );
        return Presence::Unknown(Failure::error(message).kind(ErrorKind::Network).code("network"));
    };
    let Err(error) = answer else {
        return Presence::Found;
    };
    match error.kind() {
        ErrorKind::NotFound => Presence::NotFound,
        ErrorKind::Denied => Presence::Denied(error.into()),
        _ => Presence::Unknown(error.into()),
    }
}

/// Whether the role must be created for a cluster with this `plan`. That the caller may not look is printed only when
/// the plan changes something: ECS itself refuses what it can't do without the role.
///
/// # Errors
/// When IAM gave no usable answer, and no cluster exists that shows that ECS is in use.
pub(crate) fn must_be_created(presence: Presence, plan: &Plan, console: &Console) -> Result<bool> {
    let words = |why: Failure| format!("service-linked role `{NAME}` not judged: {why}");
    match presence {
        Presence::Found => return Ok(false),
        Presence::NotFound => return Ok(true),
        Presence::Unknown(why) if matches!(plan, Plan::Create(..)) => {
            return Err(why).with_context(|| format!("failed to look for the service-linked role `{NAME}`"));
        }
        Presence::Denied(why) if *plan == Plan::Nothing => console.debug(words(why)),
        Presence::Denied(why) | Presence::Unknown(why) => console.warn(words(why)),
    }
    Ok(false)
}

/// Creates the role. `false`: another caller created it. A role that exists after an attempt that got no response counts
/// as created by that attempt.
///
/// # Errors
/// When IAM refuses.
pub(crate) async fn create(client: &Client) -> Result<bool> {
    let request = json!({"AWSServiceName": SERVICE});
    let result = client.call("CreateServiceLinkedRole", &request).await;
    let Err(error) = result else { return Ok(true) };
    // IAM has no code of its own for this case.
    let taken = error
        .message()
        .is_some_and(|message| message.contains("has been taken in this account"));
    match error.code() {
        Some("InvalidInput") if taken => Ok(error.may_have_applied()),
        Some("EntityAlreadyExists") => Ok(error.may_have_applied()),
        _ => Err(Failure::from(error))
            .with_context(|| format!("failed to create the service-linked role `{NAME}`")),
    }
}
