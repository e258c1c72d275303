//! What the engine says while it pulls, builds and pushes: a line of JSON for each thing that happens.
//!
//! bollard's type for a push has neither the layer nor the digest, because the description of the API that it
//! is made from lacks them. They are there all the same, and read here.

use bollard::models::{BuildInfo, CreateImageInfo, ProgressDetail};
use serde::Deserialize;

/// One line. Every field can be absent.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub(crate) struct Message {
    /// The layer.
    pub(crate) id: Option<String>,
    /// What happens to it, or to the image.
    pub(crate) status: Option<String>,
    /// How far it is.
    #[serde(rename = "progressDetail")]
    pub(crate) progress: Option<Progress>,
    /// What a build prints.
    pub(crate) stream: Option<String>,
    /// What a program wants to know: the digest of a push, the image of a build.
    aux: Option<Aux>,
    #[serde(rename = "errorDetail")]
    error_detail: Option<ErrorDetail>,
    /// The older place of an error.
    error: Option<String>,
}

/// Bytes of a layer.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
pub(crate) struct Progress {
    pub(crate) current: Option<i64>,
    pub(crate) total: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
struct ErrorDetail {
    message: Option<String>,
}

/// Newer engines put other things there too, so nothing in it is asked for.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Aux {
    Pushed {
        #[serde(rename = "Digest")]
        digest: String,
    },
    Built {
        #[serde(rename = "ID")]
        id: String,
    },
    Other(serde::de::IgnoredAny),
}

impl Message {
    /// The error that ends the stream.
    pub(crate) fn error(&self) -> Option<&str> {
        let detail = self
            .error_detail
            .as_ref()
            .and_then(|detail| detail.message.as_deref());
        detail.or(self.error.as_deref())
    }

    /// The digest that was pushed.
    pub(crate) fn pushed(&self) -> Option<&str> {
        match &self.aux {
            Some(Aux::Pushed { digest }) => Some(digest),
            _ => self.status.as_deref().and_then(digest_in),
        }
    }

    /// The image that was built.
    pub(crate) fn built(&self) -> Option<&str> {
        match &self.aux {
            Some(Aux::Built { id }) => Some(id),
            _ => None,
        }
    }
}

/// `latest: digest: sha256:… size: 528`
fn digest_in(status: &str) -> Option<&str> {
    let (_, rest) = status.split_once(": digest: ")?;
    rest.split_whitespace()
        .next()
        .filter(|word| word.starts_with("sha256:"))
}

impl From<CreateImageInfo> for Message {
    fn from(info: CreateImageInfo) -> Self {
        Message {
            id: info.id,
            status: info.status,
            progress: info.progress_detail.map(Progress::from),
            ..Message::default()
        }
    }
}

impl From<BuildInfo> for Message {
    fn from(info: BuildInfo) -> Self {
        Message {
            id: info.id,
            status: info.status,
            progress: info.progress_detail.map(Progress::from),
            stream: info.stream,
            aux: info.aux.and_then(|aux| aux.id).map(|id| Aux::Built { id }),
            ..Message::default()
        }
    }
}

impl From<ProgressDetail> for Progress {
    fn from(detail: ProgressDetail) -> Self {
        Progress {
            current: detail.current,
            total: detail.total,
        }
    }
}

/// Cuts a body into its lines, wherever the network cut it.
#[derive(Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The messages that are complete with `bytes`.
    ///
    /// # Errors
    /// When a line is no JSON.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Message>, serde_json::Error> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(Vec::new());
        };
        let after = self.rest.split_off(end + 1);
        let lines = std::mem::replace(&mut self.rest, after);
        messages(&lines)
    }

    /// What is left when the body ends: a line without its end.
    ///
    /// # Errors
    /// When it is no JSON: the body was cut.
    pub(crate) fn finish(self) -> Result<Vec<Message>, serde_json::Error> {
        messages(&self.rest)
    }
}

fn messages(lines: &[u8]) -> Result<Vec<Message>, serde_json::Error> {
    lines
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Message {
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn reads_what_engines_say_during_a_push() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        let waiting = read(
            r#"{"status":"Pushing","progressDetail":{"current":512,"total":1024},"progress":"[=>  ]","id":"4fc242d58285"}"#,
        );
        assert_eq!(waiting.id.as_deref(), Some("4fc242d58285"));
        assert_eq!(
            waiting.progress,
            Some(Progress {
                current: Some(512),
                total: Some(1024)
            })
        );
        assert_eq!(waiting.pushed(), None);
        for line in [
            format!(r#"{{"progressDetail":{{}},"aux":{{"Tag":"latest","Digest":"{digest}","Size":528}}}}"#),
            format!(r#"{{"status":"latest: digest: {digest} size: 528"}}"#),
        ] {
            assert_eq!(read(&line).pushed(), Some(digest.as_str()), "{line}");
        }
        for line in [
            r#"{"aux":{"manifestPushedInsteadOfIndex":true,"originalIndex":{},"selectedManifest":{}}}"#,
            r#"{"aux":"CgkKB3N0cmVhbQ=="}"#,
            r#"{"status":"The push refers to repository [x]"}"#,
            r#"{"status":"latest: digest: md5:1 size: 1"}"#,
        ] {
            assert_eq!(read(line).pushed(), None, "{line}");
        }
    }

    #[test]
    fn an_error_is_found_in_both_places() {
        assert_eq!(
            read(r#"{"errorDetail":{"message":"EOF"},"error":"EOF"}"#).error(),
            Some("EOF")
        );
        assert_eq!(read(r#"{"error":"EOF"}"#).error(), Some("EOF"));
        assert_eq!(read(r#"{"errorDetail":{},"status":"x"}"#).error(), None);
    }

    #[test]
    fn the_image_of_a_build_is_in_its_aux() {
        assert_eq!(read(r#"{"aux":{"ID":"sha256:1"}}"#).built(), Some("sha256:1"));
        assert_eq!(read(r#"{"stream":"Successfully built 1"}"#).built(), None);
    }

    #[test]
    fn lines_are_put_together_again() {
        let text = "{\"status\":\"━a\"}\r\n{\"status\":\"b\"}\n\n{\"status\":\"c\"}";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for part in text.as_bytes().chunks(size) {
                found.extend(lines.take(part).unwrap());
            }
            found.extend(lines.finish().unwrap());
            let words: Vec<_> = found
                .iter()
                .filter_map(|message| message.status.as_deref())
                .collect();
            assert_eq!(words, ["━a", "b", "c"], "in parts of {size}");
        }
        assert!(Lines::default().take(b"<html>\n").is_err());
        let mut cut = Lines::default();
        cut.take(b"{\"status\":").unwrap();
        assert!(cut.finish().is_err());
    }
}
