//! Builds, by the engine's classic builder.

use crate::context::{Context, LARGE};
use crate::desired::Arguments;
use crate::engine::error::EngineError;
use crate::engine::messages::Message;
use crate::engine::{Engine, for_engine};
use anyhow::Result;
use bollard::auth::DockerCredentials;
use bollard::body_try_stream;
use bollard::query_parameters::BuildImageOptions;
use cli::Console;
use cli::progress::Progress;
use futures_util::StreamExt;
use indicatif::DecimalBytes;
use registry::Credentials;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How many lines of a failed build's output are printed.
const LAST_LINES: usize = 20;

/// The settings of a build, apart from its context.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuildSettings {
    pub(crate) dockerfile: String,
    pub(crate) arguments: Arguments,
    pub(crate) target: Option<String>,
    pub(crate) platform: Option<String>,
}

impl Engine {
    /// Builds an image and returns its id. The classic builder is part of every engine and needs no session. The base
    /// images are on the engine already.
    ///
    /// # Errors
    /// When a file of the context cannot be sent, or the build fails; the last lines of its output are printed then.
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
            // Removes the containers of a failed or interrupted build as well.
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
                    return Err(EngineError::from(error).into_failure(None).into());
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
            EngineError::incomplete("build", "an image")
                .into_failure(None)
                .into()
        })
    }
}

/// The output of a build: its steps are printed as they start, other lines with `-v`, and the last lines when it
/// fails.
struct Output<'a> {
    console: &'a Console,
    progress: &'a Progress<'a>,
    /// A line whose end was not received yet.
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

    /// Takes a part of the output and returns the last step that started in it.
    fn take(&mut self, text: &str) -> Option<String> {
        self.open.push_str(text);
        let mut started = None;
        while let Some((line, rest)) = self.open.split_once('\n') {
            // A progress line that overwrites itself by carriage returns: only its last state is kept.
            let line = line.trim_end().rsplit('\r').next().unwrap_or_default().to_owned();
            self.open = rest.to_owned();
            if line.starts_with("Step ") {
                self.progress.info(format!("  {line}"));
                started = Some(line.clone());
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
        started
    }

    fn show_last(&self) {
        // -v has printed them already. --quiet prints them too: they are the cause of the error.
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

/// Warns of a context that is likely to contain files that the build does not need.
pub(crate) fn warn_of_size(context: &Context, image: &str, console: &Console) {
    let bytes = context.bytes();
    if bytes < LARGE {
        return;
    }
    let largest = context
        .largest()
        .map(|(name, size)| format!(", {} of it in `{name}`", DecimalBytes(size)));
    console.warn(format!(
        "{image}: the build context has {}{}: exclude what the build does not need in .dockerignore",
        DecimalBytes(bytes),
        largest.unwrap_or_default()
    ));
}
