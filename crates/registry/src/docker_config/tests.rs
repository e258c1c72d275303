use super::*;

fn config(text: &str) -> DockerConfig {
    DockerConfig {
        path: PathBuf::from("config.json"),
        text: text.into(),
        document: serde_json::from_str(text).unwrap(),
    }
}

#[test]
fn reads_in_dockers_order() {
    let file = config(
        r#"{"auths":{"https://index.docker.io/v1/":{"auth":"aHViOnB3"},"https://old.example/v2/":{"username":"u","password":"p"},
            "token.example":{"identitytoken":"t","auth":"eDp5"},"empty.example":{}}}"#,
    );
    let user = |host: &str| {
        file.credentials_for(host)
            .unwrap()
            .map(|credentials| credentials.username)
    };
    assert_eq!(user("docker.io").as_deref(), Some("hub"));
    assert_eq!(user("old.example").as_deref(), Some("u"));
    assert_eq!(user("token.example").as_deref(), Some("<token>"));
    assert_eq!(user("empty.example"), None);
    assert_eq!(user("other.example"), None);

    let helpers = config(
        r#"{"credsStore":"desktop","credHelpers":{"a.example":"ecr-login"},"auths":{"b.example":{"auth":"eDp5"}}}"#,
    );
    assert_eq!(helpers.helper_for("a.example"), Some("ecr-login"));
    assert_eq!(helpers.helper_for("b.example"), Some("desktop"));
    for key in ["https://index.docker.io/v1/", "docker.io"] {
        let hub = config(&format!(
            r#"{{"credHelpers":{{"{key}":"own"}},"credsStore":"desktop"}}"#
        ));
        assert_eq!(hub.helper_for("docker.io"), Some("own"), "{key}");
    }
}

#[test]
fn a_build_gets_the_proxies_of_its_engine_or_the_default_ones() {
    let file = config(
        r#"{"proxies":{"default":{"httpProxy":"http://proxy:1","noProxy":"","httpsProxy":5},"tcp://engine:2375":{"noProxy":"*.example"}}}"#,
    );
    let of = |engine: &str| {
        let proxies = file.proxies(engine).into_iter();
        proxies
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("unix:///var/run/docker.sock"),
        ["http_proxy=http://proxy:1", "HTTP_PROXY=http://proxy:1"]
    );
    assert_eq!(
        of("tcp://engine:2375"),
        ["no_proxy=*.example", "NO_PROXY=*.example"]
    );
    assert!(config("{}").proxies("x").is_empty());
}
