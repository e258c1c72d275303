//! A clone whose steps are stand-ins.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use support::{Output, Tool, executable, root};
use tempfile::TempDir;

/// A clone in which every step notes its name and its words in `calls`.
pub(super) struct Clone {
    pub(super) folder: TempDir,
}

pub(super) const ACCOUNT: &str = "123456789012";
pub(super) const REVISION: &str = "arn:aws:ecs:us-east-1:123456789012:task-definition/backend-flask:7";
pub(super) const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/backend-flask@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

impl Clone {
    pub(super) fn new() -> Self {
        let clone = Clone {
            folder: TempDir::new().unwrap(),
        };
        for path in [
            "scripts/build",
            "scripts/demo",
            "scripts/deploy",
            "scripts/journey",
            "scripts/status",
            "ops.toml",
            "scripts/lib/parameters.sh",
            "scripts/lib/images.sh",
            "scripts/lib/messages.sh",
            "scripts/lib/rows.sh",
            "scripts/lib/steps.sh",
            "scripts/lib/toml.sh",
        ] {
            executable(
                &clone.folder.path().join(path),
                &fs::read_to_string(root().join(path)).unwrap(),
            );
        }
        clone.step("scripts/install-deps", "");
        clone.step("scripts/dist", "");
        let binaries = clone.folder.path().join("binaries");
        fs::create_dir(&binaries).unwrap();
        clone.step("scripts/run", &format!("echo '{}'", binaries.display()));
        clone.step("scripts/base-image", "echo 'stand-in:1 there'");
        clone.step("fake/cargo", "echo '   Compiling it' >&2");
        clone.sandbox("");
        clone.step(
            "fake/aws",
            "case $* in *list-tasks*) echo arn:1 ;; *describe-task-definition*) echo 4567 ;; *describe-tasks*) printf 'HEALTHY\\tc0ffee\\t172.17.0.9\\n' ;;\n\
             *) echo \"${FAKE_ACCOUNT:-123456789012}\" ;; esac",
        );
        clone.step(
            "fake/docker",
            "case $1 in exec) echo 'Connection successful!' ;; esac",
        );
        for (tool, item) in [
            (
                "logs/create-log-group",
                r#"{"kind":"log-group","name":"cruddur"}"#,
            ),
            ("ecs/create-cluster", r#"{"kind":"cluster","name":"cruddur"}"#),
            (
                "iam/create-roles",
                r#"{"kind":"role","name":"A"},{"kind":"role","name":"B"}"#,
            ),
            (
                "ecr/create-repository",
                r#"{"kind":"repository","name":"a"},{"kind":"repository","name":"b"}"#,
            ),
            ("ecr/login", r#"{"kind":"registry","name":"registry"}"#),
            ("ssm/put-params", r#"{"kind":"parameter","name":"/a/B"}"#),
            (
                "ecs/register-task-definition",
                &format!(r#"{{"kind":"task-definition","name":"backend-flask","arn":"{REVISION}"}}"#),
            ),
        ] {
            clone.step(&format!("bin/{tool}"), &document("changed", item));
        }
        let pushed = document(
            "changed",
            &format!(r#"{{"kind":"image","name":"x","uri":"{IMAGE}"}}"#),
        );
        clone.step(
            "bin/ecr/push-image",
            &format!(
                "case $* in *--dry-run*) echo 'backend-flask:latest would be pushed' ;; *) {pushed} ;; esac"
            ),
        );
        let service = document(
            "changed",
            r#"{"kind":"service","name":"backend-flask","arn":"arn:s"}"#,
        );
        let health = document("ok", r#"{"kind":"service","name":"backend-flask","arn":"arn:s"}"#);
        clone.step(
            "bin/ecs/deploy-service",
            &format!(
                "case $1 in run) echo 'Connection successful!' ;; status) {health} ;; *) {service} ;; esac"
            ),
        );
        clone.step("bin/db/test", "echo 'Connection successful!'");
        clone.step("bin/health-check", "echo 'Flask server is running'");
        clone
    }

    /// A stand-in that does `then`, where `$*` are its words. One for a launcher is the binary of that name as well.
    pub(super) fn step(&self, path: &str, then: &str) {
        let folder = self.folder.path();
        let stand_in = folder.join(path);
        executable(
            &stand_in,
            &format!(
                "#!/bin/sh\necho \"{path} $*\" >>'{}/calls'\n{then}\n",
                folder.display()
            ),
        );
        if let Some(launched) = path.strip_prefix("bin/") {
            let binary = folder
                .join("binaries")
                .join(Path::new(launched).file_name().unwrap());
            if !binary.exists() {
                symlink(stand_in, binary).unwrap();
            }
        }
    }

    pub(super) fn sandbox(&self, then: &str) {
        let environment = "export OPS_SANDBOX=us-east-1 AWS_REGION=us-east-1 AWS_ACCOUNT_ID=123456789012 AWS_ENDPOINT_URL=http://127.0.0.1:4566 PROD_CONNECTION_URL=postgresql://u@h/d";
        let text = format!(
            "case $1 in up) echo 'the sandbox in us-east-1 is up' ;; env) echo '{environment}' ;; esac\n{then}"
        );
        self.step("scripts/sandbox", &text);
    }

    pub(super) fn script(&self, name: &str) -> Tool {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().join("fake").display());
        Tool::new(self.folder.path().join("scripts").join(name)).env("PATH", path)
    }

    /// `scripts/status` in it.
    pub(super) fn status(&self) -> Tool {
        self.script("status")
    }

    pub(super) fn demo(&self) -> Tool {
        self.script("demo")
    }

    pub(super) fn deploy(&self) -> Tool {
        let tool = self.script("deploy").env("AWS_REGION", "us-east-1");
        tool.env("PROD_CONNECTION_URL", "postgresql://u@h/d")
    }

    pub(super) fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// The calls of launchers that are no dry run: what would have changed something.
    pub(super) fn writes(&self) -> Vec<String> {
        let mut calls = self.calls();
        calls.retain(|call| call.starts_with("bin/") && !call.contains("--dry-run"));
        calls
    }
}

/// A stand-in's answer: the document of a tool.
pub(super) fn document(outcome: &str, items: &str) -> String {
    format!(
        "echo '{{\"schema\":1,\"tool\":\"t\",\"outcome\":\"{outcome}\",\"items\":[{items}],\"account\":\"{ACCOUNT}\",\
         \"region\":\"us-east-1\",\"identity\":\"arn:aws:iam::{ACCOUNT}:user/ada\",\"cluster\":\"cruddur\"}}'"
    )
}

/// The lines of the steps.
pub(super) fn rows(output: &Output) -> Vec<&str> {
    output
        .stderr
        .lines()
        .filter(|line| line.starts_with('['))
        .collect()
}
