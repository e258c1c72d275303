//! The calls to SSM.

use crate::plan::{Desired, Metadata, Observed, Stored, tier_name, type_name};
use crate::rate::{CONCURRENCY, RateLimiter};
use crate::ssm_error::{NoThrottleRetry, explain};
use anyhow::{Context, Result};
use aws_sdk_ssm::Client;
use aws_sdk_ssm::config::Builder;
use aws_sdk_ssm::error::SdkError;
use aws_sdk_ssm::operation::add_tags_to_resource::AddTagsToResourceError;
use aws_sdk_ssm::operation::describe_parameters::DescribeParametersError;
use aws_sdk_ssm::operation::get_parameters::GetParametersError;
use aws_sdk_ssm::operation::list_tags_for_resource::ListTagsForResourceError;
use aws_sdk_ssm::operation::put_parameter::builders::PutParameterFluentBuilder;
use aws_sdk_ssm::operation::put_parameter::{PutParameterError, PutParameterOutput};
use aws_sdk_ssm::types::{
    Parameter, ParameterMetadata, ParameterStringFilter, ParameterTier, ParameterType,
    ResourceTypeForTagging, Tag,
};
use cli::{Console, Failure};
use common::aws::{Aws, code_of};
use common::config::ParameterType as DesiredType;
use futures_util::{StreamExt, TryStreamExt, stream};
use reconcile::Tags;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;

/// Names in one GetParameters call.
const NAMES_TO_GET: usize = 10;

/// Names in one filter, and results on one page, of DescribeParameters.
const NAMES_TO_DESCRIBE: usize = 50;

/// How often a throttled call is sent.
const ATTEMPTS: u32 = 10;

/// Parameter Store in one region. Reads and writes have separate limits, and so separate rates.
pub(crate) struct Store<'a> {
    client: Client,
    reads: RateLimiter<'a>,
    writes: RateLimiter<'a>,
    console: &'a Console,
}

/// The result of [`Store::create`].
pub(crate) enum Created {
    /// This run created it, in this version.
    New(i64),
    /// Another caller created it in the meantime.
    Exists,
}

impl<'a> Store<'a> {
    pub(crate) fn new(aws: &Aws, console: &'a Console) -> Self {
        let throttled = aws.clone().with_attempts(ATTEMPTS);
        let attempts = throttled
            .sdk
            .retry_config()
            .map_or(ATTEMPTS, |retry| retry.max_attempts());
        let config = Builder::from(&aws.sdk)
            .retry_classifier(NoThrottleRetry::<GetParametersError>::new())
            .retry_classifier(NoThrottleRetry::<DescribeParametersError>::new())
            .retry_classifier(NoThrottleRetry::<ListTagsForResourceError>::new())
            .retry_classifier(NoThrottleRetry::<PutParameterError>::new())
            .retry_classifier(NoThrottleRetry::<AddTagsToResourceError>::new())
            .build();
        Store {
            client: Client::from_conf(config),
            reads: RateLimiter::new(attempts, console),
            writes: RateLimiter::new(attempts, console),
            console,
        }
    }

    /// Reads values and versions. A name that is not in the result has no parameter.
    ///
    /// # Errors
    /// When a call fails: that never counts as "not found".
    pub(crate) async fn read(&self, names: &[&str]) -> Result<BTreeMap<String, Stored>> {
        let parts: Vec<BTreeMap<String, Stored>> = stream::iter(names.chunks(NAMES_TO_GET))
            .map(|names| self.read_some(names))
            .buffer_unordered(CONCURRENCY)
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
        // The response has to list each name, as found or as missing.
        match names
            .iter()
            .find(|name| !found.contains_key(*name) && !missing.contains(name))
        {
            Some(name) => {
                Err(Failure::error(format!("ssm:GetParameters response omitted parameter `{name}`")).into())
            }
            None => Ok(found),
        }
    }

    /// Reads the fields that `GetParameters` does not return.
    ///
    /// # Errors
    /// When a call fails, or one of the parameters is not in the responses.
    pub(crate) async fn describe(&self, names: &[&str]) -> Result<BTreeMap<String, Metadata>> {
        let mut found = BTreeMap::new();
        // This call has the lowest limit of all: one after the other.
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
            Some(name) => Err(Failure::error(format!(
                "ssm:DescribeParameters response omitted parameter `{name}`"
            ))
            .into()),
            None => Ok(found),
        }
    }

    /// Reads the tags of a parameter.
    ///
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

    /// Creates a parameter with its tags, and never overwrites one.
    ///
    /// # Errors
    /// When SSM refuses.
    pub(crate) async fn create(&self, desired: &Desired, tags: &Tags) -> Result<Created> {
        let request = self
            .client
            .put_parameter()
            .name(&desired.name)
            .r#type(ParameterType::from(type_name(desired.r#type)))
            .value(desired.value.expose_secret())
            .overwrite(false)
            .set_key_id(desired.kms_key.clone())
            .set_tier(desired.tier.map(|tier| ParameterTier::from(tier_name(tier))))
            .set_description(desired.description.clone())
            .set_tags(to_sdk(tags)?);
        match self.put(&desired.name, request).await {
            Ok(answer) => Ok(Created::New(answer.version)),
            Err(error) if code_of(&error) == Some("ParameterAlreadyExists") => Ok(Created::Exists),
            Err(error) => Err(explain("ssm:PutParameter")(error)).with_context(|| failed_to_put(desired)),
        }
    }

    /// Writes a new version. What the file does not name is sent as it is now, because SSM uses the account's defaults
    /// for omitted fields. SSM refuses tags in this call.
    ///
    /// # Errors
    /// When SSM refuses.
    pub(crate) async fn update(&self, desired: &Desired, observed: &Observed) -> Result<i64> {
        let known = observed.metadata.clone().unwrap_or_default();
        let secure = desired.r#type == DesiredType::SecureString;
        let was_secure = observed.stored.r#type == type_name(DesiredType::SecureString);
        let key = desired.kms_key.clone().or(known.kms_key).filter(|_| secure);
        if secure && was_secure && key.is_none() {
            return Err(absent("ssm:DescribeParameters", "KeyId")).with_context(|| failed_to_put(desired));
        }
        let is_set = |text: &String| !text.is_empty();
        let request = self
            .client
            .put_parameter()
            .name(&desired.name)
            .r#type(ParameterType::from(type_name(desired.r#type)))
            .value(desired.value.expose_secret())
            .overwrite(true)
            .set_key_id(key)
            .set_tier(
                desired
                    .tier
                    .map(tier_name)
                    .or(known.tier.as_deref())
                    .map(ParameterTier::from),
            )
            .set_description(desired.description.clone().or(known.description.filter(is_set)))
            .set_allowed_pattern(known.allowed_pattern.filter(is_set))
            // Some partitions refuse even the default for a SecureString.
            .set_data_type(observed.stored.data_type.clone().filter(|kind| kind != "text"));
        let answer = self.put(&desired.name, request).await;
        let answer = answer.map_err(explain("ssm:PutParameter"));
        Ok(answer.with_context(|| failed_to_put(desired))?.version)
    }

    /// Sends PutParameter. Each attempt may be applied though its response is lost, so each is recorded while it is in
    /// flight.
    async fn put(
        &self,
        name: &str,
        request: PutParameterFluentBuilder,
    ) -> Result<PutParameterOutput, SdkError<PutParameterError>> {
        let send = || {
            let call = format!("ssm:PutParameter for parameter `{name}`");
            self.console.in_flight(call, request.clone().send())
        };
        self.writes.call(send).await
    }

    /// Sets tags.
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
        let send = || {
            let call = format!("ssm:AddTagsToResource for parameter `{name}`");
            self.console.in_flight(call, request.clone().send())
        };
        let answer = self.writes.call(send).await;
        answer
            .map_err(explain("ssm:AddTagsToResource"))
            .with_context(|| format!("failed to tag parameter `{name}`"))?;
        Ok(())
    }
}

fn failed_to_put(desired: &Desired) -> String {
    format!("failed to put parameter `{}`", desired.name)
}

fn absent(operation: &str, field: &str) -> Failure {
    Failure::error(format!("{operation} response omitted `{field}`"))
}

/// `/X` for `X`: both name the same parameter.
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
