//! What `s3cors check` finds: the same reading as for serving, without anything going live.

use super::files::{FileError, Listing, parse, read};
use s3_cors::Warning;
use std::path::{Path, PathBuf};

/// Everything that is to be said about a file or a directory of rules.
#[derive(Debug, Default)]
pub struct Checked {
    /// What S3 refuses, or what can not be served.
    pub errors: Vec<FileError>,
    /// What S3 takes and nobody wants.
    pub warnings: Vec<(PathBuf, Warning)>,
}

/// Checks a file, or every file of rules in a directory.
#[must_use]
pub fn check(path: &Path) -> Checked {
    let mut checked = Checked::default();
    let listing = match Listing::of(path) {
        Ok(listing) => listing,
        Err(error) => {
            checked.errors.push(error);
            return checked;
        }
    };
    checked.errors.extend(listing.errors);
    for paths in listing.files.into_values() {
        if let [first, second, ..] = paths.as_slice() {
            checked.errors.push(FileError::Twice { path: second.clone(), other: first.clone() });
        }
        for path in paths {
            match read(&path).and_then(|bytes| parse(&path, &bytes)) {
                Ok(document) => {
                    checked.warnings.extend(document.warnings().into_iter().map(|warning| (path.clone(), warning)));
                }
                Err(error) => checked.errors.push(error),
            }
        }
    }
    checked
}
