//! Rules of the repository: dependencies between crates, names, files, documents.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::OnceLock;
use support::{root, tool};

/// What a command in the repository's folder prints.
fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {words}");
    String::from_utf8(output.stdout).unwrap()
}

fn cargo(arguments: &[&str]) -> String {
    printed("cargo", &[arguments, &["--locked", "--offline"]].concat())
}

/// The workspace's packages as cargo knows them.
fn packages() -> &'static [Value] {
    static PACKAGES: OnceLock<Vec<Value>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let metadata: Value =
            serde_json::from_str(&cargo(&["metadata", "--format-version=1", "--no-deps"])).unwrap();
        metadata["packages"].as_array().unwrap().clone()
    })
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

fn is_tool(package: &Value) -> bool {
    let targets = package["targets"].as_array().unwrap();
    targets.iter().any(|target| target["kind"][0] == "bin")
}

/// The names of all tools.
fn tools() -> Vec<&'static str> {
    packages()
        .iter()
        .filter(|package| is_tool(package))
        .map(name)
        .collect()
}

fn dependencies(package: &Value) -> BTreeSet<&str> {
    let all = package["dependencies"].as_array().unwrap();
    all.iter()
        .map(|dependency| dependency["name"].as_str().unwrap())
        .collect()
}

/// The files that git tracks, with their text.
fn tracked() -> &'static [(String, String)] {
    static FILES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    FILES.get_or_init(|| {
        printed("git", &["ls-files", "-z"])
            .split_terminator('\0')
            .filter_map(|path| {
                let bytes = fs::read(root().join(path)).ok()?;
                Some((path.to_owned(), String::from_utf8_lossy(&bytes).into_owned()))
            })
            .collect()
    })
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines of tracked files in which `problem` finds something.
fn lines_with(problem: impl Fn(&str, &str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in tracked() {
        for (number, line) in text.lines().enumerate() {
            found.extend(problem(path, line).map(|what| format!("{path}:{}: {what}", number + 1)));
        }
    }
    found
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

// --- Crates -------------------------------------------------------------------------------------------

#[test]
fn tools_do_not_depend_on_tools_and_tests_on_none_of_ours() {
    let tools: BTreeSet<&str> = tools().into_iter().collect();
    let ours: BTreeSet<&str> = packages().iter().map(name).collect();
    for package in packages() {
        let forbidden = if name(package) == "e2e" { &ours } else { &tools };
        let found: Vec<_> = dependencies(package).intersection(forbidden).copied().collect();
        assert!(found.is_empty(), "{} depends on {found:?}", name(package));
    }
}

/// The crates that a package is built from, itself included.
fn built_from(package: &str) -> Vec<String> {
    let edges = "--edges=normal,build";
    let tree = cargo(&[
        "tree",
        "--package",
        package,
        edges,
        "--prefix=none",
        "--format={p}",
    ]);
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

/// The probes run in images, and are built from `cli`.
#[test]
fn cli_and_the_probes_pull_in_no_aws_and_cli_no_http() {
    let clients = ["http", "hyper", "reqwest", "tokio"];
    for package in ["arn", "cli", "conninfo", "db-test", "health-check"] {
        let probe = ["db-test", "health-check"].contains(&package);
        let crates = built_from(package);
        let found = crates.iter().filter(|name| {
            name.starts_with("aws-sdk-")
                || *name == "aws-config"
                || !probe && clients.contains(&name.as_str())
        });
        assert_eq!(found.collect::<Vec<_>>(), Vec::<&String>::new(), "{package}");
    }
}

/// An SDK crate takes long to compile, and every AWS tool depends on `common`.
#[test]
fn common_has_no_sdk_client_of_a_service() {
    let common = packages()
        .iter()
        .find(|package| name(package) == "common")
        .unwrap();
    let clients = dependencies(common)
        .into_iter()
        .filter(|name| name.starts_with("aws-sdk-"));
    assert_eq!(clients.collect::<Vec<_>>(), Vec::<&str>::new());
}

/// Clippy denies printing where a crate does not allow it; this denies the permission.
#[test]
fn only_cli_prints_and_only_main_ends_the_process() {
    let words = [
        "println!",
        "print!(",
        "eprint!",
        "dbg!",
        "print_stdout",
        "print_stderr",
        "process::exit",
        "process::abort",
    ];
    none(lines_with(|path, line| {
        let source = path.starts_with("crates/") && path.ends_with(".rs") && !path.ends_with("build.rs");
        let code = line.split("//").next().unwrap_or_default();
        let word = words.iter().find(|word| code.contains(**word));
        word.filter(|_| source).map(|word| (*word).to_owned())
    }));
}

/// Names of types that were replaced, and the type in use (CONTRIBUTING.md). Many of them are ordinary words, so only
/// declarations count.
#[rustfmt::skip]
const REPLACED_TYPES: &[(&str, &str)] = &[
    ("Alarm", "ProtocolViolation"), ("Current", "Observed"), ("Course", "DeploymentRef"),
    ("Described", "ErrorSummary"), ("Exchange", "RawJsonBody"), ("Fault", "Diagnostic"), ("Flaw", "Diagnostic"),
    ("Found", "Observed"), ("Job", "Reconciler"), ("Judge", "RolloutEvaluator"), ("Keeper", "CredentialStore"),
    ("Known", "InFlight"), ("Objection", "CaRejection"), ("Ongoing", "InFlight"), ("Ours", "TrackedDeployment"),
    ("Own", "CallerCredentials"), ("Patience", "Backoff"), ("Piece", "Segment"),
    ("Place", "AwsTarget, Endpoint"), ("Reading", "Lookup"), ("Refusal", "EcsError, ValidationError"),
    ("Rhythm", "RateState"), ("Round", "ConnectionAttempts"), ("Run", "Reconciler"), ("Scrubber", "Redactor"),
    ("Seen", "Observed"), ("Sight", "PeerInfo"), ("Told", "WaitState"), ("Wanted", "Desired"),
    ("Watch", "SignalWatcher, DeploymentWaiter, AuthSniffer"), ("Way", "TlsMode"), ("Whole", "CriticalSection"),
    ("Workshop", "ImageContext"),
];

/// Terms and phrases that were replaced, in any text.
#[rustfmt::skip]
const REPLACED: &[(&str, &str)] = &[
    ("ArnFault", "ArnProblem"), ("BySchema", "ByScheme"), ("ByHand", "ManualCommands"),
    ("CouldNot", "Exit::Error"), ("Deed", "Action"), ("Exit::Done", "Exit::Success"), ("Exit::No", "Exit::Negative"),
    ("Exit::Other", "Exit::Child"), ("Partly", "Exit::Partial"), ("Piece::Foreign", "Segment::IamVariable"),
    ("Shape::Own", "Shape::FreeText"), ("TlsOnDemand", "LazyTlsClient"), ("Unanswered", "AttemptTracker"),
    ("Unsettled", "Inconsistent"), ("comes_and_goes", "deleted_during_create"), ("could_not", "Failure::error"),
    ("cut_off", "interrupted"), ("deed", "action"), ("healing", "is_retryable"), ("heals", "is retried"),
    ("in_the_way", "immutable_conflict"), ("look_again", "refetch"), ("name_here", "tag_locally"),
    ("patience", "back-off"), ("scrub", "redact"), ("strangers", "unknown_key_hint"), ("survey", "fetch_current"),
    ("until_listed", "wait_until_visible"), ("until_shown", "wait_until_converged"), ("verdict", "outcome"),
    ("from birth", "at creation"), ("from_birth", "at_creation"), ("anybody", "any caller"),
    ("made anew", "recreated"), ("nobody", "no caller"), ("somebody", "another caller"), ("Somebody", "another caller"), ("whoever", "the caller"),
    ("Whoever", "the caller"), ("all the same", "still"), ("Does it.", "who does what"),
    ("The whole.", "who does what"), ("As anyhow has it", "who does what"),
    ("it comes and goes", "it was deleted while being created"),
    ("it is listed, but not all", "AWS returned inconsistent reads"),
    ("it may have gone through", "the change may have been applied"),
    ("was sent and not answered", "no response to X; it may have been applied"),
    ("that is no AWS error", "returned a non-AWS response"),
    ("something that can't be read", "returned an unparseable response"), ("refused with", "failed: CODE"),
    ("to the identity that", "grant X to the caller"), ("what is done is not done twice", "safe to re-run"),
    ("is none of the built-in names", "unknown variable"), ("these tools know only", "unsupported version"),
    ("is no name of", "is not a valid name of"), ("already need their old key", "remain encrypted with K"),
    ("it will be asked", "requires confirmation or --yes"), ("or wants --yes", "requires confirmation or --yes"),
    ("it is made anew", "will be recreated once deleted"), ("this is true of tasks", "applies only to new tasks"),
    ("why tasks stop is not told", "cannot determine why tasks stopped"),
    ("deletes not judged", "could not preview the lifecycle policy"),
    ("it does not show what was set", "did not converge"), ("faults in", "errors in"),
    ("does not have it all", "pull succeeded but the image is missing locally"),
    ("without a word about", "response omitted"), ("who is calling", "caller identity"),
    ("whose account this is", "caller identity"), ("without a server behind it", "a likely cause"),
    ("takes fewer calls at a time", "SSM is throttling; slowing down"),
];

/// Where the terms count.
const WITH_VOCABULARY: [&str; 10] = [
    "crates/",
    "tests/",
    "scripts/",
    "bin/",
    "docs/",
    "backend-flask/",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "Makefile",
];

/// Whether `term` is in `line`, and not only as a part of a longer word.
fn has_term(line: &str, term: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(term).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + term.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[test]
fn no_replaced_term_is_in_the_repository() {
    let declares = |line: &str, name: &str| {
        let keywords = ["enum", "struct", "trait", "type"];
        keywords
            .iter()
            .any(|keyword| has_term(line, &format!("{keyword} {name}")))
    };
    none(lines_with(|path, line| {
        let is_list = path == "tests/e2e/repository_rules.rs";
        if is_list || !WITH_VOCABULARY.iter().any(|start| path.starts_with(start)) {
            return None;
        }
        let term = REPLACED.iter().find(|(old, _)| has_term(line, old));
        let name = || REPLACED_TYPES.iter().find(|(old, _)| declares(line, old));
        let (old, new) = term.or_else(name)?;
        Some(format!("`{old}`: now {new}"))
    }));
}

#[test]
fn the_end_to_end_tests_stay_out_of_the_default_members() {
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let members = manifest["workspace"]["default-members"].as_array().unwrap();
    assert_eq!(members.len(), 1);
    assert_eq!(members[0].as_str(), Some("crates/*"));
}

#[test]
fn every_crate_takes_lints_versions_and_features_from_the_workspace() {
    for package in packages() {
        let path = package["manifest_path"].as_str().unwrap();
        let manifest: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
        let of_workspace =
            |value: &toml::Value| value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
        assert!(
            manifest.get("lints").is_some_and(of_workspace),
            "{path}: no `[lints] workspace = true`"
        );
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            assert!(
                manifest["package"].get(key).is_some_and(of_workspace),
                "{path}: `{key}` is its own"
            );
        }
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (dependency, value) in manifest
                .get(table)
                .and_then(toml::Value::as_table)
                .into_iter()
                .flatten()
            {
                assert!(
                    of_workspace(value),
                    "{path}: `{dependency}` is not the workspace's"
                );
            }
        }
    }
}

/// A dev-dependency on the HTTP stack would make `cargo test` compile the SDK once more.
#[test]
fn no_crate_has_dev_dependencies_that_would_build_the_sdk_again() {
    for package in packages() {
        let all = package["dependencies"].as_array().unwrap();
        let found: Vec<&str> = all
            .iter()
            .filter(|dependency| dependency["kind"] == "dev")
            .map(|dependency| dependency["name"].as_str().unwrap())
            .filter(|name| name.starts_with("aws-") || ["hyper", "tokio", "wiremock"].contains(name))
            .collect();
        assert!(found.is_empty(), "{}: {found:?}", name(package));
    }
}

#[test]
fn the_toolchain_is_the_one_that_the_crates_name() {
    let toolchain: toml::Table = text("rust-toolchain.toml").parse().unwrap();
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let channel = toolchain["toolchain"]["channel"].as_str().unwrap();
    let version = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    assert!(channel.starts_with(version), "{channel} {version}");
}

// --- Files --------------------------------------------------------------------------------------------

#[test]
fn every_tool_has_a_launcher_and_every_launcher_a_tool() {
    let behind: BTreeMap<String, String> = crate::launchers::launchers()
        .into_iter()
        .map(|(path, tool)| (tool, path))
        .collect();
    let ours: Vec<&str> = behind.keys().map(String::as_str).collect();
    let mut tools = tools();
    tools.sort_unstable();
    assert_eq!(ours, tools);
}

#[test]
fn scripts_are_executable_and_say_what_runs_them() {
    for (path, text) in tracked() {
        let folder = path.split('/').next().unwrap();
        let library = path.starts_with("scripts/lib/");
        if !["bin", "scripts", ".ci"].contains(&folder) || library {
            continue;
        }
        let mode = fs::metadata(root().join(path)).unwrap().permissions().mode();
        assert!(mode & 0o111 == 0o111, "{path} is not executable");
        assert!(text.starts_with("#!"), "{path} has no `#!` line");
    }
}

/// Accounts that AWS's own documents use as examples.
const EXAMPLE_ACCOUNTS: [&str; 6] = [
    "000000000000",
    "111111111111",
    "111122223333",
    "123456789012",
    "210987654321",
    "444455556666",
];

#[test]
fn no_real_account_id_is_in_the_repository() {
    none(lines_with(|_, line| {
        let words = line.split(|character: char| !character.is_ascii_alphanumeric());
        let mut ids = words.filter(|word| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit()));
        ids.find(|id| !EXAMPLE_ACCOUNTS.contains(id))
            .map(|id| format!("account {id}"))
    }));
}

#[test]
fn no_key_is_in_the_repository() {
    // Put together here, so that this file does not hold what it looks for.
    let kinds = ["AKIA", "ASIA", "AIDA", "AROA", "ABIA", "ACCA"];
    let private = ["-----BEGIN".to_owned(), format!("{} KEY-----", "PRIVATE")];
    none(lines_with(|_, line| {
        let mut words = line.split(|character: char| !character.is_ascii_alphanumeric());
        let key = words.find(|word| {
            let upper = word
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            word.len() == 20 && upper && kinds.iter().any(|kind| word.starts_with(kind))
        });
        let private = private
            .iter()
            .all(|part| line.contains(part.as_str()))
            .then_some("a private key");
        key.or(private).map(str::to_owned)
    }));
}

#[test]
fn no_path_of_one_machine_is_in_the_repository() {
    let homes = ["home", "Users", "root", "work"].map(|folder| format!("/{folder}/"));
    none(lines_with(|_, line| {
        let found = homes.iter().find(|home| {
            line.match_indices(home.as_str()).any(|(at, _)| {
                // `$work/file` and `a/work/b` are no absolute paths.
                let before = line[..at].chars().next_back();
                before.is_none_or(|character| !character.is_alphanumeric() && !"}$)*._-/".contains(character))
            })
        });
        found.map(|home| format!("a path below {home}"))
    }));
}

/// A clone behind a mirror uses what its package clients are set up with.
#[test]
fn no_package_registry_is_named() {
    let hosts = [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("deb.debian", "org"),
        ("archive.ubuntu", "com"),
    ]
    .map(|(name, end)| format!("{name}.{end}"));
    none(lines_with(|_, line| {
        hosts.iter().find(|host| line.contains(host.as_str())).cloned()
    }));
}

// --- What the documents say -----------------------------------------------------------------------------

/// What stands in backticks or in a fenced block of a document.
fn code_of(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in document.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            found.push(line.to_owned());
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_command_and_file_that_the_documents_name_exists() {
    let makefile = text("Makefile");
    let is_target = |word: &str| makefile.lines().any(|line| line.starts_with(&format!("{word}:")));
    let mut missing = Vec::new();
    for (path, document) in tracked().iter().filter(|(path, _)| path.ends_with(".md")) {
        let folder = root().join(path).parent().unwrap().to_owned();
        for code in code_of(document) {
            let words: Vec<&str> = code
                .split(|character: char| character.is_whitespace() || "()\";$".contains(character))
                .collect();
            for (at, word) in words.iter().enumerate() {
                let place = ["bin/", "scripts/", "crates/", "tests/"]
                    .iter()
                    .any(|folder| word.starts_with(folder));
                let pattern = word.contains(['<', '*', '…']);
                if place && !pattern && !root().join(word).exists() {
                    missing.push(format!("{path}: `{word}`"));
                }
                let target = words.get(at + 1).filter(|_| *word == "make" && at == 0);
                missing.extend(
                    target
                        .filter(|target| !is_target(target))
                        .map(|target| format!("{path}: `make {target}`")),
                );
            }
        }
        for link in document.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap_or_default();
            if !link.contains("://") && !folder.join(link).exists() {
                missing.push(format!("{path}: the link {link}"));
            }
        }
    }
    none(missing);
}

#[test]
fn help_reads_well_at_80_columns_and_has_examples() {
    for name in tools() {
        let help = tool(name).arg("--help").env("COLUMNS", "200").run().exits(0);
        assert_eq!(help.stderr, "", "{name}");
        for line in help.stdout.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
        for part in ["Usage: ", "Examples:", "Exit codes:"] {
            assert!(help.stdout.contains(part), "{name} --help has no `{part}`");
        }
        assert_eq!(
            tool(name).arg("-h").run().exits(0).stdout,
            help.stdout,
            "{name}: -h differs"
        );
        assert!(
            help.stdout.contains(&format!("  {name}")),
            "{name}: no example begins with its name"
        );
    }
}

// --- The version ----------------------------------------------------------------------------------------

#[test]
fn version_names_the_commit() {
    for name in tools() {
        let version = tool(name).arg("--version").run().exits(0).stdout;
        let (start, commit) = version
            .trim()
            .split_once(" (")
            .unwrap_or_else(|| panic!("{name}: {version}"));
        assert_eq!(start, format!("{name} 0.1.0"));
        let commit = commit.strip_suffix(')').unwrap();
        assert!(
            !commit.is_empty() && !commit.contains(['$', ' ']),
            "{name}: {version}"
        );
    }
}
