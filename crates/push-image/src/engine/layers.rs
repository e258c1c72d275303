//! Progress of the layers of a pull or a push: a bar per layer on a terminal, lines elsewhere.

use crate::engine::messages::Message;
use cli::progress::{Progress, Task};
use indicatif::DecimalBytes;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often the progress of a layer is printed without bars.
const INTERVAL: Duration = Duration::from_secs(10);

/// The progress of the layers of one pull or push.
pub(crate) struct LayerProgress<'a> {
    progress: &'a Progress<'a>,
    layers: BTreeMap<String, Layer>,
    bars: bool,
    /// How many retries the engine has announced. It reports no reason for them.
    pub(crate) retries: u32,
}

struct Layer {
    task: Task,
    bytes: u64,
    last_line: Instant,
    retrying: bool,
}

impl<'a> LayerProgress<'a> {
    pub(crate) fn new(progress: &'a Progress<'a>) -> Self {
        LayerProgress {
            progress,
            layers: BTreeMap::new(),
            bars: std::io::stderr().is_terminal(),
            retries: 0,
        }
    }

    /// Shows the progress in `message`.
    pub(crate) fn show(&mut self, message: &Message) {
        let (Some(id), Some(status)) = (&message.id, &message.status) else {
            return;
        };
        // The first message of a pull has the tag in the place of a layer.
        if status.starts_with("Pulling from ") {
            return;
        }
        let bytes = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
        let current = message.progress.and_then(|progress| bytes(progress.current));
        let total = message.progress.and_then(|progress| bytes(progress.total));
        let progress = self.progress;
        let layer = self.layers.entry(id.clone()).or_insert_with(|| Layer {
            task: progress.task(id),
            bytes: 0,
            last_line: Instant::now(),
            retrying: false,
        });
        let retrying = status.starts_with("Retrying in ");
        if retrying && !layer.retrying {
            self.retries += 1;
            let wait = status.trim_start_matches("Retrying in ");
            progress.info(format!(
                "  layer {id}: failed, the engine retries in {wait} (its log has the reason)"
            ));
        }
        layer.retrying = retrying;
        // The line of a finished layer has its result and its size.
        if let Some(result) = result_of(status) {
            let size = match layer.bytes {
                0 => String::new(),
                bytes => format!(", {}", DecimalBytes(bytes)),
            };
            progress.info(format!("  layer {id}: {}{size}", result));
            self.layers.remove(id);
            return;
        }
        layer.task.say(status.clone());
        // Extraction counts uncompressed bytes; the size in the last line is that of the download.
        if let (Some(current), false) = (current, status == "Extracting") {
            layer.bytes = layer.bytes.max(current);
        }
        if let (Some(current), Some(total)) = (current, total.filter(|total| *total > 0)) {
            layer.task.advance(current, total);
            if !self.bars && layer.last_line.elapsed() >= INTERVAL {
                layer.last_line = Instant::now();
                progress.info(format!(
                    "  layer {id}: {} {} of {}",
                    status.to_lowercase(),
                    DecimalBytes(current.min(total)),
                    DecimalBytes(total)
                ));
            }
        }
    }
}

/// The result of a finished layer; `None` for other states.
fn result_of(status: &str) -> Option<String> {
    match status {
        "Pushed" => Some("pushed".to_owned()),
        "Layer already exists" | "Already exists" => Some("already there".to_owned()),
        "Pull complete" => Some("pulled".to_owned()),
        _ => status
            .strip_prefix("Mounted from ")
            .map(|repository| format!("mounted from {repository}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_result_of_a_layer() {
        for (status, description) in [
            ("Pushed", "pushed"),
            ("Layer already exists", "already there"),
            ("Already exists", "already there"),
            ("Mounted from cruddur-python", "mounted from cruddur-python"),
            ("Pull complete", "pulled"),
        ] {
            assert_eq!(result_of(status).as_deref(), Some(description));
        }
        for status in [
            "Preparing",
            "Waiting",
            "Pushing",
            "Download complete",
            "Retrying in 5 seconds",
        ] {
            assert_eq!(result_of(status), None, "{status}");
        }
    }
}
