//! The differences of a server alone with the rules that were read, for a person and as JSON.

use crate::cli::terminal::{BAD, GOOD, NOTE, STRONG, WARNING, plain, styled};
use s3_cors::CorsConfiguration;
use s3cors_proxy::servers::{Compared, Difference, Evidence, Harm, KnownServer, compare};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

/// A server, and its differences for each document.
#[derive(Serialize)]
pub(super) struct OfServer {
    name: &'static str,
    title: &'static str,
    version: &'static str,
    /// `run`, `source` or `documented`.
    evidence: &'static str,
    differences: Vec<OfFile>,
    /// The server's own setting that comes nearest, where it keeps no rules for a bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    setting: Option<String>,
    #[serde(skip)]
    is_known_by: Evidence,
}

/// A difference, with the document that it is about.
#[derive(Serialize)]
struct OfFile {
    file: PathBuf,
    #[serde(flatten)]
    difference: Difference,
}

impl OfServer {
    pub(super) fn new(server: KnownServer, documents: &[(PathBuf, CorsConfiguration)]) -> Self {
        let (mut differences, mut all) = (Vec::new(), BTreeSet::new());
        for (file, rules) in documents {
            let Compared { differences: found, origins } = compare(server, rules);
            differences.extend(found.into_iter().map(|difference| OfFile { file: file.clone(), difference }));
            all.extend(origins);
        }
        let list = if all.contains("*") { "*".to_owned() } else { all.iter().cloned().collect::<Vec<_>>().join(",") };
        let setting = (!all.is_empty()).then(|| format!("MINIO_API_CORS_ALLOW_ORIGIN={list}"));
        let is_known_by = server.evidence();
        Self {
            name: server.as_str(),
            title: server.title(),
            version: is_known_by.version(),
            evidence: is_known_by.as_str(),
            differences,
            setting,
            is_known_by,
        }
    }

    pub(super) const fn differs(&self) -> bool {
        !self.differences.is_empty()
    }

    /// The verdict, and then each difference once, with the rule and what a page sees of it.
    pub(super) fn write(&self, text: &mut String, has_colour: bool) {
        let source = match self.is_known_by {
            Evidence::Run(version) => format!("version {version}, as the tests of s3cors ran it"),
            Evidence::Source(version) => format!("version {version}, by its source; it was not run"),
            Evidence::Documented(month) => format!("by its documentation of {month}; it was not run"),
        };
        let verdict = match self.differences.len() {
            0 => styled("would do the same with these rules", GOOD, has_colour),
            1 => styled("would do 1 thing otherwise", WARNING, has_colour),
            many => styled(&format!("would do {many} things otherwise"), WARNING, has_colour),
        };
        let _ = writeln!(text, "\n{} alone {verdict} ({source})", styled(self.title, STRONG, has_colour));
        for OfFile { file, difference } in &self.differences {
            let Difference { harm, rule, about, s3, server, consequence, .. } = difference;
            let (word, style) = match harm {
                Harm::Opens => ("opens", BAD),
                Harm::Breaks => ("breaks", BAD),
                Harm::Caches => ("caches", WARNING),
                Harm::Harmless => ("harmless", NOTE),
            };
            let place = plain(&file.display().to_string());
            let rule = rule.map_or_else(|| "all rules".to_owned(), |rule| format!("rule {rule}"));
            let about = if about.is_empty() { String::new() } else { format!(" ({})", plain(&about.join(", "))) };
            let _ =
                writeln!(text, "{place}: {}: {rule}{about}: {}", styled(word, style, has_colour), plain(consequence));
            let _ = writeln!(text, "    S3 {s3}; {} {}", self.title, plain(server));
        }
        if let Some(setting) = &self.setting {
            let _ = writeln!(text, "its nearest setting: {}", plain(setting));
        }
    }
}
