use super::*;

fn wanted() -> Wanted {
    Wanted {
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

fn current(value: &str) -> Current {
    Current {
        stored: stored(value, "SecureString"),
        metadata: Some(Metadata {
            kms_key: Some("alias/aws/ssm".into()),
            tier: Some("Standard".into()),
            description: Some("old words".into()),
            allowed_pattern: None,
        }),
        tags: Some(tags(&[("app", "cruddur"), ("owner", "somebody")])),
    }
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// The changes of an update, and whether it writes a version.
fn update(wanted: &Wanted, tags: &Tags, current: &Current) -> (bool, Vec<String>) {
    match plan(wanted, tags, Some(current)) {
        Plan::Update(update) => {
            let changes = update.changes.iter().map(ToString::to_string).collect();
            (update.put, changes)
        }
        Plan::Nothing => (false, Vec::new()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_there_is_created_and_what_is_right_is_left_alone() {
    let app = tags(&[("app", "cruddur")]);
    assert_eq!(plan(&wanted(), &app, None), Plan::Create);
    assert_eq!(plan(&wanted(), &app, Some(&current("new"))), Plan::Nothing);
}

#[test]
fn each_difference_is_an_update_that_names_it() {
    let none = Tags::new();
    let changes = |change: &dyn Fn(&mut Wanted)| {
        let mut wanted = wanted();
        change(&mut wanted);
        update(&wanted, &none, &current("new"))
    };
    assert_eq!(
        update(&wanted(), &none, &current("old")),
        (true, vec!["value: *** -> ***".into()])
    );
    for (change, expected) in [
        (
            &(|wanted: &mut Wanted| wanted.kms_key = Some("alias/own".into())) as &dyn Fn(&mut Wanted),
            "kms_key: alias/aws/ssm -> alias/own",
        ),
        (
            &|wanted| wanted.tier = Some(ParameterTier::Advanced),
            "tier: Standard -> Advanced",
        ),
        (
            &|wanted| wanted.description = Some("new words".into()),
            "description: old words -> new words",
        ),
    ] {
        assert_eq!(changes(change), (true, vec![expected.to_owned()]));
    }
    for same in [
        &(|wanted: &mut Wanted| wanted.kms_key = Some("alias/aws/ssm".into())) as &dyn Fn(&mut Wanted),
        &|wanted| {
            wanted.kms_key = Some("arn:aws:kms:us-east-1:123456789012:alias/aws/ssm".into());
        },
        &|wanted| wanted.tier = Some(ParameterTier::Standard),
        &|wanted| wanted.tier = Some(ParameterTier::IntelligentTiering),
        &|wanted| wanted.description = Some("old words".into()),
    ] {
        assert_eq!(changes(same), (false, Vec::new()));
    }
}

#[test]
fn a_plain_parameter_becomes_a_secure_one_and_never_the_other_way() {
    let mut plain = current("new");
    plain.stored.r#type = "String".into();
    assert_eq!(
        update(&wanted(), &Tags::new(), &plain),
        (true, vec!["type: String -> SecureString".to_owned()])
    );
    for r#type in [ParameterType::String, ParameterType::StringList] {
        let mut wanted = wanted();
        wanted.r#type = r#type;
        let Plan::Blocked(flaw) = plan(&wanted, &Tags::new(), Some(&current("new"))) else {
            panic!("{type:?} was taken");
        };
        assert!(flaw.message.contains("in the clear"));
        assert_eq!(need(&wanted, &stored("old", "SecureString")), Need::No);
    }
}

#[test]
fn an_advanced_one_does_not_become_standard() {
    let mut advanced = current("new");
    advanced.metadata = Some(Metadata {
        tier: Some("Advanced".into()),
        ..Metadata::default()
    });
    let mut wanted = wanted();
    wanted.tier = Some(ParameterTier::Standard);
    assert!(matches!(
        plan(&wanted, &Tags::new(), Some(&advanced)),
        Plan::Blocked(_)
    ));
    wanted.tier = Some(ParameterTier::IntelligentTiering);
    assert_eq!(plan(&wanted, &Tags::new(), Some(&advanced)), Plan::Nothing);
}

#[test]
fn tags_are_added_without_a_new_version_and_others_stay() {
    let wanted_tags = tags(&[("app", "other"), ("team", "x")]);
    let Plan::Update(update) = plan(&wanted(), &wanted_tags, Some(&current("new"))) else {
        panic!("an update");
    };
    assert!(!update.put);
    assert_eq!(update.tags, wanted_tags);
    let shown: Vec<String> = update.changes.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["tags.app: cruddur -> other", "tags.team: (none) -> x"]);
    let mut unknown = current("new");
    unknown.tags = None;
    assert_eq!(plan(&wanted(), &wanted_tags, Some(&unknown)), Plan::Nothing);
}

#[test]
fn metadata_are_asked_for_only_where_something_depends_on_them() {
    let same = stored("new", "SecureString");
    let other = stored("old", "SecureString");
    let plain = stored("old", "String");
    let with = |key: Option<&str>, tier: Option<ParameterTier>, description: Option<&str>| Wanted {
        kms_key: key.map(str::to_owned),
        tier,
        description: description.map(str::to_owned),
        ..wanted()
    };
    let standard = Some(ParameterTier::Standard);
    for (wanted, stored, expected) in [
        (with(None, None, None), &same, Need::No),
        (with(None, None, None), &other, Need::ToKeep),
        (with(None, None, None), &plain, Need::ToKeep),
        (with(Some("k"), None, None), &same, Need::ToJudge),
        (with(None, standard, None), &same, Need::ToJudge),
        (with(None, None, Some("d")), &same, Need::ToJudge),
        (with(Some("k"), None, None), &other, Need::ToKeep),
        (with(None, standard, None), &other, Need::ToKeep),
        (with(Some("k"), standard, None), &other, Need::ToJudge),
    ] {
        assert_eq!(need(&wanted, stored), expected, "{wanted:?}");
    }
    let mut plain_wanted = with(None, standard, None);
    plain_wanted.r#type = ParameterType::String;
    assert_eq!(need(&plain_wanted, &plain), Need::ToJudge);
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
    let shown = format!("{:?} {:?}", wanted(), current("old"));
    assert!(!shown.contains("new") && !shown.contains("\"old\""), "{shown}");
}
