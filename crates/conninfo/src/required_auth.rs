//! `require_auth`: the authentication methods that the client allows the server to request.

use crate::error::ParseError;
use crate::keys::Parameters;

/// An authentication method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// The password in clear text.
    Password,
    /// The password, hashed with MD5.
    Md5,
    /// GSSAPI.
    Gss,
    /// SSPI, on Windows.
    Sspi,
    /// SCRAM, with which the server proves that it knows the password.
    ScramSha256,
    /// OAuth.
    Oauth,
    /// The server requests no authentication.
    None,
}

/// With libpq's names.
const METHODS: [(&str, AuthMethod); 7] = [
    ("password", AuthMethod::Password),
    ("md5", AuthMethod::Md5),
    ("gss", AuthMethod::Gss),
    ("sspi", AuthMethod::Sspi),
    ("scram-sha-256", AuthMethod::ScramSha256),
    ("oauth", AuthMethod::Oauth),
    ("none", AuthMethod::None),
];

/// A list of allowed methods, or of forbidden ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredAuth {
    methods: Vec<AuthMethod>,
    /// Whether the methods are the forbidden ones.
    is_negative: bool,
    text: String,
}

impl RequiredAuth {
    /// Whether the server may request this method.
    pub fn allows(&self, method: AuthMethod) -> bool {
        self.methods.contains(&method) != self.is_negative
    }

    /// The value in the connection string: it consists of method names only, and is safe to print.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `None` for an empty value.
    pub(crate) fn read(parameters: &Parameters) -> Result<Option<Self>, ParseError> {
        let Some(text) = parameters.get("require_auth") else {
            return Ok(None);
        };
        let refused = |message: &str| {
            let names = METHODS.map(|(name, _)| name).join(", ");
            ParseError::malformed(message)
                .with_hint(format!(
                    "a list of {names}, in this spelling; or each with a ! in front"
                ))
                .in_variable(parameters.variable("require_auth"))
        };
        let is_negative = text.starts_with('!');
        let mut methods = Vec::new();
        for word in text.split(',') {
            let name = word.strip_prefix('!');
            if name.is_some() != is_negative {
                return Err(refused(
                    "require_auth methods with and without a ! in front can't be mixed",
                ));
            }
            let name = name.unwrap_or(word);
            let method = METHODS.iter().find(|(known, _)| *known == name);
            let (name, method) = method.ok_or_else(|| refused("invalid require_auth value"))?;
            if methods.contains(method) {
                return Err(refused(&format!(
                    "require_auth method \"{name}\" is specified more than once"
                )));
            }
            methods.push(*method);
        }
        Ok(Some(RequiredAuth {
            methods,
            is_negative,
            text: text.to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<RequiredAuth>, ParseError> {
        crate::parse(&format!("host=h require_auth='{text}'"), &|_| None).map(|info| info.require_auth)
    }

    #[test]
    fn a_list_allows_its_methods_and_a_negative_one_all_others() {
        use AuthMethod::{Gss, Md5, None as Nothing, Oauth, Password, ScramSha256, Sspi};
        let all = [Password, Md5, Gss, Sspi, ScramSha256, Oauth, Nothing];
        for (text, allowed) in [
            ("scram-sha-256", &[ScramSha256][..]),
            ("none", &[Nothing]),
            ("password,md5", &[Password, Md5]),
            ("scram-sha-256,none", &[ScramSha256, Nothing]),
            ("!password", &[Md5, Gss, Sspi, ScramSha256, Oauth, Nothing]),
            ("!password,!md5,!none", &[Gss, Sspi, ScramSha256, Oauth]),
            ("!none", &[Password, Md5, Gss, Sspi, ScramSha256, Oauth]),
        ] {
            let required = read(text).unwrap().unwrap();
            for method in all {
                assert_eq!(
                    required.allows(method),
                    allowed.contains(&method),
                    "{text} {method:?}"
                );
            }
            assert_eq!(required.as_str(), text);
        }
        assert_eq!(read("").unwrap(), None);
    }

    #[test]
    fn refuses_what_libpq_refuses() {
        let mixed = "require_auth methods with and without a ! in front can't be mixed";
        let invalid = "invalid require_auth value";
        for (text, expected) in [
            ("SCRAM-SHA-256", invalid),
            ("scram", invalid),
            ("!", invalid),
            (",", invalid),
            ("md5,", invalid),
            ("md5, password", invalid),
            ("md5,!password", mixed),
            ("!md5,password", mixed),
            (
                "md5,md5",
                "require_auth method \"md5\" is specified more than once",
            ),
            (
                "!none,!none",
                "require_auth method \"none\" is specified more than once",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text}");
            assert!(error.hint().unwrap().contains("scram-sha-256"), "{text}");
        }
    }
}
