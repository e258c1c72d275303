//! The block in the hosts file, tested on temporary files.

use super::function;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use support::Output;
use tempfile::TempDir;

fn hosts(file: &TempDir, call: &str) -> Output {
    let path = file.path().join("hosts");
    let call = format!("hosts_file=$1\n{call}");
    function(&["messages", "places", "hosts"], &call, &[path.to_str().unwrap()]).run()
}

#[test]
fn only_the_block_in_the_hosts_file_changes() {
    for text in [
        "127.0.0.1 localhost\n",
        "",
        "# ours\n\n::1\tip6-localhost  # x\n\n\n",
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("hosts");
        fs::write(&path, text).unwrap();
        let inode = |path: &Path| fs::metadata(path).unwrap().ino();
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
fn concurrent_changes_of_the_hosts_file_are_all_kept() {
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
fn a_conflicting_or_damaged_hosts_file_is_not_changed() {
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
