use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn list(folder: &Path, ignore: &str, latest: Option<u64>) -> Context {
    let ignore = Ignore::parse(".dockerignore", ignore).unwrap();
    Context::list(folder, &ignore, &["Dockerfile", ".dockerignore"], latest).unwrap()
}

fn archive(context: &Context) -> Vec<u8> {
    let mut bytes = Vec::new();
    context.write(&mut bytes).unwrap();
    bytes
}

/// The path of each entry, with a slash after a folder and `-> target` after a link.
fn names(context: &Context) -> Vec<String> {
    let bytes = archive(context);
    let mut archive = tar::Archive::new(bytes.as_slice());
    let entries = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let target = entry.link_name().unwrap();
        let target = target.map(|target| format!(" -> {}", target.display()));
        String::from_utf8_lossy(&entry.path_bytes()).into_owned() + &target.unwrap_or_default()
    });
    entries.collect()
}

fn touch(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn sends_files_that_are_not_ignored_sorted_by_name() {
    let folder = folder(&[
        ("Dockerfile", "FROM scratch"),
        (".dockerignore", "x"),
        ("b/two", "2"),
        ("b/one", "1"),
        ("a", ""),
        ("node_modules/x/y", "y"),
        ("logs/old/1.log", "1"),
        ("logs/keep/me", "1"),
        ("secret/.env", "canary"),
    ]);
    symlink("../nowhere", folder.path().join("link")).unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    assert_eq!(
        names(&list(
            folder.path(),
            "node_modules\nlogs\n!logs/keep\nsecret\n",
            None
        )),
        [
            ".dockerignore",
            "Dockerfile",
            "a",
            "b/",
            "b/one",
            "b/two",
            "empty/",
            "link -> ../nowhere",
            "logs/",
            "logs/keep/",
            "logs/keep/me",
        ]
    );
}

#[test]
fn the_dockerfile_is_sent_even_when_everything_is_ignored() {
    let folder = folder(&[
        ("Dockerfile", "x"),
        (".dockerignore", "*"),
        ("a/b", "b"),
        ("c", "c"),
    ]);
    assert_eq!(
        names(&list(folder.path(), "*", None)),
        [".dockerignore", "Dockerfile"]
    );
    // A folder that is entered because of an exception is only sent with a file that matches it.
    assert_eq!(
        names(&list(folder.path(), "*\n!**/*.py", None)),
        [".dockerignore", "Dockerfile"]
    );
    let ignore = Ignore::parse(".dockerignore", "**").unwrap();
    let kept = Context::list(folder.path(), &ignore, &["a/b"], None).unwrap();
    assert_eq!(names(&kept), ["a/", "a/b"]);
}

#[test]
fn the_same_files_make_the_same_archive() {
    let files = [
        ("Dockerfile", "FROM scratch"),
        ("app/main.py", "print()"),
        ("app/z", "z"),
    ];
    let reversed: Vec<_> = files.iter().rev().copied().collect();
    let (one, two) = (folder(&files), folder(&reversed));
    for (folder, seconds) in [(&one, 1_700_000_000), (&two, 1_800_000_000)] {
        for path in ["Dockerfile", "app/main.py", "app/z", "app"] {
            touch(&folder.path().join(path), seconds);
        }
    }
    let clamped = |folder: &tempfile::TempDir| archive(&list(folder.path(), "", Some(1_600_000_000)));
    assert_eq!(clamped(&one), clamped(&two));
    // Without SOURCE_DATE_EPOCH the times are the files' own.
    let own = |folder: &tempfile::TempDir| archive(&list(folder.path(), "", None));
    assert_ne!(own(&one), own(&two));
    assert_eq!(own(&one), own(&one));
}

#[test]
fn modes_are_kept_and_owners_are_not() {
    let folder = folder(&[("run.sh", "#!/bin/sh"), ("private", "x")]);
    fs::set_permissions(folder.path().join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder.path().join("private"), fs::Permissions::from_mode(0o600)).unwrap();
    touch(&folder.path().join("run.sh"), 1_700_000_000);
    let bytes = archive(&list(folder.path(), "", None));
    let mut archive = tar::Archive::new(bytes.as_slice());
    let headers: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().header().clone())
        .collect();
    let modes: Vec<u32> = headers.iter().map(|header| header.mode().unwrap()).collect();
    assert_eq!(modes, [0o600, 0o755]);
    assert_eq!(headers[1].mtime().unwrap(), 1_700_000_000);
    for header in &headers {
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.username().unwrap(), Some(""));
    }
}

#[test]
fn names_longer_than_a_header_are_kept() {
    let long = format!("{}/{}", "folder".repeat(30), "file".repeat(40));
    let folder = folder(&[(&long, "x")]);
    let found = names(&list(folder.path(), "", None));
    assert_eq!(found[1], long);
}

#[test]
fn a_file_that_became_shorter_is_an_error_and_one_that_grew_is_truncated() {
    let folder = folder(&[("log", "0123456789")]);
    let context = list(folder.path(), "", None);
    fs::write(folder.path().join("log"), "0123").unwrap();
    let error = context.write(Vec::new()).unwrap_err().to_string();
    assert!(error.contains("log`: the file became shorter"), "{error}");
    fs::write(folder.path().join("log"), "0123456789abcdef").unwrap();
    let bytes = archive(&context);
    let mut archive = tar::Archive::new(bytes.as_slice());
    let mut text = String::new();
    let mut entries = archive.entries().unwrap();
    entries
        .next()
        .unwrap()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "0123456789");
}

#[test]
fn a_missing_folder_is_named() {
    let folder = folder(&[]);
    let absent = folder.path().join("absent");
    let error = Context::list(&absent, &Ignore::default(), &[], None).unwrap_err();
    assert!(format!("{error:#}").contains("absent"), "{error:#}");
}

#[test]
fn has_its_size_and_its_largest_entry() {
    let folder = folder(&[
        ("a", "1"),
        ("big/one", "12345"),
        ("big/two", "12345"),
        ("z", "123456"),
    ]);
    let context = list(folder.path(), "", None);
    assert_eq!(context.bytes(), 17);
    assert_eq!(context.largest(), Some(("big".to_owned(), 10)));
}

#[test]
fn reads_the_latest_time() {
    assert_eq!(latest_time(None).unwrap(), None);
    assert_eq!(latest_time(Some("")).unwrap(), None);
    assert_eq!(latest_time(Some("1700000000")).unwrap(), Some(1_700_000_000));
    assert!(latest_time(Some("yesterday")).is_err());
}

#[test]
fn streams_what_it_writes() {
    use futures_util::StreamExt;
    let large = "x".repeat(3 * CHUNK);
    let folder = folder(&[("large", &large), ("small", "y")]);
    let expected = archive(&list(folder.path(), "", None));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let last = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let seen = last.clone();
    let stream = list(folder.path(), "", None)
        .into_stream(move |total| seen.store(total, std::sync::atomic::Ordering::Relaxed));
    let streamed = runtime.block_on(async move {
        let mut stream = std::pin::pin!(stream);
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        bytes
    });
    assert_eq!(streamed, expected);
    assert_eq!(
        last.load(std::sync::atomic::Ordering::Relaxed),
        expected.len() as u64
    );
}
