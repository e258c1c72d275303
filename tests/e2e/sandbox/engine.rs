//! How processes of root are started.

use super::function;
use std::fs;
use support::canary::Canary;
use support::executable;

/// The arguments of sudo are in the system's log, and other users can list them.
#[test]
fn variables_of_a_daemon_of_root_are_not_arguments_of_sudo() {
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
