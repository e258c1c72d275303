//! Turns a live definition into a file: without the fields that only ECS sets, and with `${NAME}` for the names in
//! `ops.toml`. No I/O.

use crate::source::image_names;

use aws_documents::task_definition::ONLY_DESCRIBED;
use common::config::{AwsTarget, Config, partition_of};
use reconcile::Tags;
use registry::Reference;
use serde_json::{Map, Value, json};

/// The file for the live `definition`.
pub(crate) fn file(
    definition: &Value,
    tags: &Tags,
    app_tags: &Tags,
    config: &Config,
    target: &AwsTarget,
) -> Value {
    let mut file = definition.clone();
    if let Some(members) = file.as_object_mut() {
        members.retain(|key, _| !ONLY_DESCRIBED.contains(&key.as_str()));
        let awsvpc = members.get("networkMode") == Some(&json!("awsvpc"));
        let containers = members
            .get_mut("containerDefinitions")
            .and_then(Value::as_array_mut);
        let containers = containers.into_iter().flatten().filter_map(Value::as_object_mut);
        containers.for_each(|container| tidy(container, awsvpc));
        // Tags of `ops.toml` are added anyway, and those of AWS can't be set.
        let own =
            |(key, value): &(&String, &String)| app_tags.get(*key) != Some(value) && !key.starts_with("aws:");
        let own: Vec<Value> = tags
            .iter()
            .filter(own)
            .map(|(key, value)| json!({"key": key, "value": value}))
            .collect();
        members.insert("tags".to_owned(), own.into());
    }
    drop_empty(&mut file);
    let names = Names { config, target };
    names.put("", &mut file);
    file
}

/// Removes what ECS adds to each container.
fn tidy(container: &mut Map<String, Value>, awsvpc: bool) {
    if container.get("cpu") == Some(&json!(0)) {
        container.shift_remove("cpu");
    }
    let ports = container.get_mut("portMappings").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        if awsvpc {
            port.shift_remove("hostPort");
        }
    }
}

/// Removes null and empty strings, lists and objects, which ECS returns for absent fields. Only the value of a variable
/// may be an empty string.
fn drop_empty(value: &mut Value) {
    let is_empty = |key: &str, value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() && key != "value",
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(drop_empty);
            members.retain(|key, value| !is_empty(key, value));
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_empty),
        _ => {}
    }
}

struct Names<'a> {
    config: &'a Config,
    target: &'a AwsTarget,
}

impl Names<'_> {
    fn put(&self, key: &str, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.named(key, text),
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.put(key, element)),
            Value::Object(members) => members.iter_mut().for_each(|(key, value)| self.put(key, value)),
            _ => {}
        }
    }

    fn named(&self, key: &str, text: &str) -> String {
        let schema = &self.config.schema;
        let partition = partition_of(&self.target.region);
        let escaped = text.replace('$', "$$");
        match key {
            "image" => self.image(text).unwrap_or(escaped),
            "executionRoleArn" | "taskRoleArn" => {
                let mut roles = schema.roles.iter();
                let role = roles.find(|(_, role)| role.arn(partition, &self.target.account) == text);
                role.map_or_else(
                    || self.arn(text, &escaped),
                    |(key, _)| format!("${{roles.{key}.arn}}"),
                )
            }
            "awslogs-group" if schema.log_group.as_ref().is_some_and(|group| group.name == text) => {
                "${log_group.name}".into()
            }
            "awslogs-region" if text == self.target.region => "${AWS_REGION}".into(),
            "valueFrom" | "value" | "credentialsParameter" => match self.parameter(text) {
                Some(name) if key == "valueFrom" => format!("${{params.prefix}}{}", name.replace('$', "$$")),
                _ if text == self.target.region => "${AWS_REGION}".into(),
                _ => self.arn(text, &escaped),
            },
            _ => escaped,
        }
    }

    /// `${image.NAME}`, when the image is in a repository of `ops.toml`.
    fn image(&self, text: &str) -> Option<String> {
        let reference = Reference::parse(text).ok()?;
        let registry = self.target.ecr_registry();
        let images = &self.config.schema.image;
        let same = |image: &&common::config::Image| image.repository == reference.repository;
        if reference.host != registry {
            return None;
        }
        match images.iter().find(same) {
            Some(image) => Some(format!("${{image.{}}}", image.name)),
            None => Some(text.replacen(&registry, "${ECR_REGISTRY}", 1)),
        }
    }

    /// The part of `name` after the prefix of the parameters.
    fn parameter<'a>(&self, name: &'a str) -> Option<&'a str> {
        let prefix = &self.config.schema.params.as_ref()?.prefix;
        name.strip_prefix(prefix.as_str())
            .filter(|rest| rest.starts_with('/'))
    }

    /// An ARN with partition, region, account and the parameters' prefix as names.
    fn arn(&self, text: &str, escaped: &str) -> String {
        let Some(parts) = arn::split(text) else {
            return escaped.to_owned();
        };
        let named = |part: &str, own: &str, name: &str| {
            if part == own {
                format!("${{{name}}}")
            } else {
                part.replace('$', "$$")
            }
        };
        let parameter = parts.resource.strip_prefix("parameter");
        let resource = match parameter.and_then(|name| self.parameter(name)) {
            Some(name) if parts.service == "ssm" => {
                format!("parameter${{params.prefix}}{}", name.replace('$', "$$"))
            }
            _ => parts.resource.replace('$', "$$"),
        };
        format!(
            "arn:{}:{}:{}:{}:{resource}",
            named(
                parts.partition,
                partition_of(&self.target.region),
                "AWS_PARTITION"
            ),
            parts.service,
            named(parts.region, &self.target.region, "AWS_REGION"),
            named(parts.account, &self.target.account, "AWS_ACCOUNT_ID"),
        )
    }
}

/// The images whose digest the file will follow from now on.
pub(crate) fn followed(file: &Value) -> Vec<String> {
    let containers = file.get("containerDefinitions").and_then(Value::as_array);
    let images = containers
        .into_iter()
        .flatten()
        .filter_map(|one| one.get("image")?.as_str());
    images.flat_map(image_names).collect()
}

#[cfg(test)]
mod tests;
