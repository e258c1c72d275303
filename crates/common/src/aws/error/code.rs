//! The error codes of AWS: what kind of failure each is, and the next step for the user.

use cli::ErrorKind;

/// The kind of failure behind a code. The lists are those of the SDK's retry classifiers and of "Common errors" in the
/// API references of ECR, ECS, IAM, SSM, STS, CloudWatch Logs and Cloud Map.
pub fn kind_of(code: &str, status: Option<u16>) -> ErrorKind {
    let code = code.strip_suffix("Exception").unwrap_or(code);
    match code {
        "AccessDenied" | "UnauthorizedOperation" | "NotAuthorized" | "KmsAccessDenied" => ErrorKind::Denied,
        "ExpiredToken"
        | "RequestExpired"
        | "UnrecognizedClient"
        | "InvalidClientTokenId"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "AuthFailure" => ErrorKind::Credentials,
        "Throttling"
        | "Throttled"
        | "TooManyRequests"
        | "TooManyUpdates"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "BandwidthLimitExceeded"
        | "ProvisionedThroughputExceeded" => ErrorKind::Throttled,
        "NoSuchEntity" => ErrorKind::NotFound,
        "Conflict"
        | "DeleteConflict"
        | "ConcurrentModification"
        | "OperationAborted"
        | "ResourceInUse"
        | "UpdateInProgress"
        | "ClusterContainsServices" => ErrorKind::Conflict,
        "InternalFailure" | "InternalServerError" | "Server" | "ServiceUnavailable" | "ServiceFailure" => {
            ErrorKind::Service
        }
        "Client" | "Validation" | "ValidationError" | "MissingParameter" | "UnsupportedParameterType" => {
            ErrorKind::Invalid
        }
        _ if code.ends_with("NotFound") => ErrorKind::NotFound,
        _ if code.ends_with("AlreadyExists") => ErrorKind::Conflict,
        _ if status.is_some_and(|status| status >= 500) => ErrorKind::Service,
        _ if code.starts_with("Invalid") || code.starts_with("Malformed") => ErrorKind::Invalid,
        _ => ErrorKind::Other,
    }
}

/// Whether the service limits the rate of calls, so that the same call succeeds later.
pub fn is_throttling(code: &str) -> bool {
    kind_of(code, None) == ErrorKind::Throttled
}

/// The next step for the codes of any service.
pub(super) fn hint(operation: &str, code: &str) -> Option<String> {
    let hint = match kind_of(code, None) {
        ErrorKind::Denied => {
            return Some(format!(
                "grant `{operation}` to the caller (`aws sts get-caller-identity`)"
            ));
        }
        ErrorKind::Credentials if code.contains("Expired") => {
            "the credentials have expired: sign in again (`aws sso login`), or export new ones"
        }
        ErrorKind::Credentials => {
            "AWS does not know these credentials: check AWS_PROFILE, AWS_ACCESS_KEY_ID and its secret"
        }
        ErrorKind::Throttled => "throttled; safe to re-run",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_a_kind() {
        for (code, status, kind) in [
            ("AccessDenied", 403, ErrorKind::Denied),
            ("AccessDeniedException", 400, ErrorKind::Denied),
            ("ExpiredTokenException", 400, ErrorKind::Credentials),
            ("UnrecognizedClientException", 400, ErrorKind::Credentials),
            ("InvalidSignatureException", 400, ErrorKind::Credentials),
            ("InvalidClientTokenId", 403, ErrorKind::Credentials),
            ("ThrottlingException", 400, ErrorKind::Throttled),
            ("Throttling", 400, ErrorKind::Throttled),
            ("TooManyUpdates", 400, ErrorKind::Throttled),
            ("LimitExceededException", 400, ErrorKind::Other),
            ("RepositoryNotFoundException", 400, ErrorKind::NotFound),
            ("ParameterNotFound", 400, ErrorKind::NotFound),
            ("NoSuchEntity", 404, ErrorKind::NotFound),
            ("ResourceAlreadyExistsException", 400, ErrorKind::Conflict),
            ("EntityAlreadyExists", 409, ErrorKind::Conflict),
            ("OperationAbortedException", 400, ErrorKind::Conflict),
            ("InvalidParameterException", 400, ErrorKind::Invalid),
            ("ValidationException", 400, ErrorKind::Invalid),
            ("ClientException", 400, ErrorKind::Invalid),
            ("MalformedPolicyDocument", 400, ErrorKind::Invalid),
            ("ServerException", 500, ErrorKind::Service),
            ("ServiceUnavailableException", 503, ErrorKind::Service),
            ("Unheard", 503, ErrorKind::Service),
            ("Unheard", 400, ErrorKind::Other),
        ] {
            assert_eq!(kind_of(code, Some(status)), kind, "{code}");
        }
    }
}
