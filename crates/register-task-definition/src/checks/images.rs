//! The images: whether ECR has them, and for the platform of the task.

use super::context::{Checks, Findings, Missing};
use crate::images::{Ecr, EcrImage, ImageLookup, StoredImage};
use anyhow::{Context, Result};
use aws_documents::Field;
use futures_util::future::join_all;
use registry::Platform;

pub(super) async fn check(checks: &Checks<'_>, ecr: &Ecr<'_>) -> Result<Findings> {
    let images: Vec<Field> = checks
        .containers()
        .iter()
        .filter_map(|container| container.get("image"))
        .collect();
    let answers = join_all(images.iter().map(|image| ask(checks, ecr, image))).await;
    let mut findings = Findings::default();
    for answer in answers {
        let answer = answer?;
        findings.diagnostics.extend(answer.diagnostics);
        findings.planned.extend(answer.planned);
        findings.not_checked.extend(answer.not_checked);
    }
    findings.planned.dedup();
    findings.not_checked.dedup();
    Ok(findings)
}

async fn ask(checks: &Checks<'_>, ecr: &Ecr<'_>, image: &Field<'_>) -> Result<Findings> {
    let mut findings = Findings::default();
    let reference = image.text().unwrap_or_default();
    let Some(name) = EcrImage::of(reference) else {
        let what = format!("whether image `{reference}` exists: it is not in a private registry of ECR");
        findings.not_checked.push(what);
        return Ok(findings);
    };
    let lookup = match checks.images.known.get(reference) {
        Some(lookup) => lookup.clone(),
        None => {
            let lookup = ecr.look_up(&name, true).await;
            lookup.with_context(|| format!("failed to look up image `{reference}`"))?
        }
    };
    match lookup {
        ImageLookup::Found(found) => platform(checks, ecr, image, &name, &found, &mut findings).await,
        ImageLookup::Denied => {
            findings.denied(format!("whether image `{reference}` exists"), "ecr:BatchGetImage")
        }
        ImageLookup::Missing => {
            let named = checks.images.references.iter();
            let named = named.filter(|(_, one)| *one == reference && checks.images.known.contains_key(*one));
            let named: Vec<&str> = named.map(|(name, _)| name.as_str()).collect();
            let tables = &checks.config.schema.image;
            let own = tables
                .iter()
                .find(|table| named.contains(&table.name.as_str()))
                .or_else(|| tables.iter().find(|table| table.repository == name.repository));
            let own = own.filter(|_| name.is_in(checks.target));
            let shown = match (named.first(), own) {
                (Some(_), Some(table)) => {
                    let tag = table.tags.first().map(String::as_str).unwrap_or_default();
                    format!("image `{}` (`{}:{tag}`)", table.name, table.repository)
                }
                _ => format!("image `{reference}`"),
            };
            let missing = Missing {
                kind: "image",
                name: own.map_or_else(|| reference.to_owned(), |table| table.name.clone()),
                message: format!("ECR has no {shown}"),
                // A push does not create a digest or tag that the file names itself.
                created_by: own.filter(|_| !named.is_empty()).map(|_| "push-image"),
                hint: "push it, or name another one".into(),
            };
            checks.missing(&mut findings, image, missing);
        }
    }
    Ok(findings)
}

async fn platform(
    checks: &Checks<'_>,
    ecr: &Ecr<'_>,
    image: &Field<'_>,
    name: &EcrImage,
    found: &StoredImage,
    findings: &mut Findings,
) {
    let platform = platform_of_task(checks);
    match ecr.platforms(name, found).await {
        Ok(platforms) if platforms.contains(&platform) => {}
        Ok(platforms) => {
            let platforms: Vec<String> = platforms.iter().map(ToString::to_string).collect();
            let platforms = match platforms.as_slice() {
                [] => "no platform".to_owned(),
                several => several.join(", "),
            };
            let message = format!("the image is for {platforms}, and the task runs on {platform}");
            let hint =
                "build it for that platform (`platform` in [[image]] build), or change `runtimePlatform`";
            findings.error(checks.document, image, message, Some(hint.into()));
        }
        Err(why) => findings.not_checked.push(format!(
            "whether image `{}` is for {platform}: {why}",
            name.repository
        )),
    }
}

/// The platform of the task. Fargate's default is linux/amd64.
fn platform_of_task(checks: &Checks) -> Platform {
    let root = checks.document.field();
    let platform = root.get("runtimePlatform");
    let word = |key: &str| platform.as_ref().and_then(|platform| platform.text_of(key));
    let os = match word("operatingSystemFamily") {
        Some(family) if family.starts_with("WINDOWS") => "windows",
        _ => "linux",
    };
    let architecture = match word("cpuArchitecture") {
        Some("ARM64") => "arm64",
        _ => "amd64",
    };
    Platform {
        os: os.into(),
        architecture: architecture.into(),
    }
}
