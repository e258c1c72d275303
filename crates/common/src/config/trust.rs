//! Whether a file may say what the tools do: `ops.toml` and the documents that it names decide which secrets go where, and
//! are found upwards from the current folder, where another user may have put them.

use rustix::process::{getegid, geteuid};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The variable with the folders whose files are trusted, without regard to their owner; separated by colons.
pub(super) const VARIABLE: &str = "OPS_TRUST";

/// Who owns a file, and who may write to it.
#[derive(Clone, Copy, Debug)]
struct Access {
    owner: u32,
    group: u32,
    /// The permission bits.
    mode: u32,
}

/// Who runs the tool.
#[derive(Clone, Copy, Debug)]
struct User {
    id: u32,
    group: u32,
    /// The user who called sudo.
    caller: Option<u32>,
}

/// Why `path` is not trusted: another user owns it, or may write to it. `None` when it is trusted, or can't be looked at,
/// which the read that follows reports.
pub(super) fn refusal(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    let access = Access {
        owner: metadata.uid(),
        group: metadata.gid(),
        mode: metadata.mode(),
    };
    let user = User {
        id: geteuid().as_raw(),
        group: getegid().as_raw(),
        caller: std::env::var("SUDO_UID").ok().and_then(|id| id.parse().ok()),
    };
    // A device or a pipe is named by hand.
    let reason = untrusted(access, user).filter(|_| metadata.is_file())?;
    let is_named = std::env::var_os(VARIABLE).is_some_and(|folders| {
        let file = fs::canonicalize(path).unwrap_or_default();
        let mut folders = std::env::split_paths(&folders).filter_map(|folder| fs::canonicalize(folder).ok());
        folders.any(|folder| file.parent().is_some_and(|parent| parent.starts_with(folder)))
    });
    (!is_named).then_some(reason)
}

fn untrusted(access: Access, user: User) -> Option<String> {
    let Access { owner, group, mode } = access;
    // As git decides it for repositories (git-config, "safe.directory").
    let is_own = owner == user.id || owner == 0 || (user.id == 0 && user.caller == Some(owner));
    if !is_own {
        return Some(format!("it belongs to another user (uid {owner})"));
    }
    if mode & 0o002 != 0 {
        return Some("every user may write to it".to_owned());
    }
    // With the usual umask 002 each user has a group of their own.
    if mode & 0o020 != 0 && group != user.group && group != 0 && user.caller.is_none() {
        return Some(format!("the group {group} may write to it"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_another_user_may_write_is_not_trusted() {
        for (owner, group, mode, id, caller, expected) in [
            (1000, 1000, 0o644, 1000, None, true),
            (1000, 1000, 0o664, 1000, None, true),
            (1000, 50, 0o664, 1000, None, false),
            (1000, 50, 0o644, 1000, None, true),
            (1000, 1000, 0o666, 1000, None, false),
            (0, 0, 0o644, 1000, None, true),
            (1001, 1001, 0o644, 1000, None, false),
            (1000, 1000, 0o644, 0, None, false),
            (1000, 1000, 0o664, 0, Some(1000), true),
            (1001, 1001, 0o644, 0, Some(1000), false),
        ] {
            let access = Access { owner, group, mode };
            let user = User {
                id,
                group: id,
                caller,
            };
            assert_eq!(untrusted(access, user).is_none(), expected, "{access:?} {user:?}");
        }
    }
}
