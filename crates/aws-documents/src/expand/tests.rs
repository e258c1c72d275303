use super::*;
use common::config::{Config, Place};
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

fn expand_with(text: &str, environment: &[(&str, &str)]) -> Result<Document, Vec<Fault>> {
    let config = Config::parse(Path::new("ops.toml"), CONFIG).unwrap();
    let place = Place {
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
    let variables = Variables::over(&config.schema, &place, lookup);
    expand(&Document::parse(Path::new("a.json"), text).unwrap(), &variables)
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
fn all_faults_are_told_with_place_and_field() {
    let text = "{\"a\": [\"${UNSET}\", \"${EMPTY}\"],\n \"b\": {\"c\": \"$HOME\", \"d\": \"${cluster.name}\"},\n \"e\": \"${open\"}";
    let faults = expand_with(text, &[("EMPTY", "")]).unwrap_err();
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "a.json:1:8: a[0]: needs the environment variable `UNSET`, which is not set",
            "a.json:1:20: a[1]: needs the environment variable `EMPTY`, which is empty",
            "a.json:2:13: b.c: has a `$` that begins no `${NAME}`",
            "a.json:2:27: b.d: names `${cluster.name}`, which has no value here",
            "a.json:3:7: e: has a `${` without its `}`",
        ]
    );
    assert_eq!(faults[0].hint.as_deref(), Some("export UNSET=…"));
}

#[test]
fn stand_ins_are_told_as_the_variables_that_they_stand_for() {
    let place = Place::unknown();
    let text = format!("arn:aws:ssm:{}::{}:parameter/x", place.region, place.account);
    let mut fault = Fault::of_file(Path::new("a.json"), format!("`{text}` is wrong"));
    fault.hint = Some(format!("did you mean {}?", place.account));
    let fault = name_unknown(fault);
    assert_eq!(
        fault.message,
        "`arn:aws:ssm:${AWS_REGION}::${AWS_ACCOUNT_ID}:parameter/x` is wrong"
    );
    assert_eq!(fault.hint.as_deref(), Some("did you mean ${AWS_ACCOUNT_ID}?"));
}
