//! The entries of `[params.entry]` with their values, read and checked before anything is sent.

use crate::aws_keys::{self, Advice, Assessment, CallerCredentials};
use crate::error::{ParameterError, ValidationError};
use crate::source::{Environment, Source};
use crate::{name, value};
use anyhow::{Context, Result};
use cli::{Console, Failure};
use common::config::{
    AwsTarget, Config, ParameterCheck, ParameterEntry, ParameterType, Params, Variables, select,
};
use secrecy::{ExposeSecret, SecretString};

/// A value of this many bytes is not in a description by chance.
const MIN_LENGTH_INSIDE: usize = 6;

/// One entry with its checked value.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its key in the file.
    pub(crate) key: String,
    pub(crate) settings: ParameterEntry,
    pub(crate) r#type: ParameterType,
    pub(crate) source: Source,
    pub(crate) value: SecretString,
    pub(crate) warning: Option<String>,
}

/// The entries that `names` chooses, all of them without names.
///
/// # Errors
/// When there are no entries, or one of the names is unknown.
pub(crate) fn choose(params: &Params, names: &[String]) -> Result<Vec<(String, ParameterEntry)>> {
    select("parameter", params.entry.0.clone(), |(key, _)| key, names)
}

/// Reads entries.
pub(crate) struct Reader<'a> {
    pub(crate) params: &'a Params,
    pub(crate) config: &'a Config,
    pub(crate) environment: Environment<'a>,
    pub(crate) console: &'a Console,
}

impl Reader<'_> {
    /// Reads the values, and checks everything that needs no AWS. Secret values are redacted from here on.
    ///
    /// # Errors
    /// With all errors of all entries.
    pub(crate) fn prepare(
        &self,
        chosen: Vec<(String, ParameterEntry)>,
    ) -> Result<Vec<Entry>, Vec<ParameterError>> {
        let advice = Advice::new(&self.config.schema);
        let mut entries = Vec::new();
        let mut errors = Vec::new();
        for (key, settings) in chosen {
            let prepare = |error: ValidationError| ParameterError::prepare(&key, error);
            let name = name::check(&name::full(&self.params.prefix, &key));
            errors.extend(name.err().map(prepare));
            match self.read(&key, settings, &advice) {
                Ok(entry) => entries.push(entry),
                Err(invalid) => errors.extend(invalid.into_iter().map(prepare)),
            }
        }
        if errors.is_empty() {
            Ok(entries)
        } else {
            Err(errors)
        }
    }

    fn read(
        &self,
        key: &str,
        settings: ParameterEntry,
        advice: &Advice,
    ) -> Result<Entry, Vec<ValidationError>> {
        // The schema requires one.
        let source =
            Source::of(&settings).ok_or_else(|| vec![ValidationError::new("config", "it has no source")])?;
        let r#type = settings.r#type.or(self.params.r#type).unwrap_or_default();
        let secure = r#type == ParameterType::SecureString;
        if secure && source.is_literal() {
            return Err(vec![
                ValidationError::new(
                    "template",
                    "the template names no variable, so the file would contain the secret itself",
                )
                .hint("write ${NAME} for the secret part, or set type = \"String\" in the entry"),
            ]);
        }
        let read = source.read(self.environment, self.config.folder());
        let read = read.map_err(|errors| {
            let errors = errors.into_iter().map(|error| hint_at_role(key, error, advice));
            errors.collect::<Vec<_>>()
        })?;
        let whole = read.whole.expose_secret();
        let parts = || read.parts.iter().map(ExposeSecret::expose_secret);
        if secure {
            redact(whole, settings.check, self.console);
            parts().for_each(|part| redact(part, None, self.console));
        }
        let mut errors = value::errors(whole, parts(), self.params.tier, settings.check);
        if let Assessment::Refused(error) = aws_keys::assess(key, &settings, &source, whole, None, advice) {
            errors.push(error);
        }
        let description = settings.description.as_deref().unwrap_or_default();
        if secure && whole.len() >= MIN_LENGTH_INSIDE && description.contains(whole) {
            errors.push(ValidationError::new(
                "value",
                "the description contains the value, and is not encrypted",
            ));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Entry {
            key: key.to_owned(),
            settings,
            r#type,
            source,
            value: read.whole,
            warning: read.warning,
        })
    }
}

/// A caller who is signed in by SSO or with a role has no AWS key to export, so the hint is to use a task role.
fn hint_at_role(key: &str, mut error: ValidationError, advice: &Advice) -> ValidationError {
    match error
        .variable
        .take_if(|name| aws_keys::is_credential_variable(name))
    {
        Some(_) => error.hint(format!(
            "signed in by SSO or with a role there is no such key, and the app needs none: {}",
            advice.to_remove(key)
        )),
        None => error,
    }
}

/// Redacts a secret, and the secrets inside it, in everything that is printed.
pub(crate) fn redact(value: &str, check: Option<ParameterCheck>, console: &Console) {
    console.redact(value);
    // An error is printed on one line.
    let mut lines = value.lines();
    if let (Some(_), Some(_)) = (lines.next(), lines.next()) {
        value.lines().for_each(|line| console.redact(line.trim()));
    }
    console.redact(&value.split_whitespace().collect::<Vec<_>>().join(" "));
    match check {
        Some(ParameterCheck::PostgresUrl) => {
            let info = conninfo::parse(value, &|_| None).ok();
            if let Some(password) = info.and_then(|info| info.password) {
                console.redact(password.expose_secret());
            }
        }
        Some(ParameterCheck::OtlpHeaders) => {
            let values = value.split(',').filter_map(|header| header.split_once('='));
            values.for_each(|(_, value)| console.redact(value));
        }
        None => {}
    }
}

/// The checks that need the region and the credentials of this run. Nothing is sent to SSM yet. The result are
/// warnings, about AWS keys that are stored for a written reason.
///
/// # Errors
/// With all errors of all entries.
pub(crate) fn check_target(
    entries: &[Entry],
    params: &Params,
    target: &AwsTarget,
    caller: CallerCredentials,
    config: &Config,
) -> Result<Vec<String>, Vec<ParameterError>> {
    let advice = Advice::new(&config.schema);
    let mut errors = Vec::new();
    let mut keys: Vec<(&str, String)> = Vec::new();
    let mut warnings = Vec::new();
    for entry in entries {
        let Entry {
            key,
            settings,
            source,
            ..
        } = entry;
        let prepare = |error: ValidationError| ParameterError::prepare(key, error);
        let name = name::full(&params.prefix, key);
        errors.extend(name::check_length(target, &name).err().map(prepare));
        match aws_keys::assess(
            key,
            settings,
            source,
            entry.value.expose_secret(),
            Some(caller),
            &advice,
        ) {
            Assessment::NoKey => {}
            Assessment::Allowed(reason) => keys.push((key, reason)),
            Assessment::Refused(error) => errors.push(prepare(error)),
        }
        let warning = entry.warning.iter();
        warnings.extend(warning.map(|warning| format!("parameter `{key}`: {warning}")));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if !keys.is_empty() {
        let names: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
        let mut reasons: Vec<&str> = keys.iter().map(|(_, reason)| reason.as_str()).collect();
        reasons.dedup();
        warnings.push(format!(
            "a long-lived AWS key is in {}: in the container it overrides the task role (allowed: {})",
            names.join(", "),
            reasons.join("; ")
        ));
    }
    Ok(warnings)
}

/// The table `[params]`, with its variables expanded.
///
/// # Errors
/// When the file has no such table, or a variable is unset.
pub(crate) fn table(config: &Config, variables: &Variables) -> Result<Params> {
    let params = config.params(variables)?;
    params
        .ok_or_else(|| Failure::config("it has no table [params]"))
        .with_context(|| format!("failed to find any parameter in `{}`", config.path.display()))
}
