//! The limits, prepared for requests: which of them an object is under.

use crate::config::{MediaRange, UploadLimit};
use crate::s3::key_pattern::matches;
use crate::s3::key_readings::KeyReadings;
use std::cmp::Reverse;

/// S3's type for an object that is uploaded without one (S3 API, PutObject).
const WITHOUT_TYPE: &str = "binary/octet-stream";

/// The limits, the longest prefix first.
#[derive(Debug)]
pub(in crate::exchange) struct UploadLimits(Box<[UploadLimit]>);

/// The limit of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LimitOf<'l> {
    /// The same to every reader of the path.
    One(&'l UploadLimit),
    /// No limit, to any reader.
    None,
    /// Not the same to every reader.
    Unclear,
}

impl UploadLimits {
    /// `None` where no upload is limited.
    pub(in crate::exchange) fn of(limits: &[UploadLimit]) -> Option<Self> {
        let mut sorted = limits.to_vec();
        // The name of a bucket says more about it than a pattern does.
        sorted.sort_by_key(|limit| (Reverse(limit.prefix.as_str().len()), limit.bucket.contains('*')));
        (!sorted.is_empty()).then(|| Self(sorted.into()))
    }

    /// The limits of one bucket.
    pub(super) fn of_bucket<'l>(&'l self, bucket: &'l str) -> impl Iterator<Item = &'l UploadLimit> {
        self.0.iter().filter(move |limit| matches(&limit.bucket, bucket))
    }

    /// The limit of an object: that of the longest prefix, by every reading of its key.
    pub(super) fn of_object<'l>(&'l self, bucket: &'l str, raw_key: &str) -> LimitOf<'l> {
        if self.of_bucket(bucket).next().is_none() {
            return LimitOf::None;
        }
        let readings = KeyReadings::of(raw_key);
        let Some(readings) = readings.each() else { return LimitOf::Unclear };
        let below =
            |reading: &[u8]| self.of_bucket(bucket).find(|limit| reading.starts_with(limit.prefix.as_str().as_bytes()));
        let mut found = readings.iter().map(|reading| below(reading));
        let first = found.next().flatten();
        let address = |limit: Option<&UploadLimit>| limit.map(std::ptr::from_ref);
        if found.any(|other| address(other) != address(first)) {
            return LimitOf::Unclear;
        }
        first.map_or(LimitOf::None, LimitOf::One)
    }

    /// The limits that an object may be under whose key is known by its beginning alone.
    pub(super) fn of_key_beginning<'l>(
        &'l self,
        bucket: &'l str,
        beginning: &'l str,
    ) -> impl Iterator<Item = &'l UploadLimit> {
        // The longest comes first: those that the rest of the key can lead below, and then the one that it is below in any case.
        let longer = self.of_bucket(bucket).filter(move |limit| {
            let prefix = limit.prefix.as_str();
            prefix.len() > beginning.len() && prefix.starts_with(beginning)
        });
        let own = self.of_bucket(bucket).find(move |limit| beginning.starts_with(limit.prefix.as_str()));
        longer.chain(own)
    }
}

/// Returns true if an object may have this type; without one it has S3's own. A comma is refused: browsers take the last of several types
/// (Fetch, extract a MIME type).
pub(super) fn allows_type(types: &[MediaRange], content_type: Option<&str>) -> bool {
    let text = content_type.map(str::trim).filter(|text| !text.is_empty()).unwrap_or(WITHOUT_TYPE);
    let essence = text.split_once(';').map_or(text, |(essence, _)| essence.trim_end());
    types.is_empty() || (!text.contains(',') && types.iter().any(|range| range.matches(essence)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigFile, Flags};

    fn limits(text: &str) -> UploadLimits {
        let file = ConfigFile::parse(text, "f".as_ref()).unwrap();
        UploadLimits::of(&Config::merge(Flags::default(), file).0.uploads).unwrap()
    }

    #[test]
    fn the_longest_prefix_counts_and_a_key_with_several_readings_has_none() {
        let limits = limits(
            "uploads: [{bucket: '*', max_size: 1B}, {bucket: photos, max_size: 2B}, {bucket: photos, prefix: a/, max_size: 3B}, \
             {bucket: photos, prefix: a/b/, max_size: 4B}, {bucket: docs-*, prefix: x/, max_size: 5B}]\n",
        );
        for (bucket, key, expected) in [
            ("photos", "key", Some(2)),
            ("photos", "a/key", Some(3)),
            ("photos", "a/b/key", Some(4)),
            ("photos", "a%2Fb/key", None),
            ("photos", "%61/key", Some(3)),
            ("photos", "A/key", Some(2)),
            ("photos", "a//b/key", None),
            ("photos", "x/../a/key", None),
            ("docs-1", "x/key", Some(5)),
            ("docs-1", "key", Some(1)),
            ("other", "a/key", Some(1)),
        ] {
            let found = match limits.of_object(bucket, key) {
                LimitOf::One(limit) => limit.max_size,
                LimitOf::None | LimitOf::Unclear => None,
            };
            assert_eq!(found, expected, "{bucket}/{key}");
        }
    }

    #[test]
    fn a_type_is_compared_without_parameters_and_case() {
        let limits = limits("uploads: {bucket: abc, types: [image/*, text/plain]}\n");
        let types = &limits.of_bucket("abc").next().unwrap().types;
        for (content_type, is_allowed) in [
            (Some("image/png"), true),
            (Some("IMAGE/PNG ; q=1"), true),
            (Some("text/plain; charset=utf-8"), true),
            (Some("text/html"), false),
            (Some("image"), false),
            (Some("image/png, text/html"), false),
            (Some("text/plain; a=b, text/html"), false),
            (Some("image/png text/html"), false),
            (Some("; image/png"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(allows_type(types, content_type), is_allowed, "{content_type:?}");
        }
        assert!(allows_type(&[MediaRange::try_from("binary/octet-stream".to_owned()).unwrap()], None));
        assert!(allows_type(&[], None));
    }
}
