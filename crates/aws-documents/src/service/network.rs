//! Subnets and security groups. They differ from account to account, so `ops.toml` names them.

use super::setting::Setting;
use crate::diagnostic::Diagnostics;
use crate::node::Field;
use serde_json::{Map, Value, json};

/// The limits of `awsvpcConfiguration`.
const MOST_SUBNETS: usize = 16;
const MOST_GROUPS: usize = 5;

/// `service` with the subnets and the security groups of `ops.toml`.
pub fn fill(service: &Value, setting: &Setting) -> Value {
    let mut filled = service.clone();
    for (key, names) in [
        ("subnets", setting.subnets),
        ("securityGroups", setting.security_groups),
    ] {
        let Some(names) = names else { continue };
        let configuration =
            below(&mut filled, "networkConfiguration").and_then(|value| below(value, "awsvpcConfiguration"));
        if let Some(members) = configuration.and_then(Value::as_object_mut) {
            members.insert(key.to_owned(), json!(names));
        }
    }
    filled
}

/// The object under `key`, created when it is absent.
fn below<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    let slot = value.as_object_mut()?.entry(key).or_insert(Value::Null);
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    Some(slot)
}

pub(super) fn check(service: &Field, setting: &Setting, diagnostics: &mut Diagnostics) {
    let configuration = service
        .get("networkConfiguration")
        .and_then(|field| field.get("awsvpcConfiguration"));
    let lists = [
        ("subnets", "subnets", "subnet-", setting.subnets, MOST_SUBNETS),
        (
            "securityGroups",
            "security_groups",
            "sg-",
            setting.security_groups,
            MOST_GROUPS,
        ),
    ];
    for (key, in_ops, prefix, given, most) in lists {
        let here = configuration
            .as_ref()
            .and_then(|configuration| configuration.get(key));
        if let (Some(here), Some(_)) = (&here, given) {
            diagnostics.error(
                here,
                format!("it stands here and as `{in_ops}` in [service] of ops.toml"),
            );
            diagnostics.hint("take one of them out");
        }
        let names: Vec<(Field, String)> = match (&here, given) {
            (_, Some(given)) => given.iter().map(|name| (service.clone(), name.clone())).collect(),
            (Some(here), None) => {
                let elements = here.elements().into_iter();
                elements
                    .filter_map(|element| element.text().map(str::to_owned).map(|text| (element, text)))
                    .collect()
            }
            (None, None) => Vec::new(),
        };
        let place = here.as_ref().filter(|_| given.is_none()).unwrap_or(service);
        if names.is_empty() && key == "subnets" {
            diagnostics.error(place, "there is no subnet, and a Fargate task needs one");
            diagnostics.hint("set `subnets` in [service] of ops.toml");
        }
        if names.len() > most {
            diagnostics.error(
                place,
                format!("there are {} in `{key}`, and {most} are allowed", names.len()),
            );
        }
        for (index, (field, name)) in names.iter().enumerate() {
            let from = if given.is_some() {
                format!("`{in_ops}` of ops.toml: ")
            } else {
                String::new()
            };
            if !name.starts_with(prefix) || name.len() == prefix.len() {
                diagnostics.error(field, format!("{from}`{name}` does not look like {prefix}…"));
            } else if names.iter().take(index).any(|(_, earlier)| earlier == name) {
                diagnostics.error(field, format!("{from}`{name}` stands twice"));
            }
        }
    }
}
