use super::*;

fn id(kind: &str) -> String {
    format!("{kind}{}", "ABCDEFGHIJKLMN27")
}

fn advice() -> Advice {
    Advice {
        entries: vec!["AWS_ACCESS_KEY_ID".into(), "AWS_SECRET_ACCESS_KEY".into()],
        task_definition: Some("aws/t.json".into()),
    }
}

fn assessed(key: &str, value: &str, reason: Option<&str>, caller: Option<CallerCredentials>) -> Assessment {
    let entry = ParameterEntry {
        env: Some("SOURCE".into()),
        allow_static_aws_credentials: reason.map(str::to_owned),
        ..ParameterEntry::default()
    };
    let source = Source::of(&entry).unwrap();
    assess(key, &entry, &source, value, caller, &advice())
}

fn message(assessment: Assessment) -> String {
    match assessment {
        Assessment::Refused(error) => error.message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_are_recognised_by_their_letters() {
    for value in [id("AKIA"), id("ABIA"), id("A3TX"), format!("key={};", id("ACCA"))] {
        assert!(
            message(assessed("K", &value, None, None)).starts_with("the value holds a long-lived AWS key")
        );
        let allowed = assessed("K", &value, Some(" because "), None);
        assert_eq!(allowed, Assessment::Allowed("because".into()));
    }
    let temporary = id("ASIA");
    for reason in [None, Some("because")] {
        let message = message(assessed("K", &format!("a {temporary}"), reason, None));
        assert!(message.starts_with("the value holds a temporary AWS key, which expires"));
    }
    for value in [
        id("AKIB"),
        format!("x{}", id("AKIA")),
        format!("{}8", id("AKIA")),
        id("AKIA").to_lowercase(),
        id("AKIA").replace('2', "1"),
        "€KIAABCDEFGHIJKLMN27".into(),
    ] {
        assert_eq!(assessed("K", &value, None, None), Assessment::NoKey, "{value}");
    }
}

#[test]
fn entries_and_sources_are_recognised_by_their_names() {
    for key in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "sub/AWS_ACCESS_KEY_ID",
    ] {
        assert!(
            message(assessed(key, "x", None, None)).contains("never expires"),
            "{key}"
        );
        assert!(
            message(assessed(key, "x", Some(" "), None)).contains("never expires"),
            "{key}"
        );
        assert_eq!(
            assessed(key, "x", Some("y"), None),
            Assessment::Allowed("y".into())
        );
    }
    let token = message(assessed("AWS_SESSION_TOKEN", "x", Some("y"), None));
    assert!(token.contains("session token, which expires"));
    let renamed = ParameterEntry {
        template: Some("k=${AWS_SECRET_ACCESS_KEY}".into()),
        ..ParameterEntry::default()
    };
    let source = Source::of(&renamed).unwrap();
    let assessment = assess("KEY", &renamed, &source, "k=x", None, &advice());
    assert!(message(assessment).contains("part of an AWS key"));
}

#[test]
fn the_credentials_of_the_run_are_recognised_by_comparison() {
    let caller = CallerCredentials {
        access_key_id: "my-id",
        secret_access_key: "my-secret-0123456789",
        session_token: None,
    };
    for value in ["my-id", "my-secret-0123456789", "x:my-secret-0123456789@y"] {
        let found = message(assessed("K", value, None, Some(caller)));
        assert!(found.contains("the one that this command runs with"), "{value}");
        assert_eq!(
            assessed("K", value, Some("y"), Some(caller)),
            Assessment::Allowed("y".into())
        );
    }
    assert_eq!(assessed("K", "not my-id", None, Some(caller)), Assessment::NoKey);
    let session = CallerCredentials {
        session_token: Some("my-token"),
        ..caller
    };
    for value in ["my-id", "my-secret-0123456789", "my-token"] {
        let found = message(assessed("K", value, Some("y"), Some(session)));
        assert!(found.contains("expires within hours"), "{value}");
    }
    let empty = CallerCredentials {
        session_token: Some(""),
        ..caller
    };
    assert_eq!(assessed("K", "", None, Some(empty)), Assessment::NoKey);
}

#[test]
fn the_advice_names_what_to_delete() {
    let hint = |key: &str| match assessed(key, &id("ASIA"), None, None) {
        Assessment::Refused(error) => error.hint.unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        hint("AWS_ACCESS_KEY_ID"),
        "give the task a role, and delete the entries `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` of [params.entry] and their 2 lines in the `secrets` of aws/t.json"
    );
    assert_eq!(
        hint("OTHER"),
        "give the task a role, and delete the entry `OTHER` of [params.entry] and its line in the `secrets` of aws/t.json"
    );
}
