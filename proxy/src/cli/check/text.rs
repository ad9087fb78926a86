//! The result of a check for a person.

use super::{Finding, Findings, STANDARD_INPUT, Skipped};
use crate::cli::terminal::{BAD, GOOD, NOTE, STRONG, WARNING, plain, styled};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

impl Findings {
    /// The verdict first, then what to change.
    pub(super) fn to_text(&self, has_colour: bool) -> String {
        let (verdict, style) = if self.valid { ("valid", GOOD) } else { ("not valid", BAD) };
        let (errors, warnings) = (count(self.errors.len(), "error"), count(self.warnings.len(), "warning"));
        let mut text = format!("{}: {errors}, {warnings}\n", styled(verdict, style, has_colour));
        let is_only_input = matches!(self.files.as_slice(), [file] if file == Path::new(STANDARD_INPUT));
        if !is_only_input {
            let _ = writeln!(text, "{} read", count(self.files.len(), "file"));
        }
        let kinds = [("error", BAD, &self.errors), ("warning", WARNING, &self.warnings), ("note", NOTE, &self.notes)];
        for (kind, style, findings) in kinds {
            for finding in findings {
                let place = plain(&format!("{}:{}:{}:", finding.file.display(), finding.line, finding.column));
                let (place, kind) = (styled(&place, STRONG, has_colour), styled(kind, style, has_colour));
                let _ = writeln!(text, "{place} {kind}: {}", plain(&finding.sentences()));
            }
        }
        for Skipped { file, reason } in &self.skipped {
            let _ = writeln!(text, "{}: not read: {reason}", plain(&file.display().to_string()));
        }
        let messages: BTreeSet<_> = self.errors.iter().filter_map(Finding::message_of_s3).collect();
        for message in messages {
            let _ = writeln!(text, "S3's message for {message}");
        }
        if let Some(server) = &self.server {
            server.write(&mut text, has_colour);
        }
        text
    }
}

impl Finding {
    /// The fault, in one line.
    fn sentences(&self) -> String {
        let Self { code, message, detail, hint, .. } = self;
        let hint = hint.as_deref().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
        match detail {
            Some(detail) => format!("{code}: {detail}{hint}"),
            None => format!("{code}: {message}{hint}"),
        }
    }

    /// S3's own sentence, which is shown once.
    fn message_of_s3(&self) -> Option<String> {
        let Self { code, message, .. } = self;
        self.has_message_of_s3.then(|| format!("{code}: {message}"))
    }
}

fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
