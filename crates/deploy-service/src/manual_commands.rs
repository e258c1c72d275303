//! The commands that hints contain, ready to be pasted. No I/O.

use crate::args::ServiceArgs;
use crate::desired::Names;

/// The options that make a command mean the service of this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ManualCommands {
    /// `--config`, `--region` and `--profile` as this run has them, each with a space before it.
    options: String,
    /// The same for the aws CLI, which does not read `ops.toml`.
    aws_options: String,
    cluster: String,
    service: String,
    /// Whether a destructive command can ask; otherwise it requires `--yes`.
    can_ask: bool,
}

/// A deployment in progress, as far as commands that follow and stop it need it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DeploymentRef<'a> {
    /// The revision that is deployed.
    pub(crate) desired: &'a str,
    /// The revision that a rollback replaces; `None` for the main job.
    pub(crate) rolled_back_from: Option<&'a str>,
    /// The last revision whose deployment completed.
    pub(crate) last_good: Option<&'a str>,
    /// The ARN of this deployment in the history of ECS, once it is known.
    pub(crate) arn: Option<&'a str>,
}

impl ManualCommands {
    /// For a run with `args` in `region`.
    pub(crate) fn new(args: &ServiceArgs, region: &str, names: &Names, can_ask: bool) -> Self {
        let config = args.common.config.config.as_ref();
        let config = config.map(|path| path.to_string_lossy().into_owned());
        let profile = option("--profile", args.common.aws.profile.as_deref());
        let given = option("--region", args.common.aws.region.as_deref());
        ManualCommands {
            options: option("--config", config.as_deref()) + &given + &profile,
            aws_options: option("--region", Some(region)) + &profile,
            cluster: quoted(&names.cluster),
            service: quoted(&names.service),
            can_ask,
        }
    }

    pub(crate) fn deploy(&self, task_definition: &str) -> String {
        let task_definition = quoted(task_definition);
        format!(
            "deploy-service --task-definition {task_definition}{}",
            self.options
        )
    }

    pub(crate) fn status(&self) -> String {
        format!("deploy-service status{}", self.options)
    }

    /// Deletes the service, so that another one of its name can be created.
    pub(crate) fn delete(&self) -> String {
        let ManualCommands {
            cluster,
            service,
            aws_options,
            ..
        } = self;
        format!("aws ecs delete-service --cluster {cluster} --service {service} --force{aws_options}")
    }

    pub(crate) fn logs(&self) -> String {
        format!("deploy-service logs --since 1h{}", self.options)
    }

    /// How to follow the deployment, how to look at it, and how to stop it.
    pub(crate) fn hint(&self, deployment: &DeploymentRef<'_>) -> String {
        let desired = deployment.desired;
        let follow = match deployment.rolled_back_from {
            None => self.deploy(desired),
            // Waits while this revision is being deployed, and asks before it changes anything. The main job would
            // also apply what else differs from the file.
            Some(_) => format!(
                "deploy-service rollback --task-definition {}{}",
                quoted(desired),
                self.options
            ),
        };
        let mut hint = format!("follow it with `{follow}`, look at it with `{}`", self.status());
        if let Some(stop) = self.stop(deployment) {
            hint += &format!(", stop it with `{stop}`");
        }
        hint
    }

    /// Replaces the deployment by another one, which stops it.
    fn stop(&self, deployment: &DeploymentRef<'_>) -> Option<String> {
        let ManualCommands {
            options,
            aws_options,
            cluster,
            service,
            can_ask,
        } = self;
        let others = [deployment.rolled_back_from, deployment.last_good];
        let mut others = others.into_iter().flatten();
        if let Some(other) = others.find(|other| *other != deployment.desired) {
            let yes = if *can_ask { "" } else { " --yes" };
            let other = quoted(other);
            return Some(format!(
                "deploy-service rollback --task-definition {other}{yes}{options}"
            ));
        }
        if deployment.last_good.is_none() {
            return Some(format!(
                "aws ecs update-service --cluster {cluster} --service {service} --desired-count 0{aws_options}"
            ));
        }
        // Another deployment of the same revision: only ECS itself can tell the two apart.
        let arn = quoted(deployment.arn?);
        Some(format!(
            "aws ecs stop-service-deployment --service-deployment-arn {arn}{aws_options}"
        ))
    }

    /// How to follow a task of `run`, and how to stop it.
    pub(crate) fn task_hint(&self, task: &str) -> String {
        format!(
            "follow it with `deploy-service logs -f{}`, stop it with `{}`",
            self.options,
            self.stop_task(task)
        )
    }

    pub(crate) fn stop_task(&self, task: &str) -> String {
        let ManualCommands {
            cluster, aws_options, ..
        } = self;
        format!("aws ecs stop-task --cluster {cluster} --task {task}{aws_options}")
    }

    /// Lists the tasks that `run` started.
    pub(crate) fn list_tasks(&self, started_by: &str) -> String {
        let ManualCommands {
            cluster, aws_options, ..
        } = self;
        format!("aws ecs list-tasks --cluster {cluster} --started-by {started_by}{aws_options}")
    }
}

/// The option with a space before it; nothing without a value.
fn option(name: &str, value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| format!(" {name} {}", quoted(value)))
}

/// One word of a shell's command line.
fn quoted(word: &str) -> String {
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
    use crate::args::Args;
    use clap::Parser;

    fn commands(line: &[&str], can_ask: bool) -> ManualCommands {
        let args = Args::try_parse_from([&["t"], line].concat()).unwrap();
        let names = Names {
            cluster: "apps".into(),
            service: "web".into(),
            task_definition: "web".into(),
        };
        ManualCommands::new(args.service(), "us-east-1", &names, can_ask)
    }

    #[test]
    fn a_hint_names_this_deployment_and_this_place() {
        let deployment = DeploymentRef {
            desired: "web:2",
            last_good: Some("web:1"),
            ..DeploymentRef::default()
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
                commands(line, false).hint(&deployment),
                format!(
                    "follow it with `deploy-service --task-definition web:2{place}`, \
                     look at it with `deploy-service status{place}`, \
                     stop it with `deploy-service rollback --task-definition web:1 --yes{place}`"
                )
            );
        }
        // On a terminal the command asks.
        let hint = commands(&[], true).hint(&deployment);
        assert!(
            hint.ends_with("`deploy-service rollback --task-definition web:1`"),
            "{hint}"
        );
    }

    #[test]
    fn a_rollback_is_followed_and_stopped_as_one() {
        let commands = commands(&["rollback", "--profile", "p"], false);
        for (from, last_good) in [
            // From a revision that had completed, from one in progress, and a second run that only waits.
            ("web:2", "web:2"),
            ("web:2", "web:1"),
            ("web:1", "web:2"),
        ] {
            let deployment = DeploymentRef {
                desired: "web:1",
                rolled_back_from: Some(from),
                last_good: Some(last_good),
                arn: None,
            };
            assert_eq!(
                commands.hint(&deployment),
                "follow it with `deploy-service rollback --task-definition web:1 --profile p`, \
                 look at it with `deploy-service status --profile p`, \
                 stop it with `deploy-service rollback --task-definition web:2 --yes --profile p`"
            );
        }
    }

    #[test]
    fn without_another_revision_ecs_itself_stops_it() {
        let commands = commands(&["--profile", "p"], false);
        let stop = |last_good, arn| {
            commands.stop(&DeploymentRef {
                desired: "web:2",
                rolled_back_from: None,
                last_good,
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
    fn the_hint_for_a_task_means_this_place_in_any_shell() {
        for (line, expected) in [
            (
                &["run", "--", "x"][..],
                "follow it with `deploy-service logs -f`, \
                 stop it with `aws ecs stop-task --cluster apps --task 0123 --region us-east-1`",
            ),
            (
                &[
                    "run",
                    "--region",
                    "us-east-1",
                    "--profile",
                    "it's mine",
                    "--config",
                    "../a b/ops.toml",
                    "--",
                    "x",
                ],
                r"follow it with `deploy-service logs -f --config '../a b/ops.toml' --region us-east-1 --profile 'it'\''s mine'`, stop it with `aws ecs stop-task --cluster apps --task 0123 --region us-east-1 --profile 'it'\''s mine'`",
            ),
        ] {
            assert_eq!(commands(line, false).task_hint("0123"), expected);
        }
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
