use super::*;
use std::os::unix::fs::{chown, symlink};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn aws(password: &str) -> Credentials {
    Credentials::new("AWS", password)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn makes_a_private_file_in_a_private_folder() {
    let folder = folder();
    let path = folder.path().join("new/config.json");
    assert_eq!(
        store(&path, HOST, &aws("pw")).unwrap(),
        Stored {
            store: CredentialStore::ConfigFile(path.clone()),
            changed: true
        }
    );
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let expected =
        format!("{{\n\t\"auths\": {{\n\t\t\"{HOST}\": {{\n\t\t\t\"auth\": \"QVdTOnB3\"\n\t\t}}\n\t}}\n}}");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn keeps_the_text_of_other_members_and_their_order_and_tightens_the_mode() {
    let folder = folder();
    let path = folder.path().join("config.json");
    let text = r#"{"zeta": [1, {"b":1,"a":2}],"auths": {"z.example": {"auth":"eDp5","extra":9223372036854775809123,"extra":1},"a.example": {}},"alpha": 1.50}"#;
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    store(&path, HOST, &aws("pw")).unwrap();
    let entry = format!("\"{HOST}\": {{\n\t\t\t\"auth\": \"QVdTOnB3\"\n\t\t}}");
    let expected = [
        r#"{
	"zeta": [1, {"b":1,"a":2}],
	"auths": {
		"z.example": {"auth":"eDp5","extra":9223372036854775809123,"extra":1},
		"a.example": {},
		"#,
        &entry,
        "\n\t},\n\t\"alpha\": 1.50\n}",
    ];
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written, expected.concat());
    assert_eq!(mode(&path), 0o600);
    // Another login changes only its own entry.
    store(&path, HOST, &aws("other")).unwrap();
    let second = fs::read_to_string(&path).unwrap();
    assert_eq!(second, written.replace("QVdTOnB3", "QVdTOm90aGVy"));
}

#[test]
fn auths_of_null_are_empty() {
    let folder = folder();
    let path = folder.path().join("config.json");
    fs::write(&path, r#"{"auths": null,"x":1}"#).unwrap();
    store(&path, HOST, &aws("pw")).unwrap();
    let document = DockerConfig::read(&path).unwrap().document;
    assert_eq!(document["auths"][HOST]["auth"], "QVdTOnB3");
    assert_eq!(document["x"], 1);
}

#[test]
fn a_key_that_is_there_twice_is_named_and_the_file_left_alone() {
    let folder = folder();
    let path = folder.path().join("config.json");
    let twice = "remove one of the two; docker uses the last one";
    for (text, key) in [
        (
            r#"{"auths":{"a.example":{"auth":"canary"},"a.example":{}}}"#,
            "`a.example` is there twice in `auths`",
        ),
        (
            r#"{"auths":{"a.example":{"auth":"canary"}},"auths":{}}"#,
            "`auths` is there twice",
        ),
    ] {
        fs::write(&path, text).unwrap();
        for error in [
            store(&path, HOST, &aws("pw")).unwrap_err(),
            read_to_store(&path).err().unwrap(),
        ] {
            let message = format!("{error:#}");
            assert!(message.contains(key) && !message.contains("canary"), "{message}");
            let summary = cli::error::ErrorSummary::of(&error);
            assert_eq!(
                (summary.kind, summary.hint.as_deref()),
                (cli::ErrorKind::Config, Some(twice))
            );
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_link_to_what_is_no_file_is_refused() {
    let folder = folder();
    let path = folder.path().join("config.json");
    // A node of its own, because a failure of this test must not replace `/dev/null`. Only root can make one.
    let device = folder.path().join("device");
    let kind = rustix::fs::FileType::CharacterDevice;
    let made = rustix::fs::mknodat(
        rustix::fs::CWD,
        &device,
        kind,
        Mode::RUSR,
        rustix::fs::makedev(1, 3),
    );
    if made.is_err() {
        assert!(!geteuid().is_root(), "{made:?}");
        std::os::unix::net::UnixListener::bind(&device).unwrap();
    }
    symlink("device", &path).unwrap();
    let error = store(&path, HOST, &aws("pw")).unwrap_err();
    let message = format!("{error:#}");
    assert!(message.ends_with("device` is not a regular file"), "{message}");
    let summary = cli::error::ErrorSummary::of(&error);
    assert_eq!(summary.kind, cli::ErrorKind::Config);
    assert!(summary.hint.is_some());
    assert!(!fs::metadata(&path).unwrap().is_file());
    assert!(!folder.path().join("config.json.lock").exists());
}

#[test]
fn the_same_login_again_changes_nothing_but_a_mode_that_is_too_wide() {
    let folder = folder();
    let path = folder.path().join("config.json");
    let changed = || store(&path, HOST, &aws("pw")).unwrap().changed;
    assert!(changed());
    assert!(!changed());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(changed());
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_malformed_file_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("config.json");
    for text in ["{\"auths\": canary", "[]", "{\"auths\": []}"] {
        fs::write(&path, text).unwrap();
        let error = store(&path, HOST, &aws("pw")).unwrap_err();
        assert!(!format!("{error:#}").contains("canary"), "{error:#}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "expected only the file and the lock: {left:?}");
}

#[test]
fn an_empty_file_is_an_empty_configuration() {
    let folder = folder();
    let path = folder.path().join("config.json");
    fs::write(&path, "\n").unwrap();
    store(&path, HOST, &aws("pw")).unwrap();
    assert!(
        DockerConfig::read(&path)
            .unwrap()
            .credentials_for(HOST)
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_symbolic_link_stays_one() {
    let folder = folder();
    let real = folder.path().join("real");
    fs::create_dir(&real).unwrap();
    let link = folder.path().join("config.json");
    symlink("real/config.json", &link).unwrap();
    store(&link, HOST, &aws("pw")).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(real.join("config.json").is_file());
}

#[test]
fn fifty_logins_at_once_lose_nothing() {
    let folder = folder();
    let path = folder.path().join("config.json");
    std::thread::scope(|scope| {
        for number in 0..50 {
            let path = &path;
            scope.spawn(move || store(path, &format!("host{number}.example"), &aws("pw")).unwrap());
        }
    });
    assert_eq!(
        DockerConfig::read(&path).unwrap().document["auths"]
            .as_object()
            .unwrap()
            .len(),
        50
    );
}

#[test]
fn a_host_with_the_ecr_helper_needs_nothing() {
    let folder = folder();
    let path = folder.path().join("config.json");
    fs::write(&path, format!(r#"{{"credHelpers":{{"{HOST}":"ecr-login"}}}}"#)).unwrap();
    assert_eq!(
        store(&path, HOST, &aws("pw")).unwrap(),
        Stored {
            store: CredentialStore::SelfManaged("ecr-login".into()),
            changed: false
        }
    );
    assert!(!fs::read_to_string(&path).unwrap().contains("auths"));
}

#[test]
fn what_a_killed_login_left_is_removed_and_nothing_else() {
    let folder = folder();
    let path = folder.path().join("config.json");
    let kept = [
        "config.json123456",
        ".config.json.bak",
        ".config.json12345",
        ".config.json1234567",
    ];
    for name in kept.iter().chain(&[".config.jsonAbC123"]) {
        fs::write(folder.path().join(name), "{}").unwrap();
    }
    store(&path, HOST, &aws("pw")).unwrap();
    assert!(kept.iter().all(|name| folder.path().join(name).exists()));
    assert!(!folder.path().join(".config.jsonAbC123").exists());
}

/// As root, which the gate is: a login by `sudo` in the folder of another user. Another user can't make the case.
fn folder_of_another_user() -> Option<tempfile::TempDir> {
    geteuid().is_root().then(|| {
        let folder = folder();
        chown(folder.path(), Some(65534), Some(65534)).unwrap();
        folder
    })
}

#[test]
fn the_owner_of_the_folder_owns_what_root_writes_there() {
    let Some(folder) = folder_of_another_user() else {
        return;
    };
    store(&folder.path().join("config.json"), HOST, &aws("pw")).unwrap();
    store(&folder.path().join("new/.docker/config.json"), HOST, &aws("pw")).unwrap();
    for name in [
        "config.json",
        "config.json.lock",
        "new",
        "new/.docker",
        "new/.docker/config.json",
        "new/.docker/config.json.lock",
    ] {
        let metadata = fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (65534, 65534), "{name}");
    }
    assert_eq!(mode(&folder.path().join("new/.docker")), 0o700);
}

#[test]
fn a_login_by_root_gives_away_no_file_that_was_there() {
    let Some(folder) = folder_of_another_user() else {
        return;
    };
    let elsewhere = self::folder();
    let file = elsewhere.path().join("file");
    fs::write(&file, "kept").unwrap();
    symlink(&file, folder.path().join("config.json.lock")).unwrap();
    store(&folder.path().join("config.json"), HOST, &aws("pw")).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().uid(), 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
}
