//! The reasons why a configuration file cannot be used.

use super::paths::told_with_place;
use std::fmt;
use std::path::PathBuf;

/// A reason why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// It cannot be read.
    #[error("{}: {}", path.display(), told_with_place(path, source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Its content is invalid.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column, from 1.
        column: u64,
        /// The setting that has no value therefore, `upstream.url`; `None` where no setting can be read.
        setting: Option<String>,
        /// The setting, and what is wrong.
        message: String,
    },
}

impl ConfigFileError {
    /// Returns true if the error is about this setting or a part of it.
    pub(super) fn is_in(&self, whole: &str) -> bool {
        matches!(self, Self::Invalid { setting: Some(setting), .. } if is_in(setting, whole))
    }
}

/// Returns true if a setting is another one, or a part of it.
pub(super) fn is_in(setting: &str, whole: &str) -> bool {
    setting.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Every reason why a file cannot be used.
#[derive(Debug)]
pub struct ConfigFileErrors(pub(super) Vec<ConfigFileError>);

impl std::error::Error for ConfigFileErrors {}

impl fmt::Display for ConfigFileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl IntoIterator for ConfigFileErrors {
    type Item = ConfigFileError;
    type IntoIter = std::vec::IntoIter<ConfigFileError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
