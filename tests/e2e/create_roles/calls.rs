//! The calls of the tool, for the tests of all calls.

use super::iam::{Iam, Role, X_RAY};
use crate::create_tools::Call;

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const BOUNDARY: &str = "arn:aws:iam::aws:policy/PowerUserAccess";

pub(crate) fn calls() -> Vec<Call> {
    let call = |action: &'static str, context, name: &'static str, found: Option<Role>| {
        let target = action.trim_start_matches("iam:").to_owned();
        let is_bounded = target == "PutRolePermissionsBoundary";
        Call::read(action, target, context, move || {
            let (aws, iam) = Iam::with([]);
            iam.roles()
                .extend(found.clone().map(|role| (name.to_owned(), role)));
            let mut config = super::CONFIG.to_owned();
            if is_bounded {
                config.push_str(&format!("permissions_boundary = \"{BOUNDARY}\"\n"));
            }
            let tool = super::with_config(&aws, &config);
            (aws, tool.args([&name.to_lowercase(), "--prune", "--yes"]))
        })
    };
    let one = || Some(Role::one());
    let with = |change: fn(&mut Role)| {
        let mut role = Role::one();
        change(&mut role);
        Some(role)
    };
    let of_role = " for role `One`";
    let of_policy = |policy: &str| format!(" of `{policy}` for role `One`");
    let unattached = Role {
        managed: Vec::new(),
        ..Role::two()
    };
    let describe = "failed to describe role `One`";
    let list_inline = "failed to list the inline policies of role `One`";
    let list_managed = "failed to list the managed policies of role `One`";
    let get_inline = "failed to read inline policy `Read` of role `One`";
    let create = "failed to create role `One`";
    let trust = "failed to change the trust policy of role `One`";
    let bound = "failed to set the permissions boundary of role `Two`";
    let attach = "failed to attach `arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess` to role `Two`";
    let put = "failed to put inline policy `Read` of role `One`";
    let tag = "failed to tag role `One`";
    let detach = "failed to detach `arn:aws:iam::aws:policy/ReadOnlyAccess` from role `One`";
    let delete = "failed to delete inline policy `Old` of role `One`";
    let other_trust = with(|role| role.trust = super::TRUST.replace("ecs-tasks", "ec2"));
    let without_inline = with(|role| role.inline.clear());
    let without_tags = with(|role| role.tags.clear());
    let with_managed = with(|role| role.managed = vec![READ_ONLY.into()]);
    let with_inline = with(|role| drop(role.inline.insert("Old".into(), super::READ.into())));
    let of_two = |policy: &str| format!(" of `{policy}` for role `Two`");
    vec![
        call("iam:GetRole", describe, "One", one()),
        call("iam:ListRolePolicies", list_inline, "One", one()),
        call("iam:ListAttachedRolePolicies", list_managed, "One", one()),
        call("iam:GetRolePolicy", get_inline, "One", one()),
        call("iam:CreateRole", create, "One", None).write(of_role),
        call("iam:UpdateAssumeRolePolicy", trust, "One", other_trust).write(of_role),
        call("iam:PutRolePermissionsBoundary", bound, "Two", Some(Role::two())).write(of_two(BOUNDARY)),
        call("iam:AttachRolePolicy", attach, "Two", Some(unattached)).write(of_two(X_RAY)),
        call("iam:PutRolePolicy", put, "One", without_inline).write(of_policy("Read")),
        call("iam:TagRole", tag, "One", without_tags).write(of_role),
        call("iam:DetachRolePolicy", detach, "One", with_managed).write(of_policy(READ_ONLY)),
        call("iam:DeleteRolePolicy", delete, "One", with_inline).write(of_policy("Old")),
    ]
}
