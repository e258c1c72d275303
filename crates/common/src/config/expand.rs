//! `${NAME}` in `ops.toml` and in the JSON files under `aws/`.

use super::schema::Schema;
use arn::partition::Partition;
use cli::{ErrorKind, Failure};
use std::collections::BTreeMap;

/// The account and the region in which a tool works. The built-in names are derived from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsTarget {
    /// The account, 12 digits.
    pub account: String,
    /// The region, `us-east-1`.
    pub region: String,
}

/// The partition that a region belongs to.
pub fn partition_of(region: &str) -> &'static str {
    Partition::of(region).name
}

impl AwsTarget {
    /// A placeholder for use before the first call to AWS.
    pub fn unknown() -> Self {
        AwsTarget {
            account: "000000000000".into(),
            region: "unknown-region-1".into(),
        }
    }

    /// The host of the account's private ECR registry.
    pub fn ecr_registry(&self) -> String {
        let domain = Partition::of(&self.region).domain;
        format!("{}.dkr.ecr.{}.{domain}", self.account, self.region)
    }
}

/// The credentials of the caller. In a build argument, a task definition or a tag, other users could read them.
const CREDENTIALS: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
];

/// Looks up a variable of the environment.
type Environment<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// The values of `${NAME}`: the built-ins first, then the environment.
pub struct Variables<'a> {
    builtins: BTreeMap<String, Option<String>>,
    environment: Environment<'a>,
}

impl<'a> Variables<'a> {
    /// The built-ins of `schema` in `target`, and the environment of the process.
    pub fn new(schema: &Schema, target: &AwsTarget) -> Self {
        Self::over(schema, target, |name| std::env::var(name).ok())
    }

    /// Placeholders for the values that need a call to AWS: finds unset variables before the first call.
    pub fn preview(schema: &Schema) -> Self {
        let target = AwsTarget::unknown();
        let mut variables = Self::new(schema, &target);
        for image in &schema.image {
            variables
                .builtins
                .insert(format!("image.{}", image.name), Some("preview".into()));
        }
        variables
    }

    /// [`Variables::new`] with another environment.
    pub fn over(
        schema: &Schema,
        target: &AwsTarget,
        environment: impl Fn(&str) -> Option<String> + 'a,
    ) -> Self {
        let partition = partition_of(&target.region);
        let mut builtins = BTreeMap::from([
            ("AWS_ACCOUNT_ID".to_owned(), Some(target.account.clone())),
            ("AWS_REGION".to_owned(), Some(target.region.clone())),
            ("AWS_PARTITION".to_owned(), Some(partition.to_owned())),
            ("ECR_REGISTRY".to_owned(), Some(target.ecr_registry())),
            (
                "log_group.name".to_owned(),
                schema.log_group.as_ref().map(|group| group.name.clone()),
            ),
            (
                "cluster.name".to_owned(),
                schema.cluster.as_ref().map(|cluster| cluster.name.clone()),
            ),
            (
                "cluster.service_connect_namespace".to_owned(),
                schema
                    .cluster
                    .as_ref()
                    .and_then(|cluster| cluster.service_connect_namespace.clone()),
            ),
            (
                "params.prefix".to_owned(),
                schema.params.as_ref().map(|params| params.prefix.clone()),
            ),
        ]);
        for (key, role) in schema.roles.iter() {
            builtins.insert(
                format!("roles.{key}.arn"),
                Some(role.arn(partition, &target.account)),
            );
        }
        for image in &schema.image {
            builtins.insert(format!("image.{}", image.name), None);
        }
        Variables {
            builtins,
            environment: Box::new(environment),
        }
    }

    /// Sets a built-in: the registry of `--registry`, the digest reference of an image.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.builtins.insert(name.into(), Some(value.into()));
    }

    fn value(&self, name: &str) -> Result<String, Cause> {
        match self.builtins.get(name) {
            Some(Some(value)) if value.contains("${") => Err(Cause::Nested),
            Some(Some(value)) => Ok(value.clone()),
            Some(None) => Err(Cause::NotHere),
            None if CREDENTIALS.contains(&name) => Err(Cause::Credentials),
            // Only built-ins have a dot in their names.
            None if name.contains('.') => Err(Cause::Unknown),
            None => match (self.environment)(name) {
                None => Err(Cause::Unset),
                Some(value) if value.is_empty() => Err(Cause::Empty),
                Some(value) => Ok(value),
            },
        }
    }
}

/// Why a name could not be expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Unset,
    Empty,
    Unknown,
    NotHere,
    Nested,
    Credentials,
    Open,
    Bare,
    Name,
}

/// A name that could not be expanded. Never contains a value.
#[derive(Debug, PartialEq, Eq)]
pub struct ExpandError {
    name: String,
    cause: Cause,
}

impl ExpandError {
    /// The error for the key `path` of the file.
    pub fn at(self, path: &str) -> Failure {
        let message = format!("{path} {}", self.predicate());
        let failure = Failure::error(message).kind(ErrorKind::Config).code("variable");
        match self.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// What is wrong, to be put behind the name of a field.
    pub fn predicate(&self) -> String {
        let name = &self.name;
        match self.cause {
            Cause::Unset => format!("needs the environment variable `{name}`, which is not set"),
            Cause::Empty => format!("needs the environment variable `{name}`, which is empty"),
            Cause::Unknown => format!("names `${{{name}}}`, which is an unknown variable"),
            Cause::NotHere => format!("names `${{{name}}}`, which has no value here"),
            Cause::Nested => format!("names `${{{name}}}`, whose value contains a `${{…}}`"),
            Cause::Credentials => format!("names `${{{name}}}`, and AWS credentials are not expanded"),
            Cause::Open => "has a `${` without its `}`".to_owned(),
            Cause::Bare => "has a `$` that does not start a `${NAME}`".to_owned(),
            Cause::Name => {
                "has a `${…}` whose name has other characters than letters, digits, `_`, `.`, `-` and `/`"
                    .to_owned()
            }
        }
    }

    /// The next step for the user.
    pub fn hint(&self) -> Option<String> {
        match self.cause {
            Cause::Unset | Cause::Empty => Some(format!("export {}=…", self.name)),
            Cause::Credentials => Some("a container gets its permissions from its task role".to_owned()),
            Cause::Bare => Some("write $$ for a dollar, ${NAME} for a variable".to_owned()),
            _ => None,
        }
    }
}

/// A part of a text with `${NAME}` in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Literal text; a dollar where the source has `$$`.
    Text(&'a str),
    /// The name of a `${NAME}`.
    Name(&'a str),
    /// The name of a `${NAME}` that belongs to IAM: one with a colon (`aws:username`), or one of IAM's three escapes.
    IamVariable(&'a str),
}

/// The names under which IAM policies write a literal `*`, `?` and `$` (IAM User Guide, "Policy variables").
const ESCAPES: [&str; 3] = ["*", "?", "$"];

/// Splits `text`, for [`expand`] and for callers that assemble the value in a type of their own.
///
/// # Errors
/// When the text is malformed. Names are not looked up here.
pub fn segments(text: &str) -> Result<Vec<Segment<'_>>, ExpandError> {
    let error = |cause| ExpandError {
        name: String::new(),
        cause,
    };
    let mut segments = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        segments.push(Segment::Text(&rest[..at]));
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            segments.push(Segment::Text("$"));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = after.find('}').ok_or_else(|| error(Cause::Open))?;
            let name = &after[..end];
            if name.contains(':') || ESCAPES.contains(&name) {
                segments.push(Segment::IamVariable(name));
            } else if name.is_empty()
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte))
            {
                return Err(error(Cause::Name));
            } else {
                segments.push(Segment::Name(name));
            }
            rest = &after[end + 1..];
        } else {
            return Err(error(Cause::Bare));
        }
    }
    segments.push(Segment::Text(rest));
    segments.retain(|segment| *segment != Segment::Text(""));
    Ok(segments)
}

/// Replaces every `${NAME}` in `text`. `$$` becomes a dollar; the variables of IAM (`${aws:username}`, `${*}`, `${?}`,
/// `${$}`) stay. Inserted values are not expanded again.
///
/// # Errors
/// When a name is unset, empty or unknown, or the text is malformed.
pub fn expand(text: &str, variables: &Variables) -> Result<String, ExpandError> {
    let mut expanded = String::with_capacity(text.len());
    for segment in segments(text)? {
        match segment {
            Segment::Text(text) => expanded.push_str(text),
            Segment::IamVariable(name) => expanded.push_str(&format!("${{{name}}}")),
            Segment::Name(name) => {
                let value = variables.value(name).map_err(|cause| ExpandError {
                    name: name.to_owned(),
                    cause,
                })?;
                expanded.push_str(&value);
            }
        }
    }
    Ok(expanded)
}
