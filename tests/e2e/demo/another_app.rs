//! The same scripts with another `ops.toml`.

use super::clone::{Clone, rows};
use std::fs;

const APP: &str = r#"
version = 1
[[image]]
repository = "shop/base"
name = "base"
from = "alpine:3"
[[image]] # the second
name = 'shop'
repository = "shop/web"
[image.build]
name = "not an image"
"#;

/// The labels of the rows from the images to the parameters, and all those of the database.
fn labels(clone: &Clone, script: &str, config: &str) -> (Vec<String>, Vec<String>) {
    fs::write(clone.folder.path().join("shop.toml"), config).unwrap();
    // A path of the caller's folder, which the scripts leave.
    let tool = match script {
        "deploy" => clone.deploy().env("CONFIRM", "123456789012"),
        _ => clone.demo(),
    };
    let tool = tool
        .env("OPS_CONFIG", "shop.toml")
        .env("SHOP_DATABASE", "postgresql://u@h/d");
    let output = tool.current_dir(clone.folder.path()).run().exits(0);
    let rows = rows(&output);
    let total = format!("/{}] ", rows.len());
    assert!(
        rows.iter().all(|row| row.contains(&total)),
        "{}",
        output.transcript()
    );
    let labels = |begin: &str| {
        let found = rows.iter().map(|row| row[8..42].trim().to_owned());
        found.filter(|label| label.starts_with(begin)).collect()
    };
    (labels("push-image"), labels("db-test"))
}

#[test]
fn its_images_are_pushed_in_the_order_of_the_file() {
    let clone = Clone::new();
    for script in ["deploy", "demo"] {
        let (images, database) = labels(&clone, script, APP);
        assert_eq!(images, ["push-image base", "push-image shop"], "{script}");
        assert!(database.is_empty(), "{script}: {database:?}");
    }
    let status = clone.status().env("OPS_CONFIG", "shop.toml");
    let status = status.current_dir(clone.folder.path()).run();
    assert!(
        status.stdout.contains("push-image shop "),
        "{}",
        status.transcript()
    );
    assert!(
        !status.stdout.contains("push-image backend-flask"),
        "{}",
        status.transcript()
    );
}

#[test]
fn its_database_is_the_parameter_that_is_checked_as_one() {
    let clone = Clone::new();
    for entries in [
        "[params.entry]\nTOKEN = { env = \"TOKEN\" }\nDATABASE_URL = { check = \"postgres-url\", env = \"SHOP_DATABASE\" }\n",
        "[params.entry.TOKEN]\nenv = \"TOKEN\"\n[params.entry.DATABASE_URL]\nenv = \"SHOP_DATABASE\"\ncheck = \"postgres-url\"\n",
    ] {
        let config = format!("{APP}{entries}");
        let (_, database) = labels(&clone, "deploy", &config);
        assert_eq!(database, ["db-test (a task)"]);
        let (_, database) = labels(&clone, "demo", &config);
        assert_eq!(database, ["db-test (this machine)", "db-test (in the container)"]);
        for words in [
            "bin/ecs/deploy-service run -- /usr/local/bin/db-test --url-env DATABASE_URL",
            "fake/docker exec c0ffee /usr/local/bin/db-test --url-env DATABASE_URL",
        ] {
            let calls = clone.calls();
            assert!(calls.iter().any(|call| call == words), "{calls:?}");
        }
    }
}
