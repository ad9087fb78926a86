//! The keys that sign grants, in a file of their own.
//!
//! Decides: which file has keys that can be used. Must not know: what they sign.

use super::paths::told_with_place;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The most keys of a file: the one that signs, and those of grants that are still open.
const MOST_KEYS: usize = 16;

/// The largest file, in bytes: room for the keys and what is said about them.
const LARGEST_FILE: u64 = 64 * 1024;

/// The keys of a file: the first signs, and what the others have signed is still accepted. No text that is made for people shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct GrantKeyFile(Vec<[u8; 32]>);

impl GrantKeyFile {
    /// Reads the keys of a file. Blocks.
    ///
    /// # Errors
    /// [`GrantKeyFileError`] names the file, and the line that is wrong.
    pub fn read(path: &Path) -> Result<Self, GrantKeyFileError> {
        let unreadable = |source| GrantKeyFileError::Unreadable { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if is_open_to_others(metadata.mode(), metadata.uid() == rustix::process::geteuid().as_raw()) {
            return Err(GrantKeyFileError::OpenToOthers { path: path.to_owned(), mode: metadata.mode() & 0o7777 });
        }
        let mut text = Vec::new();
        file.by_ref().take(LARGEST_FILE + 1).read_to_end(&mut text).map_err(unreadable)?;
        if text.len() as u64 > LARGEST_FILE {
            return Err(GrantKeyFileError::TooLarge { path: path.to_owned() });
        }
        Self::parse(&text, path)
    }

    fn parse(text: &[u8], path: &Path) -> Result<Self, GrantKeyFileError> {
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)) {
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let wrong = |fault| GrantKeyFileError::Line { path: path.to_owned(), line: number, fault };
            let key = key_of(line).ok_or_else(|| wrong(KeyFault::NotKey))?;
            if key.windows(2).all(|pair| matches!(pair, [one, next] if one == next)) {
                return Err(wrong(KeyFault::NotRandom));
            }
            if keys.contains(&key) {
                return Err(wrong(KeyFault::Twice));
            }
            if keys.len() == MOST_KEYS {
                return Err(wrong(KeyFault::TooMany));
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(GrantKeyFileError::NoKey { path: path.to_owned() }) } else { Ok(Self(keys)) }
    }

    /// The keys; at least one. The first signs.
    #[must_use]
    pub fn keys(&self) -> &[[u8; 32]] {
        &self.0
    }
}

impl fmt::Debug for GrantKeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GrantKeyFile(..)")
    }
}

/// Returns true where others than this user and its administrators could read the keys, or write their own. A file that is not this user's
/// can only be read because its mode lets others read it: so Kubernetes mounts a Secret, and systemd a credential.
const fn is_open_to_others(mode: u32, is_own: bool) -> bool {
    const READ_OR_WRITE: u32 = 0o066;
    const WRITE: u32 = 0o022;
    mode & if is_own { READ_OR_WRITE } else { WRITE } != 0
}

/// Reads 64 hexadecimal digits.
fn key_of(line: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16)?).ok();
    let mut key = [0; 32];
    if line.len() != 2 * key.len() {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(line.chunks_exact(2)) {
        let [high, low] = *digits else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(key)
}

/// A file has no keys that can be used. No variant holds a part of the file.
#[derive(Debug, thiserror::Error)]
pub enum GrantKeyFileError {
    /// The file cannot be read.
    #[error("{}: the keys cannot be read: {}", path.display(), told_with_place(path, source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Others can read the keys, or write their own.
    #[error(
        "{}: other users can read or write it (mode {mode:03o}), and anyone with a key can open every folder; run chmod 600 on it",
        path.display()
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file is larger than any with keys.
    #[error("{}: larger than 64 KiB; a key is a line of 64 hexadecimal digits", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file has no key.
    #[error("{}: no key; write one there, such as the output of openssl rand -hex 32", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A line is wrong.
    #[error("{}:{line}: {fault}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The fault.
        fault: KeyFault,
    },
}

/// The fault of a line in a file with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// No key.
    #[error(
        "not a key of 64 hexadecimal digits, such as the output of openssl rand -hex 32, nor a comment that begins with #"
    )]
    NotKey,
    /// A key that anyone would try.
    #[error("a key of one repeated byte is no secret; write the output of openssl rand -hex 32")]
    NotRandom,
    /// A key that is there already.
    #[error("this key is in the file twice; remove one of them")]
    Twice,
    /// A key too many.
    #[error("a file has at most 16 keys; remove those whose grants have ended")]
    TooMany,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    /// The hexadecimal digits of a key.
    fn digits(number: u8) -> String {
        format!("{}{number:02x}", "5e".repeat(31))
    }

    #[test]
    fn a_file_has_one_key_a_line_and_the_first_signs() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (one, two) = (digits(1), digits(2));
        let many = |count: u8| (0..count).map(|number| digits(number) + "\n").collect::<String>();
        for (text, expected) in [
            (one.clone(), Ok(vec![1])),
            (format!("{}\n", one.to_uppercase()), Ok(vec![1])),
            (format!("# the one of May\r\n\r\n  {two} \r\n\n# April's, until 7 June\n{one}"), Ok(vec![2, 1])),
            (many(16), Ok((0..16).collect())),
            (String::new(), Err(": no key; write one there")),
            ("\n# nothing\n".to_owned(), Err(": no key; write one there")),
            (format!("# here\n{}", &one[1..]), Err(":2: not a key of 64 hexadecimal digits")),
            (format!("{one}\n{two}0\n"), Err(":2: not a key")),
            (format!("{one} {two}\n"), Err(":1: not a key")),
            (format!("{one} # May\n"), Err(":1: not a key")),
            (format!("+{}", &one[1..]), Err(":1: not a key")),
            (one.replacen('5', "g", 1), Err(":1: not a key")),
            (one.replacen("5e", "é", 1), Err(":1: not a key")),
            (format!("\u{feff}{one}"), Err(":1: not a key")),
            ("0".repeat(64), Err(":1: a key of one repeated byte")),
            (format!("{one}\n\n{}\n", one.to_uppercase()), Err(":3: this key is in the file twice")),
            (many(17), Err(":17: a file has at most 16 keys")),
            ("#".repeat(64 * 1024 + 1), Err(": larger than 64 KiB")),
        ] {
            std::fs::write(file.path(), &text).unwrap();
            match (GrantKeyFile::read(file.path()), expected) {
                (Ok(read), Ok(expected)) => {
                    assert_eq!(read.keys().iter().map(|key| key[31]).collect::<Vec<_>>(), expected, "{text}");
                    assert!(read.keys().iter().all(|key| key[..31] == [0x5e; 31]), "{text}");
                }
                (Err(error), Err(expected)) => {
                    let (error, place) = (error.to_string(), file.path().display());
                    assert!(error.starts_with(&format!("{place}{expected}")), "{text}: {error}");
                    assert!(!error.to_lowercase().contains("5e5e"), "{error}");
                }
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
        let missing = GrantKeyFile::read(&file.path().join("none")).unwrap_err().to_string();
        assert!(missing.contains("the keys cannot be read: "), "{missing}");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), digits(1)).unwrap();
        for (mode, is_accepted) in
            [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false), (0o644, false)]
        {
            std::fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            let read = GrantKeyFile::read(file.path()).map_err(|error| error.to_string());
            assert_eq!(read.is_ok(), is_accepted, "{mode:o}: {read:?}");
            let said = format!("(mode {mode:03o})");
            assert!(read.is_ok() || read.is_err_and(|error| error.contains(&said) && error.contains("chmod 600")));
        }
    }

    #[test]
    fn a_file_of_another_user_may_be_read_through_its_mode() {
        for (mode, is_refused) in
            [(0o100_444, false), (0o100_440, false), (0o100_644, false), (0o100_666, true), (0o100_460, true)]
        {
            assert_eq!(is_open_to_others(mode, false), is_refused, "{mode:o}");
        }
    }

    #[test]
    fn keys_are_never_shown() {
        assert_eq!(format!("{:?}", GrantKeyFile(vec![[0x5e; 32]])), "GrantKeyFile(..)");
    }
}
