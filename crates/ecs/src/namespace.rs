//! The names of Cloud Map namespaces: ECS gives a namespace by its ARN, files name it.

use anyhow::{Context, Result};
use cli::{ErrorKind, Failure};
use common::aws::Aws;
use common::aws::Client;
use common::aws::service::CLOUD_MAP;
use common::json::text;
use serde_json::{Value, json};

/// The name of the namespace `arn`, as the caller's `account` sees it; `None` when the namespace does not exist.
/// `file` is where the namespace could be named by its ARN instead ("in ops.toml"), for the hint.
///
/// # Errors
/// When the call fails, or the response has no name.
pub async fn name_of(aws: &Aws, arn: &str, account: &str, file: &str) -> Result<Option<String>> {
    // A namespace that another account shares is known to this one by its ARN alone.
    let is_own = arn::split(arn).is_some_and(|parts| parts.account == account);
    let id = arn.rsplit('/').next().filter(|_| is_own).unwrap_or(arn);
    let sent = Client::new(aws, &CLOUD_MAP)
        .call("GetNamespace", &json!({"Id": id}))
        .await;
    let failed = || format!("failed to read the name of namespace `{arn}`");
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("NamespaceNotFound") => return Ok(None),
        Err(error) => {
            let is_denied = error.kind() == ErrorKind::Denied;
            let mut failure = Failure::from(error);
            if is_denied {
                failure = failure.hint(format!(
                    "grant `servicediscovery:GetNamespace`, or name the namespace by its ARN {file}: {arn}"
                ));
            }
            return Err(failure).with_context(failed);
        }
    };
    let name = answer.get("Namespace").unwrap_or(&Value::Null);
    match text(name, "Name") {
        "" => Err(Failure::error(
            "servicediscovery:GetNamespace response omitted `Name`",
        ))
        .with_context(failed),
        name => Ok(Some(name.to_owned())),
    }
}
