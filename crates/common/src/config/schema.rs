//! The tables of `ops.toml`.

mod cluster;
mod log_group;
mod repository;
mod role;

pub use cluster::{Cluster, ContainerInsights, ExecuteCommand, SessionLogging};
pub use log_group::{LogClass, LogGroup, RETENTION_DAYS, Retention};
pub use repository::{Encryption, EncryptionType, Repository, TagMutability};
pub use role::Role;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

/// A table whose keys are names of the user's own, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered<T>(pub Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Ordered(Vec::new())
    }
}

impl<T> Ordered<T> {
    /// The entries in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The version of the schema: 1.
    pub version: u32,
    /// What holds for all.
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
    /// The IAM roles, by a key of the file's own.
    #[serde(default)]
    pub roles: Ordered<Role>,
    /// The task definition.
    pub task_definition: Option<TaskDefinition>,
    /// The service.
    pub service: Option<Service>,
    /// How to sign in to other registries, by host.
    #[serde(default)]
    pub registries: Ordered<RegistryAccess>,
    /// What the audit judges by.
    pub audit: Option<Audit>,
}

/// `[app]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The app's name.
    pub name: String,
    /// Tags on everything that takes tags.
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
    /// The image to copy.
    pub from: Option<String>,
    /// The build to run.
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
    /// The path that all names begin with.
    pub prefix: String,
    /// The type of those that name no other [default: SecureString].
    pub r#type: Option<ParameterType>,
    /// The KMS key of SecureStrings; absent means the account's default key.
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
    /// Whichever is needed.
    #[serde(rename = "Intelligent-Tiering")]
    IntelligentTiering,
}

/// `[params.entry] NAME`: where the value comes from, never the value itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterEntry {
    /// The environment variable that holds the value.
    pub env: Option<String>,
    /// A text with `${NAME}` from the environment.
    pub template: Option<String>,
    /// A file that holds the value; one newline at its end is not part of it.
    pub file: Option<String>,
    /// What the value must look like.
    pub check: Option<ParameterCheck>,
    /// Another type than the table's.
    pub r#type: Option<ParameterType>,
    /// A description; it is not encrypted.
    pub description: Option<String>,
    /// Why an AWS key of a user is stored although a task role would be right.
    pub allow_static_aws_credentials: Option<String>,
}

/// What a value must look like.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterCheck {
    /// A connection string that PostgreSQL's own library would take.
    PostgresUrl,
    /// `name=value`, separated by commas, as OpenTelemetry wants headers.
    OtlpHeaders,
}

/// `[task_definition]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskDefinition {
    /// A JSON file in AWS's own shape.
    pub file: String,
}

/// `[service]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// A JSON file in AWS's own shape.
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
    /// Findings that are known.
    #[serde(default)]
    pub suppress: Vec<Suppression>,
}

/// `[[audit.suppress]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// The check.
    pub id: String,
    /// What it is about.
    pub resource: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The day from which it is reported again, `2027-01-31`.
    pub expires: Option<String>,
}

impl Schema {
    /// What the types alone do not say.
    ///
    /// # Errors
    /// With the first fault, in the words of the file.
    pub fn validate(&self) -> Result<(), String> {
        if self.version != 1 {
            return Err(format!(
                "`version` is {}, and these tools know only 1",
                self.version
            ));
        }
        unique(
            "repository",
            self.repository.iter().map(|repository| repository.name.as_str()),
        )?;
        for repository in &self.repository {
            if !repository.export.as_deref().is_none_or(is_variable) {
                return Err(format!(
                    "`export` of repository `{}` is no name of a shell's variable: only letters, digits and `_`, and no digit first",
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

/// A shell evaluates the line that it stands in.
fn is_variable(name: &str) -> bool {
    let mut letters = name.bytes();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
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
