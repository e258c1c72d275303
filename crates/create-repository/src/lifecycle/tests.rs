use super::*;
use serde_json::json;
use std::path::Path;

fn rule(selection: &str) -> String {
    format!(r#"{{"rules":[{{"rulePriority":1,"selection":{{{selection}}},"action":{{"type":"expire"}}}}]}}"#)
}

fn diagnostics(text: &str) -> Vec<String> {
    let document = Document::parse(Path::new("l.json"), text).unwrap();
    check(&document).iter().map(ToString::to_string).collect()
}

const COUNT: &str = r#""countType":"imageCountMoreThan","countNumber":3"#;

#[test]
fn right_ones_pass() {
    for text in [
        rule(&format!(r#""tagStatus":"any",{COUNT}"#)),
        rule(&format!(r#""tagStatus":"untagged",{COUNT}"#)),
        rule(&format!(r#""tagStatus":"tagged","tagPrefixList":["v"],{COUNT}"#)),
        rule(&format!(r#""tagStatus":"tagged","tagPatternList":["*a*b*c*"],{COUNT}"#)),
        rule(r#""tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":14"#),
        rule(r#""tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":90"#),
        r#"{"rules":[
            {"rulePriority":1,"description":"d","selection":{"tagStatus":"tagged","tagPrefixList":["v"],"countType":"sinceImagePulled","countUnit":"days","countNumber":1},"action":{"type":"transition","targetStorageClass":"archive"}},
            {"rulePriority":9,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}"#.to_owned(),
    ] {
        assert_eq!(diagnostics(&text), [""; 0], "{text}");
    }
}

#[test]
fn each_diagnostic_has_its_position() {
    let any = |rest: &str| rule(&format!(r#""tagStatus":"any",{rest}"#));
    for (text, words) in [
        ("[]".to_owned(), "l.json:1:1: it must be an object, not an array"),
        ("{}".to_owned(), "l.json:1:1: `rules` is missing"),
        (r#"{"rules":[]}"#.to_owned(), "l.json:1:10: rules: there must be at least one rule"),
        (r#"{"rules":[{"rulePriorty":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}"#.to_owned(), "AWS has no field `rulePriorty` here"),
        (any(r#""countType":"imageCountMoreThan","countNumber":"3""#), "countNumber: it must be a whole number, not a string"),
        (any(r#""countType":"imageCountMoreThan","countNumber":0"#), "countNumber: it must be 1 or more"),
        (any(r#""countType":"imagesMoreThan","countNumber":1"#), "`imagesMoreThan` is none of imageCountMoreThan, "),
        (any(r#""countType":"imageCountMoreThan","countUnit":"days","countNumber":1"#), "a count of images has no unit"),
        (any(r#""countType":"sinceImagePushed","countNumber":1"#), "`sinceImagePushed` needs `\"countUnit\": \"days\"`"),
        (any(r#""countType":"sinceImagePulled","countUnit":"days","countNumber":1"#), "goes with the action `transition` alone"),
        (any(r#""countType":"sinceImageTransitioned","countUnit":"days","countNumber":90"#), "needs `\"storageClass\": \"archive\"`"),
        (rule(&format!(r#""tagStatus":"tagged",{COUNT}"#)), "`tagged` needs `tagPatternList` or `tagPrefixList`"),
        (rule(&format!(r#""tagStatus":"tagged","tagPrefixList":["a"],"tagPatternList":["a"],{COUNT}"#)), "exclude each other"),
        (rule(&format!(r#""tagStatus":"untagged","tagPrefixList":["a"],{COUNT}"#)), "it goes with the `tagStatus` tagged"),
        (rule(&format!(r#""tagStatus":"tagged","tagPatternList":["a*b*c*d*e*"],{COUNT}"#)), "it has more than 4 `*`"),
        (any(COUNT).replace("expire", "transition"), "`transition` needs `targetStorageClass`"),
        (any(COUNT).replace("\"rulePriority\":1", "\"rulePriority\":0"), "rulePriority: it must be 1 or more"),
        (any(COUNT).replace("}]}", &format!("}},{{\"rulePriority\":1,\"selection\":{{\"tagStatus\":\"untagged\",{COUNT}}},\"action\":{{\"type\":\"expire\"}}}}]}}")), "another rule has the priority 1"),
        (any(COUNT).replace("}]}", &format!("}},{{\"rulePriority\":2,\"selection\":{{\"tagStatus\":\"untagged\",{COUNT}}},\"action\":{{\"type\":\"expire\"}}}}]}}")), "must have the highest number of all"),
        (any(COUNT).replace("\"rulePriority\":1", &format!("\"rulePriority\":1,\"description\":\"{}\"", "x".repeat(LONGEST))), "and ECR takes 30720"),
    ] {
        let found = diagnostics(&text);
        assert!(found.iter().any(|diagnostic| diagnostic.contains(words)), "{words}: {found:?}");
        assert_eq!(found.len(), if words.contains("rulePriorty") { 2 } else { 1 }, "{found:?}");
    }
}

fn policy(rules: Value) -> Value {
    json!({"rules": rules})
}

fn two() -> Value {
    policy(json!([
        {"rulePriority": 1, "description": "", "selection": {"tagStatus": "tagged", "tagPrefixList": ["a", "b"], "countType": "imageCountMoreThan", "countNumber": 3}, "action": {"type": "expire"}},
        {"rulePriority": 2, "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}, "action": {"type": "expire"}},
    ]))
}

#[test]
fn order_means_nothing() {
    let other = policy(json!([
        {"action": {"type": "expire"}, "selection": {"countNumber": 14, "countUnit": "days", "tagStatus": "any", "countType": "sinceImagePushed"}, "rulePriority": 2},
        {"selection": {"tagPrefixList": ["b", "a"], "tagPatternList": null, "tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 3}, "rulePriority": 1, "action": {"type": "expire"}},
    ]));
    assert_eq!(changes(Some(&two()), &other), []);
}

#[test]
fn differences_are_listed_by_priority() {
    let mut other = two();
    other["rules"][1]["selection"]["countNumber"] = json!(7);
    other["rules"][0]["selection"]["tagPrefixList"] = json!(["a", "c"]);
    let shown: Vec<String> = changes(Some(&two()), &other)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        shown,
        [
            "lifecycle_policy.rules[1].selection.tagPrefixList: b -> c",
            "lifecycle_policy.rules[2].selection.countNumber: 14 -> 7",
        ]
    );
    assert_eq!(
        changes(None, &two()),
        [Change::new("lifecycle_policy", Value::Null, two())]
    );
}
