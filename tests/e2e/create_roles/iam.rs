//! A scripted IAM that stores what the calls write.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use support::aws::{FakeAws, xml_refusal};

/// One role of the scripted IAM.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Role {
    pub(super) path: String,
    pub(super) trust: String,
    pub(super) inline: BTreeMap<String, String>,
    pub(super) managed: Vec<String>,
    pub(super) boundary: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    /// The number of reads that do not find the role yet.
    pub(super) hidden: usize,
}

pub(super) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// What `read.json` of the tests becomes.
pub(super) const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["ssm:GetParameters","ssm:GetParameter"],"Resource":"arn:aws:ssm:us-east-1:123456789012:parameter/e2e/*"}]}"#;

pub(super) const X_RAY: &str = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess";

impl Role {
    /// As the file describes `[roles.one]`, but in other words, and with a tag of another caller.
    pub(super) fn one() -> Self {
        Role {
            path: "/".into(),
            trust: r#"{"Statement":{"Action":["sts:AssumeRole"],"Principal":{"Service":["ecs-tasks.amazonaws.com"]},"Effect":"Allow"},"Version":"2012-10-17"}"#.into(),
            inline: BTreeMap::from([("Read".into(), READ.replace("ssm:GetParameters", "SSM:GETPARAMETERS"))]),
            tags: BTreeMap::from([("app".into(), "e2e".into()), ("owner".into(), "other".into())]),
            ..Role::default()
        }
    }

    /// As the file describes `[roles.two]`.
    pub(super) fn two() -> Self {
        Role {
            path: "/".into(),
            trust: TRUST.into(),
            managed: vec![X_RAY.into()],
            tags: BTreeMap::from([("app".into(), "e2e".into())]),
            ..Role::default()
        }
    }

    fn described(&self, name: &str) -> String {
        let tag = |(key, value): (&String, &String)| {
            format!("<member><Key>{key}</Key><Value>{value}</Value></member>")
        };
        let tags: String = self.tags.iter().map(tag).collect();
        let boundary = self.boundary.iter().map(|arn| {
            format!(
                "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
                 <PermissionsBoundaryArn>{arn}</PermissionsBoundaryArn></PermissionsBoundary>"
            )
        });
        let boundary: String = boundary.collect();
        format!(
            "<Role><Path>{}</Path><RoleName>{name}</RoleName><RoleId>ROLEID</RoleId>\
             <Arn>arn:aws:iam::123456789012:role{}{name}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
             <AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument>{boundary}<Tags>{tags}</Tags></Role>",
            self.path,
            self.path,
            escaped(&self.trust)
        )
    }
}

/// As RFC 3986 escapes it.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let bytes = text.bytes();
    bytes
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// `<ACTIONResponse><ACTIONResult>…`
pub(super) fn xml(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{action}Response>"
    )
}

fn text(form: &Value, name: &str) -> String {
    form[name].as_str().unwrap_or_default().to_owned()
}

/// `Tags.member.1.Key` and its value.
fn tags(form: &Value) -> BTreeMap<String, String> {
    let keys = (1..).map(|number| format!("Tags.member.{number}"));
    let pairs = keys.map(|stem| {
        (
            text(form, &format!("{stem}.Key")),
            text(form, &format!("{stem}.Value")),
        )
    });
    pairs.take_while(|(key, _)| !key.is_empty()).collect()
}

/// A scripted IAM that stores what the calls write.
#[derive(Clone, Default)]
pub(super) struct Iam(Arc<Mutex<BTreeMap<String, Role>>>);

type Answer = Result<String, (u16, &'static str, String)>;

fn missing(what: &str) -> (u16, &'static str, String) {
    (404, "NoSuchEntity", format!("The {what} cannot be found."))
}

impl Iam {
    /// An AWS with this IAM in it.
    pub(super) fn with<const N: usize>(roles: [(&str, Role); N]) -> (FakeAws, Iam) {
        let iam = Iam::default();
        for (name, role) in roles {
            iam.roles().insert(name.to_owned(), role);
        }
        let aws = FakeAws::start();
        iam.install(&aws);
        (aws, iam)
    }

    pub(super) fn roles(&self) -> MutexGuard<'_, BTreeMap<String, Role>> {
        self.0.lock().unwrap()
    }

    fn install(&self, aws: &FakeAws) {
        let actions = [
            "GetRole",
            "ListRoles",
            "ListRolePolicies",
            "ListAttachedRolePolicies",
            "GetRolePolicy",
            "CreateRole",
            "UpdateAssumeRolePolicy",
            "PutRolePermissionsBoundary",
            "AttachRolePolicy",
            "DetachRolePolicy",
            "PutRolePolicy",
            "DeleteRolePolicy",
            "TagRole",
        ];
        for action in actions {
            let iam = self.clone();
            aws.answer_query_with(action, move |form| match iam.answer(action, form) {
                Ok(result) => (200, xml(action, &result)),
                Err((status, code, message)) => (status, xml_refusal(code, &message)),
            });
        }
    }

    fn answer(&self, action: &str, form: &Value) -> Answer {
        let name = text(form, "RoleName");
        let mut roles = self.roles();
        if action == "CreateRole" {
            return create(&mut roles, &name, form);
        }
        if action == "ListRoles" {
            let members = roles.iter().map(|(name, role)| role.described(name));
            let members: String = members
                .map(|role| {
                    format!(
                        "<member>{}</member>",
                        &role["<Role>".len()..role.len() - "</Role>".len()]
                    )
                })
                .collect();
            return Ok(format!(
                "<Roles>{members}</Roles><IsTruncated>false</IsTruncated>"
            ));
        }
        let role = roles
            .get_mut(&name)
            .ok_or_else(|| missing(&format!("role with name {name}")))?;
        if role.hidden > 0 {
            role.hidden -= 1;
            return Err(missing(&format!("role with name {name}")));
        }
        let policy = text(form, "PolicyName");
        let arn = text(form, "PolicyArn");
        match action {
            "GetRole" => return Ok(role.described(&name)),
            "ListRolePolicies" => {
                let names: String = role
                    .inline
                    .keys()
                    .map(|name| format!("<member>{name}</member>"))
                    .collect();
                return Ok(format!(
                    "<PolicyNames>{names}</PolicyNames><IsTruncated>false</IsTruncated>"
                ));
            }
            "ListAttachedRolePolicies" => {
                let member = |arn: &String| {
                    format!("<member><PolicyName>x</PolicyName><PolicyArn>{arn}</PolicyArn></member>")
                };
                let policies: String = role.managed.iter().map(member).collect();
                return Ok(format!(
                    "<AttachedPolicies>{policies}</AttachedPolicies><IsTruncated>false</IsTruncated>"
                ));
            }
            "GetRolePolicy" => {
                let document = role
                    .inline
                    .get(&policy)
                    .ok_or_else(|| missing(&format!("role policy with name {policy}")))?;
                let document = escaped(document);
                return Ok(format!(
                    "<RoleName>{name}</RoleName><PolicyName>{policy}</PolicyName><PolicyDocument>{document}</PolicyDocument>"
                ));
            }
            "UpdateAssumeRolePolicy" => role.trust = text(form, "PolicyDocument"),
            "PutRolePermissionsBoundary" => role.boundary = Some(text(form, "PermissionsBoundary")),
            "AttachRolePolicy" if !role.managed.contains(&arn) => role.managed.push(arn),
            "AttachRolePolicy" => {}
            "DetachRolePolicy" => role.managed.retain(|attached| *attached != arn),
            "PutRolePolicy" => drop(role.inline.insert(policy, text(form, "PolicyDocument"))),
            "DeleteRolePolicy" => drop(role.inline.remove(&policy)),
            "TagRole" => role.tags.extend(tags(form)),
            other => panic!("{other}"),
        }
        Ok(String::new())
    }
}

fn create(roles: &mut BTreeMap<String, Role>, name: &str, form: &Value) -> Answer {
    if roles.keys().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err((
            409,
            "EntityAlreadyExists",
            format!("Role with name {name} already exists."),
        ));
    }
    let role = Role {
        path: text(form, "Path"),
        trust: text(form, "AssumeRolePolicyDocument"),
        boundary: form["PermissionsBoundary"].as_str().map(str::to_owned),
        tags: tags(form),
        ..Role::default()
    };
    let answer = role.described(name);
    roles.insert(name.to_owned(), role);
    Ok(answer)
}

/// The writing calls as `Action RoleName`.
pub(super) fn writes(aws: &FakeAws) -> Vec<String> {
    let line = |one: support::aws::Request| {
        let role = text(&one.body, "RoleName");
        format!("{} {role}", one.target)
    };
    aws.writes().into_iter().map(line).collect()
}

/// The forms of the calls of `action`, without what is the same in all.
pub(super) fn forms(aws: &FakeAws, action: &str) -> Vec<Value> {
    let strip = |form: Value| {
        let members = form.as_object().cloned().unwrap_or_default();
        let own = members
            .into_iter()
            .filter(|(name, _)| name != "Action" && name != "Version");
        Value::Object(own.collect::<Map<_, _>>())
    };
    aws.bodies(action).into_iter().map(strip).collect()
}

/// What SimulatePrincipalPolicy answers: `decide` knows the decision for action and resource.
pub(super) fn simulator(aws: &FakeAws, decide: impl Fn(&str, &str) -> &'static str + Send + Sync + 'static) {
    aws.answer_query_with("SimulatePrincipalPolicy", move |form| {
        let resource = text(form, "ResourceArns.member.1");
        let actions = (1..).map(|number| text(form, &format!("ActionNames.member.{number}")));
        let result = |action: String| {
            let (decision, context) = match decide(&action, &resource) {
                "missing" => ("implicitDeny", "<member>aws:ResourceTag/app</member>"),
                decision => (decision, ""),
            };
            format!(
                "<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>\
                 <EvalDecision>{decision}</EvalDecision><MissingContextValues>{context}</MissingContextValues></member>"
            )
        };
        let results: String = actions.take_while(|action| !action.is_empty()).map(result).collect();
        let results = format!("<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>");
        (200, xml("SimulatePrincipalPolicy", &results))
    });
}

/// A form value of `document`, as it is sent: without white space.
pub(super) fn compact(document: &str) -> Value {
    let value: Value = serde_json::from_str(document).unwrap();
    json!(value.to_string())
}
