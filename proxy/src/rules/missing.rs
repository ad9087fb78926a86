//! Buckets without rules of their own: where these would be, and which bucket may have been meant.
//!
//! Decides: which names are nearly the same. Must not know: who asks.

use super::slot::Slot;
use super::snapshot::Snapshot;
use super::store::Store;
use s3_cors::name_distance;
use std::path::PathBuf;

/// The most buckets with rules that are named.
const MAX_NAMED: usize = 20;
/// The longest name that others are compared with: S3's have at most 63 characters.
const MAX_COMPARED: usize = 100;
/// Ways to write a bucket that are not its name.
const PREFIXES: [&str; 4] = ["s3://", "s3a://", "s3n://", "arn:aws:s3:::"];

/// The place of the rules that a bucket does not have, and the buckets that have some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingRules {
    /// The document that would be read; `None` where the source has no place for it.
    pub file: Option<PathBuf>,
    /// The bucket with rules that has nearly this name.
    pub near: Option<Box<str>>,
    /// The first buckets with rules, by name.
    pub buckets: Vec<Box<str>>,
    /// The number of the others.
    pub more: usize,
    /// True if that name differs only in case, or in what people write around a name.
    pub is_same_name: bool,
}

impl Store {
    /// Returns where the rules of a bucket would be; `None` for one that has rules of its own. Without a bucket, those of requests
    /// that name none are meant.
    #[must_use]
    pub fn missing(&self, bucket: Option<&str>) -> Option<MissingRules> {
        let live = self.live();
        let slot = bucket.map_or(Slot::Service, |name| Slot::Bucket(name_in(name).into()));
        let written = bucket.map_or(Slot::Service, |name| Slot::Bucket(name.into()));
        if live.get(&written).is_some() {
            return None;
        }
        let mut names: Vec<_> = live.names().collect();
        names.sort_unstable();
        let near = bucket.and_then(|name| near(name, &live));
        let is_same_name = near.zip(bucket).is_some_and(|(near, name)| near.eq_ignore_ascii_case(name_in(name)));
        Some(MissingRules {
            file: self.source().place_of(&slot),
            near: near.map(Into::into),
            is_same_name,
            more: names.len().saturating_sub(MAX_NAMED),
            buckets: names.into_iter().take(MAX_NAMED).map(Into::into).collect(),
        })
    }
}

/// The name in what people write for a bucket: `s3://avatars/u/1.png`, `avatars/`.
fn name_in(written: &str) -> &str {
    let written = written.trim();
    let bare = PREFIXES.iter().find_map(|prefix| written.strip_prefix(prefix)).unwrap_or(written);
    let bare = bare.trim_start_matches('/');
    bare.split('/').next().filter(|name| !name.is_empty()).unwrap_or(written)
}

/// The bucket with rules whose name is nearest: in another case or spelling, else the one that is the fewest changes away.
fn near<'s>(written: &str, live: &'s Snapshot) -> Option<&'s str> {
    let name = name_in(written).to_lowercase();
    if name.len() > MAX_COMPARED {
        return None;
    }
    let limit = if name.len() < 5 { 1 } else { 2 };
    let distance = |other: &str| name_distance(&name, &other.to_lowercase(), limit);
    let near = live.names().filter_map(|other| Some((distance(other)?, other)));
    near.min().map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::super::source::Directory;
    use super::*;
    use s3_cors::Credentials;

    #[test]
    fn a_bucket_without_rules_has_a_place_for_them_and_perhaps_a_near_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        for name in ["avatars.json", "assets.json", "Old_Photos.json"] {
            std::fs::write(path.join(name), r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]"#).unwrap();
        }
        let store = Store::of(Box::new(Directory::new(path.into())), Credentials::S3).unwrap();
        for (bucket, file, near) in [
            ("Avatars", "Avatars.xml", Some("avatars")),
            ("avatars/", "avatars.xml", Some("avatars")),
            ("s3://avatars", "avatars.xml", Some("avatars")),
            ("s3://avatars/u/1.png", "avatars.xml", Some("avatars")),
            ("arn:aws:s3:::avatars/*", "avatars.xml", Some("avatars")),
            ("avatar", "avatar.xml", Some("avatars")),
            ("old-photos", "old-photos.xml", Some("Old_Photos")),
            ("media", "media.xml", None),
        ] {
            let missing = store.missing(Some(bucket)).unwrap();
            assert_eq!(missing.near.as_deref(), near, "{bucket}");
            assert_eq!(missing.file, Some(path.join(file)), "{bucket}");
            assert_eq!(missing.buckets.join(" "), "Old_Photos assets avatars", "{bucket}");
        }
        assert_eq!(store.missing(Some("avatars")), None);
        assert_eq!(store.missing(None).unwrap().file, Some(path.join("_service.xml")));
        for no_file in ["..", "s3://", "_other", "a\\b", "a\0b", ""] {
            assert_eq!(store.missing(Some(no_file)).unwrap().file, None, "{no_file:?}");
        }
    }
}
