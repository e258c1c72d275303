//! One image: got, compared, and brought to where it is desired.

use crate::desired::{Desired, Source};
use crate::done::{Done, NOT_KNOWN};
use crate::engine::fault::Topic;
use crate::engine::{Engine, LocalImage};
use crate::plan::{Plan, Tagged, in_the_way, plan};
use crate::remote::{Remote, Repository};
use crate::source::{Build, Workshop};
use anyhow::{Context, Result};
use cli::{Change, Failure, Outcome};
use common::config::Image;
use futures_util::future::try_join_all;
use registry::Reference;
use std::collections::BTreeSet;

/// The next step when ECR refuses what ECR has given.
const OWN_LOGIN_REFUSED: &str =
    "the login is ECR's own: look at the repository's policy, and whether this machine's clock is right";

/// Why an image did not get there, and whether the registry was changed all the same.
pub(crate) struct Failed {
    pub(crate) error: anyhow::Error,
    pub(crate) changed: bool,
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Failed {
            error,
            changed: false,
        }
    }
}

/// What one image needs.
pub(crate) struct Pusher<'a> {
    pub(crate) workshop: Workshop<'a>,
    pub(crate) plan_only: bool,
    /// All images of the file.
    pub(crate) all: &'a [Image],
    /// Those of this run that are only planned.
    pub(crate) pending: &'a BTreeSet<String>,
}

impl Pusher<'_> {
    /// Does it.
    ///
    /// # Errors
    /// When a step fails.
    pub(crate) async fn run(
        &self,
        image: &Desired,
        build: Option<&Build>,
        repository: &Repository,
    ) -> Result<Done, Failed> {
        if let Some(build) = build.filter(|_| self.plan_only)
            && let Some(earlier) = self.waits_for(build).await?
        {
            let after = format!("push-image {earlier}");
            return Ok(Done::planned(&repository.uri, image, &after));
        }
        let local = self.get(image, build).await?;
        let tags = self.tagged(image).await?;
        let plan = plan(&local, repository, &tags);
        if let Some((tag, digest)) = in_the_way(&plan, &local, repository, &tags) {
            return Err(Failed::from(anyhow::Error::from(immutable(image, tag, digest))));
        }
        if self.plan_only {
            return Ok(match plan {
                Plan::Nothing(remote) => {
                    Done::of(Outcome::Unchanged, "none", Vec::new(), repository, &remote)
                }
                Plan::Tag(remote, elsewhere) => {
                    let changes = changes(&tags, &elsewhere, &remote.digest);
                    Done::of(Outcome::Planned, "tag", changes, repository, &remote)
                }
                Plan::Push => Done::would_push(
                    &repository.uri,
                    image,
                    changes(&tags, &image.tags, NOT_KNOWN),
                    None,
                ),
            });
        }
        match plan {
            Plan::Nothing(remote) => {
                // A build without a name would be taken for rubbish, and its layers for no cache.
                if let Some(tag) = image.tags.first().filter(|_| build.is_some()) {
                    self.name_here(&local, repository, tag).await?;
                }
                Ok(Done::of(
                    Outcome::Unchanged,
                    "none",
                    Vec::new(),
                    repository,
                    &remote,
                ))
            }
            Plan::Tag(remote, elsewhere) => {
                self.give_tags(image, &local, repository, &remote, &elsewhere, false)
                    .await?;
                let changes = changes(&tags, &elsewhere, &remote.digest);
                Ok(Done::of(Outcome::Changed, "tag", changes, repository, &remote))
            }
            Plan::Push => self.push(image, &local, repository, &tags).await,
        }
    }

    /// Gets the image onto the engine.
    async fn get(&self, image: &Desired, build: Option<&Build>) -> Result<LocalImage> {
        let Source::Copy {
            reference,
            instead_of,
        } = &image.source
        else {
            let build =
                build.ok_or_else(|| Failure::error(format!("failed to build image `{}`", image.name)))?;
            return self.workshop.build(&image.name, build).await;
        };
        if let Some(instead_of) = instead_of {
            self.workshop.progress.info(format!(
                "{}: from {reference} instead of {instead_of}",
                image.name
            ));
        }
        let got = self.workshop.fetch(&image.name, reference, None).await;
        got.with_context(|| format!("failed to get image `{}`", image.name))
    }

    async fn tagged(&self, image: &Desired) -> Result<Vec<Tagged>> {
        let (engine, destination) = (self.workshop.engine, self.workshop.destination);
        try_join_all(image.tags.iter().map(|tag| async move {
            let remote = destination.tagged(engine, &image.repository, tag).await?;
            Ok(Tagged {
                tag: tag.clone(),
                remote,
            })
        }))
        .await
    }

    async fn push(
        &self,
        image: &Desired,
        local: &LocalImage,
        repository: &Repository,
        before: &[Tagged],
    ) -> Result<Done, Failed> {
        let Some((first, others)) = image.tags.split_first() else {
            return Err(Failed::from(anyhow::anyhow!("image `{}` has no tag", image.name)));
        };
        let remote = self.push_tag(image, local, repository, first).await?;
        let had = |tag: &str| before.iter().find(|tagged| tagged.tag == tag)?.remote.as_ref();
        let is_there = |tag: &str| had(tag).is_some_and(|had| had.digest == remote.digest);
        let elsewhere: Vec<String> = others.iter().filter(|tag| !is_there(tag)).cloned().collect();
        self.give_tags(image, local, repository, &remote, &elsewhere, !is_there(first))
            .await?;
        let changes = changes(before, &image.tags, &remote.digest);
        // The registry had it all along, in a form that could not be told from here.
        let (outcome, action) = if changes.is_empty() {
            (Outcome::Unchanged, "none")
        } else {
            (Outcome::Changed, "push")
        };
        Ok(Done::of(outcome, action, changes, repository, &remote))
    }

    /// Pushes the image under one tag; what the registry then has is asked of it.
    async fn push_tag(
        &self,
        image: &Desired,
        local: &LocalImage,
        repository: &Repository,
        tag: &str,
    ) -> Result<Remote, Failed> {
        let Workshop {
            engine,
            destination,
            console,
            progress,
        } = &self.workshop;
        self.name_here(local, repository, tag).await?;
        progress.info(format!("{}: pushing to {}:{tag}", image.name, repository.uri));
        let login = destination.login(false).await?;
        let mut pushed = engine.push(&repository.uri, tag, login.as_ref(), progress).await;
        // A login that has become too old on the way, which for a large image over a slow line can be. What is
        // there already is not sent again.
        if let Err(failure) = &pushed
            && destination.can_renew()
            && Topic::of(&failure.to_string()) == Topic::Login
        {
            console.debug(format!(
                "{}: {failure}: trying again with a new login",
                image.name
            ));
            let login = destination.login(true).await?;
            pushed = engine.push(&repository.uri, tag, login.as_ref(), progress).await;
        }
        let pushed = pushed.map_err(|failure| match Topic::of(&failure.to_string()) {
            Topic::Login if destination.can_renew() => failure.hint(OWN_LOGIN_REFUSED),
            _ => failure,
        });
        let digest = pushed.with_context(|| {
            format!(
                "failed to push image `{}` to `{}:{tag}`",
                image.name, repository.uri
            )
        })?;
        let there = destination.pushed(engine, &image.repository, tag, &digest).await;
        there.map_err(|error| Failed { error, changed: true })
    }

    /// Gives the registry's `remote` these tags too: by itself where it can, else by pushes of the same layers.
    async fn give_tags(
        &self,
        image: &Desired,
        local: &LocalImage,
        repository: &Repository,
        remote: &Remote,
        tags: &[String],
        mut changed: bool,
    ) -> Result<(), Failed> {
        for tag in tags {
            let given = match self
                .workshop
                .destination
                .put_tag(&image.repository, remote, tag)
                .await
            {
                Ok(true) => Ok(()),
                Ok(false) => self.push_tag(image, local, repository, tag).await.map(drop),
                Err(error) => Err(Failed::from(error)),
            };
            given.map_err(|failed| Failed {
                changed: changed || failed.changed,
                ..failed
            })?;
            changed = true;
        }
        Ok(())
    }

    /// Names the image on the engine as it is named in the registry.
    async fn name_here(&self, local: &LocalImage, repository: &Repository, tag: &str) -> Result<()> {
        let engine: &Engine = self.workshop.engine;
        if local.tags.contains(&format!("{}:{tag}", repository.uri)) {
            return Ok(());
        }
        engine.tag(&local.id, &repository.uri, tag).await
    }

    /// For a plan: the image of the file that has to be pushed before this one can be built.
    async fn waits_for(&self, build: &Build) -> Result<Option<String>> {
        let Workshop {
            engine, destination, ..
        } = &self.workshop;
        for base in &build.bases {
            let Some(earlier) = self.of_file(&base.reference) else {
                continue;
            };
            let tag = base.reference.tag.as_deref().unwrap_or("latest");
            let repository = &base.reference.repository;
            let there = !self.pending.contains(&earlier.name)
                && destination
                    .repositories(&[repository])
                    .await?
                    .iter()
                    .all(Option::is_some)
                && destination.tagged(engine, repository, tag).await?.is_some();
            if !there {
                return Ok(Some(earlier.name.clone()));
            }
        }
        Ok(None)
    }

    /// The image table that pushes `reference`.
    fn of_file(&self, reference: &Reference) -> Option<&Image> {
        let tag = reference.tag.as_deref().unwrap_or("latest");
        let ours = reference.host == self.workshop.destination.host && reference.digest.is_none();
        self.all.iter().find(|image| {
            ours && image.repository == reference.repository && image.tags.iter().any(|own| own == tag)
        })
    }
}

/// From what each of the `moved` tags had to `digest`, where that differs.
fn changes(tags: &[Tagged], moved: &[String], digest: &str) -> Vec<Change> {
    let had = |tagged: &Tagged| tagged.remote.as_ref().map(|remote| remote.digest.clone());
    tags.iter()
        .filter(|tagged| moved.contains(&tagged.tag) && had(tagged).as_deref() != Some(digest))
        .map(|tagged| Change::new(format!("tags.{}", tagged.tag), had(tagged), digest))
        .collect()
}

fn immutable(image: &Desired, tag: &str, digest: &str) -> Failure {
    Failure::error(format!(
        "failed to push image `{}`: tag `{tag}` of repository `{}` is immutable and has another image, {digest}",
        image.name, image.repository
    ))
    .code("immutable-tag")
    .hint("give the image a new tag in ops.toml")
}
