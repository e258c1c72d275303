use super::*;
use common::config::ExecuteCommand;

const ARN: &str = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1";
const OTHER: &str = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-2";

fn desired() -> Desired {
    Desired {
        name: "a".into(),
        namespace: None,
        insights: None,
        sessions: None,
        capacity_providers: Vec::new(),
        tags: Tags::new(),
    }
}

fn observed() -> Observed {
    Observed {
        namespace: Some(Namespace {
            reference: ARN.into(),
            name: Some("cruddur".into()),
        }),
        insights: "disabled".into(),
        sessions: Sessions::default(),
        capacity_providers: vec!["FARGATE".into()],
        tags: Tags::from([("owner".into(), "somebody".into())]),
    }
}

fn table() -> ExecuteCommand {
    ExecuteCommand {
        log_group: Some("g".into()),
        ..ExecuteCommand::default()
    }
}

fn sessions() -> Sessions {
    Sessions::new(&table())
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.changes().iter().map(ToString::to_string).collect()
}

fn deeds(plan: Plan) -> Vec<Action> {
    match plan {
        Plan::Update(steps) => steps.into_iter().map(|step| step.action).collect(),
        Plan::Nothing => Vec::new(),
        Plan::Create(..) => panic!("it is there"),
    }
}

#[test]
fn what_the_file_does_not_name_stays() {
    assert_eq!(plan(&desired(), Some(&observed())), Plan::Nothing);
    let rich = Observed {
        insights: "enhanced".into(),
        sessions: sessions(),
        ..observed()
    };
    assert_eq!(plan(&desired(), Some(&rich)), Plan::Nothing);
}

#[test]
fn a_namespace_is_the_same_by_name_and_by_arn() {
    let reads: [(&str, Option<Namespace>, bool); 7] = [
        ("cruddur", observed().namespace, true),
        (ARN, observed().namespace, true),
        (OTHER, observed().namespace, false),
        ("other", observed().namespace, false),
        ("cruddur", None, false),
        // Gone from Cloud Map, though the cluster still names it.
        (
            "cruddur",
            Some(Namespace {
                reference: ARN.into(),
                name: None,
            }),
            false,
        ),
        // An ECS that says what it was given.
        (
            "cruddur",
            Some(Namespace {
                reference: "cruddur".into(),
                name: None,
            }),
            true,
        ),
    ];
    for (namespace, found, same) in reads {
        let desired = Desired {
            namespace: Some(namespace.into()),
            ..desired()
        };
        let observed = Observed {
            namespace: found,
            ..observed()
        };
        let deeds = deeds(plan(&desired, Some(&observed)));
        let parts = Parts {
            namespace: Some(namespace.into()),
            ..Parts::default()
        };
        let expected = if same { vec![] } else { vec![Action::Update(parts)] };
        assert_eq!(deeds, expected, "{namespace} {observed:?}");
    }
}

#[test]
fn the_change_shows_the_old_namespace_by_its_name() {
    let desired = Desired {
        namespace: Some("other".into()),
        ..desired()
    };
    assert_eq!(
        shown(&plan(&desired, Some(&observed()))),
        ["service_connect_namespace: cruddur -> other"]
    );
    let gone = Observed {
        namespace: Some(Namespace {
            reference: ARN.into(),
            name: None,
        }),
        ..observed()
    };
    assert_eq!(
        shown(&plan(&desired, Some(&gone))),
        [format!("service_connect_namespace: {ARN} -> other")]
    );
}

#[test]
fn one_call_updates_all_parts_that_differ_and_no_others() {
    let desired = Desired {
        namespace: Some("cruddur".into()),
        insights: Some(ContainerInsights::Enhanced),
        sessions: Some(table()),
        ..desired()
    };
    let found = plan(&desired, Some(&observed()));
    assert_eq!(
        shown(&found),
        [
            "container_insights: disabled -> enhanced",
            "execute_command.logging: DEFAULT -> OVERRIDE",
            "execute_command.log_group: (none) -> g",
        ]
    );
    let parts = Parts {
        namespace: None,
        insights: Some(ContainerInsights::Enhanced),
        sessions: Some(sessions()),
    };
    assert_eq!(deeds(found), [Action::Update(parts)]);
}

#[test]
fn capacity_providers_are_added_and_the_order_does_not_count() {
    let both = || vec!["FARGATE_SPOT".to_owned(), "FARGATE".to_owned()];
    let desired = Desired {
        capacity_providers: both(),
        ..desired()
    };
    let found = plan(&desired, Some(&observed()));
    assert_eq!(
        shown(&found),
        [r#"capacity_providers: ["FARGATE"] -> ["FARGATE","FARGATE_SPOT"]"#]
    );
    let all = vec!["FARGATE".to_owned(), "FARGATE_SPOT".to_owned()];
    assert_eq!(deeds(found), [Action::CapacityProviders(all)]);
    let more = Observed {
        capacity_providers: vec!["FARGATE".into(), "own".into(), "FARGATE_SPOT".into()],
        ..observed()
    };
    assert_eq!(plan(&desired, Some(&more)), Plan::Nothing);
}

#[test]
fn tags_of_others_stay() {
    let desired = Desired {
        tags: Tags::from([("app".into(), "x".into())]),
        ..desired()
    };
    let found = plan(&desired, Some(&observed()));
    assert_eq!(shown(&found), ["tags.app: (none) -> x"]);
    assert_eq!(deeds(found), [Action::Tag(desired.tags)]);
}

#[test]
fn a_new_cluster_gets_all_that_the_file_names() {
    let desired = Desired {
        namespace: Some("cruddur".into()),
        insights: Some(ContainerInsights::Enabled),
        sessions: Some(table()),
        capacity_providers: vec!["FARGATE".into()],
        tags: Tags::from([("app".into(), "x".into())]),
        ..desired()
    };
    let found = plan(&desired, None);
    assert_eq!(found.verb(), "create");
    assert_eq!(
        shown(&found),
        [
            "service_connect_namespace: (none) -> cruddur",
            "container_insights: (none) -> enabled",
            "execute_command.logging: DEFAULT -> OVERRIDE",
            "execute_command.log_group: (none) -> g",
            "capacity_providers: (none) -> [\"FARGATE\"]",
            "tags.app: (none) -> x",
        ]
    );
    assert_eq!(plan(&self::desired(), None), Plan::Create(Vec::new(), Vec::new()));
}
