//! Prepare, survey, plan, write.

use crate::aws_keys::Own;
use crate::entry::{self, Entry, Reader};
use crate::fault::{Fault, parameters, tell};
use crate::listing::{Row, State, lines};
use crate::name;
use crate::plan::{Plan, Tags, Wanted, plan, settings, word};
use crate::store::Store;
use crate::survey::survey;
use crate::writer::{Task, Writer};
use anyhow::{Context, Result};
use clap::Parser;
use cli::OutputArgs;
use cli::args::{AwsArgs, ConfigArgs, PlanArgs};
use cli::{Console, ErrorKind, Exit, Failure, Item, Outcome, Report};
use common::aws::Aws;
use common::config::{AwsTarget, Config, ParameterType, Params, Variables};
use secrecy::ExposeSecret;
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::Instant;

/// Write the parameters of ops.toml to SSM, and only what differs
///
/// Every value is read and checked before the first call: unset and empty
/// variables, names, sizes, connection strings, headers, AWS keys. Then what is
/// there is compared, and only what differs is written: value, type, and what the
/// file says of key, tier, description and tags. Nothing is deleted. A value is
/// never printed.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Names from [params.entry] [default: all of them]
    names: Vec<String>,
    #[command(flatten)]
    plan: PlanArgs,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const HELP: &str = "\
Examples:
  put-params                             all of ops.toml
  put-params CONNECTION_URL --dry-run    what would be done for this one
  put-params -q --check || echo 'run put-params'
  put-params | awk '$2 != \"unchanged\"'   what this run has changed

A value comes from where its entry says:
  NAME = { env = \"VARIABLE\" }
  NAME = { template = \"x-team=${VARIABLE}\" }      $$ is a dollar
  NAME = { file = \"path\" }                        without its last newline

Permissions: ssm:GetParameters, ssm:PutParameter, ssm:AddTagsToResource,
ssm:ListTagsForResource; ssm:DescribeParameters on * where a parameter is
updated or the file names key, tier or description; with a kms_key of your
own kms:Encrypt and kms:Decrypt

Exit codes:
  0  done, or nothing to do
  1  differences under --check
  2  could not: usage, configuration, a bad value, credentials, permission,
     network
  3  not done within --timeout
  4  some parameters were written and others could not be";

/// Does it.
///
/// # Errors
/// When nothing could be done, but for faults of single parameters: those are in the report.
pub(crate) async fn run(args: &Args, console: &Console) -> Result<Report> {
    let deadline = Instant::now() + args.timeout;
    let config = Config::find(args.config.config.as_deref())?;
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
        Err(faults) => return Ok(unprepared(&faults, total, &config, console)),
    };
    console.debug(format!("{total} values are read and checked"));

    let mut aws = Aws::load(&args.aws, Some(&config), console).await?;
    let credentials = aws.credentials("sts:GetCallerIdentity").await;
    let credentials = credentials.context("failed to learn who is calling")?;
    let own = Own {
        access_key_id: credentials.access_key_id(),
        secret_access_key: credentials.secret_access_key(),
        session_token: credentials.session_token(),
    };
    own.hide(console);
    let here = AwsTarget {
        account: "000000000000".into(),
        region: aws.region.clone(),
    };
    let located = entry::table(&config, &Variables::new(&config.schema, &here))?;
    match entry::check_place(&entries, &located, &here, own, &config) {
        Ok(warnings) => warnings.iter().for_each(|warning| console.warn(warning)),
        Err(faults) => return Ok(unprepared(&faults, total, &config, console)),
    }

    let caller = common::identity::caller(&aws)
        .await
        .context("failed to learn who is calling")?;
    let place = aws.place(&caller.account)?;
    let variables = Variables::new(&config.schema, &place);
    let params = entry::table(&config, &variables)?;
    let tags: Tags = config.tags(&variables)?.0.into_iter().collect();
    let store = Store::new(&aws, console);
    let (mut rows, tasks) = plan_all(entries, &params, &tags, &place, &store, console).await?;

    let mut report = Report::new(Outcome::Unchanged)
        .detail("account", place.account.as_str())
        .detail("region", place.region.as_str())
        .detail("identity", caller.arn);
    let blocked: Vec<Fault> = rows.iter().filter_map(Row::fault).cloned().collect();
    if !blocked.is_empty() {
        report = listed(report, &rows);
        let summary = |count| format!("failed to plan {count} of {total} parameters: nothing was changed");
        return Ok(tell(&blocked, summary, None, Exit::Error, console, report));
    }
    if args.plan.plan_only() {
        if rows.iter().any(|row| row.state != State::Unchanged) {
            report.outcome = Outcome::Planned;
        }
        return Ok(listed(report, &rows).checked(args.plan.check));
    }

    let writer = Writer {
        store: &store,
        tags: &tags,
        console,
    };
    rows.iter_mut()
        .filter(|row| row.state != State::Unchanged)
        .for_each(|row| row.state = State::Unfinished);
    let rows = RefCell::new(rows);
    let in_time = writer.apply(&tasks, &rows, deadline).await;
    let rows = rows.into_inner();
    for odd in writer.verify(&tasks, &rows, deadline).await {
        console.warn(odd);
    }
    remind(&rows, console);
    Ok(conclude(
        listed(report, &rows),
        &rows,
        (!in_time).then_some(args.timeout),
        console,
    ))
}

/// The faults that were found before anything was sent.
fn unprepared(faults: &[Fault], total: usize, config: &Config, console: &Console) -> Report {
    let mut report = Report::new(Outcome::Failed);
    let prefix = config.schema.params.as_ref().map_or("", |params| &params.prefix);
    for key in parameters(faults) {
        let own = faults.iter().filter(|fault| fault.parameter == key);
        let messages: Vec<&str> = own.map(|fault| fault.message.as_str()).collect();
        report
            .items
            .push(Item::new("parameter", name::full(prefix, key), "invalid").detail("faults", messages));
    }
    let summary = |count| format!("failed to prepare {count} of {total} parameters: nothing was sent to AWS");
    tell(faults, summary, None, Exit::Error, console, report)
}

/// Asks what is there and compares; each parameter gets its row and its task.
async fn plan_all(
    entries: Vec<Entry>,
    params: &Params,
    tags: &Tags,
    place: &AwsTarget,
    store: &Store<'_>,
    console: &Console,
) -> Result<(Vec<Row>, Vec<Task>)> {
    let sources: Vec<String> = entries.iter().map(|entry| entry.source.to_string()).collect();
    let wanted: Vec<Wanted> = entries.into_iter().map(|entry| wanted(entry, params)).collect();
    let all: Vec<&Wanted> = wanted.iter().collect();
    let mut found = survey(store, &all, !tags.is_empty(), console).await?;
    for stored in found.values().map(|current| &current.stored) {
        if stored.r#type == word(ParameterType::SecureString) {
            entry::hide(stored.value.expose_secret(), None, console);
        }
    }
    let planned = wanted.into_iter().zip(sources).map(|(wanted, source)| {
        let current = found.remove(&wanted.name);
        let plan = plan(&wanted, tags, current.as_ref());
        let (state, changes) = match &plan {
            Plan::Create => (State::ToCreate, settings(&wanted, tags)),
            Plan::Update(update) => (State::ToUpdate, update.changes.clone()),
            Plan::Nothing => (State::Unchanged, Vec::new()),
            Plan::Blocked(flaw) => (
                State::Blocked(Fault::new("plan", &wanted.name, flaw.clone())),
                Vec::new(),
            ),
        };
        let row = Row {
            arn: name::arn(place, &wanted.name),
            name: wanted.name.clone(),
            source,
            r#type: word(wanted.r#type),
            state,
            version: current.as_ref().map(|current| current.stored.version),
            changes,
        };
        let task = Task {
            wanted,
            current,
            plan,
        };
        (row, task)
    });
    Ok(planned.unzip())
}

fn wanted(entry: Entry, params: &Params) -> Wanted {
    let secure = entry.r#type == ParameterType::SecureString;
    Wanted {
        name: name::full(&params.prefix, &entry.key),
        value: entry.value,
        r#type: entry.r#type,
        kms_key: params.kms_key.clone().filter(|_| secure),
        tier: params.tier,
        description: entry.settings.description,
    }
}

fn listed(mut report: Report, rows: &[Row]) -> Report {
    report.items = rows.iter().map(Row::item).collect();
    report.lines = lines(rows);
    report
}

/// Containers get their values when they start.
fn remind(rows: &[Row], console: &Console) {
    let changed =
        |row: &&Row| row.state == State::Updated && row.changes.iter().any(|change| change.path == "value");
    let count = rows.iter().filter(changed).count();
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

/// The outcome of what was written, and what went wrong.
fn conclude(mut report: Report, rows: &[Row], late: Option<Duration>, console: &Console) -> Report {
    let again = Some("run it again: what is done is not done twice");
    let faults: Vec<Fault> = rows.iter().filter_map(Row::fault).cloned().collect();
    let written = rows.iter().any(Row::is_written);
    if let Some(timeout) = late {
        faults
            .iter()
            .for_each(|fault| console.error(&fault.message, fault.hint.as_deref()));
        let left = rows.iter().filter(|row| row.state == State::Unfinished).count();
        let failure = Failure::new(
            Exit::Deadline,
            format!(
                "failed to put {left} of {} parameters: not done after {}",
                rows.len(),
                cli::duration::show(timeout)
            ),
        );
        let failure = failure
            .kind(ErrorKind::Timeout)
            .code("timeout")
            .hint("give it more time with --timeout; it is safe to run again");
        return console.failed(&failure.into(), report);
    }
    if !faults.is_empty() {
        let exit = if written { Exit::Partial } else { Exit::Error };
        let summary = |count| format!("failed to put {count} of {} parameters", rows.len());
        return tell(&faults, summary, again, exit, console, report);
    }
    if written {
        report.outcome = Outcome::Changed;
    }
    report
}
