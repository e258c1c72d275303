//! The name of the Cloud Map namespace that ECS names by its ARN.

use crate::service::Service;
use anyhow::{Context, Result};
use aws_documents::service::Namespaces;
use common::aws::{Aws, call};

/// The names that are needed to compare `service`; nothing is asked when it names none by an ARN.
///
/// # Errors
/// When Cloud Map refuses.
pub(crate) async fn of(service: Option<&Service>, aws: &Aws) -> Result<Namespaces> {
    let mut names = Namespaces::new();
    if let Some(arn) = service.and_then(Service::namespace_arn)
        && let Some((_, id)) = arn.rsplit_once("namespace/")
    {
        let client = aws_sdk_servicediscovery::Client::new(&aws.sdk);
        let answer = client.get_namespace().id(id).send().await;
        let answer = answer
            .map_err(call("servicediscovery:GetNamespace"))
            .with_context(|| format!("failed to read namespace `{arn}`"))?;
        if let Some(name) = answer.namespace().and_then(|namespace| namespace.name()) {
            names.insert(arn.to_owned(), name.to_owned());
        }
    }
    Ok(names)
}
