//! How sessions of ECS Exec are encrypted and logged, the same from the file and from ECS.

use aws_sdk_ecs::types::{
    ExecuteCommandConfiguration, ExecuteCommandLogConfiguration, ExecuteCommandLogging,
};
use common::Change;
use common::config::{ExecuteCommand, SessionLogging};
use serde_json::Value;

/// All fields, with ECS's defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sessions {
    kms_key: Option<String>,
    logging: String,
    log_group: Option<String>,
    log_group_encryption: bool,
    s3_bucket: Option<String>,
    s3_prefix: Option<String>,
    s3_encryption: bool,
}

impl Default for Sessions {
    /// A cluster without a configuration.
    fn default() -> Self {
        Sessions {
            kms_key: None,
            logging: SessionLogging::Default.as_str().to_owned(),
            log_group: None,
            log_group_encryption: false,
            s3_bucket: None,
            s3_prefix: None,
            s3_encryption: false,
        }
    }
}

impl Sessions {
    /// What the file wants.
    pub(crate) fn wanted(table: ExecuteCommand) -> Self {
        let somewhere = table.log_group.is_some() || table.s3_bucket.is_some();
        let default = if somewhere {
            SessionLogging::Override
        } else {
            SessionLogging::Default
        };
        Sessions {
            kms_key: table.kms_key,
            logging: table.logging.unwrap_or(default).as_str().to_owned(),
            log_group: table.log_group,
            log_group_encryption: table.log_group_encryption.unwrap_or_default(),
            s3_bucket: table.s3_bucket,
            s3_prefix: table.s3_prefix,
            s3_encryption: table.s3_encryption.unwrap_or_default(),
        }
    }

    /// What ECS has. Empty texts are none.
    pub(crate) fn from_ecs(configuration: Option<&ExecuteCommandConfiguration>) -> Self {
        let Some(configuration) = configuration else {
            return Sessions::default();
        };
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let log = configuration.log_configuration();
        let default = Sessions::default();
        Sessions {
            kms_key: text(configuration.kms_key_id()),
            logging: configuration
                .logging()
                .map_or(default.logging, |logging| logging.as_str().to_owned()),
            log_group: log.and_then(|log| text(log.cloud_watch_log_group_name())),
            log_group_encryption: log
                .is_some_and(ExecuteCommandLogConfiguration::cloud_watch_encryption_enabled),
            s3_bucket: log.and_then(|log| text(log.s3_bucket_name())),
            s3_prefix: log.and_then(|log| text(log.s3_key_prefix())),
            s3_encryption: log.is_some_and(ExecuteCommandLogConfiguration::s3_encryption_enabled),
        }
    }

    /// For the call: the whole of it, because ECS replaces it as a whole.
    pub(crate) fn to_ecs(&self) -> ExecuteCommandConfiguration {
        let somewhere = self.log_group.is_some() || self.s3_bucket.is_some();
        let log = somewhere.then(|| {
            ExecuteCommandLogConfiguration::builder()
                .set_cloud_watch_log_group_name(self.log_group.clone())
                .cloud_watch_encryption_enabled(self.log_group_encryption)
                .set_s3_bucket_name(self.s3_bucket.clone())
                .set_s3_key_prefix(self.s3_prefix.clone())
                .s3_encryption_enabled(self.s3_encryption)
                .build()
        });
        ExecuteCommandConfiguration::builder()
            .set_kms_key_id(self.kms_key.clone())
            .logging(ExecuteCommandLogging::from(self.logging.as_str()))
            .set_log_configuration(log)
            .build()
    }

    /// What differs, field by field.
    pub(crate) fn changes(&self, current: &Sessions) -> Vec<Change> {
        let pairs = current.fields().into_iter().zip(self.fields());
        pairs
            .filter(|((_, from), (_, to))| from != to)
            .map(|((name, from), (_, to))| Change::new(format!("execute_command.{name}"), from, to))
            .collect()
    }

    fn fields(&self) -> [(&'static str, Value); 7] {
        let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
        [
            ("kms_key", text(&self.kms_key)),
            ("logging", self.logging.as_str().into()),
            ("log_group", text(&self.log_group)),
            ("log_group_encryption", self.log_group_encryption.into()),
            ("s3_bucket", text(&self.s3_bucket)),
            ("s3_prefix", text(&self.s3_prefix)),
            ("s3_encryption", self.s3_encryption.into()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ExecuteCommand {
        ExecuteCommand {
            kms_key: Some("k".into()),
            log_group: Some("g".into()),
            log_group_encryption: Some(true),
            s3_bucket: Some("b".into()),
            s3_prefix: Some("p".into()),
            s3_encryption: Some(true),
            logging: None,
        }
    }

    #[test]
    fn survives_the_way_to_ecs_and_back() {
        for table in [table(), ExecuteCommand::default()] {
            let wanted = Sessions::wanted(table);
            assert_eq!(Sessions::from_ecs(Some(&wanted.to_ecs())), wanted);
        }
        assert_eq!(Sessions::wanted(table()).logging, "OVERRIDE");
    }

    #[test]
    fn ecss_defaults_are_no_difference() {
        let wanted = Sessions::wanted(ExecuteCommand::default());
        let empty = ExecuteCommandConfiguration::builder().kms_key_id("").build();
        for current in [None, Some(&empty)] {
            assert_eq!(wanted.changes(&Sessions::from_ecs(current)), []);
        }
    }

    #[test]
    fn only_the_fields_that_differ_are_named() {
        let current = Sessions::wanted(ExecuteCommand {
            s3_prefix: Some("other".into()),
            kms_key: None,
            ..table()
        });
        let shown: Vec<String> = Sessions::wanted(table())
            .changes(&current)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            shown,
            [
                "execute_command.kms_key: (none) -> k",
                "execute_command.s3_prefix: other -> p"
            ]
        );
    }
}
