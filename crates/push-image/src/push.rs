//! One image after the other, in the order of the file: a later one may be built upon an earlier one.

use crate::desired::{Desired, Override, Overrides, desired};
use crate::destination::Destination;
use crate::done::Done;
use crate::engine::Engine;
use crate::pusher::{Failed, Pusher};
use crate::remote::Repository;
use crate::secret::from_environment;
use crate::source::{Build, Workshop};
use anyhow::Result;
use clap::Parser;
use cli::OutputArgs;
use cli::args::{AwsArgs, ConfigArgs, PlanArgs};
use cli::progress::Progress;
use cli::{Console, ErrorKind, Exit, Failure, Item, Outcome, Report};
use common::config::{Config, Image, Variables, select};
use registry::Reference;
use std::collections::BTreeSet;
use std::time::Duration;

/// Bring the images of ops.toml into the account's private ECR registry
///
/// Copies each image or builds it, through the Docker engine, and pushes what
/// ECR does not have yet. It signs in to ECR by itself. Prints
/// REPOSITORY_URI@sha256:..., as ECR then has it, one line an image.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Names from [[image]] [default: all of them]
    names: Vec<String>,
    /// Copy image NAME from REF instead [default: $OPS_IMAGE_FROM]
    #[arg(long, value_name = "NAME=REF")]
    from: Vec<Override>,
    #[command(flatten)]
    plan: PlanArgs,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    /// Another registry; ${ECR_REGISTRY} then stands for it
    #[arg(long, value_name = "HOST[:PORT]", value_parser = registry_host, help_heading = "Where")]
    pub(crate) registry: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const HELP: &str = "\
--dry-run and --check pull and build on this machine, and send nothing to ECR.
The engine is that of $DOCKER_HOST, or of docker's current context.
$OPS_IMAGE_FROM is NAME=REF too; several are separated by commas.
A login for --registry, and for the registries that images come from, is
docker's own: `docker login`. Plain HTTP goes to this machine only.

Examples:
  push-image                             all of ops.toml, in its order
  push-image backend-flask --check       is what would be built already there?
  push-image --from cruddur-python=python:3.11-slim
  uri=$(push-image -q backend-flask)

Permissions: ecr:GetAuthorizationToken on *; on the repositories
ecr:DescribeRepositories, ecr:BatchGetImage, ecr:BatchCheckLayerAvailability,
ecr:GetDownloadUrlForLayer, ecr:InitiateLayerUpload, ecr:UploadLayerPart,
ecr:CompleteLayerUpload, ecr:PutImage

Exit codes:
  0  done, or nothing to do
  1  differences under --check
  2  could not: usage, configuration, credentials, permission, network, engine,
     a build that fails
  3  not done within --timeout
  4  some images were pushed and others could not be";

/// The runtime's own deadline knows nothing of the report, so this one passes before it.
const BEFORE_THE_RUNTIME: Duration = Duration::from_millis(50);

/// Does it. An error is in the report, beside what was done before it.
pub(crate) async fn run(args: &Args, console: &Console) -> Report {
    let margin = BEFORE_THE_RUNTIME.min(args.timeout / 10);
    let mut report = Report::new(Outcome::Unchanged);
    let work = tokio::time::timeout(args.timeout - margin, bring(args, console, &mut report));
    let failed = match work.await {
        Ok(Ok(())) => return report.checked(args.plan.check),
        Ok(Err(failed)) => failed,
        Err(_) => return console.failed(&late(args.timeout), report),
    };
    if failed.changed || report.outcome == Outcome::Changed {
        console.partly(&failed.error, report)
    } else {
        console.failed(&failed.error, report)
    }
}

fn late(timeout: Duration) -> anyhow::Error {
    let timeout = cli::duration::show(timeout);
    Failure::new(Exit::Deadline, format!("not done after {timeout}"))
        .kind(ErrorKind::Timeout)
        .code("timeout")
        .hint("give it more time with --timeout; it is safe to run again")
        .into()
}

async fn bring(args: &Args, console: &Console, report: &mut Report) -> Result<(), Failed> {
    let config = Config::find(args.config.config.as_deref())?;
    let variable = std::env::var("OPS_IMAGE_FROM").ok();
    let overrides = Overrides::read(&args.from, variable.as_deref())?;
    for (name, why) in overrides.useless(&config.schema.image) {
        console.warn(format!(
            "$OPS_IMAGE_FROM names `{name}`, which {why} of {}",
            config.path.display()
        ));
    }
    // All that can be said without a call: unset variables, names, folders, Dockerfiles.
    let mut preview = Variables::preview(&config.schema);
    if let Some(host) = &args.registry {
        preview.set("ECR_REGISTRY", host);
    }
    read_builds(
        &choose(args, &config, &preview, &overrides, "registry.example")?,
        &config,
    )?;

    let destination = Destination::find(args, &config, console).await?;
    name_place(report, &destination);
    let variables = destination.variables(&config);
    let images = choose(args, &config, &variables, &overrides, &destination.host)?;
    let builds = read_builds(&images, &config)?;
    let names: Vec<&str> = images.iter().map(|image| image.repository.as_str()).collect();
    let repositories = destination.repositories(&names).await?;
    if !args.plan.plan_only() {
        refuse_missing(&images, &repositories)?;
    }

    let progress = Progress::new(console);
    // A plan for repositories that are not there yet needs no engine.
    let engine = if repositories.iter().any(Option::is_some) {
        Some(Engine::connect(console).await?)
    } else {
        None
    };
    if let Some(engine) = &engine {
        destination.refuse_plain_http(engine, &destination.host).await?;
    }

    let all = config.images(&variables)?;
    let mut pending = BTreeSet::new();
    for ((image, build), repository) in images.iter().zip(&builds).zip(&repositories) {
        let done = match (&engine, repository) {
            (Some(engine), Some(repository)) => {
                let pusher = Pusher {
                    workshop: Workshop {
                        engine,
                        destination: &destination,
                        console,
                        progress: &progress,
                    },
                    plan_only: args.plan.plan_only(),
                    all: &all,
                    pending: &pending,
                };
                pusher.run(image, build.as_ref(), repository).await?
            }
            _ => Done::planned(
                &format!("{}/{}", destination.host, image.repository),
                image,
                "create-repository",
            ),
        };
        if done.outcome == Outcome::Planned {
            pending.insert(image.name.clone());
        }
        add(report, image, done, console);
    }
    Ok(())
}

fn name_place(report: &mut Report, destination: &Destination<'_>) {
    let mut named = std::mem::replace(report, Report::new(Outcome::Unchanged));
    if let (Some(place), Some(identity)) = (&destination.place, &destination.identity) {
        named = named
            .detail("account", place.account.as_str())
            .detail("region", place.region.as_str())
            .detail("identity", identity.as_str());
    }
    *report = named.detail("registry", destination.host.as_str());
}

fn choose(
    args: &Args,
    config: &Config,
    variables: &Variables,
    overrides: &Overrides,
    host: &str,
) -> Result<Vec<Desired>> {
    let images = select(
        "image",
        config.images(variables)?,
        |image: &Image| &image.name,
        &args.names,
    )?;
    desired(images, overrides, host)
}

fn read_builds(images: &[Desired], config: &Config) -> Result<Vec<Option<Build>>> {
    let builds = images.iter().map(|image| {
        let from_environment = from_environment(&config.schema.image, &image.name);
        Build::read(&image.source, &image.name, from_environment, |path| {
            config.resolve(path)
        })
    });
    builds.collect()
}

/// Before a byte is sent: the engine would say so only after it has packed the layers.
fn refuse_missing(images: &[Desired], repositories: &[Option<Repository>]) -> Result<()> {
    let mut missing: Vec<&str> = images
        .iter()
        .zip(repositories)
        .filter(|(_, repository)| repository.is_none())
        .map(|(image, _)| image.repository.as_str())
        .collect();
    missing.dedup();
    let Some(first) = missing.first() else {
        return Ok(());
    };
    Err(Failure::error(format!(
        "failed to find repository `{first}`: there is none of this name in this account and region"
    ))
    .code("RepositoryNotFoundException")
    .hint(format!("create-repository {}", missing.join(" ")))
    .into())
}

fn add(report: &mut Report, image: &Desired, done: Done, console: &Console) {
    console.info(format!("{}: {}", image.name, done.words));
    if done.outcome != Outcome::Unchanged {
        report.outcome = done.outcome;
    }
    report.lines.push(done.line);
    let mut item = Item::new("image", &image.name, done.action)
        .changes(done.changes)
        .detail("uri", done.uri)
        .detail("digest", done.digest)
        .detail("tags", image.tags.clone())
        .detail("size", done.size)
        .detail("source", image.source.describe());
    if let Some(after) = done.after {
        item = item.detail("after", after);
    }
    report.items.push(item);
}

/// A host as it stands in an image's name: with a dot or a port, or `localhost`, else it would be a folder of
/// Docker Hub.
fn registry_host(text: &str) -> Result<String, String> {
    match Reference::parse(&format!("{text}/x")) {
        Ok(parsed) if parsed.host == text && parsed.repository == "x" => Ok(text.to_owned()),
        _ => Err("write HOST or HOST:PORT, without a scheme and a path".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_a_host() {
        for text in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "registry.example.com",
            "r.example:443",
        ] {
            assert_eq!(registry_host(text).as_deref(), Ok(text));
        }
        for text in [
            "",
            "registry",
            "https://r.example",
            "r.example/x",
            "r.example:port",
            "a b.c",
        ] {
            assert!(registry_host(text).is_err(), "{text}");
        }
    }
}
