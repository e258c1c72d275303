//! The commands that the hints of `run` name, ready to be pasted. No I/O.

use crate::command::CommonArgs;
use crate::commands::{option, quoted};

/// How commands have to be written to mean the place of this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ByHand {
    /// The options of this run that say where, each with a space before it.
    place: String,
    /// The same for the aws CLI, which reads no `ops.toml`.
    aws: String,
    cluster: String,
}

impl ByHand {
    /// Those of a run with `args`, in `region`.
    pub(super) fn of(args: &CommonArgs, region: &str, cluster: &str) -> Self {
        let config = args.config.config.as_ref();
        let config = config.map(|path| path.to_string_lossy().into_owned());
        let profile = option("--profile", args.aws.profile.as_deref());
        let given = option("--region", args.aws.region.as_deref());
        ByHand {
            place: option("--config", config.as_deref()) + &given + &profile,
            aws: option("--region", Some(region)) + &profile,
            cluster: quoted(cluster),
        }
    }

    /// That a task goes on, how to follow it, and how to stop it.
    pub(super) fn hint(&self, task: &str) -> String {
        format!(
            "follow it with `deploy-service logs -f{}`, stop it with `{}`",
            self.place,
            self.stop(task)
        )
    }

    pub(super) fn stop(&self, task: &str) -> String {
        let ByHand { cluster, aws, .. } = self;
        format!("aws ecs stop-task --cluster {cluster} --task {task}{aws}")
    }

    /// Shows the tasks that were started by `run`.
    pub(super) fn list(&self, started_by: &str) -> String {
        let ByHand { cluster, aws, .. } = self;
        format!("aws ecs list-tasks --cluster {cluster} --started-by {started_by}{aws}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Args, Command};
    use clap::Parser;

    #[test]
    fn a_hint_means_this_place_in_any_shell() {
        let hint = |line: &[&str]| {
            let args = Args::try_parse_from([&["t", "run"], line, &["--", "x"]].concat()).unwrap();
            let Some(Command::Run(run)) = args.command else {
                panic!("not run")
            };
            ByHand::of(&run.common, "us-east-1", "apps").hint("0123")
        };
        assert_eq!(
            hint(&[]),
            "follow it with `deploy-service logs -f`, \
             stop it with `aws ecs stop-task --cluster apps --task 0123 --region us-east-1`"
        );
        assert_eq!(
            hint(&[
                "--region",
                "us-east-1",
                "--profile",
                "it's mine",
                "--config",
                "../a b/ops.toml"
            ]),
            r"follow it with `deploy-service logs -f --config '../a b/ops.toml' --region us-east-1 --profile 'it'\''s mine'`, stop it with `aws ecs stop-task --cluster apps --task 0123 --region us-east-1 --profile 'it'\''s mine'`"
        );
    }
}
