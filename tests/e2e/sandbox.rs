//! `scripts/sandbox`: what it promises to those who stand in it, and how it gets up again.
//!
//! The gate's own sandbox is only looked at. What stops or breaks one has a clone and a region of its own.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use support::canary::Canary;
use support::sandbox::sandbox;
use support::{Output, Tool, root, wait_for};
use tempfile::TempDir;

/// The gate's region.
fn region() -> String {
    sandbox().get("OPS_SANDBOX").to_owned()
}

/// `scripts/sandbox` of this clone, with the words behind it.
fn script(words: &[&str]) -> Tool {
    here(Tool::new(root().join("scripts/sandbox"))).args(words)
}

/// `tool` where what is installed is found.
fn here(tool: Tool) -> Tool {
    let names = ["HOME", "XDG_CACHE_HOME", "DOCKER_HOST", "CI"];
    let places = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        names.contains(&name.as_ref()) || name.starts_with("OPS_")
    });
    tool.envs(places).without("DOCKER_CONFIG")
}

/// The gate's sandbox: `script(["env"])` with its region.
fn gate(words: &[&str]) -> Tool {
    let region = region();
    script(&[&["--region", &region], words].concat())
}

/// What a shell has in its environment after `eval "$(scripts/sandbox env)"`.
fn evaluated(shell: &str, caller: &[(&str, &str)]) -> BTreeMap<String, String> {
    let eval = r#"set -eu; environment=$("$1" --region "$2" env); eval "$environment"; exec env -0"#;
    let tool = here(Tool::new(shell))
        .args(["-c", eval, "shell"])
        .arg(root().join("scripts/sandbox"))
        .arg(region());
    let output = tool.envs(caller.iter().copied()).run().exits(0);
    let pairs = output.stdout.split_terminator('\0');
    pairs
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

// --- The environment ------------------------------------------------------------------------------------

/// Everything of AWS that it sets.
const OURS: [&str; 9] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCOUNT_ID",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SHARED_CREDENTIALS_FILE",
];

#[test]
fn nothing_of_the_callers_aws_docker_and_postgres_is_left() {
    let secret = Canary::new();
    let caller = [
        ("AWS_PROFILE", "production"),
        ("AWS_SECRET_ACCESS_KEY", secret.value()),
        ("AWS_SESSION_TOKEN", secret.value()),
        ("AWS_ENDPOINT_URL_SQS", "http://elsewhere.example"),
        ("AWS_OF_TOMORROW", secret.value()),
        ("AWS_ACCOUNT_ID", "210987654321"),
        ("DOCKER_CONTEXT", "elsewhere"),
        ("DOCKER_TLS_VERIFY", "1"),
        ("PGHOSTADDR", "192.0.2.1"),
        ("PGPASSWORD", secret.value()),
        ("PROD_CONNECTION_URL", "postgresql://u:p@elsewhere.example/db"),
        ("ROLLBAR_ACCESS_TOKEN", secret.value()),
        ("HONEYCOMB_API_KEY", secret.value()),
        ("MINE", "it's mine"),
    ];
    for shell in ["sh", "bash"] {
        let environment = evaluated(shell, &caller);
        let aws: Vec<&str> = environment
            .keys()
            .filter(|name| name.starts_with("AWS_"))
            .map(String::as_str)
            .collect();
        assert_eq!(aws, OURS);
        for name in ["DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "PGHOSTADDR", "PGPASSWORD"] {
            assert!(!environment.contains_key(name), "{name}");
        }
        assert_eq!(environment["MINE"], "it's mine");
        let kept = environment.values().find(|value| value.contains(secret.value()));
        assert_eq!(kept, None);
    }
    let run = gate(&["run", "--", "env"]).envs(caller).run().exits(0);
    secret.absent_from("run -- env", &run);
    secret.absent_from("env", &gate(&["env"]).envs(caller).run().exits(0));
}

#[test]
fn its_values_are_those_of_the_sandbox() {
    let environment = evaluated("sh", &[]);
    let get = |name: &str| environment[name].as_str();
    let region = region();
    assert_eq!(get("AWS_REGION"), region);
    assert_eq!(get("AWS_DEFAULT_REGION"), region);
    assert_eq!(get("OPS_SANDBOX"), region);
    assert_eq!(get("AWS_ACCOUNT_ID"), "123456789012");
    assert_eq!(
        get("ECR_REGISTRY"),
        format!("123456789012.dkr.ecr.{region}.amazonaws.com")
    );
    assert_eq!(get("AWS_CONFIG_FILE"), "/dev/null");
    assert_eq!(get("AWS_SHARED_CREDENTIALS_FILE"), "/dev/null");
    assert_eq!(get("AWS_EC2_METADATA_DISABLED"), "true");
    assert!(get("AWS_ENDPOINT_URL").starts_with("http://127.0.0.1:"));
    assert!(get("DOCKER_HOST").starts_with("unix:///"));
    // A key that nobody takes for a real one, nor for an account.
    let key = get("AWS_ACCESS_KEY_ID");
    assert!(key.starts_with("sandbox-"), "{key}");
    assert!(get("CONNECTION_URL").contains("@localhost:"));
    assert!(get("CONNECTION_URL").contains("sslmode=verify-full&sslrootcert=/"));
    assert!(get("PROD_CONNECTION_URL").ends_with("/cruddur?sslmode=require"));
    assert!(get("SUBNET_IDS").split(',').all(|id| id.starts_with("subnet-")));
    assert!(get("SECURITY_GROUP_IDS").starts_with("sg-"));
    for name in [
        "ROLLBAR_ACCESS_TOKEN",
        "HONEYCOMB_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
    ] {
        assert!(get(name).len() >= 32, "{name}");
    }
    // Of this clone, so that nothing of the caller's `docker login` is used or changed.
    assert!(get("DOCKER_CONFIG").starts_with(&format!("{}/.sandbox/{region}/", root().display())));

    let identity = sandbox()
        .program("aws")
        .args([
            "sts",
            "get-caller-identity",
            "--query",
            "Account",
            "--output",
            "text",
        ])
        .run()
        .exits(0);
    identity.prints("123456789012");
}

/// A shell in which it was evaluated already is no other one.
#[test]
fn evaluating_twice_gives_the_same() {
    let once = evaluated("bash", &[]);
    let caller: Vec<(&str, &str)> = once
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut twice = evaluated("bash", &caller);
    let mut once = once.clone();
    for own in ["_", "SHLVL", "HOME", "PWD"] {
        once.remove(own);
        twice.remove(own);
    }
    assert_eq!(once, twice);
}

#[test]
fn a_proxy_does_not_catch_what_is_on_this_machine() {
    let without = evaluated("sh", &[]);
    assert!(!without.contains_key("NO_PROXY"));
    let caller = [
        ("https_proxy", "http://proxy.example:3128"),
        ("no_proxy", "intern.example"),
    ];
    let environment = evaluated("sh", &caller);
    for name in ["NO_PROXY", "no_proxy"] {
        let hosts: Vec<&str> = environment[name].split(',').collect();
        for host in [
            "intern.example",
            "localhost",
            "127.0.0.1",
            without["ECR_REGISTRY"].as_str(),
        ] {
            assert!(hosts.contains(&host), "{name}={}", environment[name]);
        }
    }
}

/// One value of every kind that a shell could take for more than a word.
#[test]
fn values_are_quoted_for_every_shell() {
    let odd = "it's \"$HOME\" `id` \\ a  b\t*;#";
    for shell in ["sh", "bash", "zsh"] {
        let there = Command::new(shell).arg("-c").arg("exit 0").output();
        if there.is_err() && shell == "zsh" {
            continue;
        }
        let line = function(
            &["messages", "environment"],
            r#"export_lines ODD "$1" NEXT 'x'"#,
            &[odd],
        )
        .run()
        .exits(0)
        .stdout;
        let output = Tool::new(shell)
            .args([
                "-c",
                "eval \"$1\"; printf %s \"$ODD\"; [ \"$NEXT\" = x ]",
                "shell",
            ])
            .arg(line)
            .run()
            .exits(0);
        assert_eq!(output.stdout, odd, "{shell}");
    }
    let encoded = function(
        &["messages", "environment"],
        r#"url_encoded "$1""#,
        &["/a b/ü'%&?"],
    );
    encoded.run().exits(0).prints("/a%20b/%C3%BC%27%25%26%3F");
}

// --- run ------------------------------------------------------------------------------------------------

#[test]
fn run_passes_on_what_it_is_given_and_how_it_ends() {
    let shell = r#"printf '<%s>' "$@"; pwd; umask; cat; printf '%s/%s\n' "$region" "$state"; exit 7"#;
    let tool = gate(&[
        "run", "--", "sh", "-c", shell, "sh", "a b", "", "--region", "$HOME",
    ]);
    // Names that the script itself uses.
    let tool = tool.env("region", "mine").env("state", "too").stdin("typed\n");
    let output = tool.run().exits(7);
    let folder = tool.folder().canonicalize().unwrap();
    let umask = Tool::new("sh").args(["-c", "umask"]).run().stdout;
    assert_eq!(
        output.stdout,
        format!(
            "<a b><><--region><$HOME>{}\n{umask}typed\nmine/too\n",
            folder.display()
        )
    );
    assert_eq!(output.stderr, "");

    let ended = gate(&["run", "--", "sh", "-c", "kill -TERM $$"]).run();
    assert_eq!(ended.signal, Some(15), "{}", ended.transcript());
    gate(&["run", "--", "no-such-command"])
        .run()
        .exits(127)
        .says("no command `no-such-command`");
}

// --- up, status, wrong words ----------------------------------------------------------------------------

#[test]
fn up_a_second_time_says_so_at_once() {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let output = gate(&["up"]).run().exits(0).says("sandbox: runs already (");
        assert!(
            output
                .stdout
                .starts_with(&format!("the sandbox in {} is up: ", region())),
            "{}",
            output.transcript()
        );
        best = best.min(output.elapsed);
    }
    assert!(best < Duration::from_millis(500), "{best:?}");
}

#[test]
fn status_names_each_part() {
    let output = gate(&["status"]).run().exits(0);
    let sandbox = sandbox();
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert!(
        lines[0].starts_with(&format!("the sandbox in {} is up: ", region())),
        "{}",
        output.transcript()
    );
    for (line, part, what) in [
        (1, "emulator ", sandbox.get("AWS_ENDPOINT_URL")),
        (2, "registry ", sandbox.get("ECR_REGISTRY")),
        (3, "postgresql ", "port "),
        (4, "engine ", sandbox.get("DOCKER_HOST")),
    ] {
        assert!(
            lines[line].starts_with(part) && lines[line].contains(what),
            "{}",
            output.transcript()
        );
    }
    assert_eq!(output.stderr, "");
}

#[test]
fn a_region_that_is_not_up_is_a_clear_answer() {
    let status = script(&["--region", "sa-east-1", "status"]).run().exits(1);
    assert!(
        status.stdout.starts_with("the sandbox in sa-east-1 is down\n"),
        "{}",
        status.transcript()
    );
    for words in [&["env"][..], &["run", "--", "true"]] {
        let output = script(&[&["--region", "sa-east-1"], words].concat())
            .run()
            .exits(2);
        assert_eq!(output.stdout, "");
        output
            .says("sandbox: error: the sandbox in sa-east-1 is not up\n")
            .says("hint: scripts/sandbox --region sa-east-1 up\n");
    }
    script(&["--region", "sa-east-1", "down"])
        .run()
        .exits(0)
        .prints("the sandbox in sa-east-1 is down");
}

#[test]
fn wrong_words_are_errors() {
    for words in [
        &[][..],
        &["start"],
        &["up", "down"],
        &["run"],
        &["run", "--"],
        &["up", "--", "ls"],
        &["--region"],
        &["--region", "Mars", "up"],
        &["--region=../../x", "clean"],
        &["--region", "cn-north-1", "up"],
        &["--all", "down"],
        &["--loud", "up"],
    ] {
        let output = script(words).run().exits(2);
        assert!(
            output.stderr.starts_with("sandbox: error: "),
            "{}",
            output.transcript()
        );
        output.says("hint: `sandbox --help` shows the usage\n");
    }
    let help = script(&["--help"]).run().exits(0).stdout;
    for word in ["up", "status", "env", "run", "down", "clean", "--all", "--region"] {
        assert!(help.contains(word), "{word}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 80));
}

// --- The hosts file -------------------------------------------------------------------------------------

/// A command in a shell that has sourced parts of `scripts/lib`.
fn function(parts: &[&str], call: &str, words: &[&str]) -> Tool {
    let sourced: String = parts
        .iter()
        .map(|part| format!(". \"$repo/scripts/lib/{part}.sh\"\n"))
        .collect();
    let text = format!("set -euo pipefail\ntool=test repo=$1\nshift\n{sourced}{call}\n");
    Tool::new("bash")
        .args(["-c", &text, "bash"])
        .arg(root())
        .args(words)
}

fn hosts(file: &TempDir, call: &str) -> Output {
    let path = file.path().join("hosts");
    let call = format!("hosts_file=$1\n{call}");
    function(&["messages", "places", "hosts"], &call, &[path.to_str().unwrap()]).run()
}

#[test]
fn the_block_in_the_hosts_file_comes_and_goes_and_nothing_else_changes() {
    for text in [
        "127.0.0.1 localhost\n",
        "",
        "# ours\n\n::1\tip6-localhost  # x\n\n\n",
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("hosts");
        fs::write(&path, text).unwrap();
        let inode = |path: &PathBuf| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
        let before = inode(&path);

        hosts(&folder, "hosts_add a.example; hosts_add b.example").exits(0);
        let with = fs::read_to_string(&path).unwrap();
        assert!(with.starts_with(text), "{with}");
        let lines: Vec<&str> = with.lines().filter(|line| line.contains(".example")).collect();
        assert_eq!(lines.len(), 2, "{with}");
        let addresses: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
        assert!(
            addresses.iter().all(|address| address.starts_with("127.0.66.")),
            "{with}"
        );
        assert_ne!(addresses[0], addresses[1]);

        let again = hosts(
            &folder,
            "hosts_add a.example; printf '%s\\n' \"$registry_address\"",
        )
        .exits(0);
        again.prints(addresses[0]);
        assert_eq!(fs::read_to_string(&path).unwrap(), with);

        hosts(&folder, "hosts_remove a.example none.example").exits(0);
        let one = fs::read_to_string(&path).unwrap();
        assert!(one.contains("b.example") && !one.contains("a.example"), "{one}");
        hosts(&folder, "hosts_remove b.example").exits(0);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        // A bind mount, as in a container, can't be replaced by another file.
        assert_eq!(inode(&path), before);
    }
}

#[test]
fn two_that_change_the_hosts_file_at_once_lose_nothing() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("hosts"), "127.0.0.1 localhost\n").unwrap();
    let path = folder.path().join("hosts");
    let path = path.to_str().unwrap();
    let running: Vec<_> = (0..8)
        .map(|number| {
            let call = format!("hosts_file=$1\nhosts_add h{number}.example");
            function(&["messages", "places", "hosts"], &call, &[path]).spawn()
        })
        .collect();
    for one in running {
        one.wait().exits(0);
    }
    let text = fs::read_to_string(path).unwrap();
    let mut addresses: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(".example"))
        .filter_map(|line| line.split(' ').next())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), 8, "{text}");
}

#[test]
fn a_hosts_file_that_says_something_else_is_left_alone() {
    let marks = hosts(
        &TempDir::new().unwrap(),
        "printf '%s\\n%s\\n' \"$hosts_begin\" \"$hosts_end\"",
    );
    let marks = marks.exits(0).stdout;
    let (begin, end) = marks.trim().split_once('\n').unwrap();
    for (text, message) in [
        (
            "192.0.2.1 x A.Example # by hand\n".to_owned(),
            "elsewhere: `192.0.2.1 x A.Example `",
        ),
        (format!("{begin}\n127.0.66.1 b.example\nnot ours\n"), "block in "),
        (format!("{end}\n{begin}\n"), "block in "),
        (format!("{begin}\n{end}\n{begin}\n{end}\n"), "block in "),
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("hosts");
        fs::write(&path, &text).unwrap();
        hosts(&folder, "hosts_add a.example")
            .exits(2)
            .says(message)
            .says("hint: ");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

// --- PostgreSQL -----------------------------------------------------------------------------------------

fn psql(url: &str, query: &str) -> Output {
    sandbox()
        .program("psql")
        .args([url, "--no-psqlrc", "-Atc", query])
        .run()
}

#[test]
fn postgresql_takes_tls_and_the_right_password_and_nothing_else() {
    let url = sandbox().get("CONNECTION_URL");
    let tls = "select version, current_user from pg_stat_ssl join pg_stat_activity using (pid) where pid = pg_backend_pid()";
    psql(url, tls).exits(0).prints("TLSv1.3|cruddur");
    // What a master user on RDS may do, and no more.
    let rights = "select rolcreatedb, rolcreaterole, rolsuper from pg_roles where rolname = current_user";
    psql(url, rights).exits(0).prints("t|t|f");
    let stored = "select count(*) from pg_roles where rolcanlogin and not rolsuper and rolname = 'cruddur'";
    psql(url, stored).exits(0).prints("1");

    psql(&url.replace("verify-full", "disable"), "select 1")
        .exits(2)
        .says("no encryption");
    let (user, rest) = url.split_once("cruddur:").unwrap();
    let (_, rest) = rest.split_once('@').unwrap();
    psql(&format!("{user}cruddur:wrong@{rest}"), "select 1")
        .exits(2)
        .says("password authentication failed");
    psql(&format!("{user}postgres@{rest}&password="), "select 1").exits(2);
    // The authority is its own: nobody else's certificate is taken for it.
    let elsewhere = "sslrootcert=/etc/ssl/certs/ca-certificates.crt";
    let (start, _) = url.split_once("sslrootcert=").unwrap();
    psql(&format!("{start}{elsewhere}"), "select 1")
        .exits(2)
        .says("certificate verify failed");
}

/// From inside a container, over the bridge: TLS, and a certificate that holds for the gateway's address.
#[test]
fn a_container_reaches_postgresql_over_the_bridge() {
    let sandbox = sandbox();
    let url = sandbox.get("PROD_CONNECTION_URL");
    let place = url.split_once('@').unwrap().1.split('/').next().unwrap();
    let (gateway, port) = place.split_once(':').unwrap();
    let authority = fs::read_to_string(
        root()
            .join(".sandbox")
            .join(sandbox.get("OPS_SANDBOX"))
            .join("ca.crt"),
    )
    .unwrap();
    // The gate has made sure of one of the two.
    let environment = evaluated("sh", &[]);
    let stand_in = environment
        .get("OPS_IMAGE_FROM")
        .and_then(|from| from.split('=').nth(1));
    let image = stand_in.unwrap_or("python:3.10-slim-buster");
    // The eight bytes with which a client asks for TLS.
    let program = "import os, socket, ssl, sys\n\
        context = ssl.create_default_context(cadata=os.environ['AUTHORITY'])\n\
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), 5) as plain:\n\
        \x20   plain.sendall(bytes([0, 0, 0, 8, 4, 210, 22, 47]))\n\
        \x20   assert plain.recv(1) == b'S'\n\
        \x20   with context.wrap_socket(plain, server_hostname=sys.argv[1]) as secure:\n\
        \x20       print(secure.version())\n";
    let output = sandbox
        .program("docker")
        .args([
            "run",
            "--rm",
            "--env",
            "AUTHORITY",
            image,
            "python3",
            "-c",
            program,
            gateway,
            port,
        ])
        .env("AUTHORITY", authority)
        .run()
        .exits(0);
    output.prints("TLSv1.3");
    let listening = sandbox.program("ss").args(["-ltnH"]).run();
    if listening.code == Some(0) {
        let everywhere = [
            format!("0.0.0.0:{port}"),
            format!("*:{port}"),
            format!("[::]:{port}"),
        ];
        for line in listening.stdout.lines() {
            assert!(
                !everywhere.iter().any(|address| line.contains(address.as_str())),
                "{line}"
            );
        }
    }
}

// --- A clone and a region of its own --------------------------------------------------------------------

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
        // Dead is enough: whoever has to collect it may take a while.
        let dead = || fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
        wait_for("a killed process", || dead().then_some(()));
    }

    /// Every process that has this clone, or its data, in its arguments.
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
    // Neither does it take down or clean what is not its own.
    for words in [&["down"][..], &["clean"]] {
        clone.run(words).exits(0).says(" it stays");
    }
    gate(&["status"]).run().exits(0);
}

#[test]
fn gets_up_again_whatever_broke_and_goes_without_a_trace() {
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
            first.contains("is half up") && first.contains(missing),
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

    // Interrupted on the way, at several moments: ended by the signal, and nothing runs.
    for wait in [30, 300, 800] {
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

    // Its record names a process that is another one by now.
    let other = std::process::id();
    fs::write(clone.state("emulator.pid"), format!("{other} 1\n")).unwrap();
    half("the AWS emulator");
    up();
    // Its records are lost, and the processes still run: no second one is started.
    for part in ["emulator", "database"] {
        fs::remove_file(clone.state(&format!("{part}.pid"))).unwrap();
    }
    up();
    let servers = |words: &str| {
        clone
            .processes()
            .iter()
            .filter(|line| line.contains(words))
            .count()
    };
    assert_eq!(servers("/emulator.py --account"), 1);
    assert_eq!(servers("/postgres -D "), 1);

    // Down and up again: the same data, at the same addresses.
    clone.run(&["down"]).exits(0).says("its data stay");
    assert_eq!(clone.processes(), Vec::<String>::new());
    clone.run(&["status"]).exits(1);
    up();
    assert_eq!(ask("select number from kept"), "7\n");
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

/// A gate in a pipe ends when it ends, and its lock is free: the started processes have nothing of the caller's.
#[test]
fn what_it_starts_holds_nothing_of_the_callers() {
    sandbox();
    let clone = Clone::new("eu-central-1");
    let lock = clone.path().join("lock");
    let shell = r#"exec 9>"$1"; flock 9; shift; "$@"; exec 9>&-"#;
    let tool = here(Tool::new("bash"))
        .args(["-c", shell, "bash"])
        .arg(&lock)
        .arg(clone.path().join("scripts/sandbox"))
        .args(["--region", clone.region, "up"])
        .limit(Duration::from_secs(60));
    // The harness fails when a process keeps one of the streams open.
    tool.run().exits(0);
    Tool::new("flock")
        .args(["--nonblock"])
        .arg(&lock)
        .arg("true")
        .run()
        .exits(0);
    for part in ["emulator", "database"] {
        let process = clone.process(part).as_raw_nonzero();
        let session = Tool::new("ps")
            .args(["-o", "sid=", "-p", &process.to_string()])
            .run();
        if session.code == Some(0) {
            assert_eq!(session.stdout.trim(), process.to_string(), "{part}");
        }
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap();
        let names: Vec<String> = String::from_utf8_lossy(&environment)
            .split_terminator('\0')
            .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
            .collect();
        let strange: Vec<&String> = names
            .iter()
            .filter(|name| name.starts_with("OPS_") || name.as_str() == "RUST_BACKTRACE")
            .collect();
        assert!(strange.is_empty(), "{part}: {names:?}");
    }
}
