//! What every subcommand works with: AWS, the names of the service, and the options of the run.

use crate::args::ServiceArgs;
use crate::cadence::DEFAULT_TIMEOUT;
use crate::desired::{self, Desired, Names};
use crate::manual_commands::ManualCommands;
use crate::service::Service;
use anyhow::Result;
use aws_documents::Diagnostic;
use aws_documents::service::Namespaces;
use cli::{Console, Failure, Item, Outcome, Report, duration};
use common::aws::Aws;
use common::config::{AwsTarget, Config, Variables};
use common::documents::{name_unknown, report_errors};
use common::json::text;
use ecs::names::service_arn;
use ecs::{EcsClient, EcsError, Reason};
use reconcile::backoff::Backoff;
use reconcile::confirm::can_ask;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// The service in its account and region, as one run works on it.
pub(crate) struct Context<'a> {
    pub(crate) console: &'a Console,
    pub(crate) aws: Aws,
    pub(crate) ecs: EcsClient,
    pub(crate) target: AwsTarget,
    pub(crate) names: Names,
    /// The interval of `--poll`.
    pub(crate) poll: Duration,
    pub(crate) manual: ManualCommands,
}

/// What ECS lists under the service's name.
pub(crate) enum ServiceLookup {
    NoCluster,
    Service(Option<Box<Service>>),
}

/// The files have errors, which stderr has already: the report to end with.
#[derive(Debug)]
pub(crate) struct InvalidDocument(pub(crate) Box<Report>);

impl fmt::Display for InvalidDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.0.error.as_ref();
        formatter.write_str(error.map_or("a file has errors", |error| &error.message))
    }
}

impl std::error::Error for InvalidDocument {}

/// Prints the warnings of `diagnostics`.
///
/// # Errors
/// When one of them is an error.
pub(crate) fn check(diagnostics: &[Diagnostic], console: &Console) -> Result<(), InvalidDocument> {
    match report_errors(diagnostics, console) {
        Some(report) => Err(InvalidDocument(Box::new(report))),
        None => Ok(()),
    }
}

/// The configuration of the run, and the time for it: the flag, the file, ten minutes.
///
/// # Errors
/// When there is no configuration, or its `timeout` is not a time.
pub(crate) fn load(args: &ServiceArgs) -> Result<(Config, Duration)> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let timeout = args.timeout.map_or_else(|| file_timeout(&config), Ok)?;
    Ok((config, timeout))
}

fn file_timeout(config: &Config) -> Result<Duration, Failure> {
    let service = config.schema.service.as_ref();
    let Some(text) = service.and_then(|service| service.timeout.as_deref()) else {
        return Ok(DEFAULT_TIMEOUT);
    };
    duration::parse(text).map_err(|error| {
        let path = config.path.display();
        Failure::config(format!("failed to use `service.timeout` of `{path}`: {error}"))
    })
}

impl<'a> Context<'a> {
    fn new(args: &ServiceArgs, console: &'a Console, (aws, target): (Aws, AwsTarget), names: Names) -> Self {
        Context {
            console,
            ecs: EcsClient::new(&aws),
            manual: ManualCommands::new(args, &target.region, &names, can_ask()),
            aws,
            target,
            names,
            poll: args.poll,
        }
    }

    /// For the subcommands that need only the names of the service.
    ///
    /// # Errors
    /// When the configuration is wrong, or AWS can't be asked who the caller is.
    pub(crate) async fn open(args: &ServiceArgs, config: &Config, console: &'a Console) -> Result<Self> {
        desired::names(config, &Variables::preview(&config.schema))?;
        let (aws, target) = connect(args, config, console).await?;
        let names = desired::names(config, &Variables::new(&config.schema, &target))?;
        Ok(Self::new(args, console, (aws, target), names))
    }

    /// For the subcommands that need all of the service's file. It is checked before the first call as far as it goes
    /// without AWS, and again once account and region are known: names may contain them.
    ///
    /// # Errors
    /// When the configuration or the file is wrong, or AWS can't be asked who the caller is.
    pub(crate) async fn open_with_desired(
        args: &ServiceArgs,
        config: &Config,
        console: &'a Console,
    ) -> Result<(Self, Desired)> {
        let diagnostics = match Desired::read(config, &Variables::preview(&config.schema))? {
            Ok(desired) => desired.diagnostics(None),
            Err(diagnostics) => diagnostics,
        };
        // The warnings are printed once the task definition is known.
        let errors = diagnostics
            .into_iter()
            .filter(Diagnostic::is_error)
            .map(name_unknown);
        check(&errors.collect::<Vec<_>>(), console)?;
        let (aws, target) = connect(args, config, console).await?;
        let desired = match Desired::read(config, &Variables::new(&config.schema, &target))? {
            Ok(desired) => desired,
            Err(diagnostics) => {
                check(&diagnostics, console)?;
                return Err(Failure::config("failed to read the service's file").into());
            }
        };
        let names = desired.names.clone();
        Ok((Self::new(args, console, (aws, target), names), desired))
    }

    /// The name of the service.
    pub(crate) fn name(&self) -> &str {
        &self.names.service
    }

    /// The ARN that the service has, or will have.
    pub(crate) fn arn(&self) -> String {
        service_arn(&self.target, &self.names.cluster, &self.names.service)
    }

    /// The service in the report.
    pub(crate) fn item(&self, action: &str) -> Item {
        Item::new("service", self.name(), action).detail("arn", self.arn())
    }

    /// The report that a run begins with.
    pub(crate) fn report(&self) -> Report {
        Report::new(Outcome::Unchanged)
            .detail("account", self.target.account.as_str())
            .detail("region", self.target.region.as_str())
            .detail("cluster", self.names.cluster.as_str())
    }

    /// The service; `None` when ECS lists none of this name.
    ///
    /// # Errors
    /// When the call fails.
    pub(crate) async fn service(&self) -> Result<Option<Service>, EcsError> {
        let (cluster, name) = (&self.names.cluster, &self.names.service);
        let found = self.ecs.describe_service(cluster, name).await?;
        Ok(found.map(Service::of))
    }

    /// Looks the service up. Where ECS does not find the cluster, the cluster does not exist or was created a moment
    /// ago.
    ///
    /// # Errors
    /// When a call fails; without a cluster also unless `plan_only`.
    pub(crate) async fn find(&self, plan_only: bool) -> Result<ServiceLookup> {
        let failed = || format!("failed to describe service `{}`", self.name());
        let error = match self.service().await {
            Ok(service) => return Ok(ServiceLookup::Service(service.map(Box::new))),
            Err(error) if error.reason() == Reason::ClusterNotFound => error,
            Err(error) => return Err(error.context(failed())),
        };
        let cluster = self.ecs.describe_cluster(&self.names.cluster, &[]).await;
        let cluster = cluster.map_err(|error| error.context(failed()))?;
        let exists = |cluster: &Value| matches!(text(cluster, "status"), "ACTIVE" | "PROVISIONING");
        if !cluster.as_ref().is_some_and(exists) {
            return if plan_only {
                Ok(ServiceLookup::NoCluster)
            } else {
                Err(self.explained(error).context(failed()))
            };
        }
        let retry_reason = |error: &EcsError| match error.reason() {
            Reason::ClusterNotFound => error.reason().retry_reason().map(str::to_owned),
            _ => None,
        };
        let found = Backoff::PROPAGATION
            .retry(self.console, retry_reason, async || self.service().await)
            .await
            .map_err(|error| error.context(failed()))?;
        Ok(ServiceLookup::Service(found.map(Box::new)))
    }

    /// `FAMILY:REVISION`, or the latest active revision of `FAMILY`; `None` when it does not exist.
    ///
    /// # Errors
    /// When the call fails.
    pub(crate) async fn task_definition(&self, reference: &str) -> Result<Option<Value>> {
        let found = self.ecs.describe_task_definition(reference, &[]).await;
        let found = found
            .map_err(|error| error.context(format!("failed to describe task definition `{reference}`")))?;
        Ok(found.map(|found| found.definition))
    }

    /// The names of namespaces that are needed to compare `service` with `desired`, which has the shape of
    /// CreateService. Cloud Map is asked only where ECS shows an ARN and the file has a name. A namespace that was
    /// deleted has no name, and differs from any.
    ///
    /// # Errors
    /// When Cloud Map refuses.
    pub(crate) async fn namespaces(&self, service: Option<&Service>, desired: &Value) -> Result<Namespaces> {
        let mut names = Namespaces::new();
        let has_name = desired
            .pointer("/serviceConnectConfiguration/namespace")
            .and_then(Value::as_str)
            .is_some_and(|namespace| !namespace.starts_with("arn:"));
        let arn = service.filter(|_| has_name).and_then(Service::namespace_arn);
        if let Some(arn) = arn {
            let account = &self.target.account;
            let name = ecs::namespace::name_of(&self.aws, arn, account, "in the file").await?;
            names.extend(name.map(|name| (arn.to_owned(), name)));
        }
        Ok(names)
    }

    /// The stopped or running tasks of the service.
    ///
    /// # Errors
    /// When a call fails.
    pub(crate) async fn task_arns(&self, filter: Value) -> Result<Vec<Value>, EcsError> {
        self.ecs.list_tasks(&self.names.cluster, filter).await
    }

    /// These tasks, as far as ECS lists them.
    ///
    /// # Errors
    /// When a call fails.
    pub(crate) async fn tasks(&self, arns: &[Value]) -> Result<Vec<Value>, EcsError> {
        self.ecs.describe_tasks(&self.names.cluster, arns).await
    }

    /// Ends a task of `run`.
    ///
    /// # Errors
    /// When the call fails.
    pub(crate) async fn stop_task(&self, arn: &str) -> Result<(), EcsError> {
        let body = json!({"cluster": self.names.cluster, "task": arn, "reason": "its command has ended"});
        self.ecs.call("StopTask", &body).await.map(drop)
    }

    /// The error with the next step, where that of ECS is missing.
    pub(crate) fn explained(&self, error: EcsError) -> EcsError {
        match error.reason() {
            Reason::ClusterNotFound => {
                error.hint(format!("`create-cluster` makes cluster `{}`", self.names.cluster))
            }
            Reason::NamespaceNotFound => error
                .hint("`create-cluster` makes the namespace of `service_connect_namespace`; a service can't"),
            _ => error,
        }
    }
}

/// AWS as the options select it, and the account and region of the run.
async fn connect(args: &ServiceArgs, config: &Config, console: &Console) -> Result<(Aws, AwsTarget)> {
    let aws = Aws::load(&args.common.aws, Some(config), console).await?;
    let target = common::identity::target(&aws).await?;
    Ok((aws, target))
}
