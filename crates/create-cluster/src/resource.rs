//! The cluster as a resource of the loop, with the service-linked role that it needs.

use crate::describe::Reader;
use crate::linked_role::{self, Presence};
use crate::observed::{Observed, Status, failed};
use crate::plan::{self, Action, Desired, Plan};
use anyhow::Result;
use cli::{Console, Failure, Item};
use common::aws::service::{ECS, IAM};
use common::aws::{CallError, Client};
use common::session::Session;
use reconcile::{Backoff, Created, Lookup, Resource};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// How long ECS may take to create the service-linked role itself, when the caller may not.
const OWN_ROLE: Backoff = Backoff {
    max_elapsed: Duration::from_secs(10),
    ..Backoff::PROPAGATION
};

/// The cluster.
pub(crate) struct EcsCluster<'a> {
    reader: Reader<'a>,
    client: Client,
    iam: Client,
    console: &'a Console,
    desired: Desired,
    role: RefCell<LinkedRole>,
    /// Whether this run has changed the cluster, which may keep it busy.
    is_changed: Cell<bool>,
}

/// The service-linked role, in this run.
#[derive(Debug)]
enum LinkedRole {
    /// Nothing has read it yet.
    NotRead,
    /// What `observe` found, not yet evaluated by `check_plan`.
    Read(Presence),
    /// It exists, or the caller may not look.
    Assumed,
    /// It must be created.
    Missing,
    /// This run created it.
    Created,
    /// Another caller created it.
    Exists,
    /// It could not be created; with the error.
    Refused(anyhow::Error),
}

impl Resource for EcsCluster<'_> {
    type Observed = Observed;
    type Action = Action;
    const KIND: &'static str = "cluster";

    fn name(&self) -> &str {
        &self.desired.cluster.name
    }

    /// The first read looks for the service-linked role too: an account may have the cluster and not the role.
    async fn observe(&self) -> Result<Lookup<Observed>> {
        if !matches!(*self.role.borrow(), LinkedRole::NotRead) {
            return self.reader.describe().await;
        }
        let look = async { Ok(linked_role::look(&self.iam).await) };
        let (observed, presence) = tokio::try_join!(self.reader.describe(), look)?;
        self.role.replace(LinkedRole::Read(presence));
        Ok(observed)
    }

    fn plan(&self, observed: Option<&Observed>) -> Result<Plan, Failure> {
        match observed {
            Some(observed) if observed.status == Status::Failed => {
                Err(failed(self.name(), &observed.attachments))
            }
            Some(observed) if observed.status == Status::Deprovisioning => {
                Ok(plan::plan(&self.desired, None))
            }
            observed => Ok(plan::plan(&self.desired, observed)),
        }
    }

    async fn check_plan(&self, plan: &Plan) -> Result<()> {
        let role = self.role.replace(LinkedRole::Assumed);
        if let LinkedRole::Read(presence) = role
            && linked_role::must_be_created(presence, plan, self.console)?
        {
            self.role.replace(LinkedRole::Missing);
        }
        Ok(())
    }

    /// Creates the service-linked role, and waits until the cluster can be changed or created. Without the permission
    /// to create the role the run continues: ECS may create it itself, and the cluster still has to be compared.
    async fn prepare(&self, observed: Option<Observed>, _: &Plan) -> Result<Option<Observed>> {
        if matches!(*self.role.borrow(), LinkedRole::Missing) {
            self.create_role().await;
            if self.role_was_refused() {
                let name = linked_role::NAME;
                self.console.warn(format!(
                    "could not create the service-linked role `{name}`; ECS may create it itself"
                ));
            }
        }
        let observed = match observed {
            None => return Ok(None),
            Some(observed) if observed.status == Status::Deprovisioning => {
                self.reader.wait_until_gone(self.console).await?;
                return Ok(None);
            }
            Some(observed) if matches!(observed.status, Status::Busy(_)) => {
                self.reader.wait_until_usable(self.console).await?
            }
            Some(observed) => observed,
        };
        let is_unchanged = matches!(self.plan(Some(&observed))?, Plan::Nothing);
        if observed.status == Status::UpdateFailed && is_unchanged {
            self.console.warn(format!(
                "the last change of the cluster's attachments failed: {}",
                observed.attachments
            ));
        }
        Ok(Some(observed))
    }

    /// CreateCluster succeeds for a cluster that exists with the same fields.
    async fn create(&self) -> Result<Created> {
        match self.send("CreateCluster", &self.desired.creation(), false).await {
            Ok(()) => {
                self.is_changed.set(true);
                Ok(Created::New)
            }
            Err(error) if is_inconsistent(&error) => Ok(Created::Exists),
            Err(error) => Err(self.failure("create", error)),
        }
    }

    async fn perform(&self, action: &Action, just_created: bool) -> Result<()> {
        if self.is_changed.get() {
            // An update may keep the cluster busy, and a busy cluster refuses the next one.
            self.reader.wait_until_usable(self.console).await?;
        }
        let sent = self.send(action.operation, &action.body, just_created).await;
        sent.map_err(|error| self.failure(action.purpose, error))?;
        self.is_changed.set(true);
        Ok(())
    }

    async fn refetch(&self) -> Result<Lookup<Observed>> {
        let observed = self.reader.wait_until_usable(self.console).await?;
        if self.is_changed.get() && observed.status == Status::UpdateFailed {
            let reason = &observed.attachments;
            let message = format!("failed to change the attachments of {}: {reason}", self.label());
            return Err(Failure::error(message).code("update-failed").into());
        }
        Ok(Lookup::Found(observed))
    }

    /// A role that could not be created is an error only when ECS has not created it either.
    async fn check_end(&self) -> Result<()> {
        let Some(error) = self.take_refusal() else {
            return Ok(());
        };
        match linked_role::look(&self.iam).await {
            Presence::NotFound => Err(error),
            Presence::Found | Presence::Denied(_) | Presence::Unknown(_) => Ok(()),
        }
    }

    fn other_items(&self) -> Vec<Item> {
        match *self.role.borrow() {
            LinkedRole::Missing | LinkedRole::Created => vec![role_item()],
            _ => Vec::new(),
        }
    }

    fn item(&self, item: Item, _: Option<&Observed>) -> Item {
        item.detail("arn", self.desired.arn.as_str())
    }

    fn notes(&self, _: &Plan, observed: Option<&Observed>) -> Vec<String> {
        match observed.map(|observed| &observed.status) {
            Some(Status::Deprovisioning) => vec!["the cluster is DEPROVISIONING".to_owned()],
            Some(Status::Busy(word)) => vec![format!("the cluster is {word}")],
            _ => Vec::new(),
        }
    }

    fn line(&self, _: Option<&Observed>) -> Option<String> {
        Some(self.desired.arn.clone())
    }
}

impl<'a> EcsCluster<'a> {
    pub(crate) fn new(session: &'a Session, console: &'a Console, desired: Desired) -> Self {
        let client = Client::new(&session.aws, &ECS);
        EcsCluster {
            reader: Reader {
                client: client.clone(),
                aws: &session.aws,
                account: &session.target.account,
                name: desired.cluster.name.clone(),
                namespace: desired.cluster.service_connect_namespace.clone(),
            },
            client,
            iam: Client::new(&session.aws, &IAM),
            console,
            desired,
            role: RefCell::new(LinkedRole::NotRead),
            is_changed: Cell::new(false),
        }
    }

    /// Creates the service-linked role; an error is kept for the case that ECS misses the role.
    async fn create_role(&self) {
        let words = format!("iam:CreateServiceLinkedRole for `{}`", linked_role::NAME);
        let created = linked_role::create(&self.iam);
        let role = match self.console.in_flight(words, created).await {
            Ok(true) => {
                self.console.announce(&role_item(), false);
                LinkedRole::Created
            }
            Ok(false) => LinkedRole::Exists,
            Err(error) => LinkedRole::Refused(error),
        };
        self.role.replace(role);
    }

    fn role_was_refused(&self) -> bool {
        matches!(*self.role.borrow(), LinkedRole::Refused(_))
    }

    /// The error of the creation of the role, once.
    fn take_refusal(&self) -> Option<anyhow::Error> {
        if !self.role_was_refused() {
            return None;
        }
        match self.role.replace(LinkedRole::Assumed) {
            LinkedRole::Refused(error) => Some(error),
            _ => None,
        }
    }

    /// Sends a request, and again while the service-linked role or a new cluster has not propagated, or another update
    /// is in progress.
    async fn send(&self, operation: &str, body: &Value, just_created: bool) -> Result<(), CallError> {
        let words = format!("ecs:{operation} for {}", self.label());
        let attempt = async || {
            let call = self.client.call(operation, body);
            self.console.in_flight(&words, call).await.map(drop)
        };
        let retry_reason = |error: &CallError| match error.code()? {
            _ if misses_role(error) && !self.role_was_refused() => Some(format!(
                "the service-linked role `{}` is not usable yet",
                linked_role::NAME
            )),
            "UpdateInProgressException" => Some("another update of the cluster is in progress".to_owned()),
            "ClusterNotFoundException" if just_created => {
                Some("ECS has not propagated the new cluster yet".to_owned())
            }
            _ => None,
        };
        let result = Backoff::PROPAGATION.retry(self.console, retry_reason, async || {
            let result = attempt().await;
            let is_untried = matches!(*self.role.borrow(), LinkedRole::Assumed);
            if is_untried && result.as_ref().is_err_and(misses_role) {
                self.create_role().await;
            }
            result
        });
        let result = result.await;
        if !(result.as_ref().is_err_and(misses_role) && self.role_was_refused()) {
            return result;
        }
        let retry_reason = |error: &CallError| {
            misses_role(error).then(|| format!("the service-linked role `{}` is missing", linked_role::NAME))
        };
        OWN_ROLE.retry(self.console, retry_reason, attempt).await
    }

    /// The error of a call. When ECS misses the role, why it could not be created.
    fn failure(&self, purpose: &str, error: CallError) -> anyhow::Error {
        let refusal = misses_role(&error).then(|| self.take_refusal()).flatten();
        let failure = Failure::from(error);
        let error = match refusal {
            Some(refusal) => refusal.context(failure.to_string()),
            None => failure.into(),
        };
        error.context(format!("failed to {purpose} {}", self.label()))
    }
}

fn role_item() -> Item {
    Item::new("service-linked-role", linked_role::NAME, "create")
}

/// ECS has one code for both of the next two cases; only the text of its message differs.
fn has_message(error: &CallError, text: &str) -> bool {
    let is_invalid = error.code() == Some("InvalidParameterException");
    is_invalid && error.message().is_some_and(|message| message.contains(text))
}

/// `Unable to assume the service linked role. Please verify that the ECS service linked role exists.`
fn misses_role(error: &CallError) -> bool {
    has_message(error, "Unable to assume the service linked role")
}

/// `Arguments on this idempotent request are inconsistent with arguments used in previous request(s).`
fn is_inconsistent(error: &CallError) -> bool {
    has_message(error, "Arguments on this idempotent request are inconsistent")
}
