//! `[cluster]`

use serde::Deserialize;

/// `[cluster]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// The cluster's name.
    pub name: String,
    /// The default namespace of Service Connect, by name or ARN; absent leaves it as it is.
    pub service_connect_namespace: Option<String>,
    /// The Container Insights setting of the cluster; absent leaves it as it is.
    pub container_insights: Option<ContainerInsights>,
    /// How sessions of ECS Exec are encrypted and logged; absent leaves it as it is.
    pub execute_command: Option<ExecuteCommand>,
    /// Capacity providers that the cluster must have; it may have others.
    #[serde(default)]
    pub capacity_providers: Vec<String>,
}

/// `[cluster] container_insights`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ContainerInsights {
    /// On.
    Enabled,
    /// Off.
    Disabled,
    /// On, with metrics of tasks and containers.
    Enhanced,
}

impl ContainerInsights {
    /// The value in the ECS API.
    pub fn as_str(self) -> &'static str {
        match self {
            ContainerInsights::Enabled => "enabled",
            ContainerInsights::Disabled => "disabled",
            ContainerInsights::Enhanced => "enhanced",
        }
    }
}

/// `[cluster] execute_command`
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ExecuteCommand {
    /// The KMS key between the client and the container.
    pub kms_key: Option<String>,
    /// Where sessions are logged [default: OVERRIDE with a log group or bucket, else as it is].
    pub logging: Option<SessionLogging>,
    /// The log group of the sessions.
    pub log_group: Option<String>,
    /// Whether that group must be encrypted [default: false].
    pub log_group_encryption: Option<bool>,
    /// The S3 bucket of the sessions.
    pub s3_bucket: Option<String>,
    /// The folder in the bucket.
    pub s3_prefix: Option<String>,
    /// Whether the bucket must be encrypted [default: false].
    pub s3_encryption: Option<bool>,
}

/// `[cluster] execute_command.logging`
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum SessionLogging {
    /// Nowhere.
    None,
    /// To the log configuration of the container.
    Default,
    /// To the log group or bucket of this table.
    Override,
}

impl SessionLogging {
    /// The value in the ECS API.
    pub fn as_str(self) -> &'static str {
        match self {
            SessionLogging::None => "NONE",
            SessionLogging::Default => "DEFAULT",
            SessionLogging::Override => "OVERRIDE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::path::Path;

    fn parse(line: &str) -> Result<Cluster, String> {
        let text = format!("version = 1\napp = {{ name = \"x\" }}\n[cluster]\nname = \"x\"\n{line}\n");
        let config = Config::parse(Path::new("ops.toml"), &text).map_err(|error| format!("{error:#}"))?;
        config.schema.cluster.ok_or_else(|| "no table".into())
    }

    #[test]
    fn knows_ecss_words_and_no_others() {
        for (word, insights) in [
            ("enabled", ContainerInsights::Enabled),
            ("disabled", ContainerInsights::Disabled),
            ("enhanced", ContainerInsights::Enhanced),
        ] {
            let cluster = parse(&format!("container_insights = \"{word}\"")).unwrap();
            assert_eq!(cluster.container_insights, Some(insights));
            assert_eq!(insights.as_str(), word);
        }
        for word in [
            SessionLogging::None,
            SessionLogging::Default,
            SessionLogging::Override,
        ] {
            let line = format!("execute_command = {{ logging = \"{}\" }}", word.as_str());
            assert_eq!(parse(&line).unwrap().execute_command.unwrap().logging, Some(word));
        }
        assert_eq!(
            parse("container_insights = true").unwrap_err(),
            "failed to read config file `ops.toml:5:22`: wanted string or table"
        );
        assert_eq!(
            parse("execute_command = { log_gruop = \"x\" }").unwrap_err(),
            "failed to read config file `ops.toml:5:21`: unknown key `log_gruop`, expected one of `kms_key`, `logging`, \
             `log_group`, `log_group_encryption`, `s3_bucket`, `s3_prefix`, `s3_encryption`"
        );
    }
}
