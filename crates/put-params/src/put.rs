//! Prepare, fetch, plan, write.

use crate::args::Args;
use crate::aws_keys::CallerCredentials;
use crate::entry::{self, Entry, Reader};
use crate::error::{ParameterError, parameters, report_errors};
use crate::fetch::fetch_observed;
use crate::name;
use crate::plan::{Desired, plan, type_name};
use crate::row::{Row, State, lines};
use crate::store::Store;
use crate::writer::{Parameter, Writer};
use anyhow::{Context, Result};
use cli::{Console, Exit, Item, OnInterrupt, Outcome, Report};
use common::aws::Aws;
use common::config::{AwsTarget, Config, ParameterType, Params, Variables};
use reconcile::{Plan, Tags};
use secrecy::ExposeSecret;

/// Puts the parameters that `args` names.
///
/// # Errors
/// When nothing could be done, except for errors of single parameters: those are in the report.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let preview = Variables::preview(&config.schema);
    let params = entry::table(&config, &preview)?;
    config.tags(&preview)?;
    let chosen = entry::choose(&params, &args.names)?;
    let total = chosen.len();
    let reader = Reader {
        params: &params,
        config: &config,
        environment: &|name| std::env::var_os(name),
        console,
    };
    let entries = match reader.prepare(chosen) {
        Ok(entries) => entries,
        Err(errors) => return Ok(unprepared(&errors, total, &config, console)),
    };
    console.debug(format!("{total} values are read and checked"));

    let mut aws = Aws::load(&args.common.aws, Some(&config), console).await?;
    let credentials = aws.credentials("sts:GetCallerIdentity").await;
    let credentials = credentials.context("failed to get caller identity")?;
    let caller = CallerCredentials {
        access_key_id: credentials.access_key_id(),
        secret_access_key: credentials.secret_access_key(),
        session_token: credentials.session_token(),
    };
    // The account is not known yet, and every account id has twelve digits.
    let unknown_account = AwsTarget {
        account: "000000000000".into(),
        region: aws.region.clone(),
    };
    let located = entry::table(&config, &Variables::new(&config.schema, &unknown_account))?;
    match entry::check_target(&entries, &located, &unknown_account, caller, &config) {
        Ok(warnings) => warnings.iter().for_each(|warning| console.warn(warning)),
        Err(errors) => return Ok(unprepared(&errors, total, &config, console)),
    }

    let identity = common::identity::caller(&aws)
        .await
        .context("failed to get caller identity")?;
    let target = aws.target(&identity.account)?;
    let variables = Variables::new(&config.schema, &target);
    let params = entry::table(&config, &variables)?;
    let tags: Tags = config.tags(&variables)?.0.into_iter().collect();
    let store = Store::new(&aws, console);
    let mut parameters = plan_all(entries, &params, &tags, &target, &store, console).await?;

    let mut report = Report::new(Outcome::Unchanged)
        .detail("account", target.account.as_str())
        .detail("region", target.region.as_str())
        .detail("identity", identity.arn);
    let blocked = errors(&parameters);
    if !blocked.is_empty() {
        report = listed(report, &parameters);
        let summary = |count| format!("failed to plan {count} of {total} parameters: nothing was changed");
        return Ok(report_errors(
            &blocked,
            summary,
            None,
            Exit::Error,
            console,
            report,
        ));
    }
    let is_planned = |parameter: &Parameter| parameter.row.state != State::Unchanged;
    if args.plan.plan_only() {
        if parameters.iter().any(is_planned) {
            report.outcome = Outcome::Planned;
        }
        return Ok(listed(report, &parameters).checked(args.plan.check));
    }

    let planned = parameters.iter_mut().filter(|parameter| is_planned(parameter));
    planned.for_each(|parameter| parameter.row.state = State::Unfinished);
    console.begin(&with_items(report.clone(), &parameters));
    let writer = Writer {
        store: &store,
        tags: &tags,
        console,
    };
    writer.apply(&mut parameters).await;
    remind(&parameters, console);
    let report = conclude(listed(report, &parameters), &parameters, console);
    console.on_interrupt(Some(OnInterrupt::Complete {
        report: report.clone(),
        missing: Some("the new values were not read back".into()),
    }));
    for warning in writer.verify(&parameters).await {
        console.warn(warning);
    }
    Ok(report)
}

/// The report of errors that were found before anything was sent.
fn unprepared(errors: &[ParameterError], total: usize, config: &Config, console: &Console) -> Report {
    let mut report = Report::new(Outcome::Failed);
    let prefix = config.schema.params.as_ref().map_or("", |params| &params.prefix);
    for key in parameters(errors) {
        let own = errors.iter().filter(|error| error.parameter == key);
        let messages: Vec<&str> = own.map(|error| error.message.as_str()).collect();
        report
            .items
            .push(Item::new("parameter", name::full(prefix, key), "invalid").detail("faults", messages));
    }
    let summary = |count| format!("failed to prepare {count} of {total} parameters: nothing was sent to AWS");
    report_errors(errors, summary, None, Exit::Error, console, report)
}

/// Fetches the existing parameters, and compares.
async fn plan_all(
    entries: Vec<Entry>,
    params: &Params,
    tags: &Tags,
    target: &AwsTarget,
    store: &Store<'_>,
    console: &Console,
) -> Result<Vec<Parameter>> {
    let sources: Vec<String> = entries.iter().map(|entry| entry.source.to_string()).collect();
    let all: Vec<Desired> = entries.into_iter().map(|entry| desired(entry, params)).collect();
    let references: Vec<&Desired> = all.iter().collect();
    let mut found = fetch_observed(store, &references, !tags.is_empty(), console).await?;
    for stored in found.values().map(|observed| &observed.stored) {
        if stored.r#type == type_name(ParameterType::SecureString) {
            entry::redact(stored.value.expose_secret(), None, console);
        }
    }
    let parameters = all.into_iter().zip(sources).map(|(desired, source)| {
        let observed = found.remove(&desired.name);
        let plan = plan(&desired, tags, observed.as_ref());
        let changes = plan.as_ref().map(Plan::changes).unwrap_or_default();
        let (state, plan) = match plan {
            Ok(plan @ Plan::Create(..)) => (State::ToCreate, Some(plan)),
            Ok(plan @ Plan::Update(_)) => (State::ToUpdate, Some(plan)),
            Ok(Plan::Nothing) => (State::Unchanged, Some(Plan::Nothing)),
            Err(error) => (State::Blocked(ParameterError::plan(&desired.name, error)), None),
        };
        let row = Row {
            arn: name::arn(target, &desired.name),
            name: desired.name.clone(),
            source,
            r#type: type_name(desired.r#type),
            state,
            is_written: false,
            version: observed.as_ref().map(|observed| observed.stored.version),
            changes,
        };
        Parameter {
            desired,
            observed,
            plan,
            row,
        }
    });
    Ok(parameters.collect())
}

fn desired(entry: Entry, params: &Params) -> Desired {
    let secure = entry.r#type == ParameterType::SecureString;
    Desired {
        name: name::full(&params.prefix, &entry.key),
        value: entry.value,
        r#type: entry.r#type,
        kms_key: params.kms_key.clone().filter(|_| secure),
        tier: params.tier,
        description: entry.settings.description,
    }
}

fn with_items(mut report: Report, parameters: &[Parameter]) -> Report {
    report.items = parameters.iter().map(|parameter| parameter.row.item()).collect();
    report
}

fn listed(report: Report, parameters: &[Parameter]) -> Report {
    let mut report = with_items(report, parameters);
    let rows: Vec<&Row> = parameters.iter().map(|parameter| &parameter.row).collect();
    report.lines = lines(&rows);
    report
}

fn errors(parameters: &[Parameter]) -> Vec<ParameterError> {
    let errors = parameters.iter().filter_map(|parameter| parameter.row.error());
    errors.cloned().collect()
}

/// ECS reads the parameters of a container only when the container starts.
fn remind(parameters: &[Parameter], console: &Console) {
    let has_new_value = |parameter: &&Parameter| {
        let row = &parameter.row;
        row.state == State::Updated && row.changes.iter().any(|change| change.path == "value")
    };
    let count = parameters.iter().filter(has_new_value).count();
    if count > 0 {
        let values = if count == 1 {
            "1 value has"
        } else {
            &format!("{count} values have")
        };
        console.info(format!(
            "{}: note: {values} changed: running ECS tasks keep the old ones until a new deployment",
            console.tool()
        ));
    }
}

/// The outcome of the writes, with their errors.
fn conclude(mut report: Report, parameters: &[Parameter], console: &Console) -> Report {
    let errors = errors(parameters);
    let is_written = parameters.iter().any(|parameter| parameter.row.is_written);
    if !errors.is_empty() {
        let exit = if is_written { Exit::Partial } else { Exit::Error };
        let summary = |count| format!("failed to put {count} of {} parameters", parameters.len());
        let hint = Some("safe to re-run: only what differs is written");
        return report_errors(&errors, summary, hint, exit, console, report);
    }
    if is_written {
        report.outcome = Outcome::Changed;
    }
    report
}
