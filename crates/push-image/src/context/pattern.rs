//! One pattern of a `.dockerignore` file, with the meaning that Docker's own matcher gives it.
//!
//! It is anchored at the context's root, unlike a `.gitignore`'s. `*` and `?` stop at a slash, `**` does
//! not. How far a pattern with `**` reaches depends on where that stands, and not on what one would guess:
//! the rules of [`Form`] are Docker's, and users rely on them.

/// A pattern, ready to be matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    form: Form,
}

/// How a pattern is matched.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// The text itself.
    Exact,
    /// `x/**`: what begins with `x/`; not `x` itself.
    Prefix,
    /// `**/x` or `**x`: what ends with `/x` or `x`; for the first also `x` alone.
    Suffix,
    /// Anything else with a special character in it.
    Tokens(Vec<Token>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`
    NotSlash,
    /// `[a-z]`, `[^a-z]`. A negated one takes a slash too.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// `*`
    Star,
    /// `**` or `**/` before something else: any number of folders, also none.
    Folders,
    /// `**` at the end, after something special.
    Rest,
}

/// A pattern whose syntax is wrong, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidPattern(pub(crate) &'static str);

impl Pattern {
    /// Reads `text`, a cleaned path without `!`.
    ///
    /// # Errors
    /// When a `[` is not closed, a range is malformed, or a `\` stands at the end.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let mut characters = text.chars().peekable();
        let mut tokens = Vec::new();
        let mut form = Known::Exact;
        let mut first = true;
        while let Some(character) = characters.next() {
            match character {
                '*' if characters.next_if_eq(&'*').is_some() => {
                    // The slash belongs to it: `**/x` also matches `x`.
                    characters.next_if_eq(&'/');
                    if characters.peek().is_some() {
                        tokens.push(Token::Folders);
                        form = Known::Tokens;
                    } else if form == Known::Exact {
                        form = Known::Prefix;
                    } else {
                        tokens.push(Token::Rest);
                        form = Known::Tokens;
                    }
                    if first {
                        form = Known::Suffix;
                    }
                }
                '*' => {
                    tokens.push(Token::Star);
                    form = Known::Tokens;
                }
                '?' => {
                    tokens.push(Token::NotSlash);
                    form = Known::Tokens;
                }
                '[' => {
                    tokens.push(class(&mut characters)?);
                    form = Known::Tokens;
                }
                '\\' => {
                    let escaped = characters.next();
                    tokens.push(Token::Char(escaped.ok_or(InvalidPattern("a `\\` at the end"))?));
                    form = Known::Tokens;
                }
                ']' => {
                    tokens.push(Token::Char(character));
                    form = Known::Tokens;
                }
                _ => tokens.push(Token::Char(character)),
            }
            first = false;
        }
        let form = match form {
            Known::Exact => Form::Exact,
            Known::Prefix => Form::Prefix,
            Known::Suffix => Form::Suffix,
            Known::Tokens => Form::Tokens(tokens),
        };
        Ok(Pattern {
            text: text.to_owned(),
            form,
        })
    }

    /// Whether it matches `path` itself. A pattern that matches a folder above it is the caller's business.
    pub(crate) fn matches(&self, path: &str) -> bool {
        match &self.form {
            Form::Exact => path == self.text,
            Form::Prefix => path.starts_with(self.text.trim_end_matches('*')),
            Form::Suffix => {
                let suffix = self.text.strip_prefix("**").unwrap_or(&self.text);
                path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path)
            }
            Form::Tokens(tokens) => run(tokens, path),
        }
    }

    /// Whether something below `folder` could match: what comes before the first special character must
    /// not lead elsewhere.
    pub(crate) fn may_match_below(&self, folder: &str) -> bool {
        let literal = self
            .text
            .find(['*', '?', '[', '\\'])
            .map_or(self.text.as_str(), |at| &self.text[..at]);
        let folder = format!("{folder}/");
        if literal.len() < self.text.len() {
            return literal.starts_with(&folder) || folder.starts_with(literal);
        }
        // The folder itself was matched already, or it would not be asked about.
        literal.starts_with(&folder)
    }
}

/// What is known of the form so far. A later character can change it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Exact,
    Prefix,
    Suffix,
    Tokens,
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// The rest of a `[…]`.
fn class(characters: &mut Characters) -> Result<Token, InvalidPattern> {
    let negated = characters.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && characters.next_if_eq(&']').is_some() {
            return Ok(Token::Class { negated, ranges });
        }
        let low = member(characters)?;
        let high = match characters.next_if_eq(&'-') {
            Some(_) => member(characters)?,
            None => low,
        };
        if high < low {
            return Err(InvalidPattern("a range that runs backwards"));
        }
        ranges.push((low, high));
    }
}

fn member(characters: &mut Characters) -> Result<char, InvalidPattern> {
    const OPEN: InvalidPattern = InvalidPattern("a `[` without its `]`");
    let member = match characters.next().ok_or(OPEN)? {
        '-' => return Err(InvalidPattern("a `-` that belongs to no range")),
        ']' => return Err(InvalidPattern("an empty `[]`")),
        '\\' => characters.next().ok_or(OPEN)?,
        member => member,
    };
    // Also after the last member something has to come.
    characters.peek().is_some().then_some(member).ok_or(OPEN)
}

/// Goes through `path` with all the places in `tokens` that it can be at, so that no pattern is slow.
fn run(tokens: &[Token], path: &str) -> bool {
    let mut here = vec![AwsTarget::default(); tokens.len() + 1];
    let mut next = here.clone();
    arrive(tokens, &mut here, 0);
    for character in path.chars() {
        next.fill(AwsTarget::default());
        for (at, token) in tokens.iter().enumerate() {
            if here[at].inside {
                next[at].inside = true;
                if character == '/' {
                    arrive(tokens, &mut next, at + 1);
                }
            }
            if !here[at].before {
                continue;
            }
            match token {
                Token::Char(desired) if *desired == character => arrive(tokens, &mut next, at + 1),
                Token::NotSlash if character != '/' => arrive(tokens, &mut next, at + 1),
                Token::Class { negated, ranges } => {
                    let found = ranges
                        .iter()
                        .any(|(low, high)| (*low..=*high).contains(&character));
                    if found != *negated {
                        arrive(tokens, &mut next, at + 1);
                    }
                }
                Token::Star if character != '/' => arrive(tokens, &mut next, at),
                Token::Rest => arrive(tokens, &mut next, at),
                _ => {}
            }
        }
        std::mem::swap(&mut here, &mut next);
    }
    here.last().is_some_and(|end| end.before)
}

#[derive(Clone, Copy, Default)]
struct AwsTarget {
    /// The token comes next.
    before: bool,
    /// In the folders that a [`Token::Folders`] takes.
    inside: bool,
}

/// Marks that `at` comes next, and what may come next because tokens can match nothing.
fn arrive(tokens: &[Token], places: &mut [AwsTarget], mut at: usize) {
    loop {
        let Some(place) = places.get_mut(at) else { return };
        place.before = true;
        match tokens.get(at) {
            Some(Token::Star | Token::Rest) => {}
            Some(Token::Folders) => place.inside = true,
            _ => return,
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests;
