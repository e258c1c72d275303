//! The names of Cloud Map's namespaces. A crate of its own, because `common` holds no service client.

use anyhow::{Context, Result};
use aws_sdk_servicediscovery::Client;
use cli::Failure;
use common::aws::{Aws, call, code_of};

/// The name of the namespace that AWS gives as `arn`, where `account` asks; `None` when it is gone. `written` is
/// where the file could name it by its ARN instead: "in ops.toml".
///
/// # Errors
/// When Cloud Map refuses, or gives no name.
pub async fn name_of(aws: &Aws, arn: &str, account: &str, written: &str) -> Result<Option<String>> {
    // One that another account shares is known by its ARN alone.
    let ours = arn.split(':').nth(4) == Some(account);
    let id = arn.rsplit('/').next().filter(|_| ours).unwrap_or(arn);
    let client = Client::new(&aws.sdk);
    let answer = match client.get_namespace().id(id).send().await {
        Ok(answer) => answer,
        Err(error) if code_of(&error) == Some("NamespaceNotFound") => return Ok(None),
        Err(error) => {
            let denied = code_of(&error) == Some("AccessDeniedException");
            let failure = call("servicediscovery:GetNamespace")(error);
            let failure = if denied {
                failure.hint(format!(
                    "allow `servicediscovery:GetNamespace`, or name the namespace by its ARN {written}: {arn}"
                ))
            } else {
                failure
            };
            return Err(failure).with_context(|| format!("failed to read the name of namespace `{arn}`"));
        }
    };
    let name = answer.namespace().and_then(|namespace| namespace.name());
    let missing = || Failure::error("servicediscovery:GetNamespace answered without `Name`");
    Ok(Some(name.ok_or_else(missing)?.to_owned()))
}
