//! What IAM would reject, and what it accepts but never matches.

use super::terms::{Kind, LARGEST_TRUST, LARGEST_TRUST_EVER, OLD_VERSION, VERSION, size};
use super::texts::{check_arn, strings, texts, unknown_keys};
use super::{condition, principal};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Document;
use crate::node::{Content, Field};
use std::collections::BTreeSet;

/// The AWS account that the policy is for, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits<'a> {
    /// The partition that ARNs must be of, when it is known.
    pub partition: Option<&'a str>,
}

const KEYS: [&str; 3] = ["Version", "Id", "Statement"];

const STATEMENT_KEYS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// What a trust policy may allow (IAM reference, "AssumeRole" and its kin).
const TRUST_ACTIONS: [&str; 7] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:assumeroot",
    "sts:setcontext",
    "sts:setsourceidentity",
    "sts:tagsession",
];

/// Actions of this job that take no resource but `*` (Service Authorization Reference).
const WITHOUT_RESOURCE: [&str; 8] = [
    "ecr:getauthorizationtoken",
    "logs:describeloggroups",
    "ssmmessages:createcontrolchannel",
    "ssmmessages:createdatachannel",
    "ssmmessages:opencontrolchannel",
    "ssmmessages:opendatachannel",
    "xray:puttracesegments",
    "xray:puttelemetryrecords",
];

/// All diagnostics of a policy, in the order of the file. It must be expanded.
pub fn check(document: &Document, kind: Kind, limits: Limits) -> Vec<Diagnostic> {
    let mut lint = Lint {
        kind,
        partition: limits.partition,
        diagnostics: Diagnostics::new(&document.file),
    };
    lint.policy(&document.field());
    lint.diagnostics.into_vec()
}

struct Lint<'a> {
    kind: Kind,
    partition: Option<&'a str>,
    diagnostics: Diagnostics,
}

impl Lint<'_> {
    fn policy(&mut self, policy: &Field) {
        if !matches!(policy.node.content, Content::Object(_)) {
            return self.diagnostics.error(
                policy,
                format!("a policy is an object, not {}", policy.node.kind()),
            );
        }
        unknown_keys(policy, &KEYS, &mut self.diagnostics);
        self.version(policy);
        texts(policy, &mut self.diagnostics);
        let Some(statement) = policy.get("Statement") else {
            return self.diagnostics.error(policy, "`Statement` is missing");
        };
        let statements = match statement.node.content {
            Content::Object(_) => vec![statement],
            Content::Array(_) if !statement.elements().is_empty() => statement.elements(),
            _ => {
                return self
                    .diagnostics
                    .error(&statement, "it must be an object, or an array with at least one");
            }
        };
        let mut sids = BTreeSet::new();
        for statement in &statements {
            self.statement(statement, &mut sids);
        }
        self.size(policy);
    }

    fn version(&mut self, policy: &Field) {
        match policy.get("Version") {
            None => {
                let message =
                    format!("`Version` is missing; IAM then takes {OLD_VERSION}, without its variables");
                self.diagnostics.warning(policy, message);
                self.diagnostics.hint(format!("add \"Version\": \"{VERSION}\""));
            }
            Some(version) => match version.text() {
                Some(VERSION) => {}
                Some(OLD_VERSION) => {
                    self.diagnostics
                        .warning(&version, "in this version IAM takes its variables for plain text");
                    self.diagnostics.hint(format!("write {VERSION}"));
                }
                _ => {
                    self.diagnostics.error(
                        &version,
                        format!("the versions of IAM are {VERSION} and {OLD_VERSION}"),
                    );
                }
            },
        }
    }

    /// The sum over a role's inline policies is checked by the caller.
    fn size(&mut self, policy: &Field) {
        let characters = size(&policy.node.to_value());
        if self.kind == Kind::Trust && characters > LARGEST_TRUST_EVER {
            let message =
                format!("it has {characters} characters, and a trust policy at most {LARGEST_TRUST_EVER}");
            self.diagnostics.error(policy, message);
        } else if self.kind == Kind::Trust && characters > LARGEST_TRUST {
            let message = format!(
                "it has {characters} characters, and a trust policy may have {LARGEST_TRUST} unless the account's \
                 quota was raised"
            );
            self.diagnostics.warning(policy, message);
        }
    }

    fn statement<'a>(&mut self, statement: &Field<'a>, sids: &mut BTreeSet<&'a str>) {
        if !matches!(statement.node.content, Content::Object(_)) {
            return self.diagnostics.error(
                statement,
                format!("a statement is an object, not {}", statement.node.kind()),
            );
        }
        unknown_keys(statement, &STATEMENT_KEYS, &mut self.diagnostics);
        if let Some(sid) = statement.get("Sid") {
            self.sid(&sid, sids);
        }
        match statement.get("Effect") {
            None => self.diagnostics.error(statement, "`Effect` is missing"),
            Some(effect) if !matches!(effect.text(), Some("Allow" | "Deny")) => {
                self.diagnostics.error(&effect, "it must be `Allow` or `Deny`");
            }
            Some(_) => {}
        }
        self.principal(statement);
        let actions = self.either(statement, ["Action", "NotAction"]);
        actions.iter().for_each(|action| self.action(action));
        self.resources(statement, &actions);
        if let Some(condition) = statement.get("Condition") {
            condition::check(&condition, self.partition, &mut self.diagnostics);
        }
    }

    fn sid<'a>(&mut self, sid: &Field<'a>, sids: &mut BTreeSet<&'a str>) {
        let text = sid.text().unwrap_or_default();
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if sid.text().is_none() || (!plain && self.kind != Kind::Resource) {
            self.diagnostics.error(sid, "it must be of letters and digits");
        } else if !text.is_empty() && !sids.insert(text) {
            self.diagnostics
                .error(sid, format!("`{text}` stands twice in this policy"));
        }
    }

    fn principal(&mut self, statement: &Field) {
        let found: Vec<Field> = ["Principal", "NotPrincipal"]
            .iter()
            .filter_map(|key| statement.get(key))
            .collect();
        match (self.kind, found.as_slice()) {
            (Kind::Identity, [first, ..]) => {
                self.diagnostics.error(
                    first,
                    "a policy of a role has no principal: it applies to the role",
                );
                self.diagnostics
                    .hint("who may assume the role stands in the trust policy");
            }
            (Kind::Identity, []) => {}
            (_, []) => self.diagnostics.error(statement, "`Principal` is missing"),
            (_, [_, second, ..]) => self
                .diagnostics
                .error(second, "it can't stand beside `Principal`"),
            (Kind::Trust, [only]) if only.path.ends_with(".NotPrincipal") => {
                self.diagnostics.error(
                    only,
                    "a trust policy names who may, and can't hold `NotPrincipal`",
                );
            }
            (kind, [only]) => {
                principal::check(only, self.partition, &mut self.diagnostics);
                let is_public = only.text() == Some("*") || only.text_of("AWS") == Some("*");
                let allows =
                    statement.text_of("Effect") == Some("Allow") && only.path.ends_with(".Principal");
                if kind == Kind::Trust && is_public && allows && statement.get("Condition").is_none() {
                    self.diagnostics
                        .warning(only, "every AWS account may assume this role");
                }
            }
        }
    }

    /// The strings under one of two keys, of which exactly one must be present.
    fn either<'a>(&mut self, statement: &Field<'a>, keys: [&str; 2]) -> Vec<Field<'a>> {
        let found: Vec<Field> = keys.iter().filter_map(|key| statement.get(key)).collect();
        match found.as_slice() {
            [] => {
                let [key, not] = keys;
                self.diagnostics
                    .error(statement, format!("`{key}` is missing (or `{not}`)"));
                Vec::new()
            }
            [only] => strings(only, &mut self.diagnostics),
            [_, second, ..] => {
                let [key, _] = keys;
                self.diagnostics
                    .error(second, format!("it can't stand beside `{key}`"));
                Vec::new()
            }
        }
    }

    fn action(&mut self, action: &Field) {
        let text = action.text().unwrap_or_default();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'*' || byte == b'?';
        let Some((service, name)) = text.split_once(':') else {
            if text != "*" {
                self.diagnostics
                    .error(action, format!("the action `{text}` has no service before it"));
                self.diagnostics.hint("actions look like ssm:GetParameters");
            }
            return;
        };
        let fine = [service, name]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(allowed));
        if !fine || service.contains(['*', '?']) {
            self.diagnostics.error(
                action,
                format!("`{text}` is no action: they look like ssm:GetParameters"),
            );
        } else if self.kind == Kind::Trust && !TRUST_ACTIONS.contains(&text.to_ascii_lowercase().as_str()) {
            if text.contains('*') {
                self.diagnostics
                    .warning(action, "a trust policy does better to name its actions");
            } else {
                self.diagnostics.error(
                    action,
                    format!("a trust policy can't allow `{text}`, only sts:AssumeRole… and related actions"),
                );
            }
        }
    }

    fn resources(&mut self, statement: &Field, actions: &[Field]) {
        let found = ["Resource", "NotResource"]
            .iter()
            .find_map(|key| statement.get(key));
        let resources = match (self.kind, found) {
            (Kind::Trust, Some(resource)) => {
                return self.diagnostics.error(
                    &resource,
                    "a trust policy has no resource: it applies to the role itself",
                );
            }
            (Kind::Trust | Kind::Resource, None) => return,
            _ => self.either(statement, ["Resource", "NotResource"]),
        };
        for resource in &resources {
            let text = resource.text().unwrap_or_default();
            if text != "*" {
                check_arn(resource, text, self.partition, &mut self.diagnostics);
            }
        }
        self.never_matching(&resources, actions);
    }

    /// Warns of an action and a resource that are valid each but never match together.
    fn never_matching(&mut self, resources: &[Field], actions: &[Field]) {
        let texts: Vec<&str> = resources.iter().filter_map(Field::text).collect();
        for action in actions.iter().filter(|action| action.path.contains(".Action")) {
            let name = action.text().unwrap_or_default();
            let lower = name.to_ascii_lowercase();
            if WITHOUT_RESOURCE.contains(&lower.as_str()) && !texts.is_empty() && !texts.contains(&"*") {
                self.diagnostics.warning(
                    action,
                    format!("{name} takes no resource but `*`, so this never allows it"),
                );
            }
            let writes_logs = ["logs:createlogstream", "logs:putlogevents"].contains(&lower.as_str());
            for resource in resources.iter().filter(|_| writes_logs) {
                let text = resource.text().unwrap_or_default();
                let group = arn::split(text).filter(|parts| parts.service == "logs");
                if group.is_some_and(|parts| {
                    !parts.resource.contains('*') && !parts.resource.contains(":log-stream:")
                }) {
                    self.diagnostics.warning(
                        resource,
                        format!("{name} works on streams, so this never allows it"),
                    );
                    self.diagnostics.hint(format!("write `{text}:*`"));
                }
            }
        }
    }
}
