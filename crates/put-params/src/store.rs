//! The calls to SSM.

use crate::pace::{AT_ONCE, Pacer};
use crate::plan::{Current, Metadata, Stored, Tags, Wanted, tier_word, word};
use crate::refusal::{Ours, explain};
use anyhow::{Context, Result};
use aws_sdk_ssm::Client;
use aws_sdk_ssm::config::Builder;
use aws_sdk_ssm::operation::add_tags_to_resource::AddTagsToResourceError;
use aws_sdk_ssm::operation::describe_parameters::DescribeParametersError;
use aws_sdk_ssm::operation::get_parameters::GetParametersError;
use aws_sdk_ssm::operation::list_tags_for_resource::ListTagsForResourceError;
use aws_sdk_ssm::operation::put_parameter::PutParameterError;
use aws_sdk_ssm::types::{
    Parameter, ParameterMetadata, ParameterStringFilter, ParameterTier, ParameterType,
    ResourceTypeForTagging, Tag,
};
use cli::{Console, Failure};
use common::aws::{Aws, code_of};
use common::config::ParameterType as WantedType;
use futures_util::{StreamExt, TryStreamExt, stream};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;

/// Names in one GetParameters call.
const NAMES_TO_GET: usize = 10;

/// Names in one filter, and results on one page, of DescribeParameters.
const NAMES_TO_DESCRIBE: usize = 50;

/// How often a call is sent that is refused as too many.
const ATTEMPTS: u32 = 10;

/// Parameter Store in one region. Reads and writes have limits of their own, and so paces of their own.
pub(crate) struct Store<'a> {
    client: Client,
    reads: Pacer<'a>,
    writes: Pacer<'a>,
}

/// What came of [`Store::create`].
pub(crate) enum Created {
    /// It is there now, in this version.
    New(i64),
    /// Somebody else made it in the meantime.
    Exists,
}

impl<'a> Store<'a> {
    pub(crate) fn new(aws: &Aws, console: &'a Console) -> Self {
        let slowly = aws.clone().with_attempts(ATTEMPTS);
        let attempts = slowly
            .sdk
            .retry_config()
            .map_or(ATTEMPTS, |retry| retry.max_attempts());
        let config = Builder::from(&aws.sdk)
            .retry_classifier(Ours::<GetParametersError>::new())
            .retry_classifier(Ours::<DescribeParametersError>::new())
            .retry_classifier(Ours::<ListTagsForResourceError>::new())
            .retry_classifier(Ours::<PutParameterError>::new())
            .retry_classifier(Ours::<AddTagsToResourceError>::new())
            .build();
        Store {
            client: Client::from_conf(config),
            reads: Pacer::new(attempts, console),
            writes: Pacer::new(attempts, console),
        }
    }

    /// Reads values and versions; a name that is not in the result has no parameter.
    ///
    /// # Errors
    /// When a call fails: that is never taken for "not there".
    pub(crate) async fn read(&self, names: &[&str]) -> Result<BTreeMap<String, Stored>> {
        let parts: Vec<BTreeMap<String, Stored>> = stream::iter(names.chunks(NAMES_TO_GET))
            .map(|names| self.read_some(names))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(parts.into_iter().flatten().collect())
    }

    async fn read_some(&self, names: &[&str]) -> Result<BTreeMap<String, Stored>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let request = self
            .client
            .get_parameters()
            .set_names(Some(names.clone()))
            .with_decryption(true);
        let answer = self.reads.call(|| request.clone().send()).await;
        let answer = answer.map_err(explain("ssm:GetParameters"))?;
        let missing: Vec<String> = answer.invalid_parameters.iter().flatten().map(rooted).collect();
        let mut found = BTreeMap::new();
        for parameter in answer.parameters.unwrap_or_default() {
            let name = parameter.name.as_ref().map(rooted);
            let name = name.ok_or_else(|| absent("ssm:GetParameters", "Name"))?;
            found.insert(name, stored(parameter)?);
        }
        // A name that is neither there nor missing is an answer to another question.
        match names
            .iter()
            .find(|name| !found.contains_key(*name) && !missing.contains(name))
        {
            Some(name) => Err(Failure::error(format!(
                "ssm:GetParameters answered without a word about `{name}`"
            ))
            .into()),
            None => Ok(found),
        }
    }

    /// Reads what `GetParameters` does not tell.
    ///
    /// # Errors
    /// When a call fails, or one of the parameters is not in the answers.
    pub(crate) async fn describe(&self, names: &[&str]) -> Result<BTreeMap<String, Metadata>> {
        let mut found = BTreeMap::new();
        // The limit of this call is the lowest of all: one after the other.
        for names in names.chunks(NAMES_TO_DESCRIBE) {
            let filter = ParameterStringFilter::builder()
                .key("Name")
                .option("Equals")
                .set_values(Some(names.iter().map(|name| (*name).to_owned()).collect()))
                .build()
                .context("failed to build a filter")?;
            let request = self
                .client
                .describe_parameters()
                .parameter_filters(filter)
                .max_results(NAMES_TO_DESCRIBE as i32);
            let mut token = None;
            loop {
                let page = request.clone().set_next_token(token);
                let answer = self.reads.call(|| page.clone().send()).await;
                let answer = answer.map_err(explain("ssm:DescribeParameters"))?;
                found.extend(
                    answer
                        .parameters
                        .unwrap_or_default()
                        .into_iter()
                        .filter_map(metadata),
                );
                token = answer.next_token.filter(|token| !token.is_empty());
                if token.is_none() {
                    break;
                }
            }
        }
        match names.iter().find(|name| !found.contains_key(**name)) {
            Some(name) => {
                Err(Failure::error(format!("ssm:DescribeParameters answered without `{name}`")).into())
            }
            None => Ok(found),
        }
    }

    /// # Errors
    /// When the call fails.
    pub(crate) async fn tags(&self, name: &str) -> Result<Tags> {
        let request = self
            .client
            .list_tags_for_resource()
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name);
        let answer = self.reads.call(|| request.clone().send()).await;
        let answer = answer.map_err(explain("ssm:ListTagsForResource"))?;
        let tags = answer.tag_list().iter();
        Ok(tags
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect())
    }

    /// Makes a parameter, with its tags from birth, and never over another one.
    ///
    /// # Errors
    /// When SSM refuses.
    pub(crate) async fn create(&self, wanted: &Wanted, tags: &Tags) -> Result<Created> {
        let request = self
            .client
            .put_parameter()
            .name(&wanted.name)
            .r#type(ParameterType::from(word(wanted.r#type)))
            .value(wanted.value.expose_secret())
            .overwrite(false)
            .set_key_id(wanted.kms_key.clone())
            .set_tier(wanted.tier.map(|tier| ParameterTier::from(tier_word(tier))))
            .set_description(wanted.description.clone())
            .set_tags(to_sdk(tags)?);
        match self.writes.call(|| request.clone().send()).await {
            Ok(answer) => Ok(Created::New(answer.version)),
            Err(error) if code_of(&error) == Some("ParameterAlreadyExists") => Ok(Created::Exists),
            Err(error) => Err(explain("ssm:PutParameter")(error)).with_context(|| failed_to_put(wanted)),
        }
    }

    /// Writes a new version. What the file does not name is sent as it is now, since SSM takes the account's
    /// defaults for what is left out. Tags are never sent along: SSM refuses them here.
    ///
    /// # Errors
    /// When SSM refuses.
    pub(crate) async fn update(&self, wanted: &Wanted, current: &Current) -> Result<i64> {
        let known = current.metadata.clone().unwrap_or_default();
        let secure = wanted.r#type == WantedType::SecureString;
        let was_secure = current.stored.r#type == word(WantedType::SecureString);
        let key = wanted.kms_key.clone().or(known.kms_key).filter(|_| secure);
        if secure && was_secure && key.is_none() {
            return Err(absent("ssm:DescribeParameters", "KeyId")).with_context(|| failed_to_put(wanted));
        }
        let said = |text: &String| !text.is_empty();
        let request = self
            .client
            .put_parameter()
            .name(&wanted.name)
            .r#type(ParameterType::from(word(wanted.r#type)))
            .value(wanted.value.expose_secret())
            .overwrite(true)
            .set_key_id(key)
            .set_tier(
                wanted
                    .tier
                    .map(tier_word)
                    .or(known.tier.as_deref())
                    .map(ParameterTier::from),
            )
            .set_description(wanted.description.clone().or(known.description.filter(said)))
            .set_allowed_pattern(known.allowed_pattern.filter(said))
            // Some partitions refuse even the default for a SecureString.
            .set_data_type(current.stored.data_type.clone().filter(|kind| kind != "text"));
        let answer = self.writes.call(|| request.clone().send()).await;
        let answer = answer.map_err(explain("ssm:PutParameter"));
        Ok(answer.with_context(|| failed_to_put(wanted))?.version)
    }

    /// Adds tags, or gives them other values.
    ///
    /// # Errors
    /// When SSM refuses.
    pub(crate) async fn tag(&self, name: &str, tags: &Tags) -> Result<()> {
        let request = self
            .client
            .add_tags_to_resource()
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name)
            .set_tags(to_sdk(tags)?);
        let answer = self.writes.call(|| request.clone().send()).await;
        answer
            .map_err(explain("ssm:AddTagsToResource"))
            .with_context(|| format!("failed to tag parameter `{name}`"))?;
        Ok(())
    }
}

fn failed_to_put(wanted: &Wanted) -> String {
    format!("failed to put parameter `{}`", wanted.name)
}

fn absent(operation: &str, field: &str) -> Failure {
    Failure::error(format!("{operation} answered without `{field}`"))
}

/// `X` and `/X` are the same parameter.
fn rooted(name: &String) -> String {
    if name.starts_with('/') {
        name.clone()
    } else {
        format!("/{name}")
    }
}

fn stored(parameter: Parameter) -> Result<Stored> {
    let field = |name: &str| absent("ssm:GetParameters", name);
    let kind = parameter.r#type.ok_or_else(|| field("Type"))?;
    Ok(Stored {
        value: SecretString::from(parameter.value.ok_or_else(|| field("Value"))?),
        r#type: kind.as_str().to_owned(),
        version: parameter.version,
        data_type: parameter.data_type,
    })
}

fn metadata(parameter: ParameterMetadata) -> Option<(String, Metadata)> {
    let metadata = Metadata {
        kms_key: parameter.key_id.filter(|key| !key.is_empty()),
        tier: parameter.tier.map(|tier| tier.as_str().to_owned()),
        description: parameter.description,
        allowed_pattern: parameter.allowed_pattern,
    };
    Some((rooted(&parameter.name?), metadata))
}

fn to_sdk(tags: &Tags) -> Result<Option<Vec<Tag>>> {
    if tags.is_empty() {
        return Ok(None);
    }
    let tags = tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags: Result<_, _> = tags.collect();
    Ok(Some(tags.context("failed to build the tags")?))
}
