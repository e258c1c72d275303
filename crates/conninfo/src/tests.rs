//! Syntax and meaning of connection strings, as tables. The expectations were measured with libpq.

mod meaning;
mod pairs;
mod secrets;
mod urls;

use super::*;
use crate::error::ParseError;
use secrecy::ExposeSecret;
use std::path::PathBuf;
use std::time::Duration;

/// The `key=value` pairs in the text, in alphabetical order, or `error: …`.
fn read(text: &str) -> String {
    match parameters(text) {
        Ok(parameters) => {
            let pairs = parameters.values().iter();
            let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key}={value}")).collect();
            pairs.join(" ")
        }
        Err(error) => format!("error: {error}"),
    }
}

fn plain(text: &str) -> Result<ConnInfo, ParseError> {
    parse(text, &|_| None)
}

/// [`parse`] with variables, each as `NAME=value`.
fn with_variables(text: &str, variables: &[&str]) -> Result<ConnInfo, ParseError> {
    parse(text, &|name| {
        let set = variables.iter().filter_map(|line| line.split_once('='));
        set.into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_owned())
    })
}

#[track_caller]
fn message(text: &str) -> String {
    match plain(text) {
        Ok(info) => panic!("`{text}` is accepted: {info:?}"),
        Err(error) => error.to_string(),
    }
}
