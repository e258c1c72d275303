use super::*;
use crate::aws::service::{CLOUD_MAP, ECS, IAM, LOGS};
use aws_config::{BehaviorVersion, Region, retry::RetryConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use cli::{ErrorKind, ErrorSummary, Failure};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a client waits for a response.
const READ_TIMEOUT: Duration = Duration::from_millis(300);

/// What the server does with one request.
#[derive(Clone, Copy)]
enum Reply {
    /// Answers with a status, a body and further header lines.
    Http(u16, &'static str, &'static str),
    /// Closes the connection.
    Close,
    /// Announces more of the body than it sends.
    CutShort,
    /// Answers nothing until the client gives up.
    Hang,
}
use Reply::{Close, CutShort, Hang, Http};

/// A server that takes one connection for each reply, and gives the requests.
fn serve(replies: Vec<Reply>) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move |reply: Reply| {
        let mut stream = listener.accept().unwrap().0;
        let request = read_request(&mut stream);
        match reply {
            Http(status, body, headers) => {
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
                )
                // The client may close the connection before it has read all of a long body.
                .unwrap_or_default();
            }
            CutShort => write!(stream, "HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{{").unwrap(),
            Hang => std::thread::sleep(READ_TIMEOUT * 2),
            Close => {}
        }
        request
    };
    let server = std::thread::spawn(move || replies.into_iter().map(answer).collect());
    (address, server)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if length.is_none_or(|length| body.len() >= length.parse().unwrap()) {
                return text;
            }
        }
        assert!(read > 0, "the request ended early: {text}");
    }
}

fn client(address: SocketAddr, service: &'static Service) -> Client {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let retry = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    let timeouts = TimeoutConfig::builder().read_timeout(READ_TIMEOUT).build();
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-3"))
        .endpoint_url(format!("http://{address}"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(crate::aws::http::LazyTlsClient::new())
        .retry_config(retry)
        .timeout_config(timeouts)
        .build();
    let aws = Aws {
        sdk,
        region: "eu-west-3".into(),
        expect_account: None,
    };
    Client::new(&aws, service)
}

fn call(client: &Client, operation: &str, body: &Value) -> Result<Value, CallError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(client.call(operation, body))
}

#[test]
fn a_call_is_signed_and_keeps_unknown_fields() {
    let (address, server) = serve(vec![Http(200, r#"{"services":[{"new":1}]}"#, "")]);
    let client = client(address, &ECS);
    let body = json!({"cluster": "web", "unheard": {"of": true}});
    let answer = call(&client, "DescribeServices", &body).unwrap();
    assert_eq!(answer, json!({"services": [{"new": 1}]}));
    let request = server.join().unwrap().remove(0);
    for line in [
        "POST / HTTP/1.1\r\n",
        "\r\ncontent-type: application/x-amz-json-1.1\r\n",
        "\r\nx-amz-target: AmazonEC2ContainerServiceV20141113.DescribeServices\r\n",
        "\r\namz-sdk-request: attempt=1; max=3\r\n",
        "\r\namz-sdk-invocation-id: ",
        "/eu-west-3/ecs/aws4_request, SignedHeaders=",
        " api/ecs/",
        "\r\n\r\n{\"cluster\":\"web\",\"unheard\":{\"of\":true}}",
    ] {
        assert!(request.contains(line), "{line} is not in {request}");
    }
}

#[test]
fn a_form_is_signed_and_its_xml_is_read() {
    let body = "<TagRoleResponse><ResponseMetadata/></TagRoleResponse>";
    let error = "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>m</Message></Error></ErrorResponse>";
    let (address, server) = serve(vec![Http(200, body, ""), Http(404, error, "")]);
    let client = client(address, &IAM);
    let tags = json!({"RoleName": "a b", "Tags": [{"Key": "k", "Value": "v"}]});
    assert_eq!(call(&client, "TagRole", &tags).unwrap(), json!({}));
    let error = call(&client, "GetRole", &json!({})).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::NotFound, Some("NoSuchEntity"))
    );
    let request = server.join().unwrap().remove(0);
    for line in [
        "\r\ncontent-type: application/x-www-form-urlencoded\r\n",
        "/eu-west-3/iam/aws4_request, SignedHeaders=",
        "\r\n\r\nAction=TagRole&Version=2010-05-08&RoleName=a%20b&Tags.member.1.Key=k&Tags.member.1.Value=v",
    ] {
        assert!(request.contains(line), "{line} is not in {request}");
    }
    assert!(!request.contains("x-amz-target"), "{request}");
}

#[test]
fn an_empty_response_is_an_empty_object() {
    let (address, server) = serve(vec![Http(200, "", "")]);
    let client = client(address, &LOGS);
    let answer = call(&client, "PutRetentionPolicy", &json!({})).unwrap();
    assert_eq!(answer, json!({}));
    assert!(server.join().unwrap()[0].contains("x-amz-target: Logs_20140328.PutRetentionPolicy\r\n"));
}

/// What a call reports, and how many attempts it made.
struct Outcome {
    replies: Vec<Reply>,
    message: &'static str,
    kind: ErrorKind,
    status: Option<u16>,
    may_have_applied: bool,
}

#[test]
fn failed_calls_have_kind_status_and_effect() {
    let denied = r#"{"__type":"com.amazonaws#AccessDeniedException","Message":"canary-free"}"#;
    let throttled = r#"{"__type":"ThrottlingException","message":"slow"}"#;
    let exists = r#"{"__type":"NamespaceAlreadyExists","message":"m"}"#;
    for outcome in [
        Outcome {
            replies: vec![Http(400, denied, "")],
            message: "failed: AccessDeniedException: canary-free",
            kind: ErrorKind::Denied,
            status: Some(400),
            may_have_applied: false,
        },
        Outcome {
            replies: vec![Http(400, throttled, ""); 3],
            message: "failed: ThrottlingException: slow",
            kind: ErrorKind::Throttled,
            status: Some(400),
            may_have_applied: false,
        },
        Outcome {
            replies: vec![Close, Http(400, exists, "")],
            message: "failed: NamespaceAlreadyExists: m",
            kind: ErrorKind::Conflict,
            status: Some(400),
            may_have_applied: true,
        },
        Outcome {
            replies: vec![Http(500, "{}", "x-amzn-errortype: ServerException:http://x/\r\n"); 3],
            message: "failed: ServerException",
            kind: ErrorKind::Service,
            status: Some(500),
            may_have_applied: true,
        },
        Outcome {
            replies: vec![Http(403, "<html>canary</html>", "")],
            message: "returned a non-AWS response (HTTP 403)",
            kind: ErrorKind::Unparseable,
            status: Some(403),
            may_have_applied: false,
        },
        Outcome {
            replies: vec![Http(302, "", "location: /login\r\n")],
            message: "returned a non-AWS response (HTTP 302)",
            kind: ErrorKind::Unparseable,
            status: Some(302),
            may_have_applied: false,
        },
        Outcome {
            replies: vec![Http(200, "[\"canary\"]", "")],
            message: "returned an unparseable response: the body is not a JSON object",
            kind: ErrorKind::Unparseable,
            status: Some(200),
            may_have_applied: true,
        },
        Outcome {
            replies: vec![Close; 3],
            message: "got no answer: ",
            kind: ErrorKind::Network,
            status: None,
            may_have_applied: true,
        },
        Outcome {
            replies: vec![CutShort; 3],
            message: "returned an unparseable response: ",
            kind: ErrorKind::Unparseable,
            status: Some(200),
            may_have_applied: true,
        },
        Outcome {
            replies: vec![Hang; 3],
            message: "got no answer: HTTP read timeout occurred after 300ms",
            kind: ErrorKind::Network,
            status: None,
            may_have_applied: true,
        },
    ] {
        let (address, server) = serve(outcome.replies);
        let client = client(address, &CLOUD_MAP);
        let error = call(&client, "CreateHttpNamespace", &json!({"Name": "canary"})).unwrap_err();
        let message = format!("servicediscovery:CreateHttpNamespace {}", outcome.message);
        assert_eq!(error.kind(), outcome.kind, "{message}");
        assert_eq!(error.status(), outcome.status, "{message}");
        assert_eq!(error.may_have_applied(), outcome.may_have_applied, "{message}");
        let shown = format!("{error:?} {error}");
        let shown = format!("{shown} {:?}", Failure::from(error));
        assert!(
            !shown.contains("\"canary\"") && !shown.contains("<html>"),
            "{shown}"
        );
        server.join().unwrap();
        assert!(shown.contains(&message), "{message} is not in {shown}");
    }
}

#[test]
fn a_closed_port_is_a_call_that_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = client(address, &ECS);
    let error = call(&client, "CreateCluster", &json!({})).unwrap_err();
    assert_eq!(
        (error.kind(), error.may_have_applied()),
        (ErrorKind::Network, false)
    );
    let summary = ErrorSummary::of(&Failure::from(error).into());
    let start = "ecs:CreateCluster could not be sent: ";
    assert!(summary.message.starts_with(start), "{}", summary.message);
}

#[test]
fn a_longer_response_than_the_limit_is_refused() {
    let body: &'static str = "x".repeat(protocol::MAX_RESPONSE_BYTES + 1).leak();
    let (address, server) = serve(vec![Http(200, body, ""); 3]);
    let client = client(address, &LOGS);
    let error = call(&client, "GetLogEvents", &json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unparseable);
    drop(server);
}
