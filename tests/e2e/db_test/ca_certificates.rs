//! Which certificates are accepted as roots, and as the server's: compared with `psql`, which uses libpq.

use super::probe;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use support::{Output, program};
use tempfile::TempDir;

/// `make NAME ISSUER EXTENSIONS START END`: a key and a certificate in the current directory. A certificate that is its
/// own issuer is a root; without extensions a certificate is of version 1.
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

/// A server that accepts every login over TLS, with this chain and key. It prints its port.
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

/// Makes certificates with `script`: the server presents `chain.pem`, and `roots.pem` is trusted. Gives the outputs of
/// `psql` and `db-test`.
fn both(script: &str, mode: &str) -> [Output; 2] {
    let folder = TempDir::new().unwrap();
    let made = Command::new("sh")
        .args(["-ec", &format!("{MAKE}{script}")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{script}\n{words}");
    let server = Server::start(folder.path());
    let mut url = format!(
        "postgresql://u@localhost:{}/d?hostaddr=127.0.0.1&sslmode={mode}",
        server.port
    );
    if mode != "require" {
        url += &format!("&sslrootcert={}", folder.path().join("roots.pem").display());
    }
    [
        program("psql")
            .args(["--no-psqlrc", "-Atc", "select 1", &url])
            .run(),
        probe(&url).run(),
    ]
}

const NOW: &str = "20200101000000Z 20991231000000Z";
const SERVER: &str = "'basicConstraints = CA:FALSE\\nsubjectAltName = DNS:localhost\\n'";

/// A root with these extensions, and a server certificate below it.
fn below(extensions: &str, life: &str) -> String {
    format!(
        "make root root '{extensions}' {life}
        make server root {SERVER} {NOW}
        cp server.crt chain.pem
        cp root.crt roots.pem"
    )
}

/// The same with an intermediate CA.
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
fn an_invalid_root_is_refused() {
    let since = "20990101000000Z 20991231000000Z";
    let until = "20200101000000Z 20200201000000Z";
    let usage = format!("{ROOT}keyUsage = digitalSignature\\n");
    for (script, reason, hint) in [
        (
            below(ROOT, until),
            "its CA `root` expired at 2020-02-01",
            "newer certificate",
        ),
        (below(ROOT, since), "its CA `root` is not valid yet", "clock"),
        (
            below("basicConstraints = CA:FALSE\\n", NOW),
            "its issuer `root` is not a CA certificate",
            "CA:TRUE",
        ),
        (
            below("subjectKeyIdentifier = hash\\n", NOW),
            "is not a CA certificate",
            "CA:TRUE",
        ),
        (below(&usage, NOW), "is not a CA certificate", "CA:TRUE"),
        // The root of an intermediate CA.
        (
            two_below("basicConstraints = CA:FALSE\\n"),
            "its issuer `root` is not a CA certificate",
            "CA:TRUE",
        ),
    ] {
        let [theirs, ours] = both(&script, "verify-full");
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
fn a_valid_root_is_accepted() {
    // OpenSSL also accepts roots of version 1, and roots with only a key usage.
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
        renewed,
    ] {
        let [theirs, ours] = both(&script, "verify-full");
        let transcript = format!(
            "{script}\npsql: {}\ndb-test: {}",
            theirs.transcript(),
            ours.transcript()
        );
        assert_eq!(theirs.code, Some(0), "{transcript}");
        assert_eq!(ours.code, Some(0), "{transcript}");
        ours.says("chain and host name verified with `");
    }
}

/// webpki does not parse certificates of version 1, which `openssl x509 -req` makes without `-extfile`.
#[test]
fn a_version_1_certificate_is_used_and_not_verified() {
    let script = below(ROOT, NOW)
        .replace(SERVER, "''")
        .replace("make server", "make localhost")
        .replace("server.crt", "localhost.crt")
        + "\nmv localhost.key server.key";
    let [theirs, ours] = both(&script, "require");
    assert_eq!(theirs.code, Some(0), "{}", theirs.transcript());
    ours.exits(0).says("NOT verified (sslmode=require)");
    let [theirs, ours] = both(&script, "verify-full");
    assert_eq!(theirs.code, Some(0), "{}", theirs.transcript());
    ours.exits(1)
        .says("certificate verify failed: it is an X.509 version 1 certificate, which can't be verified here")
        .says("\nhint: psql may still verify it");
}

/// A self-signed server certificate, with or without CA:TRUE, can be its own root.
#[test]
fn a_self_signed_certificate_is_its_own_root() {
    for extensions in ["basicConstraints = CA:TRUE", "basicConstraints = CA:FALSE"] {
        let script = format!(
            "make server server '{extensions}\\nsubjectAltName = DNS:localhost\\n' {NOW}
            cp server.crt chain.pem
            cp server.crt roots.pem"
        );
        let [theirs, ours] = both(&script, "verify-full");
        assert_eq!(theirs.code, Some(0), "{extensions}: {}", theirs.transcript());
        ours.exits(0).says("chain and host name verified with `");
    }
}
