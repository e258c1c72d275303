//! The container of a task definition that runs the command. No I/O.

use anyhow::Result;
use cli::{ErrorKind, Failure};
use common::json::{list, text};
use serde_json::Value;

/// The container that is named, the only one, or the one that the service publishes.
///
/// # Errors
/// When there is none of that name, or several and none of them is the service's.
pub(super) fn select(definition: &Value, service: &Value, named: Option<&str>) -> Result<String> {
    let containers = list(definition, "containerDefinitions");
    let names: Vec<&str> = containers.iter().map(|one| text(one, "name")).collect();
    let known = || {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    if let Some(named) = named {
        return if names.contains(&named) {
            Ok(named.to_owned())
        } else {
            let message = format!("failed to find container `{named}` in the task definition");
            Err(Failure::error(message)
                .kind(ErrorKind::Usage)
                .code("usage")
                .hint(format!("it has {}", known()))
                .into())
        };
    }
    if let [only] = names.as_slice() {
        return Ok((*only).to_owned());
    }
    let ports: Vec<&str> = service
        .pointer("/serviceConnectConfiguration/services")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|one| text(one, "portName"))
        .collect();
    let publishes = |one: &&Value| {
        let mut mappings = list(one, "portMappings").iter();
        mappings.any(|mapping| !text(mapping, "name").is_empty() && ports.contains(&text(mapping, "name")))
    };
    let own = |one: &&Value| text(one, "name") == text(service, "serviceName");
    let found = containers
        .iter()
        .find(publishes)
        .or_else(|| containers.iter().find(own));
    Ok(found.map(|one| text(one, "name").to_owned()).ok_or_else(|| {
        Failure::error("failed to choose a container: the task definition has several")
            .kind(ErrorKind::Usage)
            .code("usage")
            .hint(format!("name one with --container: {}", known()))
    })?)
}

/// The container of a command, as the task definition has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container<'a>(Option<&'a Value>);

impl<'a> Container<'a> {
    pub(super) fn of(definition: &'a Value, name: &str) -> Self {
        let all = list(definition, "containerDefinitions").iter();
        Container(all.into_iter().find(|one| text(one, "name") == name))
    }

    fn is(self, pointer: &str) -> Option<bool> {
        self.0?.pointer(pointer)?.as_bool()
    }

    /// Whether ECS restarts it when it has ended.
    pub(super) fn restarts(self) -> bool {
        self.is("/restartPolicy/enabled") == Some(true)
    }

    /// Whether ECS stops the task when it has ended.
    pub(super) fn ends_the_task(self) -> bool {
        self.is("/essential") != Some(false) && !self.restarts()
    }

    /// The words in front of the command, which RunTask can't override.
    pub(super) fn entry_point(self) -> Option<&'a Value> {
        let words = self.0?.get("entryPoint")?;
        words.as_array().filter(|words| !words.is_empty())?;
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_command_runs_in_the_container_of_the_service() {
        let find = |containers: Value, named: Option<&str>| {
            let service = json!({"serviceName": "web", "serviceConnectConfiguration": {"services": [{"portName": "http"}]}});
            select(&json!({"containerDefinitions": containers}), &service, named).ok()
        };
        let one = json!([{"name": "a"}]);
        let published = json!([{"name": "a"}, {"name": "b", "portMappings": [{"name": "http"}]}]);
        let own = json!([{"name": "a"}, {"name": "web"}]);
        let unclear = json!([{"name": "a"}, {"name": "b"}]);
        for (containers, named, expected) in [
            (&one, None, Some("a")),
            (&published, None, Some("b")),
            (&published, Some("a"), Some("a")),
            (&published, Some("c"), None),
            (&own, None, Some("web")),
            (&unclear, None, None),
        ] {
            assert_eq!(
                find(containers.clone(), named).as_deref(),
                expected,
                "{containers}"
            );
        }
    }

    #[test]
    fn only_an_essential_container_ends_the_task() {
        for (container, ends) in [
            (json!({"name": "web"}), true),
            (json!({"name": "web", "essential": true}), true),
            (json!({"name": "web", "essential": false}), false),
            (
                json!({"name": "web", "essential": true, "restartPolicy": {"enabled": true}}),
                false,
            ),
            (json!({"name": "web", "restartPolicy": {"enabled": false}}), true),
            (json!({"name": "other", "essential": false}), true),
        ] {
            let definition = json!({"containerDefinitions": [container]});
            assert_eq!(
                Container::of(&definition, "web").ends_the_task(),
                ends,
                "{definition}"
            );
        }
    }

    #[test]
    fn an_entry_point_stays_in_front_of_the_command() {
        for (container, words) in [
            (json!({"name": "web"}), None),
            (json!({"name": "web", "entryPoint": []}), None),
            (
                json!({"name": "web", "entryPoint": ["sh", "-c"]}),
                Some(json!(["sh", "-c"])),
            ),
        ] {
            let definition = json!({"containerDefinitions": [container]});
            assert_eq!(Container::of(&definition, "web").entry_point(), words.as_ref());
        }
    }
}
