//! The layers of a pull or a push: a bar each on a terminal, a line each elsewhere.

use crate::engine::messages::Message;
use cli::progress::{Progress, Task};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often a layer that takes long is spoken of where there are no bars.
const EVERY: Duration = Duration::from_secs(10);

/// What is shown of an image's layers.
pub(crate) struct Layers<'a> {
    progress: &'a Progress<'a>,
    layers: BTreeMap<String, Layer>,
    bars: bool,
    /// The retries that the engine has announced. It does not say why.
    pub(crate) retries: u32,
}

struct Layer {
    task: Task,
    bytes: u64,
    said: Instant,
    retrying: bool,
}

impl<'a> Layers<'a> {
    /// For one pull or push.
    pub(crate) fn new(progress: &'a Progress<'a>) -> Self {
        Layers {
            progress,
            layers: BTreeMap::new(),
            bars: std::io::stderr().is_terminal(),
            retries: 0,
        }
    }

    /// Shows what `message` says.
    pub(crate) fn show(&mut self, message: &Message) {
        let (Some(id), Some(status)) = (&message.id, &message.status) else {
            return;
        };
        // The tag comes in the place of a layer at the begin of a pull.
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
            said: Instant::now(),
            retrying: false,
        });
        let retrying = status.starts_with("Retrying in ");
        if retrying && !layer.retrying {
            self.retries += 1;
            let wait = status.trim_start_matches("Retrying in ");
            progress.info(format!(
                "  layer {id}: it failed, the engine tries again in {wait} (only its log says why)"
            ));
        }
        layer.retrying = retrying;
        // With what it is and how much, the line of a finished layer says all.
        if let Some(end) = End::of(status) {
            let size = match layer.bytes {
                0 => String::new(),
                bytes => format!(", {}", show_bytes(bytes)),
            };
            progress.info(format!("  layer {id}: {}{size}", end.words(status)));
            self.layers.remove(id);
            return;
        }
        layer.task.say(status.clone());
        // An unpacked layer is counted apart from the packed one that came over the network.
        if let (Some(current), false) = (current, status == "Extracting") {
            layer.bytes = layer.bytes.max(current);
        }
        if let (Some(current), Some(total)) = (current, total.filter(|total| *total > 0)) {
            layer.task.advance(current, total);
            if !self.bars && layer.said.elapsed() >= EVERY {
                layer.said = Instant::now();
                progress.info(format!(
                    "  layer {id}: {} {} of {}",
                    status.to_lowercase(),
                    show_bytes(current.min(total)),
                    show_bytes(total)
                ));
            }
        }
    }
}

/// What became of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Pushed,
    There,
    Mounted,
    Pulled,
}

impl End {
    fn of(status: &str) -> Option<Self> {
        match status {
            "Pushed" => Some(End::Pushed),
            "Layer already exists" | "Already exists" => Some(End::There),
            "Pull complete" => Some(End::Pulled),
            _ if status.starts_with("Mounted from ") => Some(End::Mounted),
            _ => None,
        }
    }

    fn words(self, status: &str) -> String {
        match self {
            End::Pushed => "pushed".to_owned(),
            End::There => "already there".to_owned(),
            End::Pulled => "pulled".to_owned(),
            End::Mounted => format!("mounted from {}", status.trim_start_matches("Mounted from ")),
        }
    }
}

/// `12.3 MB`, in the units of Docker, which are those of the SI.
pub(crate) fn show_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    match UNITS.iter().find(|(_, size)| bytes >= *size) {
        // Tenths, cut off and not rounded: 999.99 MB must not become 1000.0 MB.
        Some((unit, size)) => format!("{}.{} {unit}", bytes / size, bytes % size * 10 / size),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_bytes_for_people() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_999, "999.9 kB"),
            (12_345_678, "12.3 MB"),
            (1_500_000_000, "1.5 GB"),
            (52_000_000_000, "52.0 GB"),
        ] {
            assert_eq!(show_bytes(bytes), expected);
        }
    }

    #[test]
    fn knows_when_a_layer_is_done() {
        for (status, words) in [
            ("Pushed", "pushed"),
            ("Layer already exists", "already there"),
            ("Already exists", "already there"),
            ("Mounted from cruddur-python", "mounted from cruddur-python"),
            ("Pull complete", "pulled"),
        ] {
            assert_eq!(
                End::of(status).map(|end| end.words(status)).as_deref(),
                Some(words)
            );
        }
        for status in [
            "Preparing",
            "Waiting",
            "Pushing",
            "Download complete",
            "Retrying in 5 seconds",
        ] {
            assert_eq!(End::of(status), None, "{status}");
        }
    }
}
