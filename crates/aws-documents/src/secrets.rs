//! Which plain values look like secrets: by their names, or by what stands in them. A linter warns of these, so they
//! are few: a warning about every value would not be read.

mod plain;

use plain::{is_label, is_number, is_path, is_switch, is_url};

/// Words in the names of values that are secrets.
const WORDS: [&str; 24] = [
    "AUTHORIZATION",
    "BEARER",
    "CREDENTIAL",
    "CREDENTIALS",
    "CREDS",
    "DSN",
    "HEADERS",
    "JWT",
    "KEY",
    "KEYS",
    "OTP",
    "PASS",
    "PASSCODE",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PASSWORDS",
    "PRIVATE",
    "PW",
    "PWD",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "TOKENS",
];

/// Ends of compound words that do the same: `APIKEY`, `PGPASSWORD`.
const ENDS: [&str; 11] = [
    "ACCESSKEY",
    "APIKEY",
    "CREDENTIALS",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PRIVATEKEY",
    "PWD",
    "SECRET",
    "TOKEN",
];

/// Words with such an end that mean something else.
const OTHER_WORDS: [&str; 4] = ["BYPASS", "COMPASS", "ENCOMPASS", "TRESPASS"];

/// Last words of the names of values that measure a secret: `TOKEN_TTL`.
const MEASURES: [&str; 12] = [
    "AGE", "COUNT", "DAYS", "EXPIRY", "HOURS", "LENGTH", "LIMIT", "MINUTES", "SECONDS", "SIZE", "TIMEOUT",
    "TTL",
];

/// What the tokens of well-known services begin with, and how long they are at least.
const TOKENS: [(&str, usize); 24] = [
    ("AIza", 35),
    ("EAACEdEose0cBA", 20),
    ("SG.", 30),
    ("dop_v1_", 20),
    ("eyJ", 40),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("hf_", 20),
    ("npm_", 20),
    ("pypi-", 20),
    ("rk_live_", 16),
    ("shpat_", 20),
    ("sk-", 20),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("xoxa-", 12),
    ("xoxb-", 12),
    ("xoxp-", 12),
    ("xoxs-", 12),
];

/// Webhook URLs, whose path is the secret.
const SECRET_PATHS: [&str; 4] = [
    "://hooks.slack.com/services/",
    "://discord.com/api/webhooks/",
    "://discordapp.com/api/webhooks/",
    "://api.telegram.org/bot",
];

/// The words of a name, in capitals: `DB_PASS`, `splunk-token` and `apiKey` have two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for character in name.chars() {
        let starts = !character.is_ascii_alphanumeric() || (was_small && character.is_ascii_uppercase());
        if starts {
            words.push(String::new());
        }
        if character.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(character.to_ascii_uppercase());
        }
        was_small = character.is_ascii_lowercase() || character.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a value of this name is a secret.
fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let secret = |word: &String| {
        // `PASSWORD2`
        let word = word.trim_end_matches(|character: char| character.is_ascii_digit());
        let ends = ENDS.iter().any(|end| word.ends_with(end)) && !OTHER_WORDS.contains(&word);
        WORDS.contains(&word) || ends
    };
    words.iter().any(secret) && !words.iter().any(|word| word == "PUBLIC")
}

/// Whether the value only describes a secret: its length, its place.
fn describes_secret(name: &str, value: &str) -> bool {
    let words = words(name);
    let last = words.last().map(String::as_str).unwrap_or_default();
    match last {
        "ARN" => value.starts_with("arn:"),
        "DIR" | "FILE" | "PATH" => value.starts_with('/'),
        "NAME" => is_label(value),
        "ENDPOINT" | "URI" | "URL" => is_url(value),
        last if MEASURES.contains(&last) => is_number(value),
        _ => is_switch(value) || is_path(value),
    }
}

/// Whether the value of this name looks like a secret: by its name, or by its content.
pub(crate) fn is_secret(name: &str, value: &str) -> bool {
    let named = !value.is_empty() && is_secret_name(name) && !describes_secret(name, value);
    named || holds_secret(value)
}

/// Whether `text` contains a secret.
pub(crate) fn holds_secret(text: &str) -> bool {
    holds_access_key(text)
        || holds_token(text)
        || holds_login(text)
        || holds_pair(text)
        || text.contains("-----BEGIN ")
        || SECRET_PATHS.iter().any(|path| text.contains(path))
}

/// An access key id: 20 capitals and digits that begin as AWS's do.
pub(crate) fn holds_access_key(text: &str) -> bool {
    let mut words = text.split(|character: char| !character.is_ascii_alphanumeric());
    words.any(|word| {
        let capitals = word
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        word.len() == 20 && capitals && (word.starts_with("AKIA") || word.starts_with("ASIA"))
    })
}

fn holds_token(text: &str) -> bool {
    let belongs = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
    let mut words = text.split(|character: char| !belongs(character));
    let token = |word: &str| {
        let begins = |(start, least): &(&str, usize)| word.len() >= *least && word.starts_with(start);
        TOKENS.iter().any(begins) && word.bytes().any(|byte| byte.is_ascii_digit())
    };
    words.any(token)
}

/// Whether a URL in `text` carries a login: `postgres://user:password@host`, `https://token@host`.
fn holds_login(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let (before, behind) = text.split_at(at);
        let web = before.ends_with("http") || before.ends_with("https");
        let url = behind.get(3..).unwrap_or_default();
        let url = url.split([' ', '"', '\'']).next().unwrap_or_default();
        let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
        match authority.rsplit_once('@') {
            Some((user, _)) => user.contains(':') || (web && !user.is_empty()),
            // A password may have a slash that is not escaped: what looks like a port is then no number.
            None => {
                let port = authority.split_once(':').map(|(_, port)| port);
                let no_port = port
                    .is_some_and(|port| !port.is_empty() && !port.bytes().all(|byte| byte.is_ascii_digit()));
                no_port && url.contains('@')
            }
        }
    })
}

/// The name in `$NAME` and `${NAME}`.
fn variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let name = match name.strip_prefix('{') {
        Some(name) => name.strip_suffix('}')?,
        None => name,
    };
    (1..=40).contains(&name.len()).then_some(name)
}

/// Whether a shell would replace the text: a variable in capitals or in small letters, or a command substitution.
fn is_looked_up(text: &str) -> bool {
    let small = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let large = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    text.starts_with("$(")
        || variable(text).is_some_and(|name| name.bytes().all(small) || name.bytes().all(large))
}

/// Whether `text` has something like `password=…`, `"token": "…"`, `Authorization: …`.
fn holds_pair(text: &str) -> bool {
    text.match_indices(['=', ':']).any(|(at, sign)| {
        let (before, behind) = text.split_at(at);
        let value = behind.get(1..).unwrap_or_default();
        // Other colons are parts of ARNs, images and addresses.
        if sign == ":" && !value.starts_with([' ', '"', '\'']) {
            return false;
        }
        let value = value.trim_start_matches([' ', '"', '\'']);
        let before = before.trim_end_matches([' ', '"', '\'']);
        let belongs = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
        let name = before
            .rsplit(|character: char| !belongs(character))
            .next()
            .unwrap_or_default();
        let end = value.find([' ', '"', '\'', '&', ';', ',']).unwrap_or(value.len());
        let value = value.get(..end).unwrap_or_default();
        // A shell variable is not the value itself.
        let given = !value.is_empty() && !is_looked_up(value);
        given && is_secret_name(name) && !describes_secret(name, value)
    })
}

/// Which words of a command look like secrets: by their content, or as the argument of an option like `--password`.
pub(crate) fn secret_words(words: &[&str]) -> Vec<bool> {
    let mut flag = "";
    let mut found = Vec::new();
    for word in words {
        let given = !word.starts_with('-') && !is_looked_up(word);
        let behind_flag = given && !flag.is_empty() && is_secret(flag, word);
        let segments: Vec<&str> = word.split_whitespace().collect();
        let inside = segments.len() > 1 && secret_words(&segments).contains(&true);
        found.push(behind_flag || inside || holds_secret(word));
        flag = match word.strip_prefix('-') {
            Some(name) if !word.contains('=') => name.trim_start_matches('-'),
            _ => "",
        };
    }
    found
}

#[cfg(test)]
mod tests;
