//! The service-linked role of ECS: without it ECS can manage nothing in the account. ECS makes it by itself
//! when the caller may; where it has not, we do.

use anyhow::{Context, Result};
use aws_sdk_iam::Client;
use common::aws::{call, code_of};

/// The role that ECS looks for.
pub(crate) const NAME: &str = "AWSServiceRoleForECS";

/// Whom it is for.
const SERVICE: &str = "ecs.amazonaws.com";

/// Whether the account has the role.
pub(crate) enum Presence {
    There,
    Missing,
    /// We may not look; with the refusal.
    NotJudged(String),
}

/// Looks for the role.
///
/// # Errors
/// When IAM cannot be asked.
pub(crate) async fn find(client: &Client) -> Result<Presence> {
    match client.get_role().role_name(NAME).send().await {
        Ok(_) => Ok(Presence::There),
        Err(error) => match code_of(&error) {
            Some("NoSuchEntity") => Ok(Presence::Missing),
            Some("AccessDenied") => Ok(Presence::NotJudged(call("iam:GetRole")(error).to_string())),
            _ => {
                let failure = call("iam:GetRole")(error);
                Err(failure).with_context(|| format!("failed to look for the service-linked role `{NAME}`"))
            }
        },
    }
}

/// Makes the role. `false`: it was there already, which is fine.
///
/// # Errors
/// When IAM refuses.
pub(crate) async fn create(client: &Client) -> Result<bool> {
    let result = client
        .create_service_linked_role()
        .aws_service_name(SERVICE)
        .send()
        .await;
    let Err(error) = result else { return Ok(true) };
    let taken = error
        .as_service_error()
        .and_then(|error| error.meta().message())
        .is_some_and(|message| message.contains("has been taken in this account"));
    match code_of(&error) {
        Some("InvalidInput") if taken => Ok(false),
        Some("EntityAlreadyExists") => Ok(false),
        _ => {
            let failure = call("iam:CreateServiceLinkedRole")(error);
            Err(failure).with_context(|| format!("failed to create the service-linked role `{NAME}`"))
        }
    }
}
