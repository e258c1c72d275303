//! Amazon Resource Names: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`, and the partitions of AWS.
//!
//! IAM accepts any six parts, so that a wrong ARN shows only when a task fails. Wildcards and the variables of IAM are
//! accepted in every part.

pub mod partition;
mod parts;
mod services;

pub use parts::{Arn, split};

use parts::parts;
use services::{Has, kind_of_place, kinds};

/// What is wrong with an ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArnProblem {
    /// The description.
    pub message: String,
    /// The ARN that is probably meant, or the next step.
    pub hint: Option<String>,
    /// Whether the ARN can never match; otherwise it is only suspicious.
    pub fatal: bool,
}

/// Checks `text` as an ARN. With `partition`, the ARN must belong to it.
pub fn problems(text: &str, partition: Option<&str>) -> Vec<ArnProblem> {
    if text.starts_with("arn:") && text.contains(char::is_whitespace) {
        return vec![fatal("it has white space in it", None)];
    }
    let Some(arn) = split(text) else {
        return vec![too_few(text)];
    };
    if let Some(problem) = doubled_colon(&arn) {
        return vec![problem];
    }
    let mut problems = Vec::new();
    problems.extend(partition_problem(arn.partition, partition));
    problems.extend(region_and_account_problems(&arn));
    problems.extend(resource_problems(&arn));
    problems
}

fn fatal(message: impl Into<String>, hint: Option<String>) -> ArnProblem {
    ArnProblem {
        message: message.into(),
        hint,
        fatal: true,
    }
}

fn too_few(text: &str) -> ArnProblem {
    if !text.starts_with("arn:") {
        return fatal(
            "it is no ARN",
            Some("an ARN is arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE".into()),
        );
    }
    let parts = parts(text);
    let message = format!("it has {} parts, and an ARN has 6", parts.len());
    let hint = match parts.as_slice() {
        // A frequent mistake: the colon of the empty region is missing.
        ["arn", partition, service @ ("iam" | "sts"), account, resource] => {
            format!("did you mean `arn:{partition}:{service}::{account}:{resource}`?")
        }
        _ => "an ARN is arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE".into(),
    };
    fatal(message, Some(hint))
}

/// A doubled colon shifts the parts behind it by one; the ARN still has six parts, and IAM accepts it.
fn doubled_colon(arn: &Arn) -> Option<ArnProblem> {
    let Arn {
        partition,
        service,
        region,
        account,
        resource,
    } = *arn;
    if partition.is_empty() || service.is_empty() {
        let place = if partition.is_empty() {
            "`arn`"
        } else {
            "the partition"
        };
        return Some(fatal(format!("it has one colon too many behind {place}"), None));
    }
    let moved = |word: &str| is_account(word) || word.starts_with('$');
    let behind = resource
        .split_once(':')
        .filter(|_| account.is_empty() && service != "s3");
    if let Some((number, rest)) = behind
        && (moved(number) || number == "*")
    {
        let meant = format!("arn:{partition}:{service}:{region}:{number}:{rest}");
        let message = "it has one colon too many between region and account, so its account is empty and it \
                       never matches";
        return Some(fatal(message, Some(format!("did you mean `{meant}`?"))));
    }
    if region.is_empty() && looks_like_region(account) {
        let meant = format!("arn:{partition}:{service}:{account}:{resource}");
        let message = format!(
            "it has one colon too many behind `{service}`, so its region is empty and it never matches"
        );
        return Some(fatal(message, Some(format!("did you mean `{meant}`?"))));
    }
    None
}

fn partition_problem(found: &str, expected: Option<&str>) -> Option<ArnProblem> {
    if is_pattern(found) {
        None
    } else if partition::all().all(|known| known.name != found) {
        let hint = "they are aws, aws-cn, aws-us-gov, …; write ${AWS_PARTITION} for the one at hand";
        Some(fatal(
            format!("its partition `{found}` is none of AWS"),
            Some(hint.into()),
        ))
    } else if let Some(expected) = expected.filter(|expected| *expected != found) {
        let message =
            format!("its partition is `{found}`, and this account is in `{expected}`: it never matches");
        Some(fatal(
            message,
            Some("write ${AWS_PARTITION} for the one at hand".into()),
        ))
    } else {
        None
    }
}

fn region_and_account_problems(arn: &Arn) -> Vec<ArnProblem> {
    let mut problems = Vec::new();
    let Arn {
        service,
        region,
        account,
        ..
    } = *arn;
    let kind = kind_of_place(arn);
    let wants_region = matches!(kind, Has::Both | Has::OnlyRegion);
    let forbids_region = matches!(kind, Has::OnlyAccount | Has::Neither);
    if region.is_empty() && wants_region {
        let hint = Some("write ${AWS_REGION}, or * for all".into());
        problems.push(fatal(format!("its region is empty, and {service} has one"), hint));
    } else if forbids_region && !region.is_empty() && region != "*" {
        let message = format!("its region is `{region}`, and {service} has none");
        problems.push(fatal(message, Some("leave the fourth part empty".into())));
    } else if !region.is_empty() && !is_pattern(region) && !looks_like_region(region) {
        problems.push(fatal(
            format!("its region `{region}` has not the form of one"),
            None,
        ));
    }
    if account.is_empty() {
        if matches!(kind, Has::Both | Has::OnlyAccount) {
            let hint = Some("write ${AWS_ACCOUNT_ID}".into());
            problems.push(fatal(
                format!("its account is empty, and {service} wants one"),
                hint,
            ));
        }
    } else if kind == Has::Neither && account != "*" {
        let message = format!("its account is `{account}`, and {service} has none");
        problems.push(fatal(message, Some("leave the fifth part empty".into())));
    } else if !is_account(account) && !is_pattern(account) && !OWNERS.contains(&account) {
        let hint = Some("write ${AWS_ACCOUNT_ID}".into());
        problems.push(fatal(format!("its account `{account}` is not 12 digits"), hint));
    }
    problems
}

/// Owners in place of an account, in the ARNs of policies, documents and images of AWS.
const OWNERS: [&str; 4] = ["aws", "aws-marketplace", "amazon", "cloudfront"];

fn resource_problems(arn: &Arn) -> Vec<ArnProblem> {
    let Arn {
        service, resource, ..
    } = *arn;
    if resource.is_empty() {
        return vec![fatal("nothing stands behind its last colon", None)];
    }
    let mut problems = Vec::new();
    if resource.starts_with("arn:") {
        problems.push(fatal("an ARN stands inside it", None));
    }
    // In `secret:NAME:KEY:STAGE:VERSION` the last three may be empty.
    if resource.ends_with(':') && service != "secretsmanager" {
        problems.push(fatal("it ends with a colon", None));
    }
    if service == "ssm" && resource.starts_with("parameter//") {
        let hint = "the name's own slash is the only one: parameter${params.prefix}/*";
        problems.push(fatal(
            "it has two slashes behind `parameter`, so it never matches",
            Some(hint.into()),
        ));
    }
    let kinds = kinds(service);
    let known = kinds.iter().any(|kind| resource.starts_with(kind));
    if !kinds.is_empty()
        && !known
        && !resource.starts_with(['*', '?', '$'])
        && !begins_a_kind(resource, kinds)
    {
        problems.push(ArnProblem {
            message: format!("`{resource}` begins with none of the kinds that {service} has"),
            hint: Some(format!("they are {}", kinds.join(", "))),
            fatal: false,
        });
    }
    problems
}

/// Whether a pattern can match a known kind: `param*` matches `parameter/…`.
fn begins_a_kind(resource: &str, kinds: &[&str]) -> bool {
    let end = resource.find(['*', '?', '$']);
    end.and_then(|end| resource.get(..end))
        .is_some_and(|start| kinds.iter().any(|kind| kind.starts_with(start)))
}

/// 12 digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a part contains a wildcard or a variable of IAM.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?']) || text.contains("${")
}

/// Whether `text` has the form of a region: `us-east-1`, `us-gov-west-1`, or the placeholder of an unknown region.
pub fn looks_like_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let number = words
        .last()
        .is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()));
    let letters = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= 3 && number && words.iter().take(words.len() - 1).all(letters)
}

#[cfg(test)]
mod tests;
