//! The settings that refuse a request beside the rules, told for people: limits on uploads, and enforced rules.

use super::Explained;
use crate::config::{MediaRange, SignedPrefix, UploadLimit};
use crate::s3::key_pattern::matches;
use s3_cors::{Outcome, RequestKind};

/// The settings that decide about requests beside the rules.
#[derive(Clone, Debug, Default)]
pub struct SettingsBeside {
    /// The objects that are read without a signature.
    pub signed: Vec<SignedPrefix>,
    /// The limits on uploads.
    pub uploads: Vec<UploadLimit>,
    /// Set if the rules are enforced (`cors.enforce`).
    pub enforces: bool,
}

impl Explained {
    /// Tells what these settings mean for the request.
    pub fn tell_of_settings(&mut self, settings: &SettingsBeside) {
        self.tell_of_signed_reads(&settings.signed);
        self.tell_of_uploads(&settings.uploads);
        self.tell_of_enforcement(settings.enforces);
    }

    /// Tells which limits an upload to the bucket is under.
    fn tell_of_uploads(&mut self, limits: &[UploadLimit]) {
        if !matches!(self.method.as_str(), "PUT" | "POST") {
            return;
        }
        let Some(bucket) = self.bucket.as_deref() else { return };
        let of_bucket = limits.iter().filter(|limit| matches(&limit.bucket, bucket));
        self.notes.extend(of_bucket.map(sentence));
    }

    /// Tells that the rules are enforced on a request that they deny.
    fn tell_of_enforcement(&mut self, enforces: bool) {
        if enforces && self.outcome == Some(Outcome::Denied) {
            let is_preflight = self.kind == RequestKind::Preflight;
            let request = if is_preflight { "the request after it" } else { "the request" };
            self.notes.push(format!(
                "{request} would be refused here with 403, and the server would not see it (cors.enforce); other programs than browsers \
                 can send any Origin"
            ));
        }
    }
}

fn sentence(limit: &UploadLimit) -> String {
    let objects = match limit.prefix.as_str() {
        "" => "an upload".to_owned(),
        prefix => format!("an upload below {prefix}"),
    };
    let size = limit.max_size.map(|most| format!("has at most {most} bytes, or is refused with 400 EntityTooLarge"));
    let parts = limit.max_parts.map(|most| format!("has at most {most} parts"));
    let types: Vec<_> = limit.types.iter().map(MediaRange::as_str).collect();
    let types =
        (!types.is_empty()).then(|| format!("has one of the types {}, or is refused with 415", types.join(", ")));
    let limits: Vec<_> = [size, parts, types].into_iter().flatten().collect();
    format!("{objects} {}, whatever the rules say (uploads)", limits.join("; it "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigFile, Flags};
    use std::path::Path;

    #[test]
    fn a_limit_is_told_whole() {
        let text = "uploads: [{bucket: photos, prefix: a/, max_size: 2B, types: [image/png, text/*]}, {bucket: abc, max_parts: 3}]";
        let limits = Config::merge(Flags::default(), ConfigFile::parse(text, Path::new("f")).unwrap()).0.uploads;
        assert_eq!(
            limits.iter().map(sentence).collect::<Vec<_>>(),
            [
                "an upload below a/ has at most 2 bytes, or is refused with 400 EntityTooLarge; it has at most 1 parts; it has one of the \
                 types image/png, text/*, or is refused with 415, whatever the rules say (uploads)",
                "an upload has at most 3 parts, whatever the rules say (uploads)",
            ]
        );
    }
}
