use super::*;
use serde_json::json;

fn meaning(field: &str) -> List {
    match field {
        "subnets" => List::Set,
        "environment" => List::Keyed(&["name"]),
        "ports" => List::Keyed(&["port", "protocol"]),
        _ => List::Ordered,
    }
}

fn shown(from: Value, to: Value) -> Vec<String> {
    difference(&from, &to, meaning)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn lists_each_field() {
    let cases = [
        (json!({"a": 1}), json!({"a": 1}), vec![]),
        (json!({"a": 1}), json!({"a": 2}), vec!["a: 1 -> 2"]),
        (json!({"a": 1}), json!({}), vec!["a: 1 -> (none)"]),
        (
            json!({}),
            json!({"a": {"b": {"c": "x"}}}),
            vec!["a.b.c: (none) -> x"],
        ),
        (json!({"a": {"b": "x"}}), json!({}), vec!["a.b: x -> (none)"]),
        (json!({"a": {}}), json!({}), vec!["a: {} -> (none)"]),
        (json!({"a": [1]}), json!({"a": "x"}), vec!["a: [1] -> x"]),
        // The order of a command counts, and it is shown as a whole.
        (
            json!({"command": ["a", "b"]}),
            json!({"command": ["b", "a"]}),
            vec![r#"command: ["a","b"] -> ["b","a"]"#],
        ),
        (
            json!({}),
            json!({"command": ["a"]}),
            vec![r#"command: (none) -> ["a"]"#],
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(shown(from.clone(), to.clone()), expected, "{from} {to}");
    }
}

#[test]
fn sets_know_no_order() {
    assert!(shown(json!({"subnets": ["a", "b"]}), json!({"subnets": ["b", "a"]})).is_empty());
    assert_eq!(
        shown(
            json!({"subnets": ["a", "b"]}),
            json!({"subnets": ["b", "c", "d"]})
        ),
        ["subnets: a -> c", "subnets: (none) -> d"]
    );
    assert_eq!(
        shown(json!({"subnets": ["a"]}), json!({})),
        ["subnets: a -> (none)"]
    );
}

#[test]
fn elements_of_keyed_lists_are_known_by_their_keys() {
    let from = json!({"environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "ports": [{"port": 1, "protocol": "tcp"}]});
    let to = json!({"environment": [{"name": "C", "value": "3"}, {"name": "A", "value": "9"}], "ports": [{"port": 1, "protocol": "udp"}]});
    assert_eq!(
        shown(from, to),
        [
            "environment[A].value: 1 -> 9",
            "environment[B].value: 2 -> (none)",
            "environment[C].value: (none) -> 3",
            // Nothing but a name: the element as a whole.
            r#"ports[1/tcp]: {"port":1,"protocol":"tcp"} -> (none)"#,
            r#"ports[1/udp]: (none) -> {"port":1,"protocol":"udp"}"#,
        ]
    );
}

#[test]
fn sorting_leaves_ordered_lists_alone() {
    let mut value = json!({"b": 1, "a": [{"subnets": ["z", "y"], "command": ["2", "1"]}], "environment": [{"name": "B"}, {"name": "A"}]});
    sort(&mut value, meaning);
    let expected = r#"{"a":[{"command":["2","1"],"subnets":["y","z"]}],"b":1,"environment":[{"name":"A"},{"name":"B"}]}"#;
    assert_eq!(value.to_string(), expected);
}
