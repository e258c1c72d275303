use super::*;
use cli::ErrorSummary;

const EXAMPLE: &str = include_str!("../../../../ops.toml");

fn target() -> AwsTarget {
    AwsTarget {
        account: "123456789012".into(),
        region: "us-east-1".into(),
    }
}

fn example() -> Config {
    Config::parse(Path::new("x/ops.toml"), EXAMPLE).unwrap()
}

fn check_error(text: &str, expected: &str) {
    let error = Config::parse(Path::new("ops.toml"), text).unwrap_err();
    assert_eq!(format!("{error:#}"), expected);
}

#[test]
fn the_file_of_the_repository_fits_the_schema() {
    let config = example();
    let variables = Variables::over(&config.schema, &target(), |_| None);
    let images = config.images(&variables).unwrap();
    assert_eq!(images[0].from.as_deref(), Some("python:3.10-slim-buster"));
    let arguments = &images[1].build.as_ref().unwrap().args;
    assert_eq!(
        arguments.0,
        [(
            "BASE_IMAGE".to_owned(),
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/cruddur-python:3.10-slim-buster".to_owned()
        )]
    );
    let params = config.params(&variables).unwrap().unwrap();
    let names: Vec<&str> = params.entry.iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "CONNECTION_URL",
            "ROLLBAR_ACCESS_TOKEN",
            "OTEL_EXPORTER_OTLP_HEADERS"
        ]
    );
    assert_eq!(
        config.tags(&variables).unwrap().0[0],
        ("app".to_owned(), "cruddur".to_owned())
    );
}

#[test]
fn errors_name_file_line_and_key_but_no_value() {
    check_error(
        "version = 1\n[app]\nname = \"x\"\nnmae = 1\n",
        "failed to read config file `ops.toml:4:1`: unknown key `nmae`, expected one of `name`, `tags`, `expect_account`, `expect_region`",
    );
    check_error(
        "version = 1\napp = { name = \"x\" }\nrepository = \"hunter2\"\n",
        "failed to read config file `ops.toml:3:14`: invalid type: string, expected a sequence",
    );
    let entry = |rest: &str| {
        format!("version = 1\napp = {{ name = \"x\" }}\n[params]\nprefix = \"/x\"\n[params.entry]\n{rest}\n")
    };
    for (line, error) in [
        (
            "A = 8439217733",
            "6:5`: invalid type: integer, expected struct ParameterEntry",
        ),
        (
            "A = true",
            "6:5`: invalid type: boolean, expected struct ParameterEntry",
        ),
        (
            "A = 8439.5",
            "6:5`: invalid type: floating point, expected struct ParameterEntry",
        ),
        (
            "A = { env = \"A\", check = \"hunter2\" }",
            "6:26`: unknown variant, expected `postgres-url` or `otlp-headers`",
        ),
        (
            "A = \"hunter2, expected hunter2 `x` \\\"\"",
            "6:5`: invalid type: string, expected struct ParameterEntry",
        ),
    ] {
        let error = format!("failed to read config file `ops.toml:{error}");
        check_error(&entry(line), &error);
    }
    check_error(
        "version = -8439217733\napp = { name = \"x\" }\n",
        "failed to read config file `ops.toml:1:11`: invalid value: integer, expected u32",
    );
    check_error(
        "version = 2\napp = { name = \"x\" }\n",
        "failed to use config file `ops.toml`: unsupported version 2 (supported: 1)",
    );
    check_error(
        "version = 1\n[app\n",
        "failed to read config file `ops.toml:2:5`: unclosed table, expected `]`",
    );
    let image = |rest: &str| {
        format!("version = 1\napp = {{ name = \"x\" }}\n[[image]]\nname = \"i\"\nrepository = \"r\"\n{rest}")
    };
    check_error(
        &image("tags = []\nfrom = \"a\"\n"),
        "failed to use config file `ops.toml`: image `i` has no tag in `tags`",
    );
    check_error(
        &image("tags = [\"t\"]\n"),
        "failed to use config file `ops.toml`: image `i` needs either `from` or `build`",
    );
    check_error(
        "version = 1\napp = { name = \"x\" }\n[params]\nprefix = \"/x\"\nentry.A = { value = \"hunter2\" }\n",
        "failed to read config file `ops.toml:5:13`: unknown key `value`, expected one of `env`, `template`, `file`, `check`, `type`, `description`, `allow_static_aws_credentials`",
    );
}

#[test]
fn the_name_to_export_is_one_that_a_shell_can_set() {
    let with = |name: &str| {
        format!("version = 1\napp = {{ name = \"x\" }}\n[[repository]]\nname = \"r\"\nexport = \"{name}\"\n")
    };
    for name in ["A", "_", "ECR_URL_2", "lower"] {
        Config::parse(Path::new("ops.toml"), &with(name)).unwrap();
    }
    for name in ["A-B; touch x #", "", "2A", "A B", "A=B", "$A", "É", "A\\n"] {
        check_error(
            &with(name),
            "failed to use config file `ops.toml`: `export` of repository `r` is not a valid shell variable name: letters, digits and `_`, not starting with a digit",
        );
    }
}

#[test]
fn expands_only_the_table_that_is_read() {
    let text = EXAMPLE.replace("\"cruddur-python\"\nexport", "\"${NAME}\"\nexport");
    let config = Config::parse(Path::new("ops.toml"), &text).unwrap();
    let unset = Variables::over(&config.schema, &target(), |_| None);
    assert!(config.images(&unset).is_ok());
    let error = config.repositories(&unset).unwrap_err();
    assert_eq!(
        ErrorSummary::of(&error).message,
        "failed to read `ops.toml`: repository `${NAME}`.name needs the environment variable `NAME`, which is not set"
    );
    let set = Variables::over(&config.schema, &target(), |name| {
        (name == "NAME").then(|| "given".to_owned())
    });
    assert_eq!(config.repositories(&set).unwrap()[0].name, "given");
}

#[test]
fn expands_names_dollars_and_leaves_iams_own() {
    let config = example();
    let mut variables = Variables::over(&config.schema, &target(), |name| match name {
        "SET" => Some("${AWS_REGION}".into()),
        "EMPTY" => Some(String::new()),
        "AWS_REGION" => Some("the-shells-own".into()),
        _ => None,
    });
    variables.set("image.backend-flask", "uri@sha256:1");
    for (text, expected) in [
        ("plain", "plain"),
        ("a${AWS_REGION}b", "aus-east-1b"),
        ("${SET}", "${AWS_REGION}"),
        ("$$x$$", "$x$"),
        ("$${AWS_REGION}", "${AWS_REGION}"),
        ("${aws:username}", "${aws:username}"),
        ("a${*}b${?}${$}c", "a${*}b${?}${$}c"),
        (
            "${roles.execution.arn}",
            "arn:aws:iam::123456789012:role/CruddurServiceExecutionRole",
        ),
        ("${params.prefix}/X", "/cruddur/backend-flask/X"),
        ("${image.backend-flask}", "uri@sha256:1"),
    ] {
        assert_eq!(expand(text, &variables).unwrap(), expected, "{text}");
    }
    for (text, expected) in [
        (
            "${UNSET}",
            "k needs the environment variable `UNSET`, which is not set",
        ),
        (
            "${EMPTY}",
            "k needs the environment variable `EMPTY`, which is empty",
        ),
        (
            "${roles.absent.arn}",
            "k names `${roles.absent.arn}`, which is an unknown variable",
        ),
        (
            "${image.cruddur-python}",
            "k names `${image.cruddur-python}`, which has no value here",
        ),
        (
            "${AWS_SESSION_TOKEN}",
            "k names `${AWS_SESSION_TOKEN}`, and AWS credentials are not expanded",
        ),
        ("${AWS_REGION", "k has a `${` without its `}`"),
        ("$AWS_REGION", "k has a `$` that does not start a `${NAME}`"),
        (
            "${A B}",
            "k has a `${…}` whose name has other characters than letters, digits, `_`, `.`, `-` and `/`",
        ),
    ] {
        assert_eq!(
            expand(text, &variables).unwrap_err().at("k").to_string(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn knows_the_registry_of_each_partition() {
    for (region, registry) in [
        ("ca-central-1", "123456789012.dkr.ecr.ca-central-1.amazonaws.com"),
        ("cn-north-1", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        (
            "us-gov-west-1",
            "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com",
        ),
    ] {
        assert_eq!(
            AwsTarget {
                account: "123456789012".into(),
                region: region.into()
            }
            .ecr_registry(),
            registry
        );
    }
}

#[test]
fn selects_by_name_in_the_order_of_the_file() {
    let chosen = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        select("image", vec!["a", "b", "c"], |name| name, &names)
    };
    assert_eq!(chosen(&[]).unwrap(), ["a", "b", "c"]);
    assert_eq!(chosen(&["c", "a"]).unwrap(), ["a", "c"]);
    let described = ErrorSummary::of(&chosen(&["d"]).unwrap_err());
    assert_eq!(
        (described.message.as_str(), described.hint.as_deref()),
        (
            "failed to find image `d` in the config file",
            Some("it has: a, b, c")
        )
    );
}
