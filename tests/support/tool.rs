//! One child process, with an environment of its own and a time limit; it is killed at the end of the test.

use crate::transcript;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The time limit of a child, unless the test sets another one.
const LIMIT: Duration = Duration::from_secs(30);

/// The binary `name` from `OPS_BIN_DIR`, else `target/release`.
///
/// # Panics
/// When it is not built.
pub fn tool(name: &str) -> Tool {
    let path = crate::bin_dir().join(name);
    assert!(
        path.is_file(),
        "`{}` is not built: `make build`, or set OPS_BIN_DIR",
        path.display()
    );
    Tool::new(path)
}

/// A launcher, `bin/ecr/login` say; it gets `OPS_BIN_DIR` and so builds nothing.
pub fn launcher(path: &str) -> Tool {
    Tool::new(crate::root().join(path)).env("OPS_BIN_DIR", crate::bin_dir())
}

/// Another program, from `PATH`.
pub fn program(name: &str) -> Tool {
    Tool::new(name)
}

/// A command that is being built. Its current folder and home are a temporary folder, which lives as long as any clone.
#[derive(Clone, Debug)]
pub struct Tool {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: BTreeMap<OsString, OsString>,
    stdin: Vec<u8>,
    limit: Duration,
    folder: Arc<TempDir>,
    current: Option<PathBuf>,
}

impl Tool {
    /// A command with `PATH`, `HOME`, `DOCKER_CONFIG` and `RUST_BACKTRACE`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let folder = TempDir::new().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let tool = Tool {
            program: program.into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            stdin: Vec::new(),
            limit: LIMIT,
            folder: Arc::new(folder),
            current: None,
        };
        let home = tool.folder().to_owned();
        tool.env("PATH", path)
            .env("HOME", &home)
            .env("DOCKER_CONFIG", home.join("docker"))
            // A backtrace on stderr then fails the test.
            .env("RUST_BACKTRACE", "1")
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
        self.arguments.extend(arguments);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Sets variables.
    #[must_use]
    pub fn envs<N: AsRef<OsStr>, V: AsRef<OsStr>>(self, all: impl IntoIterator<Item = (N, V)>) -> Self {
        all.into_iter()
            .fold(self, |tool, (name, value)| tool.env(name, value))
    }

    /// Takes a variable out.
    #[must_use]
    pub fn without(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.remove(name.as_ref());
        self
    }

    /// Sets stdin, which is empty otherwise.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// Writes `ops.toml` into the current folder.
    #[must_use]
    pub fn config_text(self, text: &str) -> Self {
        self.file("ops.toml", text)
    }

    /// Writes a file, with its folders, below the current folder.
    #[must_use]
    pub fn file(self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Runs in another folder than its own temporary one.
    #[must_use]
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.current = Some(folder.into());
        self
    }

    /// Another limit than 30 s.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Resets the signals that tests send to their default action. The tests may run under `nohup` or in the background,
    /// where some are ignored, and a tool does not catch ignored signals.
    #[must_use]
    pub fn hears_signals(mut self) -> Self {
        let program = std::mem::replace(&mut self.program, "env".into());
        let words = ["--default-signal=HUP,INT,TERM".into(), program.into()];
        self.arguments.splice(0..0, words);
        self
    }

    /// The temporary folder: current folder, home, and above `DOCKER_CONFIG` (`docker/`).
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What is in a file of the temporary folder.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.folder().join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The same command on a pseudo-terminal (`script` of util-linux): `typed` is the input, and both streams are in stdout.
    #[must_use]
    pub fn on_a_terminal(&self, typed: &str) -> Self {
        let quoted = |word: &OsStr| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"));
        let words = std::iter::once(self.program.as_os_str()).chain(self.arguments.iter().map(AsRef::as_ref));
        let line: Vec<String> = words.map(quoted).collect();
        let mut tool = self.clone();
        tool.program = "script".into();
        tool.arguments = vec!["-qec".into(), line.join(" ").into(), "/dev/null".into()];
        tool.stdin(typed)
    }

    /// The command, for a test that needs more than [`Tool::run`], for example another stdout.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.current.as_deref().unwrap_or(self.folder()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn spawn(&self) -> Running {
        let mut command = self.command();
        if !self.stdin.is_empty() {
            command.stdin(Stdio::piped());
        }
        let started = Instant::now();
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start `{}`: {error}", self.program.display()));
        if let Some(mut stdin) = child.stdin.take() {
            let text = self.stdin.clone();
            // A child need not read all of it.
            std::thread::spawn(move || stdin.write_all(&text));
        }
        let stdout = child.stdout.take().map(drain::<ChildStdout>).unwrap();
        let stderr = child.stderr.take().map(drain::<ChildStderr>).unwrap();
        Running {
            child,
            stdout,
            stderr,
            started,
            limit: self.limit,
            folder: Arc::clone(&self.folder),
            name: self.program.display().to_string(),
        }
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it takes longer than its limit.
    pub fn run(&self) -> Output {
        self.spawn().wait()
    }

    /// Runs it and gives its transcript.
    pub fn transcript(&self) -> String {
        self.run().transcript()
    }
}

fn drain<R: Read + Send + 'static>(mut stream: R) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        let _ = sender.send(all);
    });
    receiver
}

/// A running child. Dropping it kills the child.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    started: Instant,
    limit: Duration,
    folder: Arc<TempDir>,
    name: String,
}

impl Running {
    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal: `Signal::INT`.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When it takes longer than its limit.
    pub fn wait(mut self) -> Output {
        let status = self.status();
        let elapsed = self.started.elapsed();
        let text = |stream: &Receiver<Vec<u8>>| {
            // A grandchild may keep the stream open.
            let bytes = stream.recv_timeout(Duration::from_secs(5));
            let bytes = bytes.unwrap_or_else(|_| panic!("`{}` left a process behind", self.name));
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Output {
            code: status.code(),
            signal: status.signal(),
            stdout: text(&self.stdout),
            stderr: text(&self.stderr),
            elapsed,
            folder: self.folder.path().display().to_string(),
        }
    }

    fn status(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if self.started.elapsed() > self.limit {
                let _ = self.child.kill();
                let read = |stream: &Receiver<Vec<u8>>| {
                    let bytes = stream.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
                    String::from_utf8_lossy(&bytes).into_owned()
                };
                panic!(
                    "`{}` ran longer than {:?}\n--- stdout\n{}--- stderr\n{}",
                    self.name,
                    self.limit,
                    read(&self.stdout),
                    read(&self.stderr)
                );
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a child ended.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it printed as its result.
    pub stdout: String,
    /// Everything else it printed.
    pub stderr: String,
    /// From the start to the end.
    pub elapsed: Duration,
    folder: String,
}

impl Output {
    /// `exit: N`, stdout and stderr, with ports, times and the temporary folder replaced.
    pub fn transcript(&self) -> String {
        let exit = match (self.code, self.signal) {
            (Some(code), _) => format!("exit: {code}"),
            (None, signal) => format!("signal: {}", signal.unwrap_or_default()),
        };
        let ending = |text: &str| {
            if text.is_empty() || text.ends_with('\n') {
                ""
            } else {
                "\n"
            }
        };
        let text = format!(
            "{exit}\n--- stdout\n{}{}--- stderr\n{}{}",
            self.stdout,
            ending(&self.stdout),
            self.stderr,
            ending(&self.stderr)
        );
        transcript::filter(&text, &self.folder)
    }

    /// Itself, when the exit code is `code`.
    ///
    /// # Panics
    /// When it is another one, with the transcript.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.transcript());
        self
    }

    /// Itself, when `signal` ended it.
    ///
    /// # Panics
    /// When something else did, with the transcript.
    #[track_caller]
    pub fn ends_by(self, signal: Signal) -> Self {
        assert_eq!(self.signal, Some(signal.as_raw()), "{}", self.transcript());
        self
    }

    /// Itself, when stderr holds `text`.
    ///
    /// # Panics
    /// When it does not, with the transcript.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "no `{text}` on stderr\n{}",
            self.transcript()
        );
        self
    }

    /// Itself, when stderr holds `text` once and not again.
    ///
    /// # Panics
    /// When it does not, with the transcript.
    #[track_caller]
    pub fn says_once(self, text: &str) -> Self {
        let times = self.stderr.matches(text).count();
        assert_eq!(times, 1, "`{text}` on stderr\n{}", self.transcript());
        self
    }

    /// Itself, when stderr does not hold `text`.
    ///
    /// # Panics
    /// When it does, with the transcript.
    #[track_caller]
    pub fn does_not_say(self, text: &str) -> Self {
        let times = self.stderr.matches(text).count();
        assert_eq!(times, 0, "`{text}` on stderr\n{}", self.transcript());
        self
    }

    /// Itself, when stdout is `text`, but for the white space around it.
    ///
    /// # Panics
    /// When it is not, with the transcript.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert_eq!(self.stdout.trim(), text.trim(), "{}", self.transcript());
        self
    }

    /// Itself, when the JSON document has an error of `kind`.
    ///
    /// # Panics
    /// When it has not, with the transcript.
    #[track_caller]
    pub fn fails_with(self, kind: &str) -> Self {
        assert_eq!(self.json()["error"]["kind"], kind, "{}", self.transcript());
        self
    }

    /// The one JSON document on stdout, with the fields that every document has.
    ///
    /// # Panics
    /// When stdout is anything else.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let document: serde_json::Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is no JSON document: {error}\n{}", self.transcript()));
        assert_eq!(document["schema"], 1, "{}", self.transcript());
        assert!(document["outcome"].is_string(), "{}", self.transcript());
        assert!(document["items"].is_array(), "{}", self.transcript());
        document
    }
}
