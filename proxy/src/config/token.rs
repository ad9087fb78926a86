//! The token of the admin listener, in a file of its own.

use super::paths::{FilePath, told_with_place};
use super::values::ValueError;
use serde::Deserialize;
use std::convert::Infallible;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The longest token, in bytes. A line that never ends is not read further.
const MAX_TOKEN: u64 = 4096;

/// A file whose first line is a token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "The path of a file."))]
#[serde(try_from = "String")]
pub struct TokenFile(#[cfg_attr(test, schemars(with = "String"))] PathBuf);

impl TokenFile {
    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads the token. Blocks.
    ///
    /// # Errors
    /// [`TokenFileError`] names the file and says what is wrong with it.
    pub fn read(&self) -> Result<Token, TokenFileError> {
        let line = self.first_line().map_err(|source| TokenFileError::Unreadable { path: self.0.clone(), source })?;
        let token = line.trim_ascii();
        if token.is_empty() {
            return Err(TokenFileError::Empty { path: self.0.clone() });
        }
        // RFC 6750 §2.1 and RFC 7617 §2: what a header can carry, and no client encodes differently.
        let is_visible = token.iter().all(u8::is_ascii_graphic) && line.len() as u64 <= MAX_TOKEN;
        match std::str::from_utf8(token) {
            Ok(text) if is_visible => Ok(Token(text.to_owned())),
            _ => Err(TokenFileError::NotToken { path: self.0.clone() }),
        }
    }

    fn first_line(&self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        BufReader::new(File::open(&self.0)?).take(MAX_TOKEN + 1).read_until(b'\n', &mut line)?;
        Ok(line)
    }
}

impl From<PathBuf> for TokenFile {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl FromStr for TokenFile {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for TokenFile {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(ValueError::new(&text, "no file has this name; leave the key out where no token is needed"));
        }
        FilePath::try_from(text).map(|path| Self(path.into()))
    }
}

/// A token. No text that is made for people shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token itself, to be sent or compared.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A file has no token. No variant holds a part of the file.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// The file cannot be read.
    #[error("{}: the token cannot be read: {}", path.display(), told_with_place(path, source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The first line is empty.
    #[error("{}: no token in its first line; write one there, such as the output of openssl rand -hex 32", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The first line is no token.
    #[error("{}: its first line is no token: at most 4096 visible ASCII characters without a space between them", path.display())]
    NotToken {
        /// The file.
        path: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_the_first_line_without_the_space_around_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let long = "x".repeat(4096);
        for (text, token) in [
            ("5ECRET", Ok("5ECRET")),
            ("5ECRET\n", Ok("5ECRET")),
            (" \t5ECRET \r\nnot this\n", Ok("5ECRET")),
            ("a:b\"c=\n", Ok("a:b\"c=")),
            (&long, Ok(long.as_str())),
            ("", Err("no token in its first line")),
            ("\n5ECRET\n", Err("no token in its first line")),
            ("   \n", Err("no token in its first line")),
            ("5ECRET 5ECRET\n", Err("is no token")),
            ("5ECR\u{e9}T\n", Err("is no token")),
            ("5ECRET\0\n", Err("is no token")),
            (&format!("{long}x\n"), Err("is no token")),
        ] {
            std::fs::write(file.path(), text).unwrap();
            let read = TokenFile::from(file.path().to_owned()).read().map_err(|error| error.to_string());
            match (&read, token) {
                (Ok(read), Ok(token)) => assert_eq!(read.reveal(), token),
                (Err(error), Err(about)) => {
                    let place = file.path().to_str().unwrap();
                    assert!(error.starts_with(place) && error.contains(about) && !error.contains("5ECR"), "{error}");
                }
                _ => panic!("{text:?}: {read:?}"),
            }
        }
        let missing = TokenFile::from(file.path().join("none")).read().unwrap_err().to_string();
        assert!(missing.contains("the token cannot be read: "), "{missing}");
    }

    #[test]
    fn a_token_is_never_shown() {
        assert_eq!(format!("{:?}", Token("5ECRET".into())), "Token(..)");
    }
}
