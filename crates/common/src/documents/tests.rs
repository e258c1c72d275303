use super::*;
use crate::config::Config;
use aws_documents::Diagnostics;
use serde_json::json;
use std::path::Path;

const CONFIG: &str = r#"
version = 1
app = { name = "x" }
[params]
prefix = "/cruddur/backend-flask"
[roles.execution]
name = "Execution"
trust = "trust.json"
"#;

fn expand_with(text: &str, environment: &[(&str, &str)]) -> Result<Document, Vec<Diagnostic>> {
    check_with(text, environment, |_| Vec::new()).map(|(document, _)| document)
}

fn check_with(
    text: &str,
    environment: &[(&str, &str)],
    check: impl FnOnce(&Document) -> Vec<Diagnostic>,
) -> Result<(Document, Vec<Diagnostic>), Vec<Diagnostic>> {
    let config = Config::parse(Path::new("ops.toml"), CONFIG).unwrap();
    let target = AwsTarget {
        account: "123456789012".into(),
        region: "us-east-1".into(),
    };
    let environment: Vec<(String, String)> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let lookup = move |name: &str| {
        environment
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    let variables = Variables::over(&config.schema, &target, lookup);
    let document = Document::parse(Path::new("a.json"), text).unwrap();
    expand_and_check(&document, &variables, check)
}

#[test]
fn strings_are_expanded_and_keep_their_places() {
    let text = "{\"a\": [\"arn:${AWS_PARTITION}:ssm:${AWS_REGION}:${AWS_ACCOUNT_ID}:parameter${params.prefix}/*\"],\n\
                \"b\": \"${roles.execution.arn}\", \"${KEY}\": \"${aws:username} $$ ${PORT}\", \"c\": 1}";
    let document = expand_with(text, &[("PORT", "4567")]).unwrap();
    assert_eq!(
        document.to_value(),
        json!({
            "a": ["arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/backend-flask/*"],
            "b": "arn:aws:iam::123456789012:role/Execution",
            "${KEY}": "${aws:username} $ 4567",
            "c": 1,
        })
    );
    let position = document.field().get("b").unwrap().node.position;
    assert_eq!((position.line, position.column), (2, 6));
}

#[test]
fn other_errors_are_listed_beside_unset_variables() {
    let text = "{\"family\": \"a b\",\n\"cpu\": \"${UNSET}\",\n\"memory\": \"700 kB\"}";
    let config = Config::parse(Path::new("ops.toml"), CONFIG).unwrap();
    let document = Document::parse(Path::new("a.json"), text).unwrap();
    let lines = |cpu: Option<&str>| {
        let cpu = cpu.map(str::to_owned);
        let variables = Variables::over(&config.schema, &AwsTarget::unknown(), |_| cpu.clone());
        let found = expand_and_check(&document, &variables, aws_documents::task_definition::check);
        let (expanded, diagnostics) = match found {
            Ok((document, diagnostics)) => (Some(document.to_value()), diagnostics),
            Err(diagnostics) => (None, diagnostics),
        };
        let lines = diagnostics.iter().map(ToString::to_string);
        let lines = lines.filter(|line| !line.contains("is missing"));
        (expanded, lines.collect::<Vec<String>>())
    };
    let family = "a.json:1:12: family: a family has 1 to 255 letters, digits, `_` and `-`".to_owned();
    let memory = "a.json:3:11: memory: `700 kB` is no size: write \"512\" or \"0.5 GB\"".to_owned();
    let unset = "a.json:2:8: cpu: needs the environment variable `UNSET`, which is not set".to_owned();
    assert_eq!(lines(None), (None, vec![family.clone(), unset, memory.clone()]));
    let expanded = json!({"family": "a b", "cpu": "256", "memory": "700 kB"});
    assert_eq!(lines(Some("256")), (Some(expanded), vec![family, memory]));
}

#[test]
fn all_diagnostics_have_position_and_field() {
    let text = "{\"a\": [\"${UNSET}\", \"${EMPTY}\"],\n \"b\": {\"c\": \"$HOME\", \"d\": \"${cluster.name}\"},\n \"e\": \"${open\"}";
    let diagnostics = expand_with(text, &[("EMPTY", "")]).unwrap_err();
    let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "a.json:1:8: a[0]: needs the environment variable `UNSET`, which is not set",
            "a.json:1:20: a[1]: needs the environment variable `EMPTY`, which is empty",
            "a.json:2:13: b.c: has a `$` that does not start a `${NAME}`",
            "a.json:2:27: b.d: names `${cluster.name}`, which has no value here",
            "a.json:3:7: e: has a `${` without its `}`",
        ]
    );
    assert_eq!(diagnostics[0].hint.as_deref(), Some("export UNSET=…"));
}

#[test]
fn one_key_is_expanded_alone() {
    let config = Config::parse(Path::new("ops.toml"), CONFIG).unwrap();
    let variables = Variables::over(&config.schema, &AwsTarget::unknown(), |_| None);
    let text = "{\"a\": \"x-${params.prefix}\", \"b\": \"\", \"c\": 1,\n\"d\": \"${UNSET}\", \"e\": null}";
    let document = Document::parse(Path::new("a.json"), text).unwrap();
    let key = |key: &str| expand_key(&document, key, &variables).map_err(|diagnostic| diagnostic.to_string());
    assert_eq!(key("a"), Ok(Some("x-/cruddur/backend-flask".to_owned())));
    for absent in ["b", "c", "e", "f"] {
        assert_eq!(key(absent), Ok(None), "{absent}");
    }
    let unset = "a.json:2:6: d: needs the environment variable `UNSET`, which is not set";
    assert_eq!(key("d"), Err(unset.to_owned()));
}

#[test]
fn other_errors_are_listed_at_once() {
    let text = "{\"a\": \"${UNSET}\",\n \"b\": \"short\", \"c\": \"long enough\"}";
    // Both texts are too short for it, and of the first one it is known why.
    let check = |document: &Document| {
        let mut diagnostics = Diagnostics::new(&document.file);
        for (_, field) in document.field().members() {
            if field.text().is_some_and(|text| text.len() < 9) {
                diagnostics.error(&field, "is too short");
            }
        }
        diagnostics.into_vec()
    };
    let lines = |diagnostics: &[Diagnostic]| diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        lines(&check_with(text, &[], check).unwrap_err()),
        [
            "a.json:1:7: a: needs the environment variable `UNSET`, which is not set",
            "a.json:2:7: b: is too short",
        ]
    );
    let (document, diagnostics) = check_with(text, &[("UNSET", "set")], check).unwrap();
    assert_eq!(document.to_value()["a"], "set");
    assert_eq!(
        lines(&diagnostics),
        ["a.json:1:7: a: is too short", "a.json:2:7: b: is too short"]
    );
}

#[test]
fn stand_ins_are_shown_as_their_variables() {
    let target = AwsTarget::unknown();
    let text = format!("arn:aws:ssm:{}::{}:parameter/x", target.region, target.account);
    let mut diagnostic = Diagnostic::of_file(Path::new("a.json"), format!("`{text}` is wrong"));
    diagnostic.hint = Some(format!("did you mean {}?", target.account));
    let diagnostic = name_unknown(diagnostic);
    assert_eq!(
        diagnostic.message,
        "`arn:aws:ssm:${AWS_REGION}::${AWS_ACCOUNT_ID}:parameter/x` is wrong"
    );
    assert_eq!(
        diagnostic.hint.as_deref(),
        Some("did you mean ${AWS_ACCOUNT_ID}?")
    );
}
