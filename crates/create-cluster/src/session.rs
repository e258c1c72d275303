//! How sessions of ECS Exec are encrypted and logged, in one form for the file and for ECS.

use cli::Change;
use common::config::{ExecuteCommand, SessionLogging};
use serde_json::{Value, json};

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
    /// The sessions with the fields of `table` in their place. A `logging` other than OVERRIDE has no log group and no
    /// bucket, and ECS accepts none with it.
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

    /// The sessions of a new cluster.
    pub(crate) fn new(table: &ExecuteCommand) -> Self {
        Sessions::default().with(table)
    }

    /// The `executeCommandConfiguration` of a cluster, `null` without one. An empty string counts as absent.
    pub(crate) fn from_ecs(configuration: &Value) -> Self {
        let log = configuration.get("logConfiguration").unwrap_or(&Value::Null);
        let text = |value: &Value, field: &str| {
            let text = value.get(field).and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let flag = |field: &str| log.get(field).and_then(Value::as_bool).unwrap_or(false);
        Sessions {
            kms_key: text(configuration, "kmsKeyId"),
            logging: text(configuration, "logging").unwrap_or_else(|| Sessions::default().logging),
            log_group: text(log, "cloudWatchLogGroupName"),
            log_group_encryption: flag("cloudWatchEncryptionEnabled"),
            s3_bucket: text(log, "s3BucketName"),
            s3_prefix: text(log, "s3KeyPrefix"),
            s3_encryption: flag("s3EncryptionEnabled"),
        }
    }

    /// All fields as `executeCommandConfiguration`, because ECS replaces all of them.
    pub(crate) fn to_ecs(&self) -> Value {
        let mut configuration = json!({"logging": self.logging});
        if let Some(key) = &self.kms_key {
            configuration["kmsKeyId"] = key.as_str().into();
        }
        let places = [
            ("cloudWatchLogGroupName", &self.log_group),
            ("s3BucketName", &self.s3_bucket),
            ("s3KeyPrefix", &self.s3_prefix),
        ];
        let is_encrypted = self.log_group_encryption || self.s3_encryption;
        if is_encrypted || places.iter().any(|(_, place)| place.is_some()) {
            let mut log = json!({
                "cloudWatchEncryptionEnabled": self.log_group_encryption,
                "s3EncryptionEnabled": self.s3_encryption,
            });
            for (field, place) in places {
                if let Some(place) = place {
                    log[field] = place.as_str().into();
                }
            }
            configuration["logConfiguration"] = log;
        }
        configuration
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
            assert_eq!(Sessions::from_ecs(&desired.to_ecs()), desired);
        }
        assert_eq!(Sessions::new(&table()).logging, "OVERRIDE");
    }

    #[test]
    fn ecss_defaults_are_no_difference() {
        let desired = Sessions::new(&ExecuteCommand::default());
        for observed in [Value::Null, json!({"kmsKeyId": ""})] {
            assert_eq!(desired.changes(&Sessions::from_ecs(&observed)), []);
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
        assert_eq!(silent.to_ecs().get("logConfiguration"), None);
    }
}
