use super::*;
use crate::position::Position;
use serde_json::json;

fn parse(text: &str) -> Result<Document, Diagnostic> {
    Document::parse(Path::new("a.json"), text)
}

fn at(line: u32, column: u32) -> Position {
    Position { line, column }
}

#[test]
fn values_know_where_they_stand() {
    let document =
        parse("{\n  \"ä\": [1, -2.5e3,\ttrue],\n  \"b\": {\"c\": null, \"d\": \"x\\u00e9\\n\"}\r\n}\n")
            .unwrap();
    assert_eq!(
        document.to_value(),
        json!({"ä": [1, -2500.0, true], "b": {"c": null, "d": "xé\n"}})
    );
    let root = document.field();
    let places: Vec<(String, Position)> = root
        .list("ä")
        .iter()
        .chain(&root.get("b"))
        .map(|field| (field.path.clone(), field.node.position))
        .collect();
    assert_eq!(
        places,
        [
            ("ä[0]".to_owned(), at(2, 9)),
            ("ä[1]".to_owned(), at(2, 12)),
            ("ä[2]".to_owned(), at(2, 20)),
            ("b".to_owned(), at(3, 8)),
        ]
    );
    let b = root.get("b").unwrap();
    let (member, value) = &b.members()[1];
    assert_eq!((member.position, value.path.as_str()), (at(3, 20), "b.d"));
    // null counts as absent.
    assert!(b.get("c").is_none());
}

#[test]
fn a_syntax_error_has_its_position() {
    let cases = [
        ("", "a.json:1:1: there is nothing in it"),
        (" \n ", "a.json:2:2: there is nothing in it"),
        ("\u{feff}{}", "a.json:1:1: it begins with a byte order mark"),
        (
            "{} {}",
            "a.json:1:4: something stands behind the end of the document",
        ),
        ("{\"a\": 1, // why\n}", "a.json:1:10: JSON has no comments"),
        ("# why\n{}", "a.json:1:1: JSON has no comments"),
        ("/* why */ {}", "a.json:1:1: JSON has no comments"),
        (
            "{\"a\": 1,\n \"a\": 2}",
            "a.json:2:2: the key `a` stands twice; first on line 1, column 2",
        ),
        (
            "{\"a\": [1,\n2,\n]}",
            "a.json:2:2: a: a `,` before `]` is no JSON",
        ),
        ("{\"a\": 1,}", "a.json:1:8: a `,` before `}` is no JSON"),
        (
            "{\"a\": {\"b\" 1}}",
            "a.json:1:12: a: a `:` must stand behind the key `b`",
        ),
        ("{a: 1}", "a.json:1:2: a key in double quotes must stand here"),
        ("{\"a\": 1 \"b\": 2}", "a.json:1:9: a `,` or `}` must stand here"),
        (
            "{\"a\": [1, 2",
            "a.json:1:12: a: the `]` for line 1, column 7 is missing",
        ),
        ("{\"a\": }", "a.json:1:7: a: a value must stand here, not `}`"),
        ("{\"a\":", "a.json:1:6: a: a value is missing"),
        ("{\"a\": 'x'}", "a.json:1:7: a: a string stands in double quotes"),
        ("{\"a\": hunter2}", "a.json:1:7: a: this is no value of JSON"),
        ("{\"a\": True}", "a.json:1:7: a: this is no value of JSON"),
        (
            "{\"a\": ${PORT}}",
            "a.json:1:7: a: a `${NAME}` stands inside a string",
        ),
        (
            "{\"a\": \"x}\n",
            "a.json:1:7: a: the string has no end on its line",
        ),
        (
            "{\"a\": \"x\ty\"}",
            "a.json:1:9: a: a control character (U+0009) stands in the string",
        ),
        ("[\"\\q\"]", "a.json:1:3: [0]: JSON has no such escape"),
        (
            "[\"\\u12x4\"]",
            "a.json:1:3: [0]: four hexadecimal digits must stand behind \\u",
        ),
        (
            "[\"\\ud83d\"]",
            "a.json:1:3: [0]: this is one half of a character",
        ),
        (
            "[\"\\ude00\"]",
            "a.json:1:3: [0]: this is one half of a character",
        ),
        (
            "[\"\\ud83d\\u0041\"]",
            "a.json:1:3: [0]: this is one half of a character",
        ),
        ("[01]", "a.json:1:2: [0]: `01` is no number of JSON"),
        ("[1.]", "a.json:1:2: [0]: `1.` is no number of JSON"),
        ("[-]", "a.json:1:2: [0]: `-` is no number of JSON"),
        ("[1e999]", "a.json:1:2: [0]: `1e999` is no number of JSON"),
        ("[0x10]", "a.json:1:2: [0]: `0x10` is no number of JSON"),
        // The quotes around a secret may have been forgotten.
        ("[0b1c2d3e-canary]", "a.json:1:2: [0]: this is no number of JSON"),
    ];
    for (text, message) in cases {
        assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn a_forgotten_quote_does_not_show_the_value() {
    let diagnostic = parse("{\"password\": hunter2}").unwrap_err();
    assert!(!format!("{diagnostic} {diagnostic:?}").contains("hunter2"));
}

#[test]
fn depth_has_a_bound() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(65)).is_ok());
    let diagnostic = parse(&nested(66)).unwrap_err().message;
    assert_eq!(diagnostic, "it is nested deeper than 64 levels");
    assert!(parse(&"[".repeat(500_000)).is_err());
}

#[test]
fn characters_beyond_the_plane_are_read() {
    let document = parse(r#"["\ud83d\ude00", "😀", "\/\b\f"]"#).unwrap();
    assert_eq!(document.to_value(), json!(["😀", "😀", "/\u{8}\u{c}"]));
}

#[test]
fn whatever_serde_json_reads_is_read_alike() {
    let texts = [
        "0",
        "-0",
        "1.5",
        "1E5",
        "9223372036854775807",
        "18446744073709551615",
        "\"\"",
        "[]",
        "{}",
        " [ ] ",
        "{\"\":{\"\":[]}}",
        "[true,false,null]",
        "1e-7",
        "0.1",
    ];
    for text in texts {
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text).unwrap().to_value(), expected, "{text}");
    }
}

#[test]
fn files_are_read_from_the_disk() {
    let folder = std::env::temp_dir().join(format!("aws-documents-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("a.json");
    let read = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Document::read(&file)
    };
    assert_eq!(read(b"{\"a\": 1}").unwrap().to_value(), json!({"a": 1}));
    let diagnostic = read(b"{\n \"a\": \"\xff\"}").unwrap_err();
    assert_eq!(
        (diagnostic.position, diagnostic.message.as_str()),
        (Some(at(2, 8)), "this is not UTF-8")
    );
    assert!(read(&vec![b' '; LARGEST + 1]).is_err());
    std::fs::remove_dir_all(&folder).unwrap();
    let diagnostic = Document::read(&file).unwrap_err();
    assert_eq!(diagnostic.position, None);
    assert!(
        diagnostic
            .to_string()
            .ends_with("a.json: No such file or directory (os error 2)"),
        "{diagnostic}"
    );
}
