//! The service as `ops.toml` and its JSON file describe it.

use anyhow::Result;
use aws_documents::service::{Setting, check, fill};
use aws_documents::{Diagnostic, Document, shown, tags};
use cli::Failure;
use common::config::{Config, Variables};
use common::documents::{expand_and_check, expand_key};
use common::json::text;
use ecs::names::revision_name;
use reconcile::Tags;
use serde_json::Value;

/// The names of the cluster and the service: all that `status`, `logs` and `rollback` need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) cluster: String,
    pub(crate) service: String,
    /// `FAMILY` or `FAMILY:REVISION`, from the file of the service or that of the task definition.
    pub(crate) task_definition: String,
}

/// The whole service.
#[derive(Debug)]
pub(crate) struct Desired {
    pub(crate) names: Names,
    pub(crate) document: Document,
    pub(crate) tags: Tags,
    subnets: Option<Vec<String>>,
    security_groups: Option<Vec<String>>,
}

/// The document, without the variables expanded.
///
/// # Errors
/// When there is no `[service]`, or its file can't be read.
fn document(config: &Config, file: &str) -> Result<Document> {
    Ok(config
        .read_document(&config.resolve(file))
        .map_err(Diagnostic::into_failure)?)
}

fn no_table(config: &Config) -> Failure {
    config
        .no_table("service")
        .hint("add the table `[service]` with a `file` in the shape that CreateService takes")
}

/// Reads the names alone; the file's network and the like may need variables that are not set.
///
/// # Errors
/// When the configuration or the file is wrong.
pub(crate) fn names(config: &Config, variables: &Variables) -> Result<Names> {
    let table = config
        .service_without_network(variables)?
        .ok_or_else(|| no_table(config))?;
    names_in(config, variables, &document(config, &table.file)?)
}

fn names_in(config: &Config, variables: &Variables, document: &Document) -> Result<Names> {
    let field = |key: &str| expand_key(document, key, variables).map_err(Diagnostic::into_failure);
    let missing = |key: &str| {
        let message = format!("`{key}` is missing");
        Diagnostic::of_field(&document.file, &document.field(), message).into_failure()
    };
    let cluster = match field("cluster")? {
        Some(cluster) => cluster,
        None => match config.cluster(variables)? {
            Some(cluster) => cluster.name,
            None => {
                return Err(missing("cluster")
                    .hint("write it, or add the table `[cluster]` to ops.toml")
                    .into());
            }
        },
    };
    let service = field("serviceName")?.ok_or_else(|| missing("serviceName"))?;
    let task_definition = match field("taskDefinition")? {
        Some(name) => name,
        None => family(config, variables)?.ok_or_else(|| {
            missing("taskDefinition").hint("write a family, or add the table `[task_definition]` to ops.toml")
        })?,
    };
    Ok(Names {
        cluster,
        service,
        task_definition,
    })
}

/// The family of the file of `[task_definition]`.
fn family(config: &Config, variables: &Variables) -> Result<Option<String>> {
    let Some(table) = config.task_definition(variables)? else {
        return Ok(None);
    };
    let document = document(config, &table.file)?;
    Ok(expand_key(&document, "family", variables).map_err(Diagnostic::into_failure)?)
}

/// What the document is checked with.
fn setting<'a>(
    subnets: Option<&'a [String]>,
    security_groups: Option<&'a [String]>,
    task_definition: Option<&'a Value>,
) -> Setting<'a> {
    Setting {
        task_definition,
        subnets,
        security_groups,
        default_namespace: None,
    }
}

impl Names {
    /// The task definition to use: that of the command line, else that of the file. A number alone is a revision of its
    /// family.
    pub(crate) fn chosen(&self, flag: Option<&str>) -> String {
        let family = self.task_definition.split(':').next().unwrap_or_default();
        match flag {
            None => self.task_definition.clone(),
            Some(number) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{family}:{number}")
            }
            Some(name) => revision_name(name).to_owned(),
        }
    }
}

impl Desired {
    /// Reads the whole service. Diagnostics of the file and of `[app].tags` are the inner result.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub(crate) fn read(config: &Config, variables: &Variables) -> Result<Result<Self, Vec<Diagnostic>>> {
        let table = config.service(variables)?.ok_or_else(|| no_table(config))?;
        let written = document(config, &table.file)?;
        let (subnets, security_groups) = (
            table.subnets.map(|names| names.to_vec()),
            table.security_groups.map(|names| names.to_vec()),
        );
        let setting = setting(subnets.as_deref(), security_groups.as_deref(), None);
        let (document, mut found) = match expand_and_check(&written, variables, |one| check(one, &setting)) {
            Ok(expanded) => expanded,
            Err(diagnostics) => return Ok(Err(diagnostics)),
        };
        // Without a name AWS can't be asked; all diagnostics are reported.
        let names = match names_in(config, variables, &written) {
            Err(_) if found.iter().any(Diagnostic::is_error) => return Ok(Err(found)),
            names => names?,
        };
        let app: Tags = config.tags(variables)?.0.into_iter().collect();
        let diagnostics = app.iter().filter_map(|(key, value)| tags::problem(key, value));
        let diagnostics: Vec<Diagnostic> = diagnostics
            .map(|message| {
                let mut diagnostic = Diagnostic::of_file(&shown(&config.path), message);
                diagnostic.path = "app.tags".into();
                diagnostic
            })
            .collect();
        if !diagnostics.is_empty() {
            found.extend(diagnostics);
            return Ok(Err(found));
        }
        let mut tags = app;
        // The tags of the file win.
        tags.extend(reconcile::tags::of_json(&document.to_value()));
        Ok(Ok(Desired {
            names,
            document,
            tags,
            subnets,
            security_groups,
        }))
    }

    fn setting<'a>(&'a self, task_definition: Option<&'a Value>) -> Setting<'a> {
        setting(
            self.subnets.as_deref(),
            self.security_groups.as_deref(),
            task_definition,
        )
    }

    /// The diagnostics of the document; more, when the task definition is known.
    pub(crate) fn diagnostics(&self, task_definition: Option<&Value>) -> Vec<Diagnostic> {
        check(&self.document, &self.setting(task_definition))
    }

    /// In the shape of CreateService, without tags: they are compared and set separately.
    pub(crate) fn value(&self, task_definition: Option<&Value>) -> Value {
        let mut value = fill(&self.document.to_value(), &self.setting(None));
        if let Some(members) = value.as_object_mut() {
            members.shift_remove("tags");
            members.shift_remove("clientToken");
            members.insert("cluster".into(), self.names.cluster.as_str().into());
            if let Some(definition) = task_definition {
                members.insert(
                    "taskDefinition".into(),
                    text(definition, "taskDefinitionArn").into(),
                );
            }
        }
        value
    }
}
