//! What every document survives.

use crate::policy::{Kind, Limits};
use crate::service::{Namespaces, Setting};
use crate::{Document, Values, policy, service, task_definition};
use std::path::Path;

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Principal":{"AWS":["*"]},"Action":"ssm:Get*",
    "Resource":["arn:aws:ssm:us-east-1::123456789012:parameter/ü/${aws:x}"],"Condition":{"ArnLike":{"aws:SourceArn":["arn:aws:s3:::b"]}}}]}"#;

const TASK_DEFINITION: &str = r#"{"family":"f","cpu":"0.25 vCPU","memory":"512","volumes":[{"name":"v","host":{}}],"containerDefinitions":[
    {"name":"c","image":"i@sha256:0","portMappings":[{"containerPort":1,"name":"p"}],"secrets":[{"name":"s","valueFrom":"arn:aws:ssm:r:a:b"}],
    "healthCheck":{"command":["CMD","x"]},"dependsOn":[{"containerName":"c","condition":"HEALTHY"}],"logConfiguration":{"logDriver":"awslogs"}}]}"#;

const SERVICE: &str = r#"{"serviceName":"s","deploymentConfiguration":{"maximumPercent":100},"serviceConnectConfiguration":{"enabled":true,
    "services":[{"portName":"p","clientAliases":[{"port":1,"dnsName":"ü"}]}]},"networkConfiguration":{"awsvpcConfiguration":{"subnets":[]}}}"#;

/// Reads and checks the document as every kind of file. The result does not matter.
fn check_all_kinds(text: &str) {
    let Ok(document) = Document::parse(Path::new("x.json"), text) else {
        return;
    };
    for kind in [Kind::Identity, Kind::Trust, Kind::Resource] {
        policy::check(&document, kind, Limits::default());
    }
    task_definition::check(&document);
    service::check(&document, &Setting::default());
    let value = document.to_value();
    for other in [POLICY, TASK_DEFINITION, SERVICE] {
        let other = serde_json::from_str(other).unwrap();
        policy::difference(&value, &other);
        task_definition::difference(&other, &value, Values::Hidden);
        service::difference(&value, &other, &Namespaces::new());
    }
    // Equal to itself, however odd it is.
    assert!(policy::equal(&value, &value), "{text}");
    assert_eq!(
        task_definition::difference(&value, &value, Values::Hidden),
        [],
        "{text}"
    );
}

#[test]
fn damaged_documents_cause_no_panic() {
    let segments = [
        "",
        "\"",
        "null",
        "[]",
        "{}",
        "-1",
        "99999999999999999999",
        "\"${\"",
        "\"arn:\"",
        "\"ü\"",
        "true",
    ];
    for text in [POLICY, TASK_DEFINITION, SERVICE] {
        // Cut anywhere, and with any character left out.
        for (at, character) in text.char_indices() {
            check_all_kinds(&text[..at]);
            check_all_kinds(&format!("{}{}", &text[..at], &text[at + character.len_utf8()..]));
        }
        // With something else in the place of each value.
        let starts = text.match_indices(':').map(|(at, _)| at + 1);
        for start in starts {
            let rest = &text[start..];
            for end in rest
                .match_indices([',', '}', ']'])
                .map(|(at, _)| start + at)
                .take(4)
            {
                for segment in segments {
                    check_all_kinds(&format!("{}{segment}{}", &text[..start], &text[end..]));
                }
            }
        }
    }
}
