//! The sandbox that the gate has started: emulator, registry, PostgreSQL and the Docker engine.

use crate::tool::{self, Tool};
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The environment that points a process at the sandbox.
#[derive(Debug)]
pub struct Sandbox {
    environment: BTreeMap<String, String>,
}

/// The sandbox of this run.
///
/// # Panics
/// When it does not run: a test is never skipped.
pub fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Result<Sandbox, String>> = OnceLock::new();
    let sandbox = SANDBOX.get_or_init(find);
    sandbox.as_ref().unwrap_or_else(|message| {
        panic!(
            "no sandbox for this test: {message}\n\
             `make test` starts one; by hand: `scripts/sandbox --region us-west-2 up`, \
             then run the tests with OPS_TEST_SANDBOX=us-west-2"
        )
    })
}

/// The variables with the paths of this machine.
const PLACES: [&str; 5] = ["DOCKER_HOST", "HOME", "PATH", "TMPDIR", "XDG_CACHE_HOME"];

fn find() -> Result<Sandbox, String> {
    let region = std::env::var("OPS_TEST_SANDBOX").map_err(|_| "OPS_TEST_SANDBOX is not set".to_owned())?;
    let places = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        PLACES.contains(&name.as_ref()) || name.starts_with("OPS_")
    });
    // A shell reads what is written for shells.
    let script = r#"set -e; environment=$("$1" --region "$2" env); eval "$environment"; exec env -0"#;
    let output = Command::new("bash")
        .args(["-c", script, "bash"])
        .arg(crate::root().join("scripts/sandbox"))
        .arg(&region)
        .env_clear()
        .envs(places)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("failed to start bash: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("`scripts/sandbox --region {region} env` failed: {words}"));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let shell = ["HOME", "OLDPWD", "PWD", "SHLVL", "TMPDIR", "XDG_CACHE_HOME", "_"];
    let environment = text
        .split('\0')
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| !shell.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Ok(Sandbox { environment })
}

impl Sandbox {
    /// A variable of its environment.
    ///
    /// # Panics
    /// When the sandbox does not set it.
    pub fn get(&self, name: &str) -> &str {
        let value = self.environment.get(name);
        value.unwrap_or_else(|| panic!("the sandbox's environment has no `{name}`"))
    }

    /// A tool of the workspace in the sandbox, with a `DOCKER_CONFIG` of its own.
    pub fn tool(&self, name: &str) -> Tool {
        self.point(tool::tool(name))
    }

    /// One of `bin/` in the sandbox.
    pub fn launcher(&self, path: &str) -> Tool {
        self.point(tool::launcher(path))
    }

    /// Another client in the sandbox: `aws`, `docker`, `psql`, `skopeo`.
    pub fn program(&self, name: &str) -> Tool {
        self.point(tool::program(name))
    }

    /// `tool` in the sandbox. It keeps its own `DOCKER_CONFIG`, so that tests don't sign each other in.
    #[must_use]
    pub fn point(&self, tool: Tool) -> Tool {
        let environment = self.environment.iter();
        tool.envs(environment.filter(|(name, _)| *name != "DOCKER_CONFIG"))
    }

    /// A name that no other test and no other run uses: `e2e-login-41-0`.
    pub fn unique(&self, stem: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        format!(
            "e2e-{stem}-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        )
    }
}
