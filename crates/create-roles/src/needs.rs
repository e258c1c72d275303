//! What a task definition needs of its execution role. No I/O.

use common::config::{AwsTarget, partition_of};
use serde_json::Value;

/// Calls on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) actions: Vec<&'static str>,
    pub(crate) resource: String,
}

/// Pulling an image from ECR.
const PULL: [&str; 3] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
];

/// What `definition` needs, each once, in the order in which ECS uses it.
pub(crate) fn needs(definition: &Value, target: &AwsTarget) -> Vec<Need> {
    let mut list = List {
        target,
        needs: Vec::new(),
    };
    for container in elements(definition, "containerDefinitions") {
        list.image(container);
    }
    for container in elements(definition, "containerDefinitions") {
        list.secrets(container);
        list.logs(container);
    }
    list.needs
}

fn elements<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

struct List<'a> {
    target: &'a AwsTarget,
    needs: Vec<Need>,
}

impl List<'_> {
    fn add(&mut self, actions: &[&'static str], resource: String) {
        let need = Need {
            actions: actions.to_vec(),
            resource,
        };
        if !self.needs.contains(&need) {
            self.needs.push(need);
        }
    }

    fn arn(&self, service: &str, region: &str, account: &str, resource: &str) -> String {
        format!(
            "arn:{}:{service}:{region}:{account}:{resource}",
            partition_of(region)
        )
    }

    fn image(&mut self, container: &Value) {
        let image = text(container, "image").unwrap_or_default();
        if let Some((account, region, repository)) = private_ecr(image) {
            self.add(&["ecr:GetAuthorizationToken"], "*".into());
            let resource = self.arn("ecr", region, account, &format!("repository/{repository}"));
            self.add(&PULL, resource);
        }
        let credentials = container.get("repositoryCredentials");
        if let Some(secret) = credentials.and_then(|credentials| text(credentials, "credentialsParameter")) {
            self.secret(secret);
        }
    }

    fn secrets(&mut self, container: &Value) {
        let options = container.get("logConfiguration").unwrap_or(&Value::Null);
        let all = elements(container, "secrets").chain(elements(options, "secretOptions"));
        for reference in all.filter_map(|entry| text(entry, "valueFrom")) {
            self.secret(reference);
        }
        for file in elements(container, "environmentFiles").filter_map(|file| text(file, "value")) {
            self.add(&["s3:GetObject"], file.to_owned());
            let bucket = file.split('/').next().unwrap_or_default();
            self.add(&["s3:GetBucketLocation"], bucket.to_owned());
        }
    }

    fn secret(&mut self, reference: &str) {
        match arn::split(reference) {
            Some(parts) if parts.service == "secretsmanager" => {
                // Key, stage and version are no part of the secret's own ARN.
                let end = reference
                    .match_indices(':')
                    .nth(6)
                    .map_or(reference.len(), |(at, _)| at);
                self.add(&["secretsmanager:GetSecretValue"], reference[..end].to_owned());
            }
            Some(_) => self.add(&["ssm:GetParameters"], reference.to_owned()),
            None => {
                let name = reference.trim_start_matches('/');
                let AwsTarget { account, region } = self.target;
                let resource = self.arn("ssm", region, account, &format!("parameter/{name}"));
                self.add(&["ssm:GetParameters"], resource);
            }
        }
    }

    fn logs(&mut self, container: &Value) {
        let Some(logs) = container
            .get("logConfiguration")
            .filter(|logs| text(logs, "logDriver") == Some("awslogs"))
        else {
            return;
        };
        let option = |name: &str| logs.get("options").and_then(|options| text(options, name));
        let region = option("awslogs-region").unwrap_or(&self.target.region);
        let group = option("awslogs-group").unwrap_or_default();
        let prefix = option("awslogs-stream-prefix").unwrap_or_default();
        let name = text(container, "name").unwrap_or_default();
        if option("awslogs-create-group") == Some("true") {
            let resource = self.arn(
                "logs",
                region,
                &self.target.account,
                &format!("log-group:{group}"),
            );
            self.add(&["logs:CreateLogGroup"], resource);
        }
        // The end is the task's id.
        let stream = format!("log-group:{group}:log-stream:{prefix}/{name}/task");
        let resource = self.arn("logs", region, &self.target.account, &stream);
        self.add(&["logs:CreateLogStream", "logs:PutLogEvents"], resource);
    }
}

/// Account, region and repository of an image in a private registry of ECR.
fn private_ecr(image: &str) -> Option<(&str, &str, &str)> {
    let (host, rest) = image.split_once('/')?;
    let mut labels = host.split('.');
    let account = labels.next().filter(|account| arn::is_account(account))?;
    if labels.next() != Some("dkr") || !matches!(labels.next(), Some("ecr" | "ecr-fips")) {
        return None;
    }
    let region = labels.next()?;
    let name = rest.split('@').next().unwrap_or_default();
    let repository = match name.rsplit_once(':') {
        Some((repository, _)) => repository,
        None => name,
    };
    Some((account, region, repository))
}

#[cfg(test)]
mod tests;
