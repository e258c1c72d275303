//! One repository as a resource of the loop.

use crate::client::Ecr;
use crate::desired::Desired;
use crate::plan::{self, Action, AtCreation, Observed, Plan, lifecycle_of};
use crate::preview::{Forecast, preview};
use anyhow::Result;
use cli::{Failure, Item};
use reconcile::{Backoff, Created, Lookup, Resource};
use std::cell::OnceCell;
use std::time::Duration;

/// One repository.
pub(crate) struct EcrRepository<'a> {
    pub(crate) ecr: &'a Ecr<'a>,
    pub(crate) desired: Desired,
    /// Whether the line for stdout is one for a shell.
    pub(crate) export: bool,
    /// What the lifecycle policy of the plan would delete.
    pub(crate) forecast: OnceCell<Forecast>,
}

impl EcrRepository<'_> {
    fn uri(&self, observed: Option<&Observed>) -> String {
        let name = self.name();
        observed.map_or_else(|| self.ecr.uri(name), |observed| observed.uri.clone())
    }
}

impl Resource for EcrRepository<'_> {
    type Observed = Observed;
    type Action = Action;
    const KIND: &'static str = "repository";

    fn name(&self) -> &str {
        self.desired.name()
    }

    async fn observe(&self) -> Result<Lookup<Observed>> {
        self.ecr.describe(&self.desired).await
    }

    fn plan(&self, observed: Option<&Observed>) -> Result<Plan, Failure> {
        plan::plan(&self.desired, observed)
    }

    async fn check_plan(&self, plan: &Plan) -> Result<()> {
        if let Some(policy) = lifecycle_of(plan) {
            let forecast = preview(self.ecr, self.name(), policy).await?;
            self.forecast.get_or_init(|| forecast);
        }
        Ok(())
    }

    fn explain_plan(&self) {
        if let Some(forecast) = self.forecast.get() {
            forecast.print(self.name(), self.ecr.console);
        }
    }

    fn destroys(&self, plan: &Plan) -> Vec<String> {
        let forecast = self.forecast.get().filter(|_| lifecycle_of(plan).is_some());
        let deletion = forecast.and_then(|forecast| forecast.deletion(self.name()));
        deletion.into_iter().collect()
    }

    async fn create(&self) -> Result<Created> {
        self.ecr.create(self.name(), &AtCreation::of(&self.desired)).await
    }

    async fn perform(&self, action: &Action, just_created: bool) -> Result<()> {
        self.ecr.perform(self.name(), action, just_created).await
    }

    fn convergence(&self) -> Backoff {
        Backoff {
            max_elapsed: Duration::from_secs(20),
            ..Backoff::PROPAGATION
        }
    }

    fn item(&self, item: Item, observed: Option<&Observed>) -> Item {
        let item = match self.forecast.get() {
            Some(Forecast::Known(preview)) => item.detail("lifecycle_preview", preview.to_json()),
            Some(Forecast::Unavailable(_)) | None => item,
        };
        item.detail("uri", self.uri(observed))
    }

    fn line(&self, observed: Option<&Observed>) -> Option<String> {
        let uri = self.uri(observed);
        match (self.export, &self.desired.repository.export) {
            (false, _) => Some(uri),
            (true, Some(name)) => Some(format!("export {name}={uri}")),
            (true, None) => None,
        }
    }
}
