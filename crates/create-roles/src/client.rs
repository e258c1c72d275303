//! The calls to IAM that read roles and create them.

use crate::desired::Desired;
use crate::plan::{Observed, differs_in_case};
use anyhow::{Context, Result};
use aws_documents::policy;
use cli::{Console, ErrorKind, Failure};
use common::aws::{CallError, Client};
use common::json::{list, take, text};
use futures_util::future::join_all;
use reconcile::{Created, Lookup, Tags};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

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
        let trust = role
            .get("AssumeRolePolicyDocument")
            .and_then(Value::as_str)
            .ok_or_else(|| Failure::error("iam:GetRole response omitted `AssumeRolePolicyDocument`"))
            .with_context(context)?;
        let boundary = role
            .pointer("/PermissionsBoundary/PermissionsBoundaryArn")
            .and_then(Value::as_str);
        let tags = list(&role, "Tags")
            .iter()
            .map(|tag| (text(tag, "Key").to_owned(), text(tag, "Value").to_owned()));
        Ok(Lookup::Found(Observed {
            name: text(&role, "RoleName").to_owned(),
            arn: text(&role, "Arn").to_owned(),
            path: text(&role, "Path").to_owned(),
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

    async fn role(&self, name: &str) -> Result<Option<Value>> {
        let context = || format!("failed to describe role `{name}`");
        let response = self.client.call("GetRole", &json!({"RoleName": name})).await;
        let Some(response) = known(response).map_err(Failure::from).with_context(context)? else {
            return Ok(None);
        };
        let role = take(response, "Role");
        if role.is_object() {
            return Ok(Some(role));
        }
        Err(Failure::error("iam:GetRole response omitted `Role`")).with_context(context)
    }

    /// The names of all inline policies; `None` when the role does not exist.
    async fn inline_names(&self, name: &str) -> Result<Option<Vec<String>>> {
        let names = self
            .pages("ListRolePolicies", json!({"RoleName": name}), "PolicyNames")
            .await;
        let names = known(names)
            .map_err(Failure::from)
            .with_context(|| format!("failed to list the inline policies of role `{name}`"))?;
        let names = names.map(|names| {
            names
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        });
        Ok(names)
    }

    /// The ARNs of all managed policies; `None` when the role does not exist.
    async fn managed(&self, name: &str) -> Result<Option<Vec<String>>> {
        let request = json!({"RoleName": name});
        let policies = self
            .pages("ListAttachedRolePolicies", request, "AttachedPolicies")
            .await;
        let policies = known(policies)
            .map_err(Failure::from)
            .with_context(|| format!("failed to list the managed policies of role `{name}`"))?;
        let arns = |policies: Vec<Value>| {
            let arns = policies.iter().map(|policy| text(policy, "PolicyArn").to_owned());
            arns.filter(|arn| !arn.is_empty()).collect()
        };
        Ok(policies.map(arns))
    }

    /// One inline policy by name; `None` when it does not exist.
    async fn inline(&self, role: &str, policy: &str) -> Result<Option<(String, Value)>> {
        let context = || format!("failed to read inline policy `{policy}` of role `{role}`");
        let request = json!({"RoleName": role, "PolicyName": policy});
        let response = known(self.client.call("GetRolePolicy", &request).await);
        let response = response.map_err(Failure::from).with_context(context)?;
        let Some(response) = response else { return Ok(None) };
        let document =
            decoded("iam:GetRolePolicy", text(&response, "PolicyDocument")).with_context(context)?;
        Ok(Some((policy.to_owned(), document)))
    }

    /// Looks for a managed policy of the account. Without the permission the error is that of AttachRolePolicy.
    pub(crate) async fn find_policy(&self, arn: &str) -> Result<PolicyLookup> {
        match known(self.client.call("GetPolicy", &json!({"PolicyArn": arn})).await) {
            Ok(Some(_)) => Ok(PolicyLookup::Found),
            Ok(None) => Ok(PolicyLookup::NotFound),
            Err(error) if error.kind() == ErrorKind::Denied => Ok(PolicyLookup::Denied),
            Err(error) => Err(Failure::from(error)).with_context(|| format!("failed to find policy `{arn}`")),
        }
    }

    /// Creates a role, with its trust policy, boundary and tags at creation.
    ///
    /// # Errors
    /// When IAM refuses.
    pub(crate) async fn create(&self, desired: &Desired) -> Result<Created> {
        let name = &desired.name;
        let request = json!({
            "RoleName": name,
            "Path": desired.path,
            "AssumeRolePolicyDocument": desired.trust.to_string(),
            "PermissionsBoundary": desired.boundary,
            "Tags": tags_to_iam(&desired.tags),
        });
        let words = format!("iam:CreateRole for role `{name}`");
        match self.send("CreateRole", &request, words, false).await {
            Ok(()) => Ok(Created::New),
            Err(error) if error.code() == Some("EntityAlreadyExists") => {
                Ok(Created::existing(error.may_have_applied()))
            }
            Err(error) => {
                Err(Failure::from(error)).with_context(|| format!("failed to create role `{name}`"))
            }
        }
    }

    /// The error for a role whose name differs only in case, when there is one and the caller may list roles.
    pub(crate) async fn find_ignoring_case(&self, name: &str) -> Option<Failure> {
        let mut differs = None;
        let visit = |role: &Value| {
            let found = text(role, "RoleName");
            if found.eq_ignore_ascii_case(name) && found != name {
                differs = Some(differs_in_case(name, found));
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        // Without the permission, or with an error in between, there is no better explanation.
        let _ = self.each("ListRoles", json!({}), "Roles", visit).await;
        differs
    }

    /// The entries of the list `key`, of all pages.
    pub(crate) async fn pages(
        &self,
        operation: &str,
        request: Value,
        key: &str,
    ) -> Result<Vec<Value>, CallError> {
        let mut entries = Vec::new();
        let visit = |entry: &Value| {
            entries.push(entry.clone());
            ControlFlow::Continue(())
        };
        self.each(operation, request, key, visit).await?;
        Ok(entries)
    }

    /// Gives the entries of the list `key` to `visit`, page by page, until it breaks off.
    async fn each(
        &self,
        operation: &str,
        mut request: Value,
        key: &str,
        mut visit: impl FnMut(&Value) -> ControlFlow<()>,
    ) -> Result<(), CallError> {
        loop {
            let response = self.client.call(operation, &request).await?;
            if list(&response, key).iter().try_for_each(&mut visit).is_break() {
                return Ok(());
            }
            let marker = text(&response, "Marker");
            // The same marker again would be the same page again.
            if text(&response, "IsTruncated") != "true"
                || marker.is_empty()
                || text(&request, "Marker") == marker
            {
                return Ok(());
            }
            request["Marker"] = marker.into();
        }
    }
}

/// `None` for what does not exist.
pub(crate) fn known<T>(result: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == Some(MISSING) => Ok(None),
        Err(error) => Err(error),
    }
}

fn decoded(call: &str, document: &str) -> Result<Value> {
    policy::decode(&format!("answer of {call}"), document)
        .map_err(|diagnostic| diagnostic.into_failure().into())
}

pub(crate) fn tags_to_iam(tags: &Tags) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}
