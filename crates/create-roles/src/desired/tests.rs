use super::*;
use common::config::AwsTarget;
use serde_json::json;
use std::path::PathBuf;

/// A folder with an `ops.toml` and policy files, for one test.
struct Project(PathBuf);

impl Project {
    fn new(name: &str, roles: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("create-roles-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "version = 1\napp = {{ name = \"x\", tags = {{ app = \"x\" }} }}\n[params]\nprefix = \"/cruddur/backend-flask\"\n{roles}"
        );
        std::fs::write(folder.join("ops.toml"), config).unwrap();
        let project = Project(folder);
        project.file("trust.json", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#);
        project
    }

    fn file(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.0.join(name), text).unwrap();
        self
    }

    fn load(&self, keys: &[&str]) -> Result<Loaded> {
        let config = Config::read(&self.0.join("ops.toml"))?;
        let target = AwsTarget {
            account: "123456789012".into(),
            region: "us-east-1".into(),
        };
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let variables = Variables::over(&config.schema, &target, |_| None);
        load(&config, &keys, &variables, Some("aws"))
    }

    /// The diagnostics, without the folder.
    fn diagnostics(&self) -> Vec<String> {
        let folder = format!("{}/", self.0.display());
        let diagnostics = self.load(&[]).unwrap().diagnostics;
        diagnostics
            .iter()
            .map(|diagnostic| diagnostic.to_string().replace(&folder, ""))
            .collect()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_are_read_and_expanded() {
    let project = Project::new(
        "read",
        "[roles.one]\nname = \"One\"\npath = \"/apps/\"\ntrust = \"trust.json\"\ninline = { B = \"b.json\", A = \"b.json\" }\n\
         managed = [\"arn:${AWS_PARTITION}:iam::aws:policy/ReadOnlyAccess\"]\n[roles.two]\nname = \"Two\"\ntrust = \"trust.json\"\n",
    );
    project.file("b.json", r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ssm:GetParameters","Resource":"arn:${AWS_PARTITION}:ssm:${AWS_REGION}:${AWS_ACCOUNT_ID}:parameter${params.prefix}/*"}}"#);
    let loaded = project.load(&[]).unwrap();
    assert_eq!(loaded.diagnostics, []);
    let [one, two] = loaded.roles.as_slice() else {
        panic!("two roles")
    };
    assert_eq!(
        (one.key.as_str(), one.path.as_str(), two.path.as_str()),
        ("one", "/apps/", "/")
    );
    // In the order of the file.
    let names: Vec<&str> = one.inline.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["B", "A"]);
    let resource = &one.inline[0].1["Statement"]["Resource"];
    assert_eq!(
        resource,
        &json!("arn:aws:ssm:us-east-1:123456789012:parameter/cruddur/backend-flask/*")
    );
    assert_eq!(one.managed, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    assert_eq!(one.tags, Tags::from([("app".into(), "x".into())]));
    let only = project.load(&["two"]).unwrap().roles;
    assert_eq!(only.len(), 1);
    let error = project.load(&["three"]).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "failed to find role `three` in the config file"
    );
}

#[test]
fn all_diagnostics_of_all_files_are_listed() {
    let project = Project::new(
        "diagnostics",
        "[roles.one]\nname = \"My Role\"\npath = \"apps\"\ntrust = \"missing.json\"\ninline = { \"a b\" = \"bad.json\" }\n\
         managed = [\"arn:aws:iam:aws:policy/X\", \"arn:aws:iam::aws:role/X\", \"arn:aws:iam::aws:policy/X\", \"arn:aws:iam::aws:policy/X\"]\n\
         permissions_boundary = \"arn:aws-cn:iam::123456789012:policy/B\"\n\
         [roles.two]\nname = \"my role\"\ntrust = \"bad.json\"\ninline = { C = \"unset.json\", D = \"broken.json\" }\n",
    );
    project
        .file("bad.json", "{\"Version\": \"2012-10-17\", \"Statement\": [\n  {\"Effect\": \"allow\", \"Action\": \"sts:AssumeRole\"}]}")
        .file("unset.json", "{\"Version\": \"${NOT_SET}\",\n \"Statement\": \"${AWS_REGION}\"}")
        .file("broken.json", "{\"Version\": }");
    assert_eq!(
        project.diagnostics(),
        [
            "ops.toml: roles.two.name: another role has the name `my role`, and IAM ignores case",
            "ops.toml: roles.one.name: `My Role` is not a valid role name: 1 to 64 letters, digits and +=,.@_-",
            "ops.toml: roles.one.path: `apps` is not a valid path: it begins and ends with a slash, and has at most 512 characters",
            "missing.json: No such file or directory (os error 2)",
            "ops.toml: roles.one.inline: `a b` is not a valid policy name: 1 to 128 letters, digits and +=,.@_-",
            "bad.json:2:3: Statement[0]: `Resource` is missing (or `NotResource`)",
            "bad.json:2:14: Statement[0].Effect: it must be `Allow` or `Deny`",
            "ops.toml: roles.one.managed[0]: `arn:aws:iam:aws:policy/X`: it has 5 parts, and an ARN has 6",
            "ops.toml: roles.one.managed[1]: `arn:aws:iam::aws:role/X` is not the ARN of a managed policy",
            "ops.toml: roles.one.managed[3]: `arn:aws:iam::aws:policy/X` is listed twice",
            "ops.toml: roles.one.permissions_boundary: `arn:aws-cn:iam::123456789012:policy/B`: its partition is `aws-cn`, and this account is in `aws`: it never matches",
            "ops.toml: roles.two.name: `my role` is not a valid role name: 1 to 64 letters, digits and +=,.@_-",
            // The same file as a trust policy has another diagnostic.
            "bad.json:2:3: Statement[0]: `Principal` is missing",
            "unset.json:1:13: Version: needs the environment variable `NOT_SET`, which is not set",
            "unset.json:2:15: Statement: it must be an object, or an array with at least one",
            "broken.json:1:13: Version: a value must stand here, not `}`",
        ]
    );
}

#[test]
fn the_sum_of_the_inline_policies_has_a_bound() {
    let project = Project::new(
        "sum",
        "[roles.one]\nname = \"One\"\ntrust = \"trust.json\"\ninline = { A = \"a.json\", B = \"a.json\" }\n",
    );
    let of = |length: usize| {
        let resource = "x".repeat(length);
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::{resource}"}}]}}"#
        )
    };
    let empty = policy::size(&serde_json::from_str(&of(0)).unwrap());
    project.file("a.json", &of(LARGEST_INLINE_SUM / 2 - empty));
    assert_eq!(project.diagnostics(), [""; 0]);
    project.file("a.json", &of(LARGEST_INLINE_SUM / 2 - empty + 1));
    assert_eq!(
        project.diagnostics(),
        ["ops.toml: roles.one.inline: its inline policies have 10242 characters, and IAM takes 10240 a role"]
    );
}

#[test]
fn managed_policies_are_counted() {
    let with = |name: &str, count: usize| {
        let arns: Vec<String> = (0..count)
            .map(|number| format!("\"arn:aws:iam::aws:policy/P{number}\""))
            .collect();
        let project = Project::new(
            name,
            &format!(
                "[roles.one]\nname = \"One\"\ntrust = \"trust.json\"\nmanaged = [{}]\n",
                arns.join(", ")
            ),
        );
        let diagnostics = project.load(&[]).unwrap().diagnostics;
        diagnostics
            .into_iter()
            .map(|diagnostic| (diagnostic.is_error(), diagnostic.message))
            .collect::<Vec<_>>()
    };
    assert_eq!(with("ten", 10), []);
    let quota = "there are 11, and IAM takes 10 a role unless the account's quota was raised".to_owned();
    assert_eq!(with("eleven", 11), [(false, quota)]);
    assert_eq!(
        with("many", 26),
        [(true, "there are 26, and IAM takes at most 25 a role".to_owned())]
    );
}

#[test]
fn names_and_paths() {
    for name in ["CruddurTaskRole", "a", "a+=,.@_-Z9", &"a".repeat(64)] {
        assert!(is_name(name, 64), "{name}");
    }
    for name in ["", "a b", "a/b", "ä", &"a".repeat(65)] {
        assert!(!is_name(name, 64), "{name}");
    }
    for path in ["/", "/a/", "/a/b-c/"] {
        assert!(is_path(path), "{path}");
    }
    for path in ["", "a", "/a", "a/", "/a b/"] {
        assert!(!is_path(path), "{path}");
    }
}
