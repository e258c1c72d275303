//! A scripted Docker engine that records its requests.

use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// One request.
#[derive(Clone, Debug, Default)]
pub struct EngineRequest {
    /// `POST /images/create`, without the query.
    pub call: String,
    /// The query, without its escapes.
    pub query: BTreeMap<String, String>,
    /// The headers, with names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The complete body.
    pub body: Vec<u8>,
}

/// A response of the engine.
#[derive(Clone, Debug)]
pub enum EngineAnswer {
    /// A document.
    Json(u16, Value),
    /// A line for each document, as in the response to a pull, a build or a push.
    Lines(Vec<Value>),
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// The lines, and then nothing until the client closes the connection.
    Hang(Vec<Value>),
}

impl EngineAnswer {
    /// An error with this message.
    pub fn error(status: u16, message: &str) -> Self {
        EngineAnswer::Json(status, json!({"message": message}))
    }
}

type Compute = dyn Fn(&EngineRequest) -> EngineAnswer + Send + Sync;

#[derive(Default)]
struct State {
    answers: Mutex<HashMap<String, Arc<Compute>>>,
    otherwise: Mutex<Option<Arc<Compute>>>,
    requests: Mutex<Vec<EngineRequest>>,
    /// The number of clients that closed the connection of a hanging response.
    abandoned: AtomicUsize,
    stop: AtomicBool,
}

/// The engine. Dropping it stops it.
pub struct FakeEngine {
    state: Arc<State>,
    address: Address,
    thread: Option<JoinHandle<()>>,
}

enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl FakeEngine {
    /// Starts it on a free port of loopback. It answers only the call for its version, and 404 to all others.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        Self::serve(address, move |state| {
            for stream in listener.incoming().flatten() {
                if state.stop.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&state);
                std::thread::spawn(move || {
                    let reader = stream.try_clone().unwrap();
                    state.answer(reader, &stream, || drop(stream.shutdown(Shutdown::Write)));
                });
            }
        })
    }

    /// Starts it on a socket of this name.
    pub fn start_at(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        Self::serve(Address::Unix(path.to_owned()), move |state| {
            for stream in listener.incoming().flatten() {
                if state.stop.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&state);
                std::thread::spawn(move || {
                    let reader = stream.try_clone().unwrap();
                    state.answer(reader, &stream, || drop(stream.shutdown(Shutdown::Write)));
                });
            }
        })
    }

    fn serve(address: Address, work: impl FnOnce(Arc<State>) + Send + 'static) -> Self {
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || work(shared));
        let engine = FakeEngine {
            state,
            address,
            thread: Some(thread),
        };
        let version = json!({"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"});
        engine.answer("GET /version", EngineAnswer::Json(200, version));
        engine
    }

    /// The value of `DOCKER_HOST`.
    pub fn host(&self) -> String {
        match &self.address {
            Address::Tcp(address) => format!("tcp://{address}"),
            Address::Unix(path) => format!("unix://{}", path.display()),
        }
    }

    /// Answers each `call` with this response from now on.
    pub fn answer(&self, call: &str, answer: EngineAnswer) -> &Self {
        self.answer_with(call, move |_| answer.clone())
    }

    /// Answers each `call` with the result of `compute`.
    pub fn answer_with(
        &self,
        call: &str,
        compute: impl Fn(&EngineRequest) -> EngineAnswer + Send + Sync + 'static,
    ) -> &Self {
        lock(&self.state.answers).insert(call.to_owned(), Arc::new(compute));
        self
    }

    /// Answers each call that has no response of its own with the result of `compute`.
    pub fn otherwise(
        &self,
        compute: impl Fn(&EngineRequest) -> EngineAnswer + Send + Sync + 'static,
    ) -> &Self {
        *lock(&self.state.otherwise) = Some(Arc::new(compute));
        self
    }

    /// All requests so far, in their order.
    pub fn requests(&self) -> Vec<EngineRequest> {
        lock(&self.state.requests).clone()
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.call).collect()
    }

    /// The requests of `call`.
    pub fn all(&self, call: &str) -> Vec<EngineRequest> {
        let requests = self.requests().into_iter();
        requests.filter(|request| request.call == call).collect()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        lock(&self.state.requests).clear();
    }

    /// The number of clients that closed the connection of a hanging response.
    pub fn abandoned(&self) -> usize {
        self.state.abandoned.load(Ordering::Relaxed)
    }
}

impl Drop for FakeEngine {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        // A last caller, who finds it closed.
        let woken = match &self.address {
            Address::Tcp(address) => TcpStream::connect(address).is_ok(),
            Address::Unix(path) => UnixStream::connect(path).is_ok(),
        };
        if let (true, Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Handles one request; each connection has only one. A client may close it early.
    fn answer(&self, reader: impl Read, mut writer: impl Write, finish: impl FnOnce()) {
        let mut reader = BufReader::new(reader);
        let Ok(Some(request)) = read_request(&mut reader) else {
            return;
        };
        let compute = lock(&self.answers).get(&request.call).cloned();
        let compute = compute.or_else(|| lock(&self.otherwise).clone());
        let answer = match compute {
            Some(compute) => compute(&request),
            None => EngineAnswer::error(404, &format!("no `{}` in this test's script", request.call)),
        };
        lock(&self.requests).push(request);
        let _ = match answer {
            EngineAnswer::Json(status, document) => {
                let text = document.to_string();
                write!(
                    writer,
                    "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                    text.len()
                )
            }
            EngineAnswer::Lines(lines) => begin(&mut writer)
                .and_then(|()| send_lines(&mut writer, &lines))
                .and_then(|()| writer.write_all(b"0\r\n\r\n")),
            EngineAnswer::Raw(bytes) => writer.write_all(&bytes),
            EngineAnswer::Hang(lines) => {
                let sent = begin(&mut writer).and_then(|()| send_lines(&mut writer, &lines));
                let mut rest = Vec::new();
                let _ = reader.read_to_end(&mut rest);
                self.abandoned.fetch_add(1, Ordering::Relaxed);
                sent
            }
        };
        let _ = writer.flush();
        finish();
    }
}

fn begin(writer: &mut impl Write) -> std::io::Result<()> {
    writer
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
}

fn send_lines(writer: &mut impl Write, lines: &[Value]) -> std::io::Result<()> {
    for line in lines {
        let text = format!("{line}\r\n");
        write!(writer, "{:x}\r\n{text}\r\n", text.len())?;
        writer.flush()?;
    }
    Ok(())
}

fn read_request(reader: &mut impl BufRead) -> std::io::Result<Option<EngineRequest>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = EngineRequest {
        call: format!("{method} {path}"),
        query: query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), crate::aws::decode(value)))
            .collect(),
        ..EngineRequest::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        // Of several of one name the engine reads the first.
        request
            .headers
            .entry(name.to_lowercase())
            .or_insert_with(|| value.trim().to_owned());
    }
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    if header("transfer-encoding") == Some("chunked") {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16).unwrap_or_default();
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk)?;
            if size == 0 {
                break;
            }
            request.body.extend_from_slice(&chunk[..size]);
        }
    } else if let Some(size) = header("content-length").and_then(|size| size.parse().ok()) {
        request.body.resize(size, 0);
        reader.read_exact(&mut request.body)?;
    }
    Ok(Some(request))
}
