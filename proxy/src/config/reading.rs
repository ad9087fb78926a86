//! Reading the configuration file: all of its errors at once, each with its place and its setting.

use super::entries::{Entries, Place, Subject};
use super::file::ConfigFile;
use super::file_error::{ConfigFileError, ConfigFileErrors};
use super::message::{meant_key, message, subject};
use super::routes;
use super::{sign, uploads};
use std::path::Path;

/// The most errors of a file that are looked for: the file may not be a configuration at all.
const MOST_ERRORS: usize = 50;

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigFileErrors`], each with line and column.
    pub fn read(path: &Path) -> Result<Self, ConfigFileErrors> {
        whole(Self::read_valid(path))
    }

    /// Reads what is valid in a file, and everything that is not. There is no file where nothing can be read.
    #[must_use]
    pub fn read_valid(path: &Path) -> (Option<Self>, Vec<ConfigFileError>) {
        match std::fs::read_to_string(path) {
            Ok(text) => parse_valid(&text, path),
            Err(source) => (None, vec![ConfigFileError::Unreadable { path: path.to_owned(), source }]),
        }
    }

    /// Parses the text of a file. The path is only for the errors.
    ///
    /// # Errors
    /// [`ConfigFileError::Invalid`], each with line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigFileErrors> {
        whole(parse_valid(text, path))
    }
}

fn whole((file, errors): (Option<ConfigFile>, Vec<ConfigFileError>)) -> Result<ConfigFile, ConfigFileErrors> {
    match file {
        Some(file) if errors.is_empty() => Ok(file),
        _ => Err(ConfigFileErrors(errors)),
    }
}

/// Reads a text, and reads it again without what was wrong for as long as something is.
fn parse_valid(text: &str, path: &Path) -> (Option<ConfigFile>, Vec<ConfigFileError>) {
    // To YAML all ends of lines are the same (YAML 1.2.2 §5.4). The parser's errors and their places differ with them.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reading = Reading { text, path, whole: Entries::default(), removed: Vec::new(), errors: Vec::new() };
    loop {
        // A file without a value (empty, or only comments) is null in YAML: all defaults.
        match serde_saphyr::from_str::<Option<ConfigFile>>(&reading.text).map(Option::unwrap_or_default) {
            Ok(file) => {
                if let Some((place, why)) = file.upstream.contradiction() {
                    let setting = "upstream.keepalive.user_timeout";
                    reading.add(place, Some(setting), setting, &why);
                }
                reading.add_contradictions(routes::timeouts(&file.upstreams).collect(), "upstreams");
                let has_upstream = !file.upstream.urls().is_empty();
                let routes = routes::contradictions(&file.upstreams, has_upstream, &file.routes.0);
                reading.add_contradictions(routes.collect(), "routes");
                reading.add_contradictions(uploads::contradictions(&file.uploads.0).collect(), "uploads");
                reading.add_contradictions(sign::contradictions(&file.sign.0).collect(), "sign");
                return (Some(file), reading.errors);
            }
            Err(error) => {
                if reading.leave_out(&error).is_none() || reading.errors.len() >= MOST_ERRORS {
                    return (None, reading.errors);
                }
            }
        }
    }
}

struct Reading<'p> {
    /// The text without the entries that were wrong.
    text: String,
    path: &'p Path,
    /// The entries of the whole text, once something is wrong.
    whole: Entries,
    /// The places of those that were wrong.
    removed: Vec<Place>,
    errors: Vec<ConfigFileError>,
}

impl Reading<'_> {
    /// Notes an error and removes the entry that it is about; `None` where there is none, so that no more can be read.
    fn leave_out(&mut self, error: &serde_saphyr::Error) -> Option<()> {
        // The parser knows no place for a file that is truncated or not YAML at all: then the file as a whole is wrong.
        let place = error.location().map(|place| (place.line(), place.column()));
        let (entries, subject) = (Entries::of(&self.text).unwrap_or_default(), subject(error));
        if self.removed.is_empty() {
            self.whole = Entries::of(&self.text).unwrap_or_default();
        }
        let found = place.and_then(|place| entries.find(subject, place));
        // A collection without one of its entries lacks it, and says so. Without a place, an entry can be missed anywhere.
        let is_consequence = match found {
            Some(entry) => self.removed.iter().any(|place| entries.contains(entry, *place)),
            None => !self.removed.is_empty(),
        };
        if !is_consequence {
            // An item has the number that it has in the whole list.
            let whole = std::mem::take(&mut self.whole);
            let named = place.and_then(|place| whole.find(subject, place));
            let (shown, setting) = match (subject, named.map(|entry| (whole.path(entry), whole.path_above(entry)))) {
                // A key that is not one is in place of another, which may be any of its section.
                (Subject::Key, Some((path, ""))) => ("", Some(meant_key(error).unwrap_or(path))),
                (Subject::Key, Some((_, above))) => (above, Some(above)),
                (_, Some((path, _))) => (path, Some(path)),
                (_, None) => ("", None),
            };
            self.add(place.unwrap_or((1, 1)), setting, shown, &message(error));
            self.whole = whole;
        }
        let entry = found?;
        self.text = entries.without(entry, &self.text)?;
        self.removed.push(entries.place(entry));
        Some(())
    }

    /// Notes what does not go together in a setting. Nothing follows from one that has other errors.
    fn add_contradictions(&mut self, contradictions: Vec<(Place, String)>, setting: &str) {
        if contradictions.is_empty() || self.errors.iter().any(|error| error.is_in(setting)) {
            return;
        }
        let entries = Entries::of(&self.text).unwrap_or_default();
        for (place, why) in contradictions {
            let path = entries.find(Subject::Value, place).map_or(setting, |entry| entries.path(entry));
            self.add(place, Some(path), path, &why);
        }
    }

    /// Notes an error, with the setting that it is about and the one that is shown with it.
    fn add(&mut self, (line, column): Place, setting: Option<&str>, shown: &str, why: &str) {
        let name = shown.rsplit('.').next().unwrap_or_default();
        // Some messages begin with the name of the setting.
        let is_named = why.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
        let message = if shown.is_empty() || is_named { why.to_owned() } else { format!("{shown}: {why}") };
        let (path, setting) = (self.path.to_owned(), setting.map(ToOwned::to_owned));
        self.errors.push(ConfigFileError::Invalid { path, line, column, setting, message });
    }
}

#[cfg(test)]
mod tests;
