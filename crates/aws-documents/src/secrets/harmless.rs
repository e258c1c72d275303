//! What may be shown: values in which nobody could hide a secret.
//!
//! Forms that are known, never "looks like no secret". What is in doubt stays hidden: the field is named all
//! the same, and that it changes.

use super::{is_secret, is_switch, words};

/// Pieces of the names whose values are hidden, also when they stand inside a word.
const SENSITIVE: [&str; 26] = [
    "AUTH", "BEARER", "CERT", "CODE", "COOKIE", "CRED", "DSN", "ENCRYPT", "HASH", "HEADER", "HOOK", "JWT",
    "KEY", "LICEN", "MFA", "OTP", "PASS", "PIN", "PRIV", "PWD", "SALT", "SECRET", "SEED", "SESSION", "SIGN",
    "TOKEN",
];

/// What the names of values end with that only name something.
const NAMES: [&str; 22] = [
    "BUCKET",
    "CLUSTER",
    "DOMAIN",
    "ENDPOINT",
    "ENV",
    "ENVIRONMENT",
    "FORMAT",
    "HOST",
    "HOSTNAME",
    "LANG",
    "LEVEL",
    "MODE",
    "NAME",
    "NAMESPACE",
    "QUEUE",
    "REGION",
    "SERVICE",
    "STAGE",
    "TABLE",
    "TIMEZONE",
    "TZ",
    "ZONE",
];

/// The last names of hosts, beside those of countries.
const DOMAINS: [&str; 12] = [
    "app", "cloud", "com", "dev", "edu", "gov", "info", "internal", "io", "local", "net", "org",
];

/// Words that everybody uses: for settings, programs, and the shell.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "enabled", "disabled", "none", "null", "default", "auto", "always", "never", "*",
    "trace", "debug", "info", "notice", "warn", "warning", "error", "critical", "fatal",
    "dev", "development", "test", "testing", "stage", "staging", "prod", "production", "local", "sandbox", "demo",
    "json", "text", "yaml", "xml", "logfmt", "utf-8", "utc", "c.utf-8",
    "http", "http2", "https", "tcp", "udp", "grpc", "h2c", "tls",
    "blocking", "non-blocking", "require", "prefer", "allow", "verify-ca", "verify-full",
    "cmd", "cmd-shell", "||", "&&", "|", ";", "exit", "exec", "echo", "true", "false",
    "sh", "bash", "ash", "env", "cat", "ls", "sleep", "kill", "grep", "wc", "pgrep", "nc",
    "python", "python3", "pip", "flask", "gunicorn", "uvicorn", "hypercorn", "celery", "django",
    "node", "npm", "npx", "yarn", "pnpm", "ruby", "bundle", "rails", "rake", "puma", "sidekiq",
    "java", "php", "php-fpm", "perl", "dotnet", "nginx", "httpd", "caddy", "curl", "wget",
    "run", "start", "serve", "server", "worker", "beat",
];

/// Whether a value of this name may be shown.
pub(super) fn may_be_shown(name: &str, value: &str) -> bool {
    if value.is_empty() || is_switch(value) {
        return true;
    }
    let capitals: String = words(name).concat();
    let sensitive = SENSITIVE.iter().any(|segment| capitals.contains(segment)) || capitals.ends_with("PW");
    let names = || {
        words(name)
            .last()
            .is_some_and(|last| NAMES.contains(&last.as_str()))
    };
    !sensitive
        && !is_secret(name, value)
        && (is_plain(value) || (names() && is_label(value) && !value.contains('/')))
}

/// Which of the words of a command may be shown; a value behind a flag is called as the flag is.
pub(super) fn shown_words(words: &[&str]) -> Vec<bool> {
    let secret = super::secret_words(words);
    let mut flag = String::new();
    let mut shown = Vec::new();
    for (word, secret) in words.iter().zip(secret) {
        let segments: Vec<&str> = word.split_whitespace().collect();
        let fine = if segments.len() > 1 {
            !shown_words(&segments).contains(&false)
        } else {
            is_flag(word)
                || (flag.is_empty() && is_reference(word))
                || may_be_shown(&flag, word)
                || is_pair(word)
        };
        shown.push(fine && !secret);
        flag = if is_flag(word) {
            (*word).to_owned()
        } else {
            String::new()
        };
    }
    shown
}

/// `-m`, `--no-reload`. Behind a short one's letter its value may stand: `-phunter2`.
fn is_flag(word: &str) -> bool {
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    match word.strip_prefix("--") {
        Some(name) => (2..=40).contains(&name.len()) && letters(name),
        None => word
            .strip_prefix('-')
            .is_some_and(|name| name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_alphabetic())),
    }
}

/// `--port=4567`, `PORT=4567`
fn is_pair(word: &str) -> bool {
    let Some((name, value)) = word.split_once('=') else {
        return false;
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let shown = may_be_shown(name, value) || (is_reference(value) && !super::is_secret_name(name));
    !name.is_empty() && name.bytes().all(plain) && shown
}

/// `$NAME` and `${NAME}` of a shell, in capitals: not the value, only where it is. A secret may begin with a dollar.
fn is_reference(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let begins = |name: &str| name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_');
    super::variable(text).is_some_and(|name| begins(name) && name.bytes().all(allowed))
}

/// A value that is harmless whatever it is called.
fn is_plain(value: &str) -> bool {
    WORDS.contains(&value.to_ascii_lowercase().as_str())
        || is_number(value)
        || is_version(value)
        || is_region(value)
        || is_address(value)
        || is_url(value)
        || is_path(value)
        || is_arn(value)
}

fn digits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `4567`, `-1`, `0.5`, `25m`: with few digits.
pub(super) fn is_number(value: &str) -> bool {
    let value = value.strip_prefix('-').unwrap_or(value);
    let number =
        value.trim_end_matches(|character: char| character.is_ascii_alphabetic() || character == '%');
    let unit = value.get(number.len()..).unwrap_or_default().to_ascii_lowercase();
    let units = [
        "", "%", "ms", "s", "m", "h", "d", "k", "kb", "mb", "gb", "kib", "mib", "gib",
    ];
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    digits(whole, 6) && digits(fraction, 4) && units.contains(&unit.as_str())
}

/// `1.4.0`, `v2.3`
fn is_version(value: &str) -> bool {
    let numbers: Vec<&str> = value.strip_prefix('v').unwrap_or(value).split('.').collect();
    (2..=4).contains(&numbers.len()) && numbers.iter().all(|number| digits(number, 4))
}

/// `us-east-1`, `ap-southeast-2a`
fn is_region(value: &str) -> bool {
    let mut parts = value.split('-').rev();
    let number = parts.next().unwrap_or_default();
    let number = number.trim_end_matches(|character: char| character.is_ascii_lowercase());
    let names: Vec<&str> = parts.collect();
    let word =
        |part: &&str| (2..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase());
    digits(number, 1)
        && value.len() <= 20
        && value.ends_with(|last: char| last.is_ascii_digit() || last.is_ascii_lowercase())
        && (2..=4).contains(&names.len())
        && names.iter().all(word)
        && names.last().is_some_and(|first| first.len() == 2)
}

/// The name of a thing: letters, a few digits, and what stands between words.
pub(super) fn is_label(value: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let numbers = value.bytes().filter(u8::is_ascii_digit).count();
    let plain = (1..=60).contains(&value.len()) && value.bytes().all(allowed) && numbers <= 4;
    plain && value.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// One of the names of a host: small letters and digits.
fn is_host_label(label: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    (1..=40).contains(&label.len()) && label.bytes().all(allowed)
}

/// `db.example.com`, `10.0.0.1`, `localhost`, with or without a port.
fn is_address(value: &str) -> bool {
    let Some(host) = without_port(value) else {
        return false;
    };
    let labels: Vec<&str> = host.split('.').collect();
    let number = labels.len() == 4 && labels.iter().all(|label| digits(label, 3));
    let named = labels.len() > 1 && labels.iter().all(|label| is_host_label(label));
    let known = labels
        .last()
        .is_some_and(|last| DOMAINS.contains(last) || (last.len() == 2 && !digits(last, 2)));
    host == "localhost" || number || (named && known)
}

fn without_port(authority: &str) -> Option<&str> {
    match authority.split_once(':') {
        Some((host, port)) => digits(port, 5).then_some(host),
        None => Some(authority),
    }
}

/// An address without login, query and fragment, whose path is of words.
pub(super) fn is_url(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once("://") else {
        return false;
    };
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_host = |host: &str| host.split('.').all(is_host_label);
    (2..=12).contains(&scheme.len())
        && scheme.bytes().all(letters)
        && without_port(authority).is_some_and(is_host)
        && (path.is_empty() || path == "/" || is_path(path))
        && !super::holds_secret(value)
}

/// `/usr/local/bin/health-check`, `/v1/traces`: of words in small letters.
pub(super) fn is_path(value: &str) -> bool {
    let Some(steps) = value.strip_prefix('/') else {
        return false;
    };
    let step = |step: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let numbers = step.bytes().filter(u8::is_ascii_digit).count();
        step.len() <= 32 && step.bytes().all(allowed) && numbers <= 4
    };
    value.len() <= 120 && steps.split('/').all(step)
}

/// What AWS calls a thing by.
fn is_arn(value: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":/_.-*${}".contains(&byte);
    arn::split(value).is_some_and(|parts| !parts.service.is_empty() && !parts.resource.is_empty())
        && value.len() <= 200
        && value.bytes().all(allowed)
}
