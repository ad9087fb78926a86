//! The warnings about a live document: worked out when they are first asked for, since a start has no time to judge thousands of documents.
//!
//! Decides: which text they are worked out from. Must not know: who asks, and what there is to warn of.

use super::source::{Source, json_of, parse};
use s3_cors::{CorsConfiguration, Document, Format, Position, Warning};
use std::path::Path;

/// What S3 accepts in a live document and is likely a mistake.
#[derive(Debug, Default)]
pub struct LiveWarnings {
    found: Box<[Warning]>,
    /// Whether their places are those in the source's document.
    has_places: bool,
}

impl LiveWarnings {
    /// The snapshot keeps no text, so the document is read again. If it says something else by now, or cannot be read, the rules are
    /// judged as they are live; then there are no places.
    pub(super) fn of(path: &Path, configuration: &CorsConfiguration, source: &dyn Source) -> Self {
        let read = source.read_again(path).and_then(|bytes| parse(path, &bytes)).ok();
        if let Some(document) = read.filter(|document| document.configuration() == configuration) {
            return Self { found: document.warnings().into(), has_places: true };
        }
        let live = Document::parse(json_of(configuration).get().as_bytes(), Format::Json);
        Self { found: live.map(|document| document.warnings().into()).unwrap_or_default(), has_places: false }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Each with its place in the document, where the source still has the text that is live.
    pub fn iter(&self) -> impl Iterator<Item = (Option<Position>, &Warning)> {
        self.found.iter().map(|warning| (self.has_places.then(|| warning.position()), warning))
    }

    /// Each in one line, as `s3cors check` words it.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.iter().map(|(place, warning)| match place {
            Some(_) => warning.to_string(),
            None => {
                let hint = warning.hint().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
                format!("{}: {}{hint}", warning.code(), warning.message())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Directory;
    use super::super::{Slot, Store};
    use super::LiveWarnings;
    use s3_cors::Credentials;
    use std::fs;

    const SLASH: &str = "\n  [{\"AllowedOrigins\": [\"https://a.example/\"], \"AllowedMethods\": [\"GET\"]}]";

    #[test]
    fn a_document_that_has_changed_since_is_judged_as_it_is_live() {
        for (now, line) in [
            (Some(SLASH), "2:24: OriginNeverMatches: "),
            (
                Some("[{\"AllowedOrigins\": [\"https://b.example\"], \"AllowedMethods\": [\"GET\"]}]"),
                "OriginNeverMatches: ",
            ),
            (Some("<"), "OriginNeverMatches: "),
            (None, "OriginNeverMatches: "),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("bucket.json");
            fs::write(&path, SLASH).unwrap();
            let store = Store::of(Box::new(Directory::new(directory.path().to_owned())), Credentials::S3).unwrap();
            match now {
                Some(now) => fs::write(&path, now).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let live = store.live();
            let bucket = live.get(&Slot::Bucket("bucket".into())).unwrap();
            let origin = bucket.origin.as_ref().unwrap();
            assert_eq!(origin.known_warnings().map(LiveWarnings::len), None, "a start judges nothing");
            let lines: Vec<_> = store.warnings(bucket).unwrap().lines().collect();
            assert!(lines.len() == 1 && lines[0].starts_with(line), "{now:?}: {lines:?}");
            assert_eq!(origin.known_warnings().map(LiveWarnings::len), Some(1));
        }
    }
}
