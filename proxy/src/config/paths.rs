//! Paths of settings: what cannot be one, and where a relative one leads.

use super::fields::As;
use super::values::ValueError;
use crate::s3::as_written::as_written;
use serde::{Deserialize, Deserializer};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// The path of a file or a directory.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String")]
pub(super) struct FilePath(PathBuf);

impl TryFrom<String> for FilePath {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        not_a_path(&text).map_or_else(|| Ok(Self(text.into())), Err)
    }
}

impl From<FilePath> for PathBuf {
    fn from(path: FilePath) -> Self {
        path.0
    }
}

impl From<FilePath> for Option<PathBuf> {
    fn from(path: FilePath) -> Self {
        Some(path.0)
    }
}

/// The path of a flag or a variable.
///
/// # Errors
/// [`ValueError`] for what can only be a mistake.
pub(super) fn path_of_flag(path: PathBuf) -> Result<PathBuf, ValueError> {
    path.to_str().and_then(not_a_path).map_or(Ok(path), Err)
}

fn not_a_path(text: &str) -> Option<ValueError> {
    if text.is_empty() {
        return Some(ValueError::new(text, "an empty path; leave the key out for its default"));
    }
    if is_url(text) {
        return Some(ValueError::new(
            text,
            "a path is expected here, not a URL; what is on a server is named by other settings",
        ));
    }
    as_written(text, "").map(|_| ValueError::new(text, "not a path"))
}

/// Returns true for a URL, also one that is encoded or has lost its scheme: it may have a password, and paths are shown.
fn is_url(text: &str) -> bool {
    let has_user = text.split_once(':').is_some_and(|(_, rest)| rest.contains('@'));
    has_user || text.contains("://") || text.to_ascii_lowercase().contains("%3a%2f%2f")
}

/// A field for a path that may be left out or have no value.
pub(super) struct OptionalPath;

impl OptionalPath {
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<FilePath>::deserialize(deserializer)?.map(Into::into))
    }
}

/// A field for a path that has no value without its key.
pub(super) type RequiredPath = As<FilePath>;

/// An error about a file, and where the file was looked for if its path does not say so.
#[must_use]
pub fn told_with_place(path: &Path, error: &Error) -> String {
    let directory = || std::env::current_dir().ok();
    match Some(error)
        .filter(|error| error.kind() == ErrorKind::NotFound && path.is_relative())
        .and_then(|_| directory())
    {
        Some(directory) => format!("{error}; the path is relative to {}", directory.display()),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_url_and_has_no_quotes() {
        for (text, said) in [
            ("conf/rules", None),
            ("/srv/s3cors@prod/rules", None),
            ("/data/image@sha256:0a", None),
            ("C:rules", None),
            ("it's/rules", None),
            ("", Some("an empty path")),
            ("https://rules.example.com", Some("not a URL")),
            ("HTTPS%3A%2F%2Fminio", Some("not a URL")),
            ("//user:5ECRET@minio", Some("not a URL")),
            ("${RULES}", Some("nothing replaces ${RULES}")),
            ("/srv/$(NAME)/rules", Some("nothing replaces $(NAME)")),
            ("\"/etc/rules\"", Some("the quotes are a part of the value")),
        ] {
            let error = not_a_path(text).map(|error| error.to_string());
            assert_eq!(error.is_some(), said.is_some(), "{text}: {error:?}");
            assert!(error.is_none_or(|error| error.contains(said.unwrap()) && !error.contains("5ECRET")), "{text}");
        }
    }
}
