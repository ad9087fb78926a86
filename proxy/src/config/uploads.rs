//! Limits on uploads: the entries of `uploads`.
//!
//! Decides: which entries are valid, alone and beside each other. Must not know: how a request is judged.

use super::bucket_pattern::BucketPattern;
use super::entries::Place;
use super::fields::{As, OneOrMany, OptionalSection, Placed, Section};
use super::key_prefix::KeyPrefix;
use super::number::Count;
use super::values::{Size, ValueError};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A limit on the objects that are uploaded to a bucket, or to a folder of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadLimit {
    /// The buckets: a name, in which `*` is any text.
    pub bucket: String,
    /// The beginning of the keys.
    pub prefix: KeyPrefix,
    /// The largest object, and the largest part, in bytes.
    pub max_size: Option<u64>,
    /// The most parts of an object; `None` for as many as S3 allows.
    pub max_parts: Option<u64>,
    /// The media types; empty for all.
    pub types: Vec<MediaRange>,
}

/// A media type, or all of a kind: `image/png`, `image/*`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A media type, or `TYPE/*`."))]
#[serde(try_from = "String")]
pub struct MediaRange(String);

impl MediaRange {
    /// The text, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if a type without parameters, in any case, is one of them. A text that is no type is none: a browser would look into
    /// the object for its type (MIME Sniffing §7).
    #[must_use]
    pub fn matches(&self, essence: &str) -> bool {
        if !essence.split_once('/').is_some_and(|(kind, name)| is_token(kind) && is_token(name)) {
            return false;
        }
        match self.0.strip_suffix('*') {
            Some(kind) => essence.get(..kind.len()).is_some_and(|own| own.eq_ignore_ascii_case(kind)),
            None => self.0.eq_ignore_ascii_case(essence),
        }
    }
}

/// Returns true for the name of a kind or of a type (RFC 6838 §4.2).
fn is_token(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
}

impl TryFrom<String> for MediaRange {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let lower = text.trim().to_ascii_lowercase();
        let fault = match lower.split_once('/') {
            Some(("*", _)) => "this is every type; leave types out",
            Some((kind, "*")) if is_token(kind) => return Ok(Self(lower)),
            Some((kind, name)) if is_token(kind) && is_token(name) => return Ok(Self(lower)),
            Some((_, name)) if name.contains(';') => "a type is compared without its parameters; leave them out",
            _ => "a media type is written image/png, and all of a kind image/*",
        };
        Err(ValueError::new(&text, fault))
    }
}

/// An entry as it is written.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct UploadEntry(UploadSection);

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct UploadSection {
    /// The buckets: a name, in which `*` is any text.
    bucket: Placed<BucketPattern>,
    /// The folder whose objects are limited, decoded and with a slash at its end; without it the whole bucket.
    // Without a value, each key is an error: a template that renders nothing must not lift a limit.
    #[serde(default, with = "As::<Placed<KeyPrefix>>")]
    prefix: Option<Placed<KeyPrefix>>,
    /// The largest object. Of an upload in parts, the largest part.
    #[serde(default, with = "As::<Size>")]
    max_size: Option<Size>,
    /// The most parts of an object, so that the largest object has `max_size` times as many bytes.
    #[serde(default, with = "As::<Count>")]
    max_parts: Option<Count>,
    /// The media types that an object may have: `image/png`, or `image/*`. Without it every type.
    #[serde(default, with = "As::<OneOrMany<MediaRange>>")]
    types: Option<OneOrMany<MediaRange>>,
}

impl Section for UploadSection {
    const NAME: &'static str = "uploads";
    const KEY: &'static str = "bucket";
}

impl<'de> Deserialize<'de> for UploadEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let section = OptionalSection::<UploadSection>::deserialize(deserializer)?;
        section.map(Self).ok_or_else(|| D::Error::custom("an empty entry; write {bucket: NAME, max_size: 10MiB}"))
    }
}

impl UploadEntry {
    fn is_same(&self, other: &Self) -> bool {
        let of = |UploadEntry(entry): &Self| {
            (entry.bucket.value.clone(), entry.prefix.as_ref().map(|prefix| prefix.value.clone()))
        };
        of(self) == of(other)
    }
}

impl From<UploadEntry> for UploadLimit {
    fn from(UploadEntry(section): UploadEntry) -> Self {
        let UploadSection { bucket, prefix, max_size, max_parts, types } = section;
        let max_size = max_size.map(|size| size.0 as u64);
        // One part by default, where parts would make more of the size.
        let max_parts = max_parts.map(|parts| usize::from(parts) as u64).or(max_size.map(|_| 1));
        let prefix = prefix.map(|prefix| prefix.value).unwrap_or_default();
        Self {
            bucket: bucket.value.as_str().to_owned(),
            prefix,
            max_size,
            max_parts,
            types: types.map(|types| types.0).unwrap_or_default(),
        }
    }
}

/// Returns the places where entries limit nothing, or say the same as one before them, and the reasons.
pub(super) fn contradictions(entries: &[UploadEntry]) -> impl Iterator<Item = (Place, String)> {
    entries.iter().enumerate().flat_map(move |(number, entry)| {
        let UploadSection { bucket, max_size, max_parts, types, .. } = &entry.0;
        let is_idle = max_size.is_none() && max_parts.is_none() && types.is_none();
        let idle = is_idle.then(|| (bucket.place, "limits nothing; set max_size, max_parts or types".to_owned()));
        let is_empty = types.as_ref().is_some_and(|types| types.0.is_empty());
        let empty =
            is_empty.then(|| (bucket.place, "an empty list of types allows none; leave types out for all".to_owned()));
        let twice = entries.iter().take(number).find(|other| entry.is_same(other)).map(|UploadEntry(other)| {
            let (line, column) = other.bucket.place;
            let words = "this bucket and prefix too; leave one of the two out";
            (bucket.place, format!("the entry at line {line}, column {column} has {words}"))
        });
        idle.into_iter().chain(empty).chain(twice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigFile, Flags};
    use std::path::Path;

    fn read(text: &str) -> Result<Vec<UploadLimit>, String> {
        let file = ConfigFile::parse(text, Path::new("f")).map_err(|errors| errors.to_string())?;
        Ok(Config::merge(Flags::default(), file).0.uploads)
    }

    #[test]
    fn an_entry_limits_size_parts_and_types() {
        let limits = read(
            "uploads:\n- {bucket: photos, prefix: avatars/, max_size: 2MiB, types: [Image/PNG, image/webp]}\n\
             - {bucket: '*', max_parts: 3}\n- {bucket: docs-*, types: text/*}\n",
        );
        let limits: Vec<_> = limits
            .unwrap()
            .into_iter()
            .map(|limit| {
                let types: Vec<_> = limit.types.iter().map(|range| range.as_str().to_owned()).collect();
                (limit.bucket, limit.prefix.as_str().to_owned(), limit.max_size, limit.max_parts, types)
            })
            .collect();
        let of = |bucket: &str, prefix: &str, size, parts, types: &[&str]| {
            (bucket.to_owned(), prefix.to_owned(), size, parts, types.iter().map(|each| (*each).to_owned()).collect())
        };
        assert_eq!(
            limits,
            [
                of("photos", "avatars/", Some(2 << 20), Some(1), &["image/png", "image/webp"]),
                of("*", "", None, Some(3), &[]),
                of("docs-*", "", None, None, &["text/*"]),
            ]
        );
    }

    #[test]
    fn every_error_of_an_entry_has_its_place() {
        for (text, said) in [
            ("uploads: {bucket: photos}\n", "f:1:19: uploads.bucket: limits nothing"),
            (
                "uploads: [{bucket: abc, max_size: 1MiB}, {bucket: abc, max_parts: 2}]\n",
                "the entry at line 1, column 20 has this",
            ),
            ("uploads: {bucket: abc, types: []}\n", "an empty list of types allows none"),
            ("uploads: {bucket: abc, types: '*/*'}\n", "this is every type"),
            ("uploads: {bucket: abc, types: png}\n", "a media type is written image/png"),
            ("uploads: {bucket: abc, types: 'text/html; charset=utf-8'}\n", "without its parameters"),
            ("uploads: {bucket: abc, max_size: 0B}\n", "must be more than 0"),
            ("uploads: {bucket: abc, max_parts: 0}\n", "uploads.max_parts"),
            ("uploads: {bucket: abc, prefix: }\n", "no value; leave the key out"),
            ("uploads: {bucket: abc, prefix: x, max_parts: 1}\n", "a prefix ends in a slash"),
            ("uploads: {bucket: abc, size: 1MiB}\n", "unknown field `size`"),
            ("uploads: photos\n", "uploads is an object"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_range_is_one_type_or_all_of_a_kind() {
        for (range, essence, matches) in [
            ("image/png", "image/png", true),
            ("image/png", "IMAGE/PNG", true),
            ("image/png", "image/png2", false),
            ("image/*", "image/svg+xml", true),
            ("image/*", "Image/svg+xml", true),
            ("image/*", "imageX/png", false),
            ("image/*", "image", false),
            ("image/*", "", false),
            ("image/*", "image/", false),
            ("image/*", "image/png text/html", false),
            ("image/*", "image/png/x", false),
        ] {
            let range = MediaRange::try_from(range.to_owned()).unwrap();
            assert_eq!(range.matches(essence), matches, "{range:?} {essence}");
        }
    }
}
