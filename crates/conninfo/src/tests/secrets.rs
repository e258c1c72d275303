//! No error repeats a part of the connection string.

use super::*;

/// `{}` marks where a password, or a part of one, may be.
const PLACES: &[&str] = &[
    "{}",
    " {} ",
    "{}=x",
    "x={}",
    "'{}'",
    "psql {}",
    "{}://u@h/db",
    "postgresql+{}://u@h/db",
    "jdbc:postgresql://{}",
    "DATABASE_URL=postgresql://u:{}@h/db",
    "POSTGRESQL://u:{}@h/db",
    "mysql://u:{}@h/db?a=b",
    "postgresql:/u:{}@h/db",
    "postgresql://u:{}@h@h/db",
    "postgresql://u:a@{}@h/db",
    "postgresql://u:a/{}@h/db",
    "postgresql://u:{}/a@h/db",
    "postgresql://u:a?{}@h:x/db",
    "postgresql://u:{}",
    "postgresql://u:{}/db",
    "postgresql://u:{}?user=u",
    "postgresql://u:a?{}",
    "postgresql://u:a?{}/db",
    "postgresql://u:1?{}",
    "postgresql://u:a/{}?x=y",
    "postgresql://u:{}%zz@h/db",
    "postgresql://u:%zz{}@h/db",
    "postgresql://{}%zz@h/db",
    "postgresql://u@{}%zz/db",
    "postgresql://u@h:{}%zz/db",
    "postgresql://u@h/{}%zz",
    "postgresql://u@h/db?user={}%zz",
    "postgresql://u@h/db?{}%zz=x",
    "postgresql://u:{}%00@h/db",
    "postgresql://u:{} x@h/db",
    "postgresql://{} x@h/db",
    "postgresql://u@h/{} x",
    "postgresql://u:%ff{}@h/db",
    "postgresql://{}@u@h/db",
    "postgresql://h?a={}@b",
    "postgresql://h?{}=a@b",
    "postgresql://u@h:{}/db",
    "postgresql://u@h:{}",
    "postgresql://u@h:1,h:{}/db",
    "postgresql://u@[{}",
    "postgresql://u@[::1]{}/db",
    "postgresql://u@a:b:{}/db",
    "postgresql://u@h%26{}/db",
    "postgresql://u@h%20{}/db",
    "postgresql://u@h%40{}/db",
    "postgresql://u@h%3A{}/db",
    "postgresql://u@h/db?{}",
    "postgresql://u@h/db?{}=",
    "postgresql://u@h/db?password=a&{}",
    "postgresql://u@h/db?password=a&{}=b",
    "postgresql://u@h/db?password=a={}",
    "postgresql://u@h/db?password={}=a",
    "postgresql://u@h/db?sslmode={}",
    "postgresql://u@h/db?sslmode=require{}",
    "postgresql://u@h/db?sslnegotiation={}",
    "postgresql://u@h/db?channel_binding={}",
    "postgresql://u@h/db?target_session_attrs={}",
    "postgresql://u@h/db?load_balance_hosts={}",
    "postgresql://u@h/db?gssencmode={}",
    "postgresql://u@h/db?sslcertmode={}",
    "postgresql://u@h/db?ssl_min_protocol_version={}",
    "postgresql://u@h/db?ssl_max_protocol_version={}",
    "postgresql://u@h/db?connect_timeout={}",
    "postgresql://u@h/db?keepalives={}",
    "postgresql://u@h/db?hostaddr={}",
    "postgresql://u@h/db?port={}",
    "postgresql://u@h/db?host=%26{}",
    "postgresql://u@h/db?sslcert={}",
    "postgresql://u@h/db?service={}",
    "postgresql://u@h/db?sslpassword={}",
    "postgresql://u@h/db?replication={}",
    "postgresql://u@h/db?scram_client_key={}",
    "postgresql://u@h/db?oauth_client_secret={}",
    "postgresql://u@h/db?sslmode=require&sslrootcert=system&password={}",
    "host=h {}",
    "host=h {} ",
    "host=h {}=x",
    "host=h password=a {}",
    "host=h password=a {}=b",
    "host=h password='a'{}",
    "host=h password='{}",
    "host=h port={}",
    "host=h,h port=1,{}",
    "host=h@{}",
    "host='h {}'",
    "hostaddr={}",
    "host=h sslmode={}",
    "host=h connect_timeout={}",
    "host=h dbname=postgresql://u:{}@h/db",
    "postgresql://u@h/postgres://u:{}%40h/db",
];

#[test]
fn no_error_contains_a_part_of_the_text() {
    let mut refused = 0;
    // An alphanumeric word, one with special characters, and a number.
    for canary in ["xq7Canary7qx", "xq7!$*+-~^|;.qx", "918273645546372819"] {
        for place in PLACES {
            let text = place.replace("{}", canary);
            let Err(error) = plain(&text) else { continue };
            refused += 1;
            for form in [
                error.to_string(),
                error.hint().unwrap_or_default().to_owned(),
                format!("{error:?}"),
            ] {
                assert!(!form.contains(canary), "{text}: {form}");
                // No part of it either.
                let parts = canary.as_bytes().windows(6);
                let part = parts
                    .map(String::from_utf8_lossy)
                    .find(|part| form.contains(&**part));
                assert_eq!(part, None, "{text}: {form}");
            }
        }
    }
    // If all texts were accepted, the test would prove nothing.
    assert!(refused > PLACES.len() * 2, "{refused}");
}

#[test]
fn an_invalid_variable_is_not_repeated_either() {
    for line in [
        "PGPORT=xq7Canary7qx",
        "PGSSLMODE=xq7Canary7qx",
        "PGHOSTADDR=xq7Canary7qx",
        "PGCONNECT_TIMEOUT=xq7Canary7qx",
        "PGSERVICE=xq7Canary7qx",
        "PGSSLCERT=xq7Canary7qx",
        "PGDATABASE=postgresql://u:xq7Canary7qx@h/db",
    ] {
        let error = with_variables("user=u", &[line]).unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("Canary"),
            "{line}: {error}"
        );
    }
    let warned = with_variables("user=u", &["PGPASSFILE=xq7Canary7qx"]).unwrap();
    assert!(!warned.warnings.concat().contains("Canary"));
}

#[test]
fn debug_output_has_no_password() {
    let info = plain("postgresql://u:hunter2hunter2@h/db").unwrap();
    assert!(!format!("{info:?}").contains("hunter2"));
}
