//! The messages that the engine streams during a pull, a build and a push: a line of JSON each.
//!
//! bollard's type for a push has neither the layer nor the digest, because the API description that it is generated
//! from omits these fields.

use bollard::models::{BuildInfo, CreateImageInfo, ProgressDetail};
use serde::Deserialize;

/// One line. Every field is optional.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub(crate) struct Message {
    /// The layer.
    pub(crate) id: Option<String>,
    /// The state of the layer or of the image.
    pub(crate) status: Option<String>,
    /// The progress of the layer.
    #[serde(rename = "progressDetail")]
    pub(crate) progress: Option<Progress>,
    /// The output of a build.
    pub(crate) stream: Option<String>,
    /// The result: the digest of a push, the image of a build.
    aux: Option<Aux>,
    #[serde(rename = "errorDetail")]
    error_detail: Option<ErrorDetail>,
    /// The error, in a field that the API documents as deprecated.
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

/// Newer engines send other values as well, which are ignored.
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
    /// The error that ended the operation.
    pub(crate) fn error(&self) -> Option<&str> {
        let detail = self
            .error_detail
            .as_ref()
            .and_then(|detail| detail.message.as_deref());
        detail.or(self.error.as_deref())
    }

    /// The digest of the pushed image.
    pub(crate) fn pushed(&self) -> Option<&str> {
        match &self.aux {
            Some(Aux::Pushed { digest }) => Some(digest),
            _ => self.status.as_deref().and_then(digest_in),
        }
    }

    /// The id of the built image.
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

/// Splits a body that arrives in arbitrary parts into its lines.
#[derive(Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The messages that are complete with `bytes`.
    ///
    /// # Errors
    /// When a line is not JSON.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Message>, serde_json::Error> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(Vec::new());
        };
        let after = self.rest.split_off(end + 1);
        let lines = std::mem::replace(&mut self.rest, after);
        messages(&lines)
    }

    /// The message of a last line without a line end.
    ///
    /// # Errors
    /// When the line is not JSON: the body was truncated.
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
    fn reads_the_messages_of_a_push() {
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
    fn lines_are_reassembled() {
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
