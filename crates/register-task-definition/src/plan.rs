//! What differs between the file and the latest revision, and what follows from it. No I/O.

use aws_documents::Values;
use aws_documents::task_definition::difference;
use cli::Change;
use ecs::TaskDefinition;
use reconcile::Tags;
use reconcile::tags;
use serde_json::Value;

/// The action to take.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plan {
    Nothing,
    /// The definition is the same, and the revision lacks these tags.
    Tag(Tags, Vec<Change>),
    /// A new revision.
    Register(Vec<Change>),
}

impl Plan {
    /// From the file and the latest active revision, if there is one. `desired` is without tags.
    pub(crate) fn new(desired: &Value, tags: &Tags, latest: Option<&TaskDefinition>, values: Values) -> Self {
        let Some(latest) = latest else {
            let mut changes = difference(&Value::Null, desired, values);
            changes.extend(tags::changes(tags, &Tags::new()));
            return Plan::Register(changes);
        };
        let differing = tags::differing(tags, &latest.tags);
        let tag_changes = tags::changes(&differing, &latest.tags);
        let mut changes = difference(&latest.definition, desired, values);
        if !changes.is_empty() {
            changes.extend(tag_changes);
            Plan::Register(changes)
        } else if differing.is_empty() {
            Plan::Nothing
        } else {
            Plan::Tag(differing, tag_changes)
        }
    }

    /// The action in the report.
    pub(crate) fn action(&self, latest: Option<&TaskDefinition>) -> &'static str {
        match self {
            Plan::Nothing => "none",
            Plan::Tag(..) => "tag",
            Plan::Register(_) if latest.is_none() => "create",
            Plan::Register(_) => "register",
        }
    }

    /// What differs.
    pub(crate) fn changes(&self) -> &[Change] {
        match self {
            Plan::Nothing => &[],
            Plan::Tag(_, changes) | Plan::Register(changes) => changes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn desired() -> Value {
        json!({"family": "web", "cpu": "256", "containerDefinitions": [{"name": "web", "image": "a:1"}]})
    }

    fn tags() -> Tags {
        Tags::from([("app".to_owned(), "x".to_owned())])
    }

    fn registered(change: impl FnOnce(&mut TaskDefinition)) -> TaskDefinition {
        let mut definition = desired();
        definition["revision"] = json!(3);
        definition["status"] = json!("ACTIVE");
        definition["containerDefinitions"][0]["cpu"] = json!(0);
        let mut registered = TaskDefinition {
            definition,
            tags: tags(),
        };
        change(&mut registered);
        registered
    }

    fn shown(plan: &Plan) -> Vec<String> {
        plan.changes().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_same_is_nothing() {
        let latest = registered(|_| {});
        assert_eq!(
            Plan::new(&desired(), &tags(), Some(&latest), Values::Hidden),
            Plan::Nothing
        );
        // A tag that the file does not have stays.
        let latest = registered(|latest| drop(latest.tags.insert("owner".into(), "y".into())));
        assert_eq!(
            Plan::new(&desired(), &tags(), Some(&latest), Values::Hidden).action(Some(&latest)),
            "none"
        );
    }

    #[test]
    fn tags_alone_make_no_revision() {
        let latest = registered(|latest| drop(latest.tags.insert("app".into(), "old".into())));
        let plan = Plan::new(&desired(), &tags(), Some(&latest), Values::Hidden);
        assert_eq!(plan.action(Some(&latest)), "tag");
        assert_eq!(shown(&plan), ["tags.app: old -> x"]);
    }

    #[test]
    fn a_difference_makes_a_revision() {
        let latest = registered(|latest| {
            latest.definition["cpu"] = json!("512");
            latest.tags.clear();
        });
        let plan = Plan::new(&desired(), &tags(), Some(&latest), Values::Hidden);
        assert_eq!(plan.action(Some(&latest)), "register");
        assert_eq!(shown(&plan), ["cpu: 512 -> 256", "tags.app: (none) -> x"]);
    }

    #[test]
    fn the_first_revision_is_listed_in_full() {
        let plan = Plan::new(&desired(), &tags(), None, Values::Hidden);
        assert_eq!(plan.action(None), "create");
        let shown = shown(&plan);
        for line in [
            "family: (none) -> web",
            "cpu: (none) -> 256",
            "containerDefinitions[web].image: (none) -> a:1",
            "tags.app: (none) -> x",
        ] {
            assert!(shown.iter().any(|one| one == line), "{line}: {shown:?}");
        }
    }
}
