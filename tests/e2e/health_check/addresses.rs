//! The addresses that are tried.

use super::{Server, closed_port, does_not_run, healthy_answer, probe, runs};
use std::io::Write;

#[test]
fn a_closed_port_is_reported_for_each_address() {
    let port = closed_port();
    let url = format!("http://localhost:{port}/api/health-check");
    let why = format!(
        "health-check: error: failed to check `{url}`: 127.0.0.1:{port}: connection refused; \
         [::1]:{port}: connection refused"
    );
    does_not_run(probe(&url).run(), &why);
}

#[test]
fn localhost_finds_servers_of_either_family() {
    runs(
        probe(
            &Server::on("127.0.0.1", |stream| {
                drop(stream.write_all(healthy_answer().as_bytes()))
            })
            .url(),
        )
        .run(),
    );
    runs(
        probe(
            &Server::on("::1", |stream| {
                drop(stream.write_all(healthy_answer().as_bytes()))
            })
            .url(),
        )
        .run(),
    );
}

#[test]
fn other_hosts_are_used_as_given() {
    let server = Server::healthy();
    let port = server.address.port();
    for host in ["127.0.0.1", "LOCALHOST", "localhost."] {
        runs(probe(&format!("http://{host}:{port}/")).run());
    }
    // Only the family that the URL names.
    let output = probe(&format!("http://[::1]:{port}/")).run();
    does_not_run(output, &format!(": [::1]:{port}: connection refused"));
}

#[test]
fn an_unknown_name_is_not_running() {
    let output = probe("http://name.invalid:4567/")
        .args(["--timeout", "10s"])
        .run();
    output.clone().says(": failed to look up `name.invalid`: ");
    does_not_run(output, "");
}

/// A proxy's response is not the app's, and the proxy's `localhost` is another one.
#[test]
fn no_proxy_is_used() {
    let names = [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ];
    let proxied = |url: &str, proxy: u16| {
        let proxy = format!("http://127.0.0.1:{proxy}");
        probe(url).envs(names.map(|name| (name, proxy.clone()))).run()
    };
    // The app is down, and the proxy answers 200 to everything.
    let proxy = Server::healthy();
    let url = format!("http://localhost:{}/", closed_port());
    does_not_run(proxied(&url, proxy.address.port()), "connection refused");
    assert_eq!(proxy.requests(), Vec::<String>::new());
    // The app is healthy, and the proxy is down.
    runs(proxied(&Server::healthy().url(), closed_port()));
}
