use super::*;
use common::config::Build;

fn copied(name: &str, from: &str, tags: &[&str]) -> Image {
    Image {
        name: name.into(),
        repository: name.into(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        from: Some(from.into()),
        build: None,
    }
}

fn built(name: &str, dockerfile: Option<&str>) -> Image {
    Image {
        from: None,
        build: Some(Build {
            context: "app/".into(),
            dockerfile: dockerfile.map(str::to_owned),
            platform: None,
            target: None,
            args: common::config::Ordered::default(),
        }),
        ..copied(name, "", &["latest"])
    }
}

fn overrides(flags: &[&str], variable: Option<&str>) -> Result<Overrides> {
    let flags: Vec<Override> = flags.iter().map(|flag| flag.parse().unwrap()).collect();
    Overrides::read(&flags, variable)
}

fn first(images: Vec<Image>, overrides: &Overrides) -> Result<Source> {
    desired(images, overrides, "host.example").map(|all| all[0].source.clone())
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let image = || vec![copied("base", "python:3", &["3"])];
    let source = |flags: &[&str], variable| first(image(), &overrides(flags, variable).unwrap()).unwrap();
    let copy = |text: &str, instead_of: Option<&str>| Source::Copy {
        reference: Reference::parse(text).unwrap(),
        instead_of: instead_of.map(str::to_owned),
    };
    assert_eq!(source(&[], None), copy("python:3", None));
    assert_eq!(source(&[], Some("base=a:1")), copy("a:1", Some("python:3")));
    assert_eq!(
        source(&["base=b:2"], Some("base=a:1")),
        copy("b:2", Some("python:3"))
    );
    assert_eq!(
        source(&[], Some("other=x, base=a:1")),
        copy("a:1", Some("python:3"))
    );
    assert_eq!(source(&["base=python:3"], None), copy("python:3", None));
}

#[test]
fn overrides_that_make_no_sense_are_errors() {
    for text in ["", "base", "=a", "base=", "base=Not A Reference"] {
        assert!(text.parse::<Override>().is_err(), "{text}");
    }
    assert!(overrides(&[], Some("base")).is_err());
    let images = || vec![copied("base", "a", &["1"]), built("app", None)];
    for (flag, words) in [("other=a", "not among"), ("app=a", "it is built")] {
        let error = first(images(), &overrides(&[flag], None).unwrap()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let environment = overrides(&[], Some("other=a,base=b,app=c")).unwrap();
    let unused = environment.unused(&images());
    assert_eq!(
        unused,
        [
            ("other", "is not an image"),
            ("app", "is a built image, not a copied one,")
        ]
    );
    assert!(first(images(), &environment).is_ok());
}

#[test]
fn errors_of_the_file_are_found() {
    let none = Overrides::default();
    for (images, words) in [
        (
            vec![copied("Base", "a", &["1"])],
            "`Base:1` is not a valid repository and tag",
        ),
        (
            vec![copied("base", "a", &["-"])],
            "`base:-` is not a valid repository and tag",
        ),
        (
            vec![copied("base", "a", &["x@y"])],
            "is not a valid repository and tag",
        ),
        (
            vec![copied("base", "a", &[""])],
            "is not a valid repository and tag",
        ),
        (
            vec![copied("base", "a", &["x/y"])],
            "is not a valid repository and tag",
        ),
        (
            vec![copied("base", "a", &["1", "1"])],
            "`base:1` is configured twice",
        ),
        (
            vec![copied("base", "A", &["1"])],
            "failed to use `from` of image `base`",
        ),
        (
            vec![built("app", Some("../Dockerfile"))],
            "must be inside the context",
        ),
        (
            vec![built("app", Some("/Dockerfile"))],
            "must be inside the context",
        ),
    ] {
        let error = first(images, &none).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let same = vec![
        copied("base", "a", &["1"]),
        Image {
            name: "other".into(),
            ..copied("base", "a", &["1"])
        },
    ];
    assert!(first(same, &none).is_err());
}

#[test]
fn a_source_has_a_description() {
    let none = Overrides::default();
    let describe = |image| first(vec![image], &none).unwrap().describe();
    assert_eq!(
        describe(copied("base", "python:3", &["1"])),
        "docker.io/library/python:3"
    );
    assert_eq!(describe(built("app", None)), "app/Dockerfile");
    assert_eq!(
        describe(built("app", Some("./deploy/prod.Dockerfile"))),
        "app/deploy/prod.Dockerfile"
    );
}

#[test]
fn a_value_of_an_argument_is_not_in_debug() {
    let arguments = Arguments(BTreeMap::from([("NPM_TOKEN".to_owned(), "canary".to_owned())]));
    assert_eq!(format!("{arguments:?}"), "{\"NPM_TOKEN\"}");
}
