//! A scripted AWS endpoint that records its requests.

use crate::tool::{Output, Tool};
use crate::wait_for;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wiremock::http::HeaderMap;
use wiremock::matchers::any;
use wiremock::{Match, Mock, MockServer, Respond, ResponseTemplate};

/// The account that `sts:GetCallerIdentity` names unless the test says otherwise.
pub const ACCOUNT: &str = "123456789012";

/// The region of the tools that [`FakeAws::tool`] starts.
pub const REGION: &str = "us-east-1";

/// The target of a call to ECR: `ecr("PutImage")`.
pub fn ecr(operation: &str) -> String {
    format!("AmazonEC2ContainerRegistry_V20150921.{operation}")
}

/// The target of a call to CloudWatch Logs: `logs("CreateLogGroup")`.
pub fn logs(operation: &str) -> String {
    format!("Logs_20140328.{operation}")
}

/// The target of a call to ECS: `ecs("CreateCluster")`.
pub fn ecs(operation: &str) -> String {
    format!("AmazonEC2ContainerServiceV20141113.{operation}")
}

/// The target of a call to Cloud Map: `cloud_map("GetNamespace")`.
pub fn cloud_map(operation: &str) -> String {
    format!("Route53AutoNaming_v20170314.{operation}")
}

/// The target of a call to SSM: `ssm("PutParameter")`.
pub fn ssm(operation: &str) -> String {
    format!("AmazonSSM.{operation}")
}

/// The host of the private ECR registry of [`ACCOUNT`] in `region`.
pub fn registry(region: &str) -> String {
    format!("{ACCOUNT}.dkr.ecr.{region}.amazonaws.com")
}

/// What `GetAuthorizationToken` answers: this password for the registry at `host`.
pub fn token(host: &str, password: &str) -> Value {
    json!({"authorizationData": [{
        "authorizationToken": STANDARD.encode(format!("AWS:{password}")),
        // 2033-05-18T03:33:20Z
        "expiresAt": 2_000_000_000.123,
        "proxyEndpoint": format!("https://{host}"),
    }]})
}

/// Previews a lifecycle policy, and changes nothing.
const PREVIEW: &str = "StartLifecyclePolicyPreview";

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `AmazonSSM.PutParameter`; `GetCallerIdentity` for the services with form bodies; else
    /// `GET /path?query`.
    pub target: String,
    /// The JSON body; a form becomes an object of texts, anything else one text.
    pub body: Value,
}

impl Request {
    /// `PutParameter` of `AmazonSSM.PutParameter`.
    pub fn operation(&self) -> &str {
        self.target.rsplit('.').next().unwrap_or_default()
    }

    /// Whether the call changes something on AWS.
    pub fn is_write(&self) -> bool {
        let reads = [
            "Get",
            "Describe",
            "List",
            "Simulate",
            "BatchGet",
            "BatchCheck",
            PREVIEW,
        ];
        let plain = ["GET ", "HEAD "];
        !reads.iter().any(|word| self.operation().starts_with(word))
            && !plain.iter().any(|method| self.target.starts_with(method))
    }
}

/// Computes status and body of the response from the body of the request.
type Compute = dyn Fn(&Value) -> (u16, Value) + Send + Sync;

/// Computes status and XML of the response from the form of the request.
type ComputeQuery = dyn Fn(&Value) -> (u16, String) + Send + Sync;

#[derive(Clone)]
enum Answer {
    Send(ResponseTemplate),
    Compute(Arc<Compute>),
    ComputeQuery(Arc<ComputeQuery>),
    /// An error of AWS: JSON, or XML for a form.
    Refuse(String, String),
    Cut,
    /// Computes the response, and closes the connection without sending it.
    CutAfter(Arc<Compute>),
}

#[derive(Default)]
struct Script {
    once: HashMap<String, VecDeque<Answer>>,
    always: HashMap<String, Answer>,
    otherwise: Option<Answer>,
    requests: Vec<Request>,
    keys: Vec<String>,
}

impl Script {
    fn peek(&self, target: &str) -> Option<&Answer> {
        self.once
            .get(target)
            .and_then(VecDeque::front)
            .or_else(|| self.always.get(target))
            .or(self.otherwise.as_ref())
    }

    fn take(&mut self, target: &str) -> Option<Answer> {
        let once = self.once.get_mut(target).and_then(VecDeque::pop_front);
        once.or_else(|| self.always.get(target).cloned())
            .or_else(|| self.otherwise.clone())
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Script>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server. Dropping it stops it.
pub struct FakeAws {
    server: MockServer,
    script: Shared,
    // The server is created and dropped inside a runtime.
    _runtime: tokio::runtime::Runtime,
}

impl FakeAws {
    /// Starts it on a free port of loopback. It answers only `sts:GetCallerIdentity`.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let script = Shared::default();
        let server = runtime.block_on(async {
            let server = MockServer::builder().disable_request_recording().start().await;
            let scripted = Scripted(script.clone());
            Mock::given(WillCut(script.clone()))
                .respond_with_err(cut_by(script.clone()))
                .with_priority(1)
                .mount(&server)
                .await;
            Mock::given(any()).respond_with(scripted).mount(&server).await;
            server
        });
        let aws = FakeAws {
            server,
            script,
            _runtime: runtime,
        };
        aws.account(ACCOUNT);
        aws
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        self.server.uri()
    }

    /// Answers each call of `target` with this response from now on.
    pub fn answer(&self, target: impl AsRef<str>, status: u16, body: Value) -> &Self {
        self.always(target, Answer::Send(json_answer(status, &body)))
    }

    /// Answers one call of `target` with this response. Such responses are used up in the order of the script; then that of
    /// [`FakeAws::answer`] follows.
    pub fn answer_once(&self, target: impl AsRef<str>, status: u16, body: Value) -> &Self {
        self.once(target, Answer::Send(json_answer(status, &body)))
    }

    /// Answers each call of `target` with the result of `compute` for its body.
    pub fn answer_with(
        &self,
        target: impl AsRef<str>,
        compute: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static,
    ) -> &Self {
        self.always(target, Answer::Compute(Arc::new(compute)))
    }

    /// Answers each call of `target` only after `delay`.
    pub fn answer_delayed(
        &self,
        target: impl AsRef<str>,
        delay: Duration,
        status: u16,
        body: Value,
    ) -> &Self {
        self.always(target, Answer::Send(json_answer(status, &body).set_delay(delay)))
    }

    /// Answers each call of `action` of a service with form bodies and XML answers (STS, IAM).
    pub fn answer_query(&self, action: &str, status: u16, xml: &str) -> &Self {
        let answer = ResponseTemplate::new(status).set_body_raw(xml.to_owned(), "text/xml");
        self.always(action, Answer::Send(answer))
    }

    /// Answers each call of `action` of a service with XML answers with the result of `compute` for its form.
    pub fn answer_query_with(
        &self,
        action: &str,
        compute: impl Fn(&Value) -> (u16, String) + Send + Sync + 'static,
    ) -> &Self {
        self.always(action, Answer::ComputeQuery(Arc::new(compute)))
    }

    /// Answers each call of `target` with this text: malformed JSON, the page of a proxy.
    pub fn answer_text(&self, target: impl AsRef<str>, status: u16, text: &str, mime: &str) -> &Self {
        let answer = ResponseTemplate::new(status).set_body_raw(text.to_owned(), mime);
        self.always(target, Answer::Send(answer))
    }

    /// Refuses each call of `target` (400) with AWS's error `code`.
    pub fn refuse(&self, target: impl AsRef<str>, code: &str, message: &str) -> &Self {
        self.always(target, Answer::Refuse(code.to_owned(), message.to_owned()))
    }

    /// Refuses one call of `target`, in its turn.
    pub fn refuse_once(&self, target: impl AsRef<str>, code: &str, message: &str) -> &Self {
        self.once(target, Answer::Refuse(code.to_owned(), message.to_owned()))
    }

    /// Closes the connection at each call of `target`, without a response.
    pub fn cut(&self, target: impl AsRef<str>) -> &Self {
        self.always(target, Answer::Cut)
    }

    /// Closes the connection at one call of `target`, in its turn.
    pub fn cut_once(&self, target: impl AsRef<str>) -> &Self {
        self.once(target, Answer::Cut)
    }

    /// Carries out one call of `target`, in its turn, and closes the connection without a response.
    pub fn lose_once(
        &self,
        target: impl AsRef<str>,
        compute: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static,
    ) -> &Self {
        self.once(target, Answer::CutAfter(Arc::new(compute)))
    }

    /// Refuses (400) every call that has no other response, except `sts:GetCallerIdentity`.
    pub fn refuse_all(&self, code: &str, message: &str) -> &Self {
        self.script.lock().otherwise = Some(Answer::Refuse(code.to_owned(), message.to_owned()));
        self
    }

    /// Lets every call hang, also `sts:GetCallerIdentity`.
    pub fn hang(&self) -> &Self {
        let template = ResponseTemplate::new(500).set_delay(Duration::from_secs(60));
        let mut script = self.script.lock();
        script.always.clear();
        script.otherwise = Some(Answer::Send(template));
        drop(script);
        self
    }

    /// Lets each call of `target` hang.
    pub fn stall(&self, target: impl AsRef<str>) -> &Self {
        let template = ResponseTemplate::new(500).set_delay(Duration::from_secs(60));
        self.always(target, Answer::Send(template))
    }

    /// Runs `tool` until it has called `target`, and interrupts it then, as Ctrl-C does.
    ///
    /// # Panics
    /// When it does not call, or does not end by the signal.
    #[track_caller]
    pub fn interrupt_at(&self, target: impl AsRef<str>, tool: Tool) -> Output {
        let target = target.as_ref();
        let running = tool.hears_signals().spawn();
        wait_for(target, || (!self.bodies(target).is_empty()).then_some(()));
        running.signal(Signal::INT);
        let output = running.wait().ends_by(Signal::INT);
        assert_eq!(output.stdout, "", "{}", output.transcript());
        output
    }

    /// Closes every connection without a response.
    pub fn cut_all(&self) -> &Self {
        let mut script = self.script.lock();
        script.always.clear();
        script.otherwise = Some(Answer::Cut);
        drop(script);
        self
    }

    /// `sts:GetCallerIdentity` returns this account from now on.
    pub fn account(&self, account: &str) -> &Self {
        self.answer_query(
            "GetCallerIdentity",
            200,
            &format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                 <GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/ci</Arn><UserId>ci</UserId>\
                 <Account>{account}</Account></GetCallerIdentityResult>\
                 <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
            ),
        )
    }

    /// Refuses each call of `action` of a service with XML answers (403).
    pub fn refuse_query(&self, action: &str, code: &str, message: &str) -> &Self {
        self.answer_query(action, 403, &xml_refusal(code, message))
    }

    /// All requests so far, in their order.
    pub fn requests(&self) -> Vec<Request> {
        self.script.lock().requests.clone()
    }

    /// The targets of all requests so far.
    pub fn targets(&self) -> Vec<String> {
        self.requests()
            .into_iter()
            .map(|request| request.target)
            .collect()
    }

    /// The ids of the access keys that the requests so far were signed with.
    pub fn signing_keys(&self) -> Vec<String> {
        self.script.lock().keys.clone()
    }

    /// The requests that change something.
    pub fn writes(&self) -> Vec<Request> {
        self.requests().into_iter().filter(Request::is_write).collect()
    }

    /// The bodies of the requests for `target`.
    pub fn bodies(&self, target: impl AsRef<str>) -> Vec<Value> {
        let requests = self.requests().into_iter();
        let requests = requests.filter(|request| request.target == target.as_ref());
        requests.map(|request| request.body).collect()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.script.lock().requests.clear();
    }

    /// The binary `name`, with credentials and pointed here.
    pub fn tool(&self, name: &str) -> Tool {
        self.point(crate::tool(name))
    }

    /// The launcher at `path`, with credentials and pointed here.
    pub fn launcher(&self, path: &str) -> Tool {
        self.point(crate::launcher(path))
    }

    /// `tool`, with credentials and pointed here.
    #[must_use]
    pub fn point(&self, tool: Tool) -> Tool {
        with_credentials(tool).env("AWS_ENDPOINT_URL", self.url())
    }

    fn always(&self, target: impl AsRef<str>, answer: Answer) -> &Self {
        self.script
            .lock()
            .always
            .insert(target.as_ref().to_owned(), answer);
        self
    }

    fn once(&self, target: impl AsRef<str>, answer: Answer) -> &Self {
        let mut script = self.script.lock();
        let queue = script.once.entry(target.as_ref().to_owned()).or_default();
        queue.push_back(answer);
        drop(script);
        self
    }
}

/// `tool` with dummy keys, and no access to other credentials.
#[must_use]
pub fn with_credentials(tool: Tool) -> Tool {
    without_credentials(tool)
        .env("AWS_ACCESS_KEY_ID", "dummy-key-id")
        .env("AWS_SECRET_ACCESS_KEY", "dummy-secret-key")
}

/// `tool` with a region and no credentials at all.
#[must_use]
pub fn without_credentials(tool: Tool) -> Tool {
    tool.env("AWS_REGION", REGION)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
}

fn refusal(code: &str, message: &str) -> Value {
    json!({"__type": code, "message": message})
}

/// An error of a service with XML answers.
pub fn xml_refusal(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>\
         </Error><RequestId>0</RequestId></ErrorResponse>"
    )
}

fn json_answer(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/x-amz-json-1.1")
}

struct Scripted(Shared);

impl Respond for Scripted {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let form = is_form(&request.headers);
        let key = signing_key(&request.headers);
        let request = understand(request);
        let mut script = self.0.lock();
        script.keys.extend(key);
        let answer = script.take(&request.target);
        script.requests.push(request.clone());
        drop(script);
        match answer {
            Some(Answer::Send(template)) => template,
            Some(Answer::Compute(compute)) => {
                let (status, body) = compute(&request.body);
                json_answer(status, &body)
            }
            Some(Answer::ComputeQuery(compute)) => {
                let (status, xml) = compute(&request.body);
                ResponseTemplate::new(status).set_body_raw(xml, "text/xml")
            }
            Some(Answer::Refuse(code, message)) => refuse_as(form, &code, &message),
            Some(Answer::Cut | Answer::CutAfter(_)) | None => {
                let message = format!("no answer to `{}` in this test's script", request.target);
                refuse_as(form, "NotInTheScript", &message)
            }
        }
    }
}

fn refuse_as(form: bool, code: &str, message: &str) -> ResponseTemplate {
    if form {
        ResponseTemplate::new(400).set_body_raw(xml_refusal(code, message), "text/xml")
    } else {
        json_answer(400, &refusal(code, message))
    }
}

/// Whether the next answer is to cut the connection.
struct WillCut(Shared);

impl Match for WillCut {
    fn matches(&self, request: &wiremock::Request) -> bool {
        let target = understand(request).target;
        matches!(
            self.0.lock().peek(&target),
            Some(Answer::Cut | Answer::CutAfter(_))
        )
    }
}

fn cut_by(script: Shared) -> impl Fn(&wiremock::Request) -> std::io::Error + Send + Sync {
    move |request| {
        let request = understand(request);
        let mut script = script.lock();
        let answer = script.take(&request.target);
        script.requests.push(request.clone());
        drop(script);
        if let Some(Answer::CutAfter(compute)) = answer {
            compute(&request.body);
        }
        std::io::ErrorKind::ConnectionReset.into()
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    header(headers, "content-type").is_some_and(|mime| mime.starts_with("application/x-www-form-urlencoded"))
}

fn understand(request: &wiremock::Request) -> Request {
    let text = String::from_utf8_lossy(&request.body).into_owned();
    if let Some(target) = header(&request.headers, "x-amz-target") {
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        return Request { target, body };
    }
    if is_form(&request.headers) {
        let fields: Map<String, Value> = text
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decode(value).into()))
            .collect();
        let target = fields.get("Action").and_then(Value::as_str).unwrap_or_default();
        return Request {
            target: target.to_owned(),
            body: Value::Object(fields),
        };
    }
    let query = request
        .url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    Request {
        target: format!("{} {}{query}", request.method, request.url.path()),
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

/// The key's id of `AWS4-HMAC-SHA256 Credential=ID/20260101/us-east-1/ecr/aws4_request, …`.
fn signing_key(headers: &HeaderMap) -> Option<String> {
    let authorization = header(headers, "authorization")?;
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').next().map(str::to_owned)
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

/// A value of a form, without its escapes.
pub(crate) fn decode(value: &str) -> String {
    let bytes = value.replace('+', " ").into_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
