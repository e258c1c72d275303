//! The calls to IAM that read roles and create them.

use crate::desired::Desired;
use crate::plan::{Observed, differs_in_case};
use anyhow::{Context, Result};
use aws_documents::policy;
use aws_sdk_iam::Client;
use aws_sdk_iam::error::SdkError;
use aws_sdk_iam::types::{AttachedPermissionsBoundary, AttachedPolicy, Role, Tag};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use cli::{Console, Failure};
use common::aws::{AttemptTracker, call, code_of};
use futures_util::future::join_all;
use reconcile::{Created, Lookup, Tags};
use serde_json::Value;
use std::collections::BTreeMap;

/// IAM's code for a role or policy that does not exist.
pub(crate) const MISSING: &str = "NoSuchEntity";

/// The client of IAM.
pub(crate) struct Iam<'a> {
    pub(crate) client: Client,
    pub(crate) console: &'a Console,
}

/// Whether a managed policy exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PolicyLookup {
    Found,
    NotFound,
    /// The caller may not ask.
    Denied,
}

impl Iam<'_> {
    /// Reads a role with all that the file can name. The calls run at the same time: of a role that does not exist
    /// each of them answers the same.
    ///
    /// # Errors
    /// When a call fails for any other reason than that the role does not exist.
    pub(crate) async fn describe(&self, desired: &Desired) -> Result<Lookup<Observed>> {
        let name = desired.name.as_str();
        let documents = join_all(desired.inline.iter().map(|(policy, _)| self.inline(name, policy)));
        let (role, inline, managed, documents) = tokio::join!(
            self.role(name),
            self.inline_names(name),
            self.managed(name),
            documents
        );
        let Some(role) = role? else {
            return Ok(Lookup::NotFound);
        };
        let (Some(inline), Some(managed)) = (inline?, managed?) else {
            return Ok(Lookup::Inconsistent);
        };
        let context = || format!("failed to describe role `{name}`");
        let without = |field: &str| Failure::error(format!("iam:GetRole response omitted `{field}`"));
        let trust = role
            .assume_role_policy_document()
            .ok_or_else(|| without("AssumeRolePolicyDocument"))
            .with_context(context)?;
        let boundary = role
            .permissions_boundary()
            .and_then(AttachedPermissionsBoundary::permissions_boundary_arn);
        let tags = role
            .tags()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
        Ok(Lookup::Found(Observed {
            name: role.role_name().to_owned(),
            arn: role.arn().to_owned(),
            path: role.path().to_owned(),
            trust: decoded("iam:GetRole", trust).with_context(context)?,
            inline,
            documents: documents
                .into_iter()
                .filter_map(Result::transpose)
                .collect::<Result<BTreeMap<_, _>>>()?,
            managed,
            boundary: boundary.map(str::to_owned),
            tags: tags.collect(),
        }))
    }

    async fn role(&self, name: &str) -> Result<Option<Role>> {
        match self.client.get_role().role_name(name).send().await {
            Ok(answer) => match answer.role {
                Some(role) => Ok(Some(role)),
                None => Err(Failure::error("iam:GetRole response omitted `Role`"))
                    .with_context(|| format!("failed to describe role `{name}`")),
            },
            Err(error) if code_of(&error) == Some(MISSING) => Ok(None),
            Err(error) => {
                Err(call("iam:GetRole")(error)).with_context(|| format!("failed to describe role `{name}`"))
            }
        }
    }

    /// The names of all inline policies; `None` when the role does not exist.
    async fn inline_names(&self, name: &str) -> Result<Option<Vec<String>>> {
        let request = self.client.list_role_policies().role_name(name);
        let pages = request.into_paginator().items().send();
        let names = known(pages.collect::<Result<Vec<_>, _>>().await);
        names
            .map_err(call("iam:ListRolePolicies"))
            .with_context(|| format!("failed to list the inline policies of role `{name}`"))
    }

    /// The ARNs of all managed policies; `None` when the role does not exist.
    async fn managed(&self, name: &str) -> Result<Option<Vec<String>>> {
        let request = self.client.list_attached_role_policies().role_name(name);
        let pages = request.into_paginator().items().send();
        let policies = known(pages.collect::<Result<Vec<_>, _>>().await);
        let policies = policies
            .map_err(call("iam:ListAttachedRolePolicies"))
            .with_context(|| format!("failed to list the managed policies of role `{name}`"))?;
        let arns = |policies: Vec<AttachedPolicy>| {
            let arns = policies.into_iter().filter_map(|policy| policy.policy_arn);
            arns.collect()
        };
        Ok(policies.map(arns))
    }

    /// One inline policy by name; `None` when it does not exist.
    async fn inline(&self, role: &str, policy: &str) -> Result<Option<(String, Value)>> {
        let context = || format!("failed to read inline policy `{policy}` of role `{role}`");
        match self
            .client
            .get_role_policy()
            .role_name(role)
            .policy_name(policy)
            .send()
            .await
        {
            Ok(answer) => {
                let document =
                    decoded("iam:GetRolePolicy", answer.policy_document()).with_context(context)?;
                Ok(Some((policy.to_owned(), document)))
            }
            Err(error) if code_of(&error) == Some(MISSING) => Ok(None),
            Err(error) => Err(call("iam:GetRolePolicy")(error)).with_context(context),
        }
    }

    /// Looks for a managed policy of the account. Without the permission the error is that of AttachRolePolicy.
    pub(crate) async fn find_policy(&self, arn: &str) -> Result<PolicyLookup> {
        let Err(error) = self.client.get_policy().policy_arn(arn).send().await else {
            return Ok(PolicyLookup::Found);
        };
        match code_of(&error) {
            Some(MISSING) => Ok(PolicyLookup::NotFound),
            Some("AccessDenied" | "AccessDeniedException") => Ok(PolicyLookup::Denied),
            _ => Err(call("iam:GetPolicy")(error)).with_context(|| format!("failed to find policy `{arn}`")),
        }
    }

    /// Creates a role, with its trust policy, boundary and tags at creation.
    ///
    /// # Errors
    /// When IAM refuses.
    pub(crate) async fn create(&self, desired: &Desired) -> Result<Created> {
        let name = &desired.name;
        let request = self
            .client
            .create_role()
            .role_name(name)
            .path(&desired.path)
            .assume_role_policy_document(desired.trust.to_string())
            .set_permissions_boundary(desired.boundary.clone())
            .set_tags(tags_to_sdk(&desired.tags)?);
        let tracker = AttemptTracker::default();
        let sent = self.send(format!("iam:CreateRole for role `{name}`"), false, async || {
            let request = request.clone().customize().interceptor(tracker.clone());
            request.send().await
        });
        match sent.await {
            Ok(_) => Ok(Created::New),
            Err(error) if code_of(&error) == Some("EntityAlreadyExists") => {
                Ok(Created::existing(tracker.may_have_applied()))
            }
            Err(error) => {
                Err(call("iam:CreateRole")(error)).with_context(|| format!("failed to create role `{name}`"))
            }
        }
    }

    /// The error for a role whose name differs only in case, when there is one and the caller may list roles.
    pub(crate) async fn find_ignoring_case(&self, name: &str) -> Option<Failure> {
        let mut roles = self.client.list_roles().into_paginator().items().send();
        while let Some(Ok(role)) = roles.next().await {
            let found = role.role_name();
            if found.eq_ignore_ascii_case(name) && found != name {
                return Some(differs_in_case(name, found));
            }
        }
        None
    }
}

/// `None` for what does not exist.
pub(crate) fn known<T, E: ProvideErrorMetadata, R>(
    result: Result<T, SdkError<E, R>>,
) -> Result<Option<T>, SdkError<E, R>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if code_of(&error) == Some(MISSING) => Ok(None),
        Err(error) => Err(error),
    }
}

fn decoded(call: &str, document: &str) -> Result<Value> {
    policy::decode(&format!("answer of {call}"), document).map_err(|fault| fault.into_failure().into())
}

pub(crate) fn tags_to_sdk(tags: &Tags) -> Result<Option<Vec<Tag>>> {
    if tags.is_empty() {
        return Ok(None);
    }
    let tags = tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build());
    Ok(Some(
        tags.collect::<Result<_, _>>()
            .context("failed to build the tags")?,
    ))
}
