use super::*;

fn desired() -> Desired {
    Desired {
        name: "/a/X".into(),
        value: "new".to_owned().into(),
        r#type: ParameterType::SecureString,
        kms_key: None,
        tier: None,
        description: None,
    }
}

fn stored(value: &str, r#type: &str) -> Stored {
    Stored {
        value: value.to_owned().into(),
        r#type: r#type.into(),
        version: 3,
        data_type: Some("text".into()),
    }
}

fn observed(value: &str) -> Observed {
    Observed {
        stored: stored(value, "SecureString"),
        metadata: Some(Metadata {
            kms_key: Some("alias/aws/ssm".into()),
            tier: Some("Standard".into()),
            description: Some("old words".into()),
            allowed_pattern: None,
        }),
        tags: Some(tags(&[("app", "cruddur"), ("owner", "another")])),
    }
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// The changes of an update, and whether it writes a version.
fn update(desired: &Desired, tags: &Tags, observed: &Observed) -> (bool, Vec<String>) {
    let plan = plan(desired, tags, Some(observed)).unwrap();
    let puts = plan.steps().iter().any(|step| step.action == Action::Put);
    (puts, plan.changes().iter().map(ToString::to_string).collect())
}

#[test]
fn a_missing_parameter_is_created_and_an_equal_one_left_alone() {
    let app = tags(&[("app", "cruddur")]);
    assert_eq!(plan(&desired(), &app, None).unwrap().verb(), "create");
    assert_eq!(plan(&desired(), &app, Some(&observed("new"))), Ok(Plan::Nothing));
}

#[test]
fn each_difference_is_an_update_that_names_it() {
    let none = Tags::new();
    let changes = |change: &dyn Fn(&mut Desired)| {
        let mut desired = desired();
        change(&mut desired);
        update(&desired, &none, &observed("new"))
    };
    assert_eq!(
        update(&desired(), &none, &observed("old")),
        (true, vec!["value: *** -> ***".into()])
    );
    for (change, expected) in [
        (
            &(|desired: &mut Desired| desired.kms_key = Some("alias/own".into())) as &dyn Fn(&mut Desired),
            "kms_key: alias/aws/ssm -> alias/own",
        ),
        (
            &|desired| desired.tier = Some(ParameterTier::Advanced),
            "tier: Standard -> Advanced",
        ),
        (
            &|desired| desired.description = Some("new words".into()),
            "description: old words -> new words",
        ),
    ] {
        assert_eq!(changes(change), (true, vec![expected.to_owned()]));
    }
    for same in [
        &(|desired: &mut Desired| desired.kms_key = Some("alias/aws/ssm".into())) as &dyn Fn(&mut Desired),
        &|desired| {
            desired.kms_key = Some("arn:aws:kms:us-east-1:123456789012:alias/aws/ssm".into());
        },
        &|desired| desired.tier = Some(ParameterTier::Standard),
        &|desired| desired.tier = Some(ParameterTier::IntelligentTiering),
        &|desired| desired.description = Some("old words".into()),
    ] {
        assert_eq!(changes(same), (false, Vec::new()));
    }
}

#[test]
fn a_plain_parameter_becomes_a_secure_one_and_never_the_other_way() {
    let mut plain = observed("new");
    plain.stored.r#type = "String".into();
    assert_eq!(
        update(&desired(), &Tags::new(), &plain),
        (true, vec!["type: String -> SecureString".to_owned()])
    );
    for r#type in [ParameterType::String, ParameterType::StringList] {
        let mut desired = desired();
        desired.r#type = r#type;
        let error = plan(&desired, &Tags::new(), Some(&observed("new"))).unwrap_err();
        assert!(error.message.contains("in plain text"), "{type:?}");
        assert_eq!(need(&desired, &stored("old", "SecureString")), Need::No);
    }
}

#[test]
fn an_advanced_one_does_not_become_standard() {
    let mut advanced = observed("new");
    advanced.metadata = Some(Metadata {
        tier: Some("Advanced".into()),
        ..Metadata::default()
    });
    let mut desired = desired();
    desired.tier = Some(ParameterTier::Standard);
    assert!(plan(&desired, &Tags::new(), Some(&advanced)).is_err());
    desired.tier = Some(ParameterTier::IntelligentTiering);
    assert_eq!(plan(&desired, &Tags::new(), Some(&advanced)), Ok(Plan::Nothing));
}

#[test]
fn tags_are_added_without_a_new_version_and_others_stay() {
    let desired_tags = tags(&[("app", "other"), ("team", "x")]);
    let plan_of = |observed: Observed| plan(&desired(), &desired_tags, Some(&observed)).unwrap();
    let update = plan_of(observed("new"));
    let actions: Vec<&Action> = update.steps().iter().map(|step| &step.action).collect();
    assert_eq!(actions, [&Action::Tag(desired_tags.clone())]);
    let shown: Vec<String> = update.changes().iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["tags.app: cruddur -> other", "tags.team: (none) -> x"]);
    let mut unknown = observed("new");
    unknown.tags = None;
    assert_eq!(plan_of(unknown), Plan::Nothing);
}

#[test]
fn metadata_is_read_only_where_the_plan_needs_it() {
    let same = stored("new", "SecureString");
    let other = stored("old", "SecureString");
    let plain = stored("old", "String");
    let with = |key: Option<&str>, tier: Option<ParameterTier>, description: Option<&str>| Desired {
        kms_key: key.map(str::to_owned),
        tier,
        description: description.map(str::to_owned),
        ..desired()
    };
    let standard = Some(ParameterTier::Standard);
    for (desired, stored, expected) in [
        (with(None, None, None), &same, Need::No),
        (with(None, None, None), &other, Need::Keep),
        (with(None, None, None), &plain, Need::Keep),
        (with(Some("k"), None, None), &same, Need::Compare),
        (with(None, standard, None), &same, Need::Compare),
        (with(None, None, Some("d")), &same, Need::Compare),
        (with(Some("k"), None, None), &other, Need::Keep),
        (with(None, standard, None), &other, Need::Keep),
        (with(Some("k"), standard, None), &other, Need::Compare),
    ] {
        assert_eq!(need(&desired, stored), expected, "{desired:?}");
    }
    let mut plain_desired = with(None, standard, None);
    plain_desired.r#type = ParameterType::String;
    assert_eq!(need(&plain_desired, &plain), Need::Compare);
}

#[test]
fn a_key_has_several_names() {
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    for (key, plain) in [
        ("alias/own", "alias/own"),
        ("arn:aws:kms:us-east-1:123456789012:alias/own", "alias/own"),
        (id, id),
        (&format!("arn:aws:kms:us-east-1:123456789012:key/{id}"), id),
        ("arn:short", "arn:short"),
    ] {
        assert_eq!(plain_key(key), plain);
    }
}

#[test]
fn no_secret_is_in_a_debug_form() {
    let shown = format!("{:?} {:?}", desired(), observed("old"));
    assert!(!shown.contains("new") && !shown.contains("\"old\""), "{shown}");
}
