//! `[log_group]`

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;

/// `[log_group]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogGroup {
    /// The group's name.
    pub name: String,
    /// How long events are kept; absent leaves it as it is.
    pub retention_days: Option<Retention>,
    /// The ARN of the KMS key that encrypts the group, or `none`; absent leaves it as it is.
    pub kms_key: Option<String>,
    /// The log class, set only at creation; absent means STANDARD.
    pub class: Option<LogClass>,
    /// Whether CloudWatch refuses to delete the group; absent leaves it as it is.
    pub deletion_protection: Option<bool>,
}

/// The numbers of days that CloudWatch Logs accepts (PutRetentionPolicy, `retentionInDays`).
pub const RETENTION_DAYS: [u16; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/// How long events are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// They are deleted after so many days, one of [`RETENTION_DAYS`].
    Days(u16),
    /// `"never"`: they are not deleted.
    Never,
}

impl<'de> Deserialize<'de> for Retention {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DaysOrNever)
    }
}

struct DaysOrNever;

impl Visitor<'_> for DaysOrNever {
    type Value = Retention;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let days = RETENTION_DAYS.map(|days| days.to_string()).join(", ");
        write!(formatter, "`retention_days` as one of {days}, or \"never\"")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Retention, E> {
        let days = u16::try_from(number)
            .ok()
            .filter(|days| RETENTION_DAYS.contains(days));
        days.map(Retention::Days).ok_or_else(|| {
            E::custom(format_args!(
                "CloudWatch Logs has no retention of {number} days, expected {}",
                Shown(&self)
            ))
        })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Retention, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Retention, E> {
        if word == "never" {
            Ok(Retention::Never)
        } else {
            Err(E::custom(format_args!(
                "a text that is not \"never\", expected {}",
                Shown(&self)
            )))
        }
    }
}

/// What a visitor expects, as text.
struct Shown<'a>(&'a DaysOrNever);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        self.0.expecting(formatter)
    }
}

/// The classes of log groups.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum LogClass {
    /// Every feature.
    #[serde(rename = "STANDARD")]
    Standard,
    /// Fewer features for less money.
    #[serde(rename = "INFREQUENT_ACCESS")]
    InfrequentAccess,
    /// Delivery of Lambda logs to S3 or Firehose; kept for a day.
    #[serde(rename = "DELIVERY")]
    Delivery,
}

impl LogClass {
    /// The value in the CloudWatch Logs API.
    pub fn as_str(self) -> &'static str {
        match self {
            LogClass::Standard => "STANDARD",
            LogClass::InfrequentAccess => "INFREQUENT_ACCESS",
            LogClass::Delivery => "DELIVERY",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::path::Path;

    fn parse(line: &str) -> Result<LogGroup, String> {
        let text = format!("version = 1\napp = {{ name = \"x\" }}\n[log_group]\nname = \"x\"\n{line}\n");
        let config = Config::parse(Path::new("ops.toml"), &text).map_err(|error| format!("{error:#}"))?;
        config.schema.log_group.ok_or_else(|| "no table".into())
    }

    #[test]
    fn takes_the_days_of_cloudwatch_and_never() {
        for days in RETENTION_DAYS {
            let group = parse(&format!("retention_days = {days}")).unwrap();
            assert_eq!(group.retention_days, Some(Retention::Days(days)));
        }
        assert_eq!(
            parse("retention_days = \"never\"").unwrap().retention_days,
            Some(Retention::Never)
        );
        assert_eq!(parse("").unwrap().retention_days, None);
    }

    #[test]
    fn says_what_it_takes_where_it_stands() {
        let expected = "expected `retention_days` as one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, \
                        731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, or \"never\"";
        for (value, words) in [
            ("2", "CloudWatch Logs has no retention of 2 days, "),
            ("0", "CloudWatch Logs has no retention of 0 days, "),
            ("-1", "CloudWatch Logs has no retention of -1 days, "),
            (
                "99999999999",
                "CloudWatch Logs has no retention of 99999999999 days, ",
            ),
            ("\"Never\"", "a text that is not \"never\", "),
            ("\"1\"", "a text that is not \"never\", "),
            ("1.5", "invalid type: floating point, "),
            ("true", "invalid type: boolean, "),
        ] {
            assert_eq!(
                parse(&format!("retention_days = {value}")).unwrap_err(),
                format!("failed to read config file `ops.toml:5:18`: {words}{expected}"),
                "{value}"
            );
        }
        assert_eq!(
            parse("class = \"STANDRAD\"").unwrap_err(),
            "failed to read config file `ops.toml:5:9`: unknown variant, expected one of `STANDARD`, \
             `INFREQUENT_ACCESS`, `DELIVERY`"
        );
    }
}
