//! How sessions of ECS Exec are encrypted and logged, the same from the file and from ECS.

use aws_sdk_ecs::types::{
    ExecuteCommandConfiguration, ExecuteCommandLogConfiguration, ExecuteCommandLogging,
};
use cli::Change;
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
    /// What becomes of a cluster that has these, when the file wants `table`: what it does not name stays. A
    /// `logging` other than OVERRIDE names no place, and ECS takes none with it.
    pub(crate) fn with(&self, table: &ExecuteCommand) -> Self {
        let somewhere = table.log_group.is_some() || table.s3_bucket.is_some();
        let default = somewhere.then_some(SessionLogging::Override);
        let logging = table.logging.or(default);
        let nowhere = Sessions::default();
        let places = match logging {
            Some(SessionLogging::None | SessionLogging::Default) => &nowhere,
            Some(SessionLogging::Override) | None => self,
        };
        let or = |named: &Option<String>, present: &Option<String>| named.clone().or_else(|| present.clone());
        Sessions {
            kms_key: or(&table.kms_key, &self.kms_key),
            logging: logging.map_or_else(|| self.logging.clone(), |logging| logging.as_str().to_owned()),
            log_group: or(&table.log_group, &places.log_group),
            log_group_encryption: table.log_group_encryption.unwrap_or(places.log_group_encryption),
            s3_bucket: or(&table.s3_bucket, &places.s3_bucket),
            s3_prefix: or(&table.s3_prefix, &places.s3_prefix),
            s3_encryption: table.s3_encryption.unwrap_or(places.s3_encryption),
        }
    }

    /// What a new cluster gets.
    pub(crate) fn new(table: &ExecuteCommand) -> Self {
        Sessions::default().with(table)
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
        let places = (&self.log_group, &self.s3_bucket, &self.s3_prefix);
        let encrypted = self.log_group_encryption || self.s3_encryption;
        let log = (places != (&None, &None, &None) || encrypted).then(|| {
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
    pub(crate) fn changes(&self, observed: &Sessions) -> Vec<Change> {
        let pairs = observed.fields().into_iter().zip(self.fields());
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
            let desired = Sessions::new(&table);
            assert_eq!(Sessions::from_ecs(Some(&desired.to_ecs())), desired);
        }
        assert_eq!(Sessions::new(&table()).logging, "OVERRIDE");
    }

    #[test]
    fn ecss_defaults_are_no_difference() {
        let desired = Sessions::new(&ExecuteCommand::default());
        let empty = ExecuteCommandConfiguration::builder().kms_key_id("").build();
        for observed in [None, Some(&empty)] {
            assert_eq!(desired.changes(&Sessions::from_ecs(observed)), []);
        }
    }

    fn shown(table: &ExecuteCommand, observed: &Sessions) -> Vec<String> {
        let changes = observed.with(table).changes(observed);
        changes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_the_fields_that_differ_are_named() {
        let observed = Sessions::new(&ExecuteCommand {
            s3_prefix: Some("other".into()),
            kms_key: None,
            ..table()
        });
        assert_eq!(
            shown(&table(), &observed),
            [
                "execute_command.kms_key: (none) -> k",
                "execute_command.s3_prefix: other -> p"
            ]
        );
    }

    #[test]
    fn what_the_file_does_not_name_stays() {
        let observed = Sessions::new(&table());
        let named = |change: fn(&mut ExecuteCommand)| {
            let mut table = ExecuteCommand::default();
            change(&mut table);
            shown(&table, &observed)
        };
        assert_eq!(named(|_| {}), [""; 0]);
        assert_eq!(named(|table| table.log_group = Some("g".into())), [""; 0]);
        assert_eq!(
            named(|table| table.log_group = Some("other".into())),
            ["execute_command.log_group: g -> other"]
        );
        assert_eq!(
            named(|table| table.kms_key = Some("other".into())),
            ["execute_command.kms_key: k -> other"]
        );
        assert_eq!(
            named(|table| table.s3_encryption = Some(false)),
            ["execute_command.s3_encryption: true -> false"]
        );
        // A place that is named is logged to.
        let silent = Sessions::new(&ExecuteCommand {
            kms_key: Some("k".into()),
            logging: Some(SessionLogging::None),
            ..ExecuteCommand::default()
        });
        let bucket = ExecuteCommand {
            s3_bucket: Some("b".into()),
            ..ExecuteCommand::default()
        };
        assert_eq!(
            shown(&bucket, &silent),
            [
                "execute_command.logging: NONE -> OVERRIDE",
                "execute_command.s3_bucket: (none) -> b"
            ]
        );
    }

    #[test]
    fn no_place_goes_with_another_logging() {
        let observed = Sessions::new(&table());
        let silent = observed.with(&ExecuteCommand {
            logging: Some(SessionLogging::None),
            ..ExecuteCommand::default()
        });
        assert_eq!(silent.kms_key.as_deref(), Some("k"));
        assert_eq!(silent.to_ecs().log_configuration(), None);
    }
}
