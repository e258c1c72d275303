//! The entries of `[params.entry]` with their values, read and checked before anything is sent.

use crate::aws_keys::{self, Advice, Own, Verdict};
use crate::fault::{Fault, Flaw};
use crate::source::{Lookup, Source};
use crate::{name, value};
use anyhow::{Context, Result};
use cli::{Console, ErrorKind, Failure};
use common::config::{
    AwsTarget, Config, ParameterCheck, ParameterEntry, ParameterType, Params, Variables, select,
};
use secrecy::{ExposeSecret, SecretString};

/// A value of so many bytes does not stand in a description by chance.
const FOUND_INSIDE: usize = 6;

/// One entry whose value is known and good.
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
/// When there are none, or one of the names is unknown.
pub(crate) fn choose(params: &Params, names: &[String]) -> Result<Vec<(String, ParameterEntry)>> {
    select("parameter", params.entry.0.clone(), |(key, _)| key, names)
}

/// What the reading of entries needs.
pub(crate) struct Reader<'a> {
    pub(crate) params: &'a Params,
    pub(crate) config: &'a Config,
    pub(crate) environment: Lookup<'a>,
    pub(crate) console: &'a Console,
}

impl Reader<'_> {
    /// Reads and checks all that can be known without AWS. Secret values are hidden from here on.
    ///
    /// # Errors
    /// With all the faults of all the entries.
    pub(crate) fn prepare(&self, chosen: Vec<(String, ParameterEntry)>) -> Result<Vec<Entry>, Vec<Fault>> {
        let advice = Advice::new(&self.config.schema);
        let mut entries = Vec::new();
        let mut faults = Vec::new();
        for (key, settings) in chosen {
            let fault = |flaw: Flaw| Fault::new("prepare", &key, flaw);
            faults.extend(name::flaw(&name::full(&self.params.prefix, &key)).map(fault));
            match self.read(&key, settings, &advice) {
                Ok(entry) => entries.push(entry),
                Err(flaws) => faults.extend(flaws.into_iter().map(fault)),
            }
        }
        if faults.is_empty() {
            Ok(entries)
        } else {
            Err(faults)
        }
    }

    fn read(&self, key: &str, settings: ParameterEntry, advice: &Advice) -> Result<Entry, Vec<Flaw>> {
        // The schema sees to it that there is one.
        let source = Source::of(&settings).ok_or_else(|| vec![Flaw::new("config", "it has no source")])?;
        let r#type = settings.r#type.or(self.params.r#type).unwrap_or_default();
        let secure = r#type == ParameterType::SecureString;
        if secure && source.is_literal() {
            return Err(vec![
                Flaw::new(
                    "template",
                    "the template names no variable, so the secret itself would stand in the file",
                )
                .hint("write ${NAME} for what is secret, or set type = \"String\" in the entry"),
            ]);
        }
        let read = source.read(self.environment, self.config.folder());
        let read = read.map_err(|flaws| {
            let flaws = flaws.into_iter().map(|flaw| without_key(key, flaw, advice));
            flaws.collect::<Vec<_>>()
        })?;
        let whole = read.whole.expose_secret();
        let parts = || read.parts.iter().map(ExposeSecret::expose_secret);
        if secure {
            hide(whole, settings.check, self.console);
            parts().for_each(|part| hide(part, None, self.console));
        }
        let mut flaws = value::flaws(whole, parts(), self.params.tier, settings.check);
        if let Verdict::Refused(flaw) = aws_keys::judge(key, &settings, &source, whole, None, advice) {
            flaws.push(flaw);
        }
        let description = settings.description.as_deref().unwrap_or_default();
        if secure && whole.len() >= FOUND_INSIDE && description.contains(whole) {
            flaws.push(Flaw::new(
                "value",
                "the value stands in its description, which is not encrypted",
            ));
        }
        if !flaws.is_empty() {
            return Err(flaws);
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

/// Whoever is signed in by SSO or by a role has no key to export, and needs none.
fn without_key(key: &str, mut flaw: Flaw, advice: &Advice) -> Flaw {
    match flaw
        .variable
        .take_if(|name| aws_keys::is_credential_variable(name))
    {
        Some(_) => flaw.hint(format!(
            "signed in by SSO or with a role there is no such key, and the app needs none: {}",
            advice.to_leave_out(key)
        )),
        None => flaw,
    }
}

/// Takes a secret and the secrets inside it out of all that is printed.
pub(crate) fn hide(value: &str, check: Option<ParameterCheck>, console: &Console) {
    console.redact(value);
    // An error is put on one line before it is printed.
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

/// What is left to check when the region and the credentials of this run are known; still nothing is sent
/// to SSM. Tells of the keys that are stored all the same.
///
/// # Errors
/// With all the faults of all the entries.
pub(crate) fn check_place(
    entries: &[Entry],
    params: &Params,
    place: &AwsTarget,
    own: Own,
    config: &Config,
) -> Result<Vec<String>, Vec<Fault>> {
    let advice = Advice::new(&config.schema);
    let mut faults = Vec::new();
    let mut keys: Vec<(&str, String)> = Vec::new();
    let mut warnings = Vec::new();
    for entry in entries {
        let Entry {
            key,
            settings,
            source,
            ..
        } = entry;
        let fault = |flaw: Flaw| Fault::new("prepare", key, flaw);
        let name = name::full(&params.prefix, key);
        faults.extend(name::length_flaw(place, &name).map(fault));
        match aws_keys::judge(
            key,
            settings,
            source,
            entry.value.expose_secret(),
            Some(own),
            &advice,
        ) {
            Verdict::Clear => {}
            Verdict::Allowed(reason) => keys.push((key, reason)),
            Verdict::Refused(flaw) => faults.push(fault(flaw)),
        }
        let warning = entry.warning.iter();
        warnings.extend(warning.map(|warning| format!("parameter `{key}`: {warning}")));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if !keys.is_empty() {
        let names: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
        let mut reasons: Vec<&str> = keys.iter().map(|(_, reason)| reason.as_str()).collect();
        reasons.dedup();
        warnings.push(format!(
            "a long-lived AWS key is in {}: it hides the task role in the container (allowed: {})",
            names.join(", "),
            reasons.join("; ")
        ));
    }
    Ok(warnings)
}

/// The table, expanded as far as `variables` go.
///
/// # Errors
/// When the file has none, or a variable is unset.
pub(crate) fn table(config: &Config, variables: &Variables) -> Result<Params> {
    let params = config.params(variables)?;
    params
        .ok_or_else(|| {
            Failure::error("it has no table [params]")
                .kind(ErrorKind::Config)
                .code("config")
        })
        .with_context(|| format!("failed to find any parameter in `{}`", config.path.display()))
}
