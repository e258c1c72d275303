//! Brings one image into the registry: gets it onto the engine, compares it with the registry's tags, and pushes or
//! tags what differs.

use crate::build_input::BuildInput;
use crate::desired::{Desired, Source};
use crate::engine::LocalImage;
use crate::engine::error::EngineErrorKind;
use crate::image_context::ImageContext;
use crate::plan::{Plan, TagState, immutable_conflict, plan};
use crate::remote::{RemoteImage, Repository};
use crate::result::{ImageResult, UNKNOWN_DIGEST};
use anyhow::{Context, Result};
use cli::{Change, ErrorKind, Failure, Outcome};
use common::config::Image;
use futures_util::future::try_join_all;
use registry::Reference;
use std::collections::BTreeSet;

/// The hint for a login that ECR issued and then does not accept.
const ECR_LOGIN_REFUSED: &str =
    "ECR issued this login itself: check the repository's policy and the clock of this machine";

/// Why an image was not pushed, and whether the registry was changed nevertheless.
pub(crate) struct PushError {
    pub(crate) error: anyhow::Error,
    pub(crate) changed: bool,
}

impl From<anyhow::Error> for PushError {
    fn from(error: anyhow::Error) -> Self {
        PushError {
            error,
            changed: false,
        }
    }
}

/// Pushes one image.
pub(crate) struct Pusher<'a> {
    pub(crate) context: ImageContext<'a>,
    pub(crate) plan_only: bool,
    /// All images of `ops.toml`.
    pub(crate) all: &'a [Image],
    /// The names of the images before this one that are only planned.
    pub(crate) planned: &'a BTreeSet<String>,
}

/// One image on the engine and in the registry.
struct Comparison<'a> {
    image: &'a Desired,
    local: LocalImage,
    repository: &'a Repository,
    /// The state of each desired tag, before this run.
    tags: Vec<TagState>,
}

impl Comparison<'_> {
    /// The changes of the `moved` tags from their old digests to `digest`, without those that had it.
    fn changes(&self, moved: &[String], digest: &str) -> Vec<Change> {
        let old = |tag: &TagState| tag.remote.as_ref().map(|remote| remote.digest.clone());
        let differing = self
            .tags
            .iter()
            .filter(|tag| moved.contains(&tag.name) && old(tag).as_deref() != Some(digest));
        differing
            .map(|tag| Change::new(format!("tags.{}", tag.name), old(tag), digest))
            .collect()
    }

    fn changed(&self, action: &'static str, moved: &[String], remote: &RemoteImage) -> ImageResult {
        let changes = self.changes(moved, &remote.digest);
        ImageResult::of(Outcome::Changed, action, changes, self.repository, remote)
    }
}

impl Pusher<'_> {
    /// Pushes `image`, or plans to.
    ///
    /// # Errors
    /// When the image cannot be pulled or built, a tag is immutable, or the engine or the registry fails.
    pub(crate) async fn run(
        &self,
        image: &Desired,
        build: Option<&BuildInput>,
        repository: &Repository,
    ) -> Result<ImageResult, PushError> {
        if let Some(build) = build.filter(|_| self.plan_only)
            && let Some(earlier) = self.missing_base(build).await?
        {
            let after = format!("push-image {earlier}");
            return Ok(ImageResult::would_push_after(&repository.uri, image, &after));
        }
        let state = Comparison {
            image,
            local: self.get(image, build).await?,
            repository,
            tags: self.tags(image).await?,
        };
        let plan = plan(&state.local, repository, &state.tags);
        if let Some((tag, digest)) = immutable_conflict(&plan, &state.local, repository, &state.tags) {
            return Err(anyhow::Error::from(immutable_tag(image, tag, digest)).into());
        }
        match plan {
            Plan::Nothing(remote) => {
                // An image without a name is removed by `docker image prune`, and the build cache with it.
                if let Some(tag) = image.tags.first().filter(|_| build.is_some() && !self.plan_only) {
                    self.tag_locally(&state, tag).await?;
                }
                Ok(ImageResult::unchanged(repository, &remote))
            }
            Plan::Tag(remote, tags) if self.plan_only => {
                let changes = state.changes(&tags, &remote.digest);
                Ok(ImageResult::of(
                    Outcome::Planned,
                    "tag",
                    changes,
                    repository,
                    &remote,
                ))
            }
            Plan::Push if self.plan_only => {
                let changes = state.changes(&image.tags, UNKNOWN_DIGEST);
                Ok(ImageResult::would_push(repository, image, changes))
            }
            Plan::Tag(remote, tags) => {
                self.move_tags(&state, "tag", &remote, &tags, Vec::new()).await?;
                Ok(state.changed("tag", &tags, &remote))
            }
            Plan::Push => self.push(&state).await,
        }
    }

    /// Gets the image onto the engine.
    async fn get(&self, image: &Desired, build: Option<&BuildInput>) -> Result<LocalImage> {
        let Source::Copy {
            reference,
            instead_of,
        } = &image.source
        else {
            let build =
                build.ok_or_else(|| Failure::error(format!("failed to build image `{}`", image.name)))?;
            return self.context.build(&image.name, build).await;
        };
        if let Some(instead_of) = instead_of {
            self.context.progress.info(format!(
                "{}: from {reference} instead of {instead_of}",
                image.name
            ));
        }
        let pulled = self.context.pull(&image.name, reference, None).await;
        pulled.with_context(|| format!("failed to get image `{}`", image.name))
    }

    /// Reads the registry's image of each desired tag.
    async fn tags(&self, image: &Desired) -> Result<Vec<TagState>> {
        let ImageContext {
            engine, destination, ..
        } = self.context;
        try_join_all(image.tags.iter().map(|tag| async move {
            let remote = destination.image(engine, &image.repository, tag).await?;
            Ok(TagState {
                name: tag.clone(),
                remote,
            })
        }))
        .await
    }

    async fn push(&self, state: &Comparison<'_>) -> Result<ImageResult, PushError> {
        let Some((first, others)) = state.image.tags.split_first() else {
            return Err(anyhow::anyhow!("image `{}` has no tag", state.image.name).into());
        };
        let remote = self.push_tag(state, "push", first, &[]).await?;
        let had = |tag: &str| {
            let tag = state.tags.iter().find(|state| state.name == tag)?;
            Some(tag.remote.as_ref()?.digest == remote.digest)
        };
        let differs = |tag: &&String| had(tag) != Some(true);
        let moved: Vec<String> = Some(first).filter(differs).into_iter().cloned().collect();
        let others: Vec<String> = others.iter().filter(differs).cloned().collect();
        self.move_tags(state, "push", &remote, &others, moved).await?;
        let result = state.changed("push", &state.image.tags, &remote);
        if result.has_changes() {
            Ok(result)
        } else {
            // The registry had the image in a form that could not be compared with the engine's.
            Ok(ImageResult::unchanged(state.repository, &remote))
        }
    }

    /// Pushes the image under one tag, and reads back what the registry has then. `moved` has the tags that this run
    /// has moved before.
    async fn push_tag(
        &self,
        state: &Comparison<'_>,
        action: &'static str,
        tag: &str,
        moved: &[String],
    ) -> Result<RemoteImage, PushError> {
        let ImageContext {
            engine,
            destination,
            console,
            progress,
        } = self.context;
        let (name, uri) = (&state.image.name, &state.repository.uri);
        self.tag_locally(state, tag).await?;
        progress.info(format!("{name}: pushing to {uri}:{tag}"));
        let in_flight = || format!("the push of image `{name}` to `{uri}:{tag}`");
        let login = destination.login(false).await?;
        let push = engine.push(uri, tag, login.as_ref(), progress);
        let mut pushed = console.in_flight(in_flight(), push).await;
        // The token may expire during the upload of a large image. Layers that are already there are not sent again.
        let is_refused_login =
            |kind: EngineErrorKind| kind == EngineErrorKind::Unauthorized && destination.can_renew();
        if let Err(error) = &pushed
            && is_refused_login(error.kind)
        {
            console.debug(format!("{name}: {error}: retrying with a new login"));
            let login = destination.login(true).await?;
            let push = engine.push(uri, tag, login.as_ref(), progress);
            pushed = console.in_flight(in_flight(), push).await;
        }
        let pushed = pushed.map_err(|error| {
            let kind = error.kind;
            let failure = error.into_failure(Some(&destination.host));
            if is_refused_login(kind) {
                failure.hint(ECR_LOGIN_REFUSED)
            } else {
                failure
            }
        });
        let digest = pushed.with_context(|| format!("failed to push image `{name}` to `{uri}:{tag}`"))?;
        // For a run that is interrupted while it reads back.
        let moved = [moved, &[tag.to_owned()]].concat();
        let changed = state.changed(action, &moved, &RemoteImage::with_digest(digest.as_str()));
        if changed.has_changes() {
            console.record(&changed.item(state.image));
        }
        let verified = destination
            .verify_push(engine, &state.image.repository, tag, &digest)
            .await;
        verified.map_err(|error| PushError { error, changed: true })
    }

    /// Moves `tags` to `remote`: with ECR's API, or in other registries by pushes of the same layers. `moved` has the
    /// tags that this run has moved before. What was moved is recorded for a run that is interrupted.
    async fn move_tags(
        &self,
        state: &Comparison<'_>,
        action: &'static str,
        remote: &RemoteImage,
        tags: &[String],
        mut moved: Vec<String>,
    ) -> Result<(), PushError> {
        let (console, destination) = (self.context.console, self.context.destination);
        if !moved.is_empty() {
            console.record(&state.changed(action, &moved, remote).item(state.image));
        }
        for tag in tags {
            let put = destination.put_tag(&state.image.repository, remote, tag).await;
            let result = match put {
                Ok(true) => Ok(()),
                Ok(false) => self.push_tag(state, action, tag, &moved).await.map(drop),
                Err(error) => Err(PushError::from(error)),
            };
            result.map_err(|failed| PushError {
                changed: failed.changed || !moved.is_empty(),
                ..failed
            })?;
            moved.push(tag.clone());
            console.record(&state.changed(action, &moved, remote).item(state.image));
        }
        Ok(())
    }

    /// Gives the engine's image its name in the registry.
    async fn tag_locally(&self, state: &Comparison<'_>, tag: &str) -> Result<()> {
        let uri = &state.repository.uri;
        if state.local.tags.contains(&format!("{uri}:{tag}")) {
            return Ok(());
        }
        self.context.engine.tag(&state.local.id, uri, tag).await
    }

    /// The image of `ops.toml` that has to be pushed before this one can be built, for a plan.
    async fn missing_base(&self, build: &BuildInput) -> Result<Option<String>> {
        let ImageContext {
            engine, destination, ..
        } = self.context;
        for base in &build.bases {
            let Some(earlier) = self.configured(&base.reference) else {
                continue;
            };
            let tag = base.reference.tag.as_deref().unwrap_or("latest");
            let repository = &base.reference.repository;
            let exists = !self.planned.contains(&earlier.name)
                && destination
                    .repositories(&[repository])
                    .await?
                    .iter()
                    .all(Option::is_some)
                && destination.image(engine, repository, tag).await?.is_some();
            if !exists {
                return Ok(Some(earlier.name.clone()));
            }
        }
        Ok(None)
    }

    /// The image of `ops.toml` that is pushed to `reference`.
    fn configured(&self, reference: &Reference) -> Option<&Image> {
        let tag = reference.tag.as_deref().unwrap_or("latest");
        if reference.host != self.context.destination.host || reference.digest.is_some() {
            return None;
        }
        self.all
            .iter()
            .find(|image| image.repository == reference.repository && image.tags.iter().any(|own| own == tag))
    }
}

fn immutable_tag(image: &Desired, tag: &str, digest: &str) -> Failure {
    Failure::error(format!(
        "failed to push image `{}`: tag `{tag}` of repository `{}` is immutable and has another image, {digest}",
        image.name, image.repository
    ))
    .kind(ErrorKind::Conflict)
    .code("immutable-tag")
    .hint("give the image a new tag in ops.toml")
}
