//! The calls of the tool, for the tests of all calls.

use super::documents::{LIFECYCLE, POLICY};
use super::ecr::{Ecr, Repository, preview_shows, repository};
use crate::create_tools::Call;
use support::aws::ecr;

const REPOSITORY: &str = " for repository `one`";

pub(crate) fn calls() -> Vec<Call> {
    let call = |action: &'static str, context, found: Option<Repository>, lines: &'static str| {
        let target = ecr(action.trim_start_matches("ecr:"));
        Call::read(action, target, context, move || {
            let (aws, _) = Ecr::with(found.clone().map(|found| ("one", found)));
            preview_shows(&aws, &[]);
            let tool = super::with_lines(&aws, lines)
                .file("p.json", POLICY)
                .file("l.json", LIFECYCLE);
            (aws, tool)
        })
    };
    let right = || Some(repository("MUTABLE", false));
    let untagged = Repository {
        tags: [].into(),
        ..repository("MUTABLE", false)
    };
    let (policy, lifecycle) = ("policy = \"p.json\"", "lifecycle_policy = \"l.json\"");
    let immutable = "tag_mutability = \"IMMUTABLE\"";
    let describe = "failed to describe repository `one`";
    let tags = "failed to read the tags of repository `one`";
    let get_policy = "failed to read the policy of repository `one`";
    let get_lifecycle = "failed to read the lifecycle policy of repository `one`";
    let create = "failed to create repository `one`";
    let mutability = "failed to set the tag mutability of repository `one`";
    let scanning = "failed to set scan on push of repository `one`";
    let set_policy = "failed to set the policy of repository `one`";
    let put_lifecycle = "failed to put the lifecycle policy of repository `one`";
    let tag = "failed to tag repository `one`";
    vec![
        call("ecr:DescribeRepositories", describe, None, ""),
        call("ecr:ListTagsForResource", tags, right(), ""),
        call("ecr:GetRepositoryPolicy", get_policy, right(), policy),
        call("ecr:GetLifecyclePolicy", get_lifecycle, right(), lifecycle),
        call("ecr:CreateRepository", create, None, "").write(REPOSITORY),
        call("ecr:PutImageTagMutability", mutability, right(), immutable).write(REPOSITORY),
        call(
            "ecr:PutImageScanningConfiguration",
            scanning,
            right(),
            "scan_on_push = true",
        )
        .write(REPOSITORY),
        call("ecr:SetRepositoryPolicy", set_policy, right(), policy).write(REPOSITORY),
        call("ecr:PutLifecyclePolicy", put_lifecycle, right(), lifecycle).write(REPOSITORY),
        call("ecr:TagResource", tag, Some(untagged), "").write(REPOSITORY),
    ]
}
