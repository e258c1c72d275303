//! The Docker engine that a sandbox finds, and how one is started.

use super::function;
use std::fs;
use support::canary::Canary;
use support::executable;

/// What sudo is given stands in the system's log, and on everybody's screen.
#[test]
fn variables_of_a_daemon_of_root_are_no_words_of_sudo() {
    let canary = Canary::new();
    let call = "is_root() { false; }\nPATH=$1:$PATH JUNK=callers\nexport JUNK\n\
                start_daemon_of_root \"$1/out\" \"$1/log\" \"HTTPS_PROXY=$CANARY\" NO_PROXY=a \
                sh -c 'env; echo \"$1\" last >&2' sh 'two words'\n\
                for ((i = 0; i < 200; i++)); do ! grep -q last \"$1/log\" || exit 0; sleep 0.05; done; exit 1";
    let tool = function(&["messages", "places", "processes"], call, &[]);
    let folder = tool.folder().to_owned();
    let sudo = format!(
        "#!/bin/sh\necho \"$*\" >>'{}/words'\nexec \"$@\"\n",
        folder.display()
    );
    executable(&folder.join("sudo"), &sudo);
    let tool = tool.arg(&folder).env("CANARY", canary.value());
    tool.run().exits(0);
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let words = read("words");
    assert!(
        words.contains("setsid") && !words.contains(canary.value()),
        "{words}"
    );
    let environment = read("out");
    assert!(
        environment.contains(&format!("HTTPS_PROXY={}\n", canary.value())),
        "{environment}"
    );
    assert!(
        environment.contains("NO_PROXY=a\n") && !environment.contains("JUNK"),
        "{environment}"
    );
    assert_eq!(read("log"), "two words last\n");
}

/// docker prints an empty line for a context that it does not have.
#[test]
fn a_docker_context_that_is_not_there_is_named() {
    let parts = ["messages", "places", "processes", "engine"];
    let tool = function(&parts, "PATH=$1:$PATH\nengine_look", &[]);
    let folder = tool.folder().to_owned();
    executable(&folder.join("docker"), "#!/bin/sh\necho\nexit 1\n");
    let tool = tool.arg(&folder);
    let output = tool.clone().env("DOCKER_CONTEXT", "nope").run().exits(2);
    assert!(
        output
            .stderr
            .starts_with("test: error: there is no docker context `nope`\nhint: "),
        "{}",
        output.transcript()
    );
    // Without a name it is the engine of this machine.
    let endpoint = function(&parts, "PATH=$1:$PATH\nengine_endpoint", &[]).arg(&folder);
    endpoint.run().exits(0).prints("unix:///var/run/docker.sock");
}
