//! Whose rules cannot be known, because a document is not valid.

use super::slot::Slot;
use super::snapshot::Snapshot;
use super::source::SourceError;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;

/// The slots whose documents are not valid.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unknown {
    /// The source as a whole cannot be read, or its only document is not valid.
    is_all: bool,
    has_default: bool,
    has_service: bool,
    buckets: HashSet<Box<str>>,
}

impl Unknown {
    /// What these errors leave open; `source` is the path of the whole.
    pub(super) fn of(errors: &[SourceError], source: &Path) -> Self {
        let mut unknown = Self::default();
        for path in errors.iter().map(SourceError::path) {
            if path == source {
                unknown.is_all = true;
                continue;
            }
            match path.file_stem().and_then(OsStr::to_str).and_then(Slot::from_stem) {
                Some(Slot::Bucket(name)) => drop(unknown.buckets.insert(name)),
                Some(Slot::Default) => unknown.has_default = true,
                Some(Slot::Service) => unknown.has_service = true,
                None => {}
            }
        }
        unknown
    }

    /// Whether it is open which rules a bucket has: the error is about its own document, or, where it has none, about the default.
    pub(super) fn covers(&self, bucket: Option<&str>, live: &Snapshot) -> bool {
        match bucket {
            _ if self.is_all => true,
            None => self.has_service,
            Some(name) => self.buckets.contains(name) || self.has_default && !live.has_own(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_about_the_requests_that_its_document_decides() {
        let error = |path: &str| SourceError::Unreadable { path: path.into(), reason: String::new() };
        for (path, known, unknown) in [
            ("rules/photos.xml", &[Some("other"), None][..], &[Some("photos")][..]),
            ("rules/_default.xml", &[None], &[Some("photos"), Some("other")]),
            ("rules/_service.json", &[Some("photos")], &[None]),
            ("rules/_other.xml", &[Some("photos"), Some("_other"), None], &[]),
            ("rules", &[], &[Some("photos"), None]),
        ] {
            let errors = Unknown::of(&[error(path)], Path::new("rules"));
            let covers = |bucket: &Option<&str>| errors.covers(*bucket, &Snapshot::default());
            assert!(unknown.iter().all(covers) && !known.iter().any(covers), "{path}");
        }
        assert!(!Unknown::of(&[], Path::new("rules")).covers(None, &Snapshot::default()));
    }
}
