//! `ecr-login`: one token, one entry in docker's file.

use serde_json::json;
use support::aws::{FakeAws, ecr};

#[test]
fn says_what_ecr_refused() {
    let aws = FakeAws::start();
    aws.refuse(
        ecr("GetAuthorizationToken"),
        "AccessDeniedException",
        "User: ci may not",
    );
    assert_eq!(
        aws.tool("ecr-login").transcript(),
        "exit: 2\n\
         --- stdout\n\
         --- stderr\n\
         ecr-login: note: AWS calls go to http://127.0.0.1:PORT (endpoint override)\n\
         ecr-login: error: failed to get a token for docker: ecr:GetAuthorizationToken refused with \
         AccessDeniedException: User: ci may not\n\
         hint: allow `ecr:GetAuthorizationToken` to the identity that `aws sts get-caller-identity` shows\n"
    );
    assert_eq!(aws.requests().len(), 1);
    assert_eq!(aws.requests()[0].body, json!({}));
}
