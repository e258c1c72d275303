//! What a trusted root has to be to end a chain: each kind of root to `psql`, which is libpq, and to `db-test`.

use super::probe;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use support::{Output, program};
use tempfile::TempDir;

/// `make NAME ISSUER EXTENSIONS START END`: a key and a certificate in the current folder. Who is its own issuer is a
/// root; without extensions a certificate is of version 1.
const MAKE: &str = r#"
make() {
    [ -e "$1.key" ] || openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    openssl req -new -config openssl.cnf -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    printf "%b" "$3" >extensions
    set -- "$1" "$2" "$4" "$5" $([ -z "$3" ] || echo -extfile extensions)
    name=$1 issuer=$2 start=$3 end=$4
    shift 4
    [ "$name" = "$issuer" ] && set -- "$@" -selfsign || set -- "$@" -cert "$issuer.crt"
    openssl ca -config openssl.cnf -batch -notext -in "$name.csr" -keyfile "$issuer.key" \
        -startdate "$start" -enddate "$end" -out "$name.crt" "$@"
}
printf '%s\n' '[ca]' 'default_ca = all' '[all]' 'database = index' 'new_certs_dir = .' 'default_md = sha256' \
    'policy = any' 'unique_subject = no' 'rand_serial = yes' '[any]' 'commonName = supplied' '[req]' 'distinguished_name = any' >openssl.cnf
: >index
"#;

/// A server that lets everybody in over TLS, with this chain and key; it says its port.
const SERVE: &str = r#"
import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def message(kind, body):
    return kind + (len(body) + 4).to_bytes(4, "big") + body
def serve(plain):
    try:
        plain.recv(8)
        plain.sendall(b"S")
        secure = context.wrap_socket(plain, server_side=True)
        secure.recv(10000)
        secure.sendall(message(b"R", bytes(4)) + message(b"Z", b"I"))
        while secure.recv(10000)[:1] == b"Q":
            secure.sendall(message(b"C", b"SELECT 0\0") + message(b"Z", b"I"))
    except OSError:
        pass
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"#;

struct Server {
    child: Child,
    port: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", SERVE, "chain.pem", "server.key"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut port).unwrap();
        let port = port.trim().to_owned();
        assert!(!port.is_empty(), "the server did not start");
        Server { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes certificates by `script`; `chain.pem` is what the server shows, `roots.pem` what is trusted. Gives what
/// `psql` and `db-test` say of it.
fn both(script: &str) -> [Output; 2] {
    let folder = TempDir::new().unwrap();
    let made = Command::new("sh")
        .args(["-ec", &format!("{MAKE}{script}")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{script}\n{words}");
    let server = Server::start(folder.path());
    let url = format!(
        "postgresql://u@localhost:{}/d?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={}",
        server.port,
        folder.path().join("roots.pem").display()
    );
    [
        program("psql")
            .args(["--no-psqlrc", "-Atc", "select 1", &url])
            .run(),
        probe(&url).run(),
    ]
}

const NOW: &str = "20200101000000Z 20991231000000Z";
const SERVER: &str = "'basicConstraints = CA:FALSE\\nsubjectAltName = DNS:localhost\\n'";

/// A root with these extensions, and a server's certificate below it.
fn below(extensions: &str, life: &str) -> String {
    format!(
        "make root root '{extensions}' {life}
        make server root {SERVER} {NOW}
        cp server.crt chain.pem
        cp root.crt roots.pem"
    )
}

/// The same with one more authority between the two.
fn two_below(extensions: &str) -> String {
    format!(
        "make root root '{extensions}' {NOW}
        make middle root 'basicConstraints = critical, CA:TRUE\\n' {NOW}
        make server middle {SERVER} {NOW}
        cat server.crt middle.crt >chain.pem
        cp root.crt roots.pem"
    )
}

const ROOT: &str = "basicConstraints = critical, CA:TRUE\\n";

#[test]
fn a_root_that_is_none_is_refused() {
    let since = "20990101000000Z 20991231000000Z";
    let until = "20200101000000Z 20200201000000Z";
    let usage = format!("{ROOT}keyUsage = digitalSignature\\n");
    let clients = format!("{ROOT}extendedKeyUsage = clientAuth\\n");
    let nearest = "basicConstraints = critical, CA:TRUE, pathlen:0\\n";
    for (script, reason, hint) in [
        (
            below(ROOT, until),
            "its authority `root` ended at 2020-02-01",
            "newer certificate",
        ),
        (
            below(ROOT, since),
            "its authority `root` is not valid yet",
            "clock",
        ),
        (
            below("basicConstraints = CA:FALSE\\n", NOW),
            "`root`, which signed it, is no authority",
            "CA:TRUE",
        ),
        (
            below("subjectKeyIdentifier = hash\\n", NOW),
            "is no authority",
            "CA:TRUE",
        ),
        (below(&usage, NOW), "is no authority", "CA:TRUE"),
        (below(&clients, NOW), "is no authority", "CA:TRUE"),
        (
            two_below(nearest),
            "its authority `root` is too far away: it allows 0 certificates in between",
            "pathlen",
        ),
        // A server's certificate of version 1 has ways of its own.
        (
            below(ROOT, until).replace(SERVER, "''"),
            "its authority `root` ended at 2020-02-01",
            "newer certificate",
        ),
        (
            below("basicConstraints = CA:FALSE\\n", NOW).replace(SERVER, "''"),
            "is no authority",
            "CA:TRUE",
        ),
    ] {
        let [theirs, ours] = both(&script);
        let transcript = format!(
            "{script}\npsql: {}\ndb-test: {}",
            theirs.transcript(),
            ours.transcript()
        );
        assert!(
            theirs.stderr.contains("certificate verify failed"),
            "{transcript}"
        );
        assert_eq!(ours.code, Some(1), "{transcript}");
        assert!(
            ours.stdout.contains("certificate verify failed: "),
            "{transcript}"
        );
        assert!(ours.stdout.contains(reason), "{transcript}");
        ours.says("\nhint: ").says(hint);
    }
}

#[test]
fn a_root_that_is_one_is_taken() {
    // As OpenSSL has it: of before there were extensions, or with a word about its key alone.
    let usage = "keyUsage = keyCertSign\\n";
    let servers = format!("{ROOT}extendedKeyUsage = serverAuth\\n");
    let near = "basicConstraints = critical, CA:TRUE, pathlen:0\\n";
    let far = "basicConstraints = critical, CA:TRUE, pathlen:1\\n";
    let renewed = format!(
        "make root root '{ROOT}' 20200101000000Z 20200201000000Z
        cp root.crt old.pem
        {}
        cat old.pem root.crt >roots.pem",
        below(ROOT, NOW)
    );
    for script in [
        below(ROOT, NOW),
        below("", NOW),
        below(usage, NOW),
        below(&servers, NOW),
        below(near, NOW),
        two_below(ROOT),
        two_below(far),
        below(ROOT, NOW)
            .replace(SERVER, "''")
            .replace("make server", "make localhost")
            .replace("server.crt", "localhost.crt")
            + "\nmv localhost.key server.key",
        renewed,
    ] {
        let [theirs, ours] = both(&script);
        let transcript = format!(
            "{script}\npsql: {}\ndb-test: {}",
            theirs.transcript(),
            ours.transcript()
        );
        assert_eq!(theirs.code, Some(0), "{transcript}");
        assert_eq!(ours.code, Some(0), "{transcript}");
        ours.says("authority and name verified by `");
    }
}
