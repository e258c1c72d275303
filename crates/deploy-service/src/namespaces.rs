//! The name of the Cloud Map namespace that ECS names by its ARN.

use crate::service::{Service, text};
use anyhow::{Context, Result};
use aws_documents::service::Namespaces;
use common::aws::{Aws, call, code_of};
use serde_json::Value;

/// The names that are needed to compare `service` with `wanted`, which has CreateService's shape. Nothing is
/// asked unless ECS shows an ARN where the file has a name. A namespace that is gone has no name, and so
/// differs from any.
///
/// # Errors
/// When Cloud Map refuses.
pub(crate) async fn of(service: Option<&Service>, wanted: &Value, aws: &Aws) -> Result<Namespaces> {
    let mut names = Namespaces::new();
    let named = wanted
        .pointer("/serviceConnectConfiguration/namespace")
        .and_then(Value::as_str)
        .is_some_and(|namespace| !namespace.starts_with("arn:"));
    let Some((service, arn)) = service
        .filter(|_| named)
        .and_then(|service| Some((service, service.namespace_arn()?)))
    else {
        return Ok(names);
    };
    // One that another account shares is known by its ARN alone.
    let account = |arn: &str| arn.split(':').nth(4).map(str::to_owned);
    let ours = account(arn) == account(text(&service.value, "serviceArn"));
    let id = arn.rsplit('/').next().filter(|_| ours).unwrap_or(arn);
    let client = aws_sdk_servicediscovery::Client::new(&aws.sdk);
    let answer = match client.get_namespace().id(id).send().await {
        Ok(answer) => answer,
        Err(error) if code_of(&error) == Some("NamespaceNotFound") => return Ok(names),
        Err(error) => {
            let denied = code_of(&error) == Some("AccessDeniedException");
            let mut failure = call("servicediscovery:GetNamespace")(error);
            if denied {
                failure = failure.hint(format!(
                    "allow `servicediscovery:GetNamespace`, or name the namespace by its ARN in the file: {arn}"
                ));
            }
            return Err(failure).with_context(|| format!("failed to read the name of namespace `{arn}`"));
        }
    };
    if let Some(name) = answer.namespace().and_then(|namespace| namespace.name()) {
        names.insert(arn.to_owned(), name.to_owned());
    }
    Ok(names)
}
