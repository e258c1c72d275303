//! The commands that hints name, ready to be pasted. No I/O.

use crate::command::CommonArgs;

/// How commands have to be written to mean the service of this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commands {
    /// The options of this run that say where, each with a space before it.
    place: String,
    /// The same for the aws CLI, which reads no `ops.toml`.
    aws: String,
    cluster: String,
    service: String,
    /// Whether a command that destroys would ask; elsewhere it wants `--yes`.
    asks: bool,
}

/// A deployment that goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Course<'a> {
    /// The revision that is deployed.
    pub(crate) desired: &'a str,
    /// The revision that a rollback leaves; `None` for the main job.
    pub(crate) leaves: Option<&'a str>,
    /// The revision that ran well before.
    pub(crate) before: Option<&'a str>,
    /// The ARN that ECS gives this deployment in its history, as far as it is known.
    pub(crate) arn: Option<&'a str>,
}

impl Commands {
    /// Those of a run with `args`, in `region`.
    pub(crate) fn of(args: &CommonArgs, region: &str, cluster: &str, service: &str, asks: bool) -> Self {
        let config = args.config.config.as_ref();
        let config = config.map(|path| path.to_string_lossy().into_owned());
        let profile = option("--profile", args.aws.profile.as_deref());
        let given = option("--region", args.aws.region.as_deref());
        Commands {
            place: option("--config", config.as_deref()) + &given + &profile,
            aws: option("--region", Some(region)) + &profile,
            cluster: quoted(cluster),
            service: quoted(service),
            asks,
        }
    }

    pub(crate) fn deploy(&self, task_definition: &str) -> String {
        let task_definition = quoted(task_definition);
        format!("deploy-service --task-definition {task_definition}{}", self.place)
    }

    pub(crate) fn status(&self) -> String {
        format!("deploy-service status{}", self.place)
    }

    /// What makes room for another service of this name.
    pub(crate) fn delete(&self) -> String {
        let Commands {
            cluster,
            service,
            aws,
            ..
        } = self;
        format!("aws ecs delete-service --cluster {cluster} --service {service} --force{aws}")
    }

    pub(crate) fn logs(&self) -> String {
        format!("deploy-service logs --since 1h{}", self.place)
    }

    /// How to follow the deployment, how to look at it, and how to stop it.
    pub(crate) fn hint(&self, course: &Course<'_>) -> String {
        let place = &self.place;
        let follow = match course.leaves {
            None => self.deploy(course.desired),
            // Waits while this is what is deployed, and asks before it changes anything. The main job would also
            // bring what else differs from the file.
            Some(_) => format!(
                "deploy-service rollback --task-definition {}{place}",
                quoted(course.desired)
            ),
        };
        let mut hint = format!("follow it with `{follow}`, look at it with `{}`", self.status());
        if let Some(stop) = self.stop(course) {
            hint += &format!(", stop it with `{stop}`");
        }
        hint
    }

    /// What stops a deployment: another one in its place.
    fn stop(&self, course: &Course<'_>) -> Option<String> {
        let Commands {
            place,
            aws,
            cluster,
            service,
            asks,
        } = self;
        let others = [course.leaves, course.before].into_iter().flatten();
        if let Some(other) = others.into_iter().find(|other| *other != course.desired) {
            let yes = if *asks { "" } else { " --yes" };
            let other = quoted(other);
            return Some(format!(
                "deploy-service rollback --task-definition {other}{yes}{place}"
            ));
        }
        if course.before.is_none() {
            return Some(format!(
                "aws ecs update-service --cluster {cluster} --service {service} --desired-count 0{aws}"
            ));
        }
        // Another deployment of the same revision: ECS alone can tell the two apart.
        let arn = quoted(course.arn?);
        Some(format!(
            "aws ecs stop-service-deployment --service-deployment-arn {arn}{aws}"
        ))
    }
}

/// The option with a space before it; nothing without a value.
pub(crate) fn option(name: &str, value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| format!(" {name} {}", quoted(value)))
}

/// One word of a shell's command line.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Args, Command};
    use clap::Parser;

    fn commands(line: &[&str], asks: bool) -> Commands {
        let args = Args::try_parse_from([&["t"], line].concat()).unwrap();
        let common = match &args.command {
            Some(Command::Rollback(rollback)) => &rollback.common,
            _ => &args.deploy.common,
        };
        Commands::of(common, "us-east-1", "apps", "web", asks)
    }

    #[test]
    fn a_hint_names_this_deployment_and_this_place() {
        let course = Course {
            desired: "web:2",
            before: Some("web:1"),
            ..Course::default()
        };
        for (line, place) in [
            (&[][..], ""),
            (&["--region", "eu-west-1"], " --region eu-west-1"),
            (
                &["--profile", "it's mine", "--config", "../my apps/ops.toml"],
                r" --config '../my apps/ops.toml' --profile 'it'\''s mine'",
            ),
        ] {
            assert_eq!(
                commands(line, false).hint(&course),
                format!(
                    "follow it with `deploy-service --task-definition web:2{place}`, \
                     look at it with `deploy-service status{place}`, \
                     stop it with `deploy-service rollback --task-definition web:1 --yes{place}`"
                )
            );
        }
        // Somebody at a terminal is asked.
        let hint = commands(&[], true).hint(&course);
        assert!(
            hint.ends_with("`deploy-service rollback --task-definition web:1`"),
            "{hint}"
        );
    }

    #[test]
    fn a_rollback_is_followed_and_stopped_as_one() {
        let commands = commands(&["rollback", "--profile", "p"], false);
        for (leaves, before) in [
            // From a revision that ran well, from one whose deployment went on, and a second run that only waits.
            ("web:2", "web:2"),
            ("web:2", "web:1"),
            ("web:1", "web:2"),
        ] {
            let course = Course {
                desired: "web:1",
                leaves: Some(leaves),
                before: Some(before),
                arn: None,
            };
            assert_eq!(
                commands.hint(&course),
                "follow it with `deploy-service rollback --task-definition web:1 --profile p`, \
                 look at it with `deploy-service status --profile p`, \
                 stop it with `deploy-service rollback --task-definition web:2 --yes --profile p`"
            );
        }
    }

    #[test]
    fn without_another_revision_ecs_itself_stops_it() {
        let commands = commands(&["--profile", "p"], false);
        let stop = |before, arn| {
            commands.stop(&Course {
                desired: "web:2",
                leaves: None,
                before,
                arn,
            })
        };
        assert_eq!(
            stop(None, Some("arn:x")).as_deref(),
            Some(
                "aws ecs update-service --cluster apps --service web --desired-count 0 --region us-east-1 --profile p"
            )
        );
        assert_eq!(
            stop(Some("web:2"), Some("arn:x")).as_deref(),
            Some(
                "aws ecs stop-service-deployment --service-deployment-arn arn:x --region us-east-1 --profile p"
            )
        );
        assert_eq!(stop(Some("web:2"), None), None);
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_read_more_into_them() {
        for (word, expected) in [
            ("web:2", "web:2"),
            (
                "arn:aws:ecs:us-east-1:123456789012:cluster/apps",
                "arn:aws:ecs:us-east-1:123456789012:cluster/apps",
            ),
            ("", "''"),
            ("a b", "'a b'"),
            ("$HOME", "'$HOME'"),
            ("~/x", "'~/x'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
