//! What `s3cors check` finds: the same reading as for serving, without anything going live.

use super::remark::Remark;
use super::source::{Found, Source, SourceError, parse};
use s3_cors::{CorsConfiguration, Document, Profile, Warning};
use std::path::{Path, PathBuf};

/// Everything to report about a source of rules.
#[derive(Debug, Default)]
pub struct Checked {
    /// What S3 refuses, or what cannot be served.
    pub errors: Vec<SourceError>,
    /// What S3 accepts and is likely a mistake.
    pub warnings: Vec<(PathBuf, Warning)>,
    /// Good to know and no likely mistake.
    pub notes: Vec<(PathBuf, Warning)>,
    /// The documents that were read.
    pub files: Vec<PathBuf>,
    /// The valid documents.
    pub documents: Vec<(PathBuf, CorsConfiguration)>,
    /// What else is to know about the source.
    pub remarks: Vec<Remark>,
}

impl Checked {
    fn warn(&mut self, path: &Path, warnings: Vec<Warning>) {
        self.warnings.extend(warnings.into_iter().map(|warning| (path.to_owned(), warning)));
    }

    /// Adds everything about a valid document, also whether these clients would work.
    pub fn add(&mut self, path: &Path, document: &Document, profiles: &[Profile]) {
        self.warn(path, document.warnings());
        let unserved = profiles.iter().flat_map(|profile| document.unserved(*profile));
        let (notes, warnings) = unserved.partition(Warning::is_note);
        self.warn(path, warnings);
        let notes: Vec<_> = [document.notes(), notes].concat();
        self.notes.extend(notes.into_iter().map(|note| (path.to_owned(), note)));
        self.documents.push((path.to_owned(), document.configuration().clone()));
    }
}

/// Checks every document of a source, also whether these clients would work.
#[must_use]
pub fn check(source: &dyn Source, profiles: &[Profile]) -> Checked {
    let mut checked = Checked::default();
    let listing = match source.list() {
        Ok(listing) => listing,
        Err(error) => {
            checked.errors.push(error);
            return checked;
        }
    };
    checked.remarks = Remark::about(&listing, source.path());
    checked.errors.extend(listing.errors);
    for paths in listing.documents.into_values() {
        if let [first, second, ..] = paths.as_slice() {
            checked.errors.push(SourceError::Twice { path: second.path.clone(), other: first.path.clone() });
        }
        for Found { path, .. } in paths {
            checked.files.push(path.clone());
            match source.read(&path).and_then(|bytes| parse(&path, &bytes)) {
                Ok(document) => checked.add(&path, &document, profiles),
                Err(error) => {
                    if let SourceError::Invalid { errors, .. } = &error {
                        checked.warn(&path, errors.warnings().to_vec());
                    }
                    checked.errors.push(error);
                }
            }
        }
    }
    checked
}
