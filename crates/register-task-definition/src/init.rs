//! `init`: writes the file from a live revision.

use crate::args::InitArgs;
use crate::diff::{LISTED, described};
use crate::placeholders;
use crate::revision::Revision;
use crate::source::{app_tags, file};
use anyhow::{Context, Result};
use aws_documents::{Diagnostic, Document, Values, shown, task_definition};
use cli::{Console, Failure, FailureExt, Item, Outcome, Report};
use common::aws::Aws;
use common::config::{Config, Variables};
use common::documents::{expand_and_check, expand_key, name_unknown, print_warnings};
use ecs::EcsClient;
use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;

/// Writes the file.
///
/// # Errors
/// When the revision does not exist, or the file exists and may not be replaced.
pub(crate) async fn run(args: &InitArgs, console: &Console) -> Result<Report> {
    let config = Config::find(args.options.common.config.config.as_deref())?;
    let path = file(&config, &Variables::preview(&config.schema))?;
    if !args.force && !args.dry_run && path.exists() {
        return Err(exists(&path).into());
    }
    let aws = Aws::load(&args.options.common.aws, Some(&config), console).await?;
    let target = common::identity::target(&aws).await?;
    let variables = Variables::new(&config.schema, &target);
    let from = args.from.clone().unwrap_or_default();
    let revision = from.or_family(&family(&path, &variables));
    let ecs = EcsClient::new(&aws);
    let hint = match args.from {
        Some(_) => LISTED.to_owned(),
        None => format!("name another one with --from FAMILY[:REVISION]; {LISTED}"),
    };
    let live = described(&ecs, &revision, &hint).await?;
    let (app_tags, _) = app_tags(&config, &variables)?;
    let value = placeholders::file(&live.definition, &live.tags, &app_tags, &config, &target);
    let text = serde_json::to_string_pretty(&value).context("failed to write JSON")? + "\n";

    let name = shown(&path).display().to_string();
    let item = |action: &str| {
        Item::new("file", &name, action)
            .detail("from", live.arn())
            .detail("path", name.as_str())
    };
    // A live revision may break the rules for files: that is reported, and the file is still written.
    let document = Document::parse(&shown(&path), &text).map_err(|diagnostic| diagnostic.into_failure())?;
    print_warnings(&warnings(&document, &config), console);
    for image in placeholders::followed(&value) {
        console.info(format!(
            "image `{image}`: the file follows the digest of its first tag in ECR"
        ));
    }
    let old = std::fs::read_to_string(&path).ok();
    if old.as_deref() == Some(text.as_str()) {
        console.info(format!("{name}: unchanged"));
        let mut report = Report::new(Outcome::Unchanged).line(&name);
        report.items.push(item("none"));
        return Ok(report);
    }
    let action = if old.is_some() { "update" } else { "create" };
    if args.dry_run {
        let shown = match args.options.values() {
            Values::Shown => value,
            Values::Hidden => {
                console.info("values that may hold secrets are (hidden) here, not in the file; --show-values shows them");
                task_definition::redacted(&value)
            }
        };
        let text = serde_json::to_string_pretty(&shown).context("failed to write JSON")?;
        let mut report = Report::new(Outcome::Planned).line(text).detail("document", shown);
        report.items.push(item(action));
        return Ok(report);
    }
    write(&path, &text, args.force)?;
    console.info(format!("{name}: written from {}", live.arn()));
    let mut report = Report::new(Outcome::Changed).line(&name);
    report.items.push(item(action));
    Ok(report)
}

/// The family of the existing file, else the file's name.
fn family(path: &Path, variables: &Variables) -> String {
    let document = Document::read(path).ok();
    let named = document.and_then(|document| expand_key(&document, "family", variables).ok()?);
    let stem = || {
        path.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    named
        .filter(|family| Revision::is_family(family))
        .unwrap_or_else(stem)
}

/// The diagnostics of the written file.
fn warnings(document: &Document, config: &Config) -> Vec<Diagnostic> {
    let found = expand_and_check(
        document,
        &Variables::preview(&config.schema),
        task_definition::check,
    );
    let diagnostics = found.map_or_else(|diagnostics| diagnostics, |(_, diagnostics)| diagnostics);
    diagnostics.into_iter().map(name_unknown).collect()
}

/// Writes the file atomically. Without `force` an existing file is not replaced, even if it was created in the
/// meantime.
fn write(path: &Path, text: &str, force: bool) -> Result<()> {
    let context = format!("failed to write `{}`", shown(path).display());
    let hint = "check that the folder can be written to";
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).or_error(context.as_str(), hint)?;
    let mut file = NamedTempFile::new_in(folder).or_error(context.as_str(), hint)?;
    file.write_all(text.as_bytes()).or_error(context.as_str(), hint)?;
    // Temporary files are readable by their owner alone; this one goes into a repository.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file()
        .set_permissions(mode)
        .or_error(context.as_str(), hint)?;
    if force {
        file.persist(path)
            .map_err(|error| error.error)
            .or_error(context, hint)?;
        return Ok(());
    }
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(exists(path).into()),
        Err(error) => Err(error.error).or_error(context, hint),
    }
}

fn exists(path: &Path) -> Failure {
    let name = shown(path).display().to_string();
    Failure::error(format!("refused to overwrite `{name}`"))
        .code("exists")
        .hint("--force replaces it, --dry-run shows what would be written")
}
