//! What comes after a change: the deployment that it began is waited for, or said to go on.

use crate::apply::Job;
use crate::events::Events;
use crate::plan::Plan;
use crate::rollout::{Ours, progress, short};
use crate::service::{Service, text};
use crate::verdict;
use crate::watch::Watch;
use cli::{Failure, Outcome, Report};

impl Job<'_> {
    /// Waits for the deployment of `service`, and judges it.
    pub(crate) async fn follow(
        &self,
        plan: &Plan,
        service: Service,
        before: Option<String>,
        events: Events,
        mut report: Report,
    ) -> Report {
        let desired = short(text(self.definition, "taskDefinitionArn")).to_owned();
        let Some(primary) = service.primary() else {
            let failure = Failure::error(format!(
                "failed to follow service `{}`: it has no deployment",
                self.name
            ));
            return self.console.partly(&failure.into(), report);
        };
        if let Some(item) = report.items.last_mut() {
            item.details
                .insert("deployment".into(), primary.id.as_str().into());
        }
        if *plan == Plan::Nothing {
            return report;
        }
        let watch = Watch {
            ecs: self.ecs,
            aws: self.aws,
            console: self.console,
            ongoing: self.ongoing,
            name: self.name,
            definition: self.definition,
            poll: self.poll,
            ours: Ours {
                id: primary.id.clone(),
                desired,
                before,
                rolls_back: service.rolls_back(),
            },
            commands: &self.commands,
            leaves: self.leaves,
        };
        let goes_on = || {
            let hint = self.commands.hint(&watch.course(None));
            self.console.info(format!(
                "{}: deployment `{}` goes on: {hint}",
                self.name, watch.ours.id
            ));
        };
        if !self.wait {
            // New tags alone begin nothing.
            if !progress(&service.deployments, &watch.ours, true).is_end() {
                goes_on();
            }
            return report;
        }
        match watch.wait(service, events, report.clone()).await {
            Ok(end) => verdict::report(self, end),
            Err(error) => {
                goes_on();
                if report.outcome == Outcome::Changed {
                    self.console.partly(&error, report)
                } else {
                    self.console.failed(&error, report)
                }
            }
        }
    }
}
