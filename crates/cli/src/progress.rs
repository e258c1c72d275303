//! Progress of long steps: bars on a terminal, plain lines elsewhere, nothing with `--quiet`.

use crate::console::Console;
use crate::escape::to_one_line;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Where progress is shown.
pub struct Progress<'a> {
    console: &'a Console,
    bars: Option<MultiProgress>,
}

/// One step with a bar: a layer, a step of a build.
pub struct Task {
    bar: ProgressBar,
}

impl<'a> Progress<'a> {
    /// Progress of the tool that `console` belongs to.
    pub fn new(console: &'a Console) -> Self {
        let bars = (!console.is_quiet() && std::io::stderr().is_terminal())
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8)));
        Progress { console, bars }
    }

    /// Prints a line above the bars.
    pub fn info(&self, message: impl std::fmt::Display) {
        match &self.bars {
            // The bars have to be redrawn below the line.
            Some(bars) => bars.suspend(|| self.console.info(message)),
            None => self.console.info(message),
        }
    }

    /// Prints a line of the result above the bars.
    pub fn print(&self, line: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| self.console.stdout(line)),
            None => self.console.stdout(line),
        }
    }

    /// Starts a spinner, which becomes a bar once the size is known. Without a terminal it draws nothing: there the lines
    /// of [`Progress::info`] show the progress.
    pub fn task(&self, name: &str) -> Task {
        let bar = match &self.bars {
            Some(bars) => bars.add(ProgressBar::new_spinner()),
            None => ProgressBar::hidden(),
        };
        bar.set_style(style("{prefix:.dim} {spinner} {msg}"));
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Task { bar }
    }
}

impl Task {
    /// Sets the bytes that are done, of `total`.
    pub fn advance(&self, done: u64, total: u64) {
        if self.bar.length() != Some(total) {
            self.bar.set_length(total);
            self.bar
                .set_style(style("{prefix:.dim} {bar:24} {bytes}/{total_bytes} {msg}"));
        }
        self.bar.set_position(done.min(total));
    }

    /// Sets the message.
    pub fn say(&self, message: impl Into<String>) {
        self.bar.set_message(to_one_line(&message.into()).into_owned());
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
