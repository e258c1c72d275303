//! Builds, with the engine's classic builder.

use crate::context::{Context, LARGE};
use crate::desired::Arguments;
use crate::engine::layers::show_bytes;
use crate::engine::messages::Message;
use crate::engine::{Engine, fault, for_engine};
use anyhow::Result;
use bollard::auth::DockerCredentials;
use bollard::body_try_stream;
use bollard::query_parameters::BuildImageOptions;
use cli::progress::Progress;
use cli::{Console, Failure};
use futures_util::StreamExt;
use registry::Credentials;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How much of a failed build's output is shown.
const LAST_LINES: usize = 20;

/// What a build is made from, beside its context.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuildSettings {
    pub(crate) dockerfile: String,
    pub(crate) arguments: Arguments,
    pub(crate) target: Option<String>,
    pub(crate) platform: Option<String>,
}

impl Engine {
    /// Builds an image and gives its id. The builder is the classic one, which every engine has and which
    /// needs no session; the images that it builds upon are on the engine already.
    ///
    /// # Errors
    /// When a file of the context cannot be sent, or the build fails; its last lines are printed then.
    pub(crate) async fn build(
        &self,
        settings: &BuildSettings,
        context: Context,
        logins: &BTreeMap<String, Credentials>,
        console: &Console,
        progress: &Progress<'_>,
    ) -> Result<String> {
        let task = progress.task("context");
        let total = context.bytes();
        let archive = context.into_stream(move |sent| task.advance(sent.min(total), total.max(1)));
        let options = BuildImageOptions {
            dockerfile: settings.dockerfile.clone(),
            buildargs: Some(
                settings
                    .arguments
                    .0
                    .clone()
                    .into_iter()
                    .collect::<HashMap<_, _>>(),
            ),
            target: settings.target.clone().unwrap_or_default(),
            platform: settings.platform.clone().unwrap_or_default(),
            rm: true,
            // Also what an interrupted build leaves.
            forcerm: true,
            ..BuildImageOptions::default()
        };
        let logins: HashMap<String, DockerCredentials> = logins
            .iter()
            .map(|(host, login)| (registry::config_key(host).to_owned(), for_engine(login, host)))
            .collect();
        let steps = progress.task("build");
        let mut output = Output::new(console, progress);
        let mut built = None;
        let mut messages = std::pin::pin!(self.docker.build_image(
            options,
            Some(logins),
            Some(body_try_stream(archive))
        ));
        while let Some(message) = messages.next().await {
            let message = match message {
                Ok(message) => Message::from(message),
                Err(error) => {
                    drop(steps);
                    output.show_last();
                    return Err(fault::failure(&fault::message(error), "the registry").into());
                }
            };
            if let Some(id) = message.built() {
                built = Some(id.to_owned());
            }
            if let Some(step) = message.stream.as_deref().and_then(|text| output.take(text)) {
                steps.say(step);
            }
        }
        built.ok_or_else(|| {
            Failure::error("the engine ended the build without an image and without an error")
                .code("engine")
                .into()
        })
    }
}

/// What a build prints: its steps as they come, the rest with `-v`, and the end of it all when it fails.
struct Output<'a> {
    console: &'a Console,
    progress: &'a Progress<'a>,
    open: String,
    last: VecDeque<String>,
}

impl<'a> Output<'a> {
    fn new(console: &'a Console, progress: &'a Progress<'a>) -> Self {
        Output {
            console,
            progress,
            open: String::new(),
            last: VecDeque::new(),
        }
    }

    /// Takes a segment of output; gives the last step that began in it.
    fn take(&mut self, text: &str) -> Option<String> {
        self.open.push_str(text);
        let mut begun = None;
        while let Some((line, rest)) = self.open.split_once('\n') {
            // What overwrites itself on a terminal is one line: its last state.
            let line = line.trim_end().rsplit('\r').next().unwrap_or_default().to_owned();
            self.open = rest.to_owned();
            if line.starts_with("Step ") {
                self.progress.info(format!("  {line}"));
                begun = Some(line.clone());
            } else if self.console.is_verbose() {
                self.progress.info(format!("  {line}"));
            }
            if !line.is_empty() {
                self.last.push_back(line);
            }
            if self.last.len() > LAST_LINES {
                self.last.pop_front();
            }
        }
        begun
    }

    fn show_last(&self) {
        // With -v it has been shown; without, also --quiet wants to know why.
        if !self.console.is_verbose() {
            for line in self
                .last
                .iter()
                .chain(Some(&self.open).filter(|line| !line.is_empty()))
            {
                self.console.stderr(&format!("  {line}"));
            }
        }
    }
}

/// A warning for a context that is likely to hold more than it should.
pub(crate) fn warn_of_size(context: &Context, image: &str, console: &Console) {
    let bytes = context.bytes();
    if bytes < LARGE {
        return;
    }
    let most = context
        .largest()
        .map(|(name, size)| format!(", {} of it in `{name}`", show_bytes(size)));
    console.warn(format!(
        "{image}: the build context has {}{}: name in .dockerignore what the build does not need",
        show_bytes(bytes),
        most.unwrap_or_default()
    ));
}
