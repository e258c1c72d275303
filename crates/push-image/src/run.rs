//! Pushes the images one after the other, in the order of `ops.toml`, because an image may be built from an earlier
//! one.

use crate::args::Args;
use crate::build_input::BuildInput;
use crate::desired::{Desired, Overrides, desired};
use crate::destination::Destination;
use crate::engine::Engine;
use crate::image_context::ImageContext;
use crate::pusher::{PushError, Pusher};
use crate::remote::Repository;
use crate::result::ImageResult;
use crate::secret_args::from_environment;
use anyhow::Result;
use cli::progress::Progress;
use cli::{Console, ErrorKind, Failure, Outcome, Report};
use common::config::{Config, Image, Variables, select};
use std::collections::BTreeSet;

/// Pushes the selected images. An error becomes part of the report, beside the images before it.
pub(crate) async fn run(args: &Args, console: &Console) -> Report {
    let mut report = Report::new(Outcome::Unchanged);
    match push_images(args, console, &mut report).await {
        Ok(()) => report.checked(args.plan.check),
        Err(failed) if failed.changed || report.outcome == Outcome::Changed => {
            console.partial(&failed.error, report)
        }
        Err(failed) => console.failed(&failed.error, report),
    }
}

async fn push_images(args: &Args, console: &Console, report: &mut Report) -> Result<(), PushError> {
    let config = Config::find(args.common.config.config.as_deref())?;
    let variable = std::env::var("OPS_IMAGE_FROM").ok();
    let overrides = Overrides::read(&args.from, variable.as_deref())?;
    for (name, reason) in overrides.unused(&config.schema.image) {
        console.warn(format!(
            "$OPS_IMAGE_FROM names `{name}`, which {reason} of {}",
            config.path.display()
        ));
    }
    // Everything that can be checked without a call: variables, names, folders, Dockerfiles.
    let mut preview = Variables::preview(&config.schema);
    if let Some(host) = &args.registry {
        preview.set("ECR_REGISTRY", host);
    }
    read_builds(
        &select_images(args, &config, &preview, &overrides, "registry.example")?,
        &config,
    )?;

    let destination = Destination::find(args, &config, console).await?;
    describe_destination(report, &destination);
    console.begin(report);
    let variables = destination.variables(&config);
    let images = select_images(args, &config, &variables, &overrides, &destination.host)?;
    let builds = read_builds(&images, &config)?;
    let names: Vec<&str> = images.iter().map(|image| image.repository.as_str()).collect();
    let repositories = destination.repositories(&names).await?;
    if !args.plan.plan_only() {
        require_repositories(&images, &repositories)?;
    }

    let progress = Progress::new(console);
    // A plan for repositories that do not exist needs no engine.
    let engine = if repositories.iter().any(Option::is_some) {
        Some(Engine::connect(console).await?)
    } else {
        None
    };
    if let Some(engine) = &engine {
        destination.refuse_plain_http(engine, &destination.host).await?;
    }

    let all = config.images(&variables)?;
    let mut planned = BTreeSet::new();
    for ((image, build), repository) in images.iter().zip(&builds).zip(&repositories) {
        let result = match (&engine, repository) {
            (Some(engine), Some(repository)) => {
                let pusher = Pusher {
                    context: ImageContext {
                        engine,
                        destination: &destination,
                        console,
                        progress: &progress,
                    },
                    plan_only: args.plan.plan_only(),
                    all: &all,
                    planned: &planned,
                };
                pusher.run(image, build.as_ref(), repository).await?
            }
            _ => ImageResult::would_push_after(
                &format!("{}/{}", destination.host, image.repository),
                image,
                "create-repository",
            ),
        };
        if result.outcome == Outcome::Planned {
            planned.insert(image.name.clone());
        }
        add(report, image, result, console);
    }
    Ok(())
}

fn describe_destination(report: &mut Report, destination: &Destination<'_>) {
    let mut detail = |key: &str, value: &str| {
        report.details.insert(key.to_owned(), value.into());
    };
    if let (Some(target), Some(identity)) = (&destination.aws, &destination.identity) {
        detail("account", &target.account);
        detail("region", &target.region);
        detail("identity", identity);
    }
    detail("registry", &destination.host);
}

fn select_images(
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

fn read_builds(images: &[Desired], config: &Config) -> Result<Vec<Option<BuildInput>>> {
    let builds = images.iter().map(|image| {
        let from_environment = from_environment(&config.schema.image, &image.name);
        BuildInput::read(&image.source, &image.name, from_environment, |path| {
            config.resolve(path)
        })
    });
    builds.collect()
}

/// Fails when a repository does not exist. The engine would report that only after it has compressed the layers.
fn require_repositories(images: &[Desired], repositories: &[Option<Repository>]) -> Result<()> {
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
        "failed to find repository `{first}`: it does not exist in this account and region"
    ))
    .kind(ErrorKind::NotFound)
    .code("RepositoryNotFoundException")
    .hint(format!("create-repository {}", missing.join(" ")))
    .into())
}

/// Adds the result of `image` to the report, which then also is what an interrupted run reports.
fn add(report: &mut Report, image: &Desired, result: ImageResult, console: &Console) {
    console.info(format!("{}: {}", image.name, result.summary));
    if result.outcome != Outcome::Unchanged {
        report.outcome = result.outcome;
    }
    report.items.push(result.item(image));
    report.lines.push(result.line);
    console.begin(report);
}
