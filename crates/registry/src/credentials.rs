//! The user name and the password for one registry.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

/// What a client sends to a registry. `Debug` does not print the password.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user name; `AWS` for ECR.
    pub username: String,
    /// The password, or an identity token when the user name is `<token>`.
    pub password: SecretString,
}

/// The user name with which credential helpers mark an identity token.
const TOKEN_USER: &str = "<token>";

impl Credentials {
    /// A user name and a password.
    pub fn new(username: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Credentials {
            username: username.into(),
            password: password.into(),
        }
    }

    /// An OAuth2 refresh token.
    pub fn identity_token(token: impl Into<SecretString>) -> Self {
        Self::new(TOKEN_USER, token)
    }

    /// Whether the password is an identity token.
    pub fn is_identity_token(&self) -> bool {
        self.username == TOKEN_USER
    }

    /// `user:password` in base64, the form of `config.json` and of HTTP's Basic scheme.
    pub fn to_basic(&self) -> SecretString {
        STANDARD
            .encode(format!("{}:{}", self.username, self.password.expose_secret()))
            .into()
    }

    /// Reads the form of [`Credentials::to_basic`]. NULs at the end are removed, as Docker does.
    pub fn from_basic(text: &str) -> Option<Self> {
        let decoded = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
        let (username, password) = decoded.split_once(':')?;
        (!username.is_empty()).then(|| Self::new(username, password.trim_end_matches('\0')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_prints_no_password() {
        let credentials = Credentials::new("AWS", "a:canary");
        let basic = credentials.to_basic();
        let read = Credentials::from_basic(basic.expose_secret()).unwrap();
        assert_eq!(
            (read.username.as_str(), read.password.expose_secret()),
            ("AWS", "a:canary")
        );
        assert!(!format!("{credentials:?}").contains("canary"));
        for text in ["", "!", "bm9jb2xvbg==", "OnB3"] {
            assert!(Credentials::from_basic(text).is_none(), "{text}");
        }
    }
}
