//! The tables of `ops.toml`.

mod cluster;
mod log_group;
mod ordered;
mod repository;
mod role;

pub use cluster::{Cluster, ContainerInsights, ExecuteCommand, SessionLogging};
pub use log_group::{LogClass, LogGroup, RETENTION_DAYS, Retention};
pub use ordered::Ordered;
pub use repository::{Encryption, EncryptionType, Repository, TagMutability};
pub use role::Role;

use cli::args::is_variable_name;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The version of the schema: 1.
    pub version: u32,
    /// What applies to all tools.
    pub app: App,
    /// The log group of the tasks.
    pub log_group: Option<LogGroup>,
    /// The ECS cluster.
    pub cluster: Option<Cluster>,
    /// The private ECR repositories.
    #[serde(default)]
    pub repository: Vec<Repository>,
    /// The images, in the order in which they are pushed.
    #[serde(default)]
    pub image: Vec<Image>,
    /// The SSM parameters.
    pub params: Option<Params>,
    /// The IAM roles, by a key that the user chooses.
    #[serde(default)]
    pub roles: Ordered<Role>,
    /// The task definition.
    pub task_definition: Option<TaskDefinition>,
    /// The service.
    pub service: Option<Service>,
    /// How to sign in to other registries, by host. Reserved: validated, and read by no tool yet.
    #[serde(default)]
    pub registries: Ordered<RegistryAccess>,
    /// The criteria of `ecs-audit`. Reserved: validated, and read by no tool yet.
    pub audit: Option<Audit>,
}

/// `[app]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The app's name.
    pub name: String,
    /// Tags on every resource that has tags.
    #[serde(default)]
    pub tags: Ordered<String>,
    /// The only account to work in.
    pub expect_account: Option<String>,
    /// The only region to work in.
    pub expect_region: Option<String>,
}

/// `[[image]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The name on the command line, and in `${image.NAME}`.
    pub name: String,
    /// The ECR repository it goes to, without the registry.
    pub repository: String,
    /// The tags it gets; the first one is what `${image.NAME}` follows.
    pub tags: Vec<String>,
    /// The image to copy from another registry.
    pub from: Option<String>,
    /// How to build the image.
    pub build: Option<Build>,
}

/// `[[image]] build`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The folder of the build context.
    pub context: String,
    /// The Dockerfile, relative to the context [default: Dockerfile].
    pub dockerfile: Option<String>,
    /// The platform, `linux/amd64`.
    pub platform: Option<String>,
    /// The stage to stop at.
    pub target: Option<String>,
    /// Values for the Dockerfile's ARGs.
    #[serde(default)]
    pub args: Ordered<String>,
}

/// `[params]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The path prefix of all names.
    pub prefix: String,
    /// The type of the entries without a type of their own [default: SecureString].
    pub r#type: Option<ParameterType>,
    /// The KMS key of SecureStrings; absent means the default key of the account.
    pub kms_key: Option<String>,
    /// The tier; absent means the account's default.
    pub tier: Option<ParameterTier>,
    /// The parameters, by name below the prefix.
    #[serde(default)]
    pub entry: Ordered<ParameterEntry>,
}

/// The types of SSM parameters.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum ParameterType {
    /// Encrypted with KMS.
    #[default]
    SecureString,
    /// Plain text.
    String,
    /// Plain text, separated by commas.
    StringList,
}

/// The tiers of SSM parameters.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum ParameterTier {
    /// Up to 4 KB, free of charge.
    Standard,
    /// Up to 8 KB, charged.
    Advanced,
    /// The one that the value needs.
    #[serde(rename = "Intelligent-Tiering")]
    IntelligentTiering,
}

/// `[params.entry] NAME`: the source of the value, never the value itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterEntry {
    /// The environment variable that holds the value.
    pub env: Option<String>,
    /// A text with `${NAME}` from the environment.
    pub template: Option<String>,
    /// A file that holds the value; one newline at its end is not part of it.
    pub file: Option<String>,
    /// The format that the value must have.
    pub check: Option<ParameterCheck>,
    /// The type, if it differs from that of the table.
    pub r#type: Option<ParameterType>,
    /// A description; it is not encrypted.
    pub description: Option<String>,
    /// Why an access key is stored although a task role would be the right way.
    pub allow_static_aws_credentials: Option<String>,
}

/// The format of a value.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterCheck {
    /// A connection string in a format that libpq accepts.
    PostgresUrl,
    /// `name=value` pairs separated by commas (OpenTelemetry, `OTEL_EXPORTER_OTLP_HEADERS`).
    OtlpHeaders,
}

/// `[task_definition]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskDefinition {
    /// A JSON file in the format of the AWS API.
    pub file: String,
}

/// `[service]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// A JSON file in the format of the AWS API.
    pub file: String,
    /// The subnets of the tasks.
    pub subnets: Option<Names>,
    /// The security groups of the tasks.
    pub security_groups: Option<Names>,
    /// How long a deployment may take.
    pub timeout: Option<String>,
}

/// An array of names, or one string with commas.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Names {
    /// An array.
    List(Vec<String>),
    /// One string, separated by commas.
    Joined(String),
}

impl Names {
    /// The names one by one.
    pub fn to_vec(&self) -> Vec<String> {
        match self {
            Names::List(names) => names.clone(),
            Names::Joined(text) => {
                let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
                names.map(str::to_owned).collect()
            }
        }
    }
}

/// `[registries] HOST`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryAccess {
    /// The profile to sign in with.
    pub profile: Option<String>,
    /// The role to assume.
    pub role_arn: Option<String>,
}

/// `[audit]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The severity from which a finding is a failure.
    pub fail_on: Option<String>,
    /// Accounts that images may come from.
    #[serde(default)]
    pub allowed_accounts: Vec<String>,
    /// Images that are allowed by name.
    #[serde(default)]
    pub allowed_images: Vec<String>,
    /// Tags that everything must carry.
    #[serde(default)]
    pub required_tags: Vec<String>,
    /// Findings to ignore.
    #[serde(default)]
    pub suppress: Vec<Suppression>,
}

/// `[[audit.suppress]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// The check.
    pub id: String,
    /// The resource.
    pub resource: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The day from which it is reported again, `2027-01-31`.
    pub expires: Option<String>,
}

impl Schema {
    /// Checks what the types do not express.
    ///
    /// # Errors
    /// When a rule is violated; the message uses the names of the file.
    pub fn validate(&self) -> Result<(), String> {
        if self.version != 1 {
            return Err(format!("unsupported version {} (supported: 1)", self.version));
        }
        unique(
            "repository",
            self.repository.iter().map(|repository| repository.name.as_str()),
        )?;
        for repository in &self.repository {
            // A shell evaluates the printed line, so that other characters could run commands.
            if !repository.export.as_deref().is_none_or(is_variable_name) {
                return Err(format!(
                    "`export` of repository `{}` is not a valid shell variable name: letters, digits and `_`, not starting with a digit",
                    repository.name
                ));
            }
        }
        unique("image", self.image.iter().map(|image| image.name.as_str()))?;
        for image in &self.image {
            let name = &image.name;
            if image.tags.is_empty() {
                return Err(format!("image `{name}` has no tag in `tags`"));
            }
            if image.from.is_some() == image.build.is_some() {
                return Err(format!("image `{name}` needs either `from` or `build`"));
            }
        }
        let entries = self.params.iter().flat_map(|params| params.entry.iter());
        for (name, entry) in entries {
            let sources = [&entry.env, &entry.template, &entry.file]
                .iter()
                .filter(|source| source.is_some())
                .count();
            if sources != 1 {
                return Err(format!(
                    "parameter `{name}` needs exactly one of `env`, `template` and `file`"
                ));
            }
        }
        Ok(())
    }
}

fn unique<'a>(kind: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!(
                "there are two tables `[[{kind}]]` with the name `{name}`"
            ));
        }
    }
    Ok(())
}
