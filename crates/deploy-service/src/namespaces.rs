//! The name of the Cloud Map namespace that ECS names by its ARN.

use crate::service::{Service, text};
use anyhow::Result;
use aws_documents::service::Namespaces;
use common::aws::Aws;
use serde_json::Value;

/// The names that are needed to compare `service` with `desired`, which has CreateService's shape. Nothing is
/// asked unless ECS shows an ARN where the file has a name. A namespace that is gone has no name, and so
/// differs from any.
///
/// # Errors
/// When Cloud Map refuses.
pub(crate) async fn of(service: Option<&Service>, desired: &Value, aws: &Aws) -> Result<Namespaces> {
    let mut names = Namespaces::new();
    let named = desired
        .pointer("/serviceConnectConfiguration/namespace")
        .and_then(Value::as_str)
        .is_some_and(|namespace| !namespace.starts_with("arn:"));
    let Some((service, arn)) = service
        .filter(|_| named)
        .and_then(|service| Some((service, service.namespace_arn()?)))
    else {
        return Ok(names);
    };
    let account = text(&service.value, "serviceArn")
        .split(':')
        .nth(4)
        .unwrap_or_default();
    if let Some(name) = ecs::namespace::name_of(aws, arn, account, "in the file").await? {
        names.insert(arn.to_owned(), name);
    }
    Ok(names)
}
