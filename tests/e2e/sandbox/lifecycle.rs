//! Start, failures, restart, stop and removal, in a clone and a region of the test's own.

use super::{gate, here, region};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use support::sandbox::sandbox;
use support::{Output, Tool, root, wait_for};
use tempfile::TempDir;

/// Stores a parameter and a layer in the emulator, and prints a password of the registry.
const KEEP: &str = r#"
aws ssm put-parameter --name /kept --type SecureString --value the-secret-value >/dev/null
aws ecr create-repository --repository-name kept >/dev/null
password=$(aws ecr get-login-password)
upload="http://$ECR_REGISTRY/v2/kept/blobs/uploads/?digest=sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
curl --silent --fail --user "AWS:$password" --request POST --data-binary '{}' "$upload"
printf %s "$password"
"#;

/// Prints what `KEEP` stored.
const KEPT: &str = r#"
aws ssm get-parameter --name /kept --with-decryption --query Parameter.Value --output text
blob="http://$ECR_REGISTRY/v2/kept/blobs/sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
curl --silent --fail --user "AWS:$password" "$blob"
"#;

/// A clone with nothing but the scripts. It is cleaned when it goes.
struct Clone {
    folder: TempDir,
    region: &'static str,
}

impl Clone {
    fn new(region: &'static str) -> Self {
        let folder = TempDir::new().unwrap();
        let copied = Command::new("cp")
            .arg("-r")
            .args([root().join("scripts"), root().join("ops.toml")])
            .arg(folder.path())
            .status();
        assert!(copied.unwrap().success());
        Clone { folder, region }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn tool(&self, words: &[&str]) -> Tool {
        here(Tool::new(self.path().join("scripts/sandbox")))
            .args(["--region", self.region])
            .args(words)
            .limit(Duration::from_secs(60))
    }

    fn run(&self, words: &[&str]) -> Output {
        self.tool(words).run()
    }

    fn state(&self, file: &str) -> PathBuf {
        self.path().join(".sandbox").join(self.region).join(file)
    }

    /// The process of a part, from its record.
    fn process(&self, part: &str) -> Pid {
        let record = fs::read_to_string(self.state(&format!("{part}.pid"))).unwrap();
        let pid = record.split(' ').next().unwrap().parse().unwrap();
        Pid::from_raw(pid).unwrap()
    }

    fn kill(&self, part: &str) {
        let process = self.process(part);
        kill_process(process, Signal::KILL).unwrap();
        let stat = format!("/proc/{}/stat", process.as_raw_nonzero());
        // A zombie counts as ended.
        let dead = || fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
        wait_for("a killed process", || dead().then_some(()));
    }

    /// Processes with this clone, or its data, in their arguments.
    fn processes(&self) -> Vec<String> {
        let homes: Vec<PathBuf> = ["/var/lib/cruddur-ops", "/var/tmp"]
            .iter()
            .flat_map(fs::read_dir)
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .flat_map(|path| {
                let inner = fs::read_dir(&path).into_iter().flatten();
                let inner = inner.filter_map(|entry| Some(entry.ok()?.path()));
                inner.chain([path.clone()]).collect::<Vec<_>>()
            })
            .filter(|home| {
                fs::read_to_string(home.join("clone"))
                    .is_ok_and(|clone| clone.trim() == self.path().to_str().unwrap())
            })
            .collect();
        let mut names = vec![self.path().join("scripts/lib/emulator.py").display().to_string()];
        names.extend(homes.iter().map(|home| home.join("data").display().to_string()));
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let Ok(arguments) = fs::read(entry.path().join("cmdline")) else {
                continue;
            };
            let text = String::from_utf8_lossy(&arguments).replace('\0', " ");
            if names.iter().any(|name| text.split(' ').any(|word| word == name)) {
                found.push(text);
            }
        }
        found
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        let _ = self.tool(&["clean"]).command().output();
    }
}

#[test]
fn another_clone_is_refused_in_a_region_that_is_taken() {
    sandbox();
    let region: &'static str = Box::leak(region().into_boxed_str());
    let clone = Clone::new(region);
    let output = clone.run(&["up"]).exits(2);
    output
        .says(&format!(
            "sandbox: error: another sandbox runs in {region}: process "
        ))
        .says(&format!(
            "of the clone {}\n",
            root().canonicalize().unwrap().display()
        ))
        .says("or choose another region with --region");
    assert!(!clone.state("values").exists());
    // `down` and `clean` leave the sandbox of another clone running.
    for words in [&["down"][..], &["clean"]] {
        clone.run(words).exits(0).says(" it stays");
    }
    gate(&["status"]).run().exits(0);
}

#[test]
fn up_restarts_what_was_killed_and_clean_removes_everything() {
    sandbox();
    let clone = Clone::new("eu-north-1");
    let up = || {
        let output = clone.run(&["up"]).exits(0);
        assert!(
            output.stdout.starts_with("the sandbox in eu-north-1 is up: "),
            "{}",
            output.transcript()
        );
        clone.run(&["status"]).exits(0);
        output
    };
    let half = |missing: &str| {
        let status = clone.run(&["status"]).exits(1);
        let first = status.stdout.lines().next().unwrap();
        assert!(
            first.contains("is partly up") && first.contains(missing),
            "{}",
            status.transcript()
        );
        clone.run(&["env"]).exits(2).says(missing).prints("");
    };
    let ask = |query: &str| {
        let shell = r#"psql "$CONNECTION_URL" --no-psqlrc -qAtc "$1""#;
        clone
            .run(&["run", "--", "sh", "-c", shell, "sh", query])
            .exits(0)
            .stdout
    };

    // An interrupted start leaves no process.
    for wait in [300, 800] {
        let running = clone.tool(&["up"]).spawn();
        std::thread::sleep(Duration::from_millis(wait));
        running.signal(Signal::INT);
        let output = running.wait();
        assert!(
            output.signal == Some(2) || output.code == Some(0),
            "{}",
            output.transcript()
        );
        if output.signal.is_some() {
            assert_eq!(clone.processes(), Vec::<String>::new());
        }
    }

    up();
    ask("create table kept (number int); insert into kept values (7)");
    let sentence = |output: &Output| output.stdout.lines().next().unwrap().to_owned();
    let first = sentence(&clone.run(&["status"]));

    clone.kill("emulator");
    half("the AWS emulator");
    up();
    clone.kill("database");
    half("PostgreSQL");
    up();
    assert_eq!(ask("select number from kept"), "7\n");

    // A record names another process.
    fs::write(clone.state("emulator.pid"), format!("{} 1\n", std::process::id())).unwrap();
    half("the AWS emulator");
    up();

    // Down and up again: the same data, at the same addresses. Passwords of the registry stay valid.
    let run = |script: &str| clone.run(&["run", "--", "sh", "-ec", script]).exits(0).stdout;
    let password = run(KEEP);
    clone.run(&["down"]).exits(0).says("its data is kept");
    assert_eq!(clone.processes(), Vec::<String>::new());
    clone.run(&["status"]).exits(1);
    let log = fs::read_to_string(clone.state("emulator.log")).unwrap();
    assert!(log.contains("PutParameter"), "{log}");
    for secret in ["the-secret-value", &password[..40]] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
    let mode = fs::metadata(clone.state("aws/services/ssm.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "other users can read the parameters");
    up();
    assert_eq!(ask("select number from kept"), "7\n");
    assert_eq!(
        run(&format!("password={password}\n{KEPT}")),
        "the-secret-value\n{}"
    );
    assert_eq!(sentence(&clone.run(&["status"])), first);

    clone.run(&["clean"]).exits(0);
    assert_eq!(clone.processes(), Vec::<String>::new());
    assert!(!clone.state("").exists());
    assert!(!fs::read_to_string("/etc/hosts").unwrap().contains(".eu-north-1."));
    let images = sandbox()
        .program("docker")
        .args(["images", "--format", "{{.Repository}}"])
        .run();
    assert!(!images.exits(0).stdout.contains(".eu-north-1."));
}
