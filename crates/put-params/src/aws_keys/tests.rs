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

fn verdict(key: &str, value: &str, reason: Option<&str>, own: Option<Own>) -> Verdict {
    let entry = ParameterEntry {
        env: Some("SOURCE".into()),
        allow_static_aws_credentials: reason.map(str::to_owned),
        ..ParameterEntry::default()
    };
    let source = Source::of(&entry).unwrap();
    judge(key, &entry, &source, value, own, &advice())
}

fn message(verdict: Verdict) -> String {
    match verdict {
        Verdict::Refused(flaw) => flaw.message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_are_known_by_their_letters() {
    for value in [id("AKIA"), id("ABIA"), id("A3TX"), format!("key={};", id("ACCA"))] {
        assert!(
            message(verdict("K", &value, None, None)).starts_with("the value holds a long-lived AWS key")
        );
        let allowed = verdict("K", &value, Some(" because "), None);
        assert_eq!(allowed, Verdict::Allowed("because".into()));
    }
    let temporary = id("ASIA");
    for reason in [None, Some("because")] {
        let message = message(verdict("K", &format!("a {temporary}"), reason, None));
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
        assert_eq!(verdict("K", &value, None, None), Verdict::Clear, "{value}");
    }
}

#[test]
fn entries_and_sources_are_known_by_their_names() {
    for key in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "sub/AWS_ACCESS_KEY_ID",
    ] {
        assert!(
            message(verdict(key, "x", None, None)).contains("never expires"),
            "{key}"
        );
        assert!(
            message(verdict(key, "x", Some(" "), None)).contains("never expires"),
            "{key}"
        );
        assert_eq!(verdict(key, "x", Some("y"), None), Verdict::Allowed("y".into()));
    }
    let token = message(verdict("AWS_SESSION_TOKEN", "x", Some("y"), None));
    assert!(token.contains("session token, which expires"));
    let renamed = ParameterEntry {
        template: Some("k=${AWS_SECRET_ACCESS_KEY}".into()),
        ..ParameterEntry::default()
    };
    let source = Source::of(&renamed).unwrap();
    let verdict = judge("KEY", &renamed, &source, "k=x", None, &advice());
    assert!(message(verdict).contains("part of an AWS key"));
}

#[test]
fn the_credentials_of_the_run_are_known_by_comparison() {
    let own = Own {
        access_key_id: "my-id",
        secret_access_key: "my-secret-0123456789",
        session_token: None,
    };
    for value in ["my-id", "my-secret-0123456789", "x:my-secret-0123456789@y"] {
        let found = message(verdict("K", value, None, Some(own)));
        assert!(found.contains("the one that this command runs with"), "{value}");
        assert_eq!(
            verdict("K", value, Some("y"), Some(own)),
            Verdict::Allowed("y".into())
        );
    }
    assert_eq!(verdict("K", "not my-id", None, Some(own)), Verdict::Clear);
    let session = Own {
        session_token: Some("my-token"),
        ..own
    };
    for value in ["my-id", "my-secret-0123456789", "my-token"] {
        let found = message(verdict("K", value, Some("y"), Some(session)));
        assert!(found.contains("expires within hours"), "{value}");
    }
    let empty = Own {
        session_token: Some(""),
        ..own
    };
    assert_eq!(verdict("K", "", None, Some(empty)), Verdict::Clear);
}

#[test]
fn the_advice_names_what_to_delete() {
    let flaw = |key: &str| match verdict(key, &id("ASIA"), None, None) {
        Verdict::Refused(flaw) => flaw.hint.unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        flaw("AWS_ACCESS_KEY_ID"),
        "give the task a role, and delete the entries `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` of [params.entry] and their 2 lines in the `secrets` of aws/t.json"
    );
    assert_eq!(
        flaw("OTHER"),
        "give the task a role, and delete the entry `OTHER` of [params.entry] and its line in the `secrets` of aws/t.json"
    );
}
