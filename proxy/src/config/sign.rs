//! Buckets and folders whose objects are read without a signature of the client's: the entries of `sign`.
//!
//! Decides: which entries are valid, alone and beside each other. Must not know: how a request is signed.

use super::entries::Place;
use super::fields::{As, OptionalSection, Placed, Section};
use super::key_prefix::{ErrorPage, IndexPage, KeyPrefix};
use super::values::ValueError;
use crate::s3::bucket_name::is_bucket_name;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A bucket, or a folder of it, whose objects are read without a signature of the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPrefix {
    /// The bucket.
    pub bucket: String,
    /// The beginning of the keys.
    pub prefix: KeyPrefix,
    /// The name of the object that is served for a key that ends in a slash.
    pub index: Option<String>,
    /// The whole key of the object that is served in place of a missing one.
    pub error: Option<String>,
    /// The requests that are signed.
    pub when: SignWhen,
    /// The treatment of a query.
    pub query: SignedQuery,
}

impl SignedPrefix {
    /// Returns true if everyone can read the objects.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.when == SignWhen::Always
    }
}

/// The requests without a signature that are signed here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SignWhen {
    /// Every one: the objects are public.
    #[default]
    Always,
    /// The ones below a folder that a presigned URL of a playlist has opened.
    Granted,
}

/// The treatment of a query on a request that is signed here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SignedQuery {
    /// The request is refused.
    #[default]
    Refuse,
    /// Parameters that S3 has no meaning for are dropped.
    Drop,
}

/// An entry as it is written.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SignEntry(SignSection);

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct SignSection {
    /// The bucket.
    bucket: Placed<SignedBucket>,
    /// The folder whose objects may be read, decoded and with a slash at its end; without it the whole bucket.
    // Without a value, each key is an error: a template that renders nothing must not open a bucket.
    #[serde(default, with = "As::<Placed<KeyPrefix>>")]
    prefix: Option<Placed<KeyPrefix>>,
    /// The name of the object that is served for a key that ends in a slash, such as `index.html`.
    #[serde(default, with = "As::<Placed<IndexPage>>")]
    index: Option<Placed<IndexPage>>,
    /// The key of the object that is served in place of a missing one, with its 404.
    #[serde(default, with = "As::<Placed<ErrorPage>>")]
    error: Option<Placed<ErrorPage>>,
    /// `always`: the objects are public. `granted`: they are open to readers of a presigned playlist in their folder.
    #[serde(default, with = "As::<SignWhen>")]
    when: SignWhen,
    /// `refuse`: a request with a query is refused. `drop`: it is served without what S3 has no meaning for (`?v=3`).
    #[serde(default, with = "As::<SignedQuery>")]
    query: SignedQuery,
}

impl Section for SignSection {
    const NAME: &'static str = "sign";
    const KEY: &'static str = "bucket";
}

/// The name of a bucket.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "The name of a bucket."))]
#[serde(try_from = "String")]
struct SignedBucket(String);

impl TryFrom<String> for SignedBucket {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        match is_bucket_name(&text) {
            true => Ok(Self(text)),
            false => Err(ValueError::new(
                &text,
                "no bucket can have this name: it has 3 to 63 letters, digits, dots, hyphens and underscores",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for SignEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let section = OptionalSection::<SignSection>::deserialize(deserializer)?;
        section.map(Self).ok_or_else(|| D::Error::custom("an empty entry; write {bucket: NAME, prefix: FOLDER/}"))
    }
}

impl SignEntry {
    fn bucket(&self) -> &str {
        &self.0.bucket.value.0
    }

    fn prefix(&self) -> &str {
        self.0.prefix.as_ref().map_or("", |prefix| prefix.value.as_str())
    }
}

impl From<SignEntry> for SignedPrefix {
    fn from(SignEntry(section): SignEntry) -> Self {
        let SignSection { bucket, prefix, index, error, when, query } = section;
        let prefix = prefix.map(|prefix| prefix.value).unwrap_or_default();
        let error = error.map(|error| prefix.whole_key(&error.value.0));
        Self { bucket: bucket.value.0, prefix, index: index.map(|index| index.value.0), error, when, query }
    }
}

/// Returns the places where entries do not go together with themselves or with those before them, and the reasons.
pub(super) fn contradictions(entries: &[SignEntry]) -> impl Iterator<Item = (Place, String)> {
    entries.iter().enumerate().flat_map(move |(number, entry)| {
        let twice = entries.iter().take(number).find(|other| is_same(entry, other)).map(|other| {
            let (line, column) = other.0.bucket.place;
            let words = "this bucket and prefix too; leave one of the two out";
            (entry.0.bucket.place, format!("the entry at line {line}, column {column} has {words}"))
        });
        let is_granted = |other: &SignEntry| other.0.when == SignWhen::Granted && other.bucket() == entry.bucket();
        let hidden = entry.0.prefix.as_ref().filter(|prefix| prefix.value.as_str().starts_with('~'));
        let hidden = hidden.filter(|_| entries.iter().any(is_granted)).map(|prefix| {
            let words = "no request reaches it: in a bucket with when: granted, ~ begins the token of a grant";
            (prefix.place, words.to_owned())
        });
        twice.into_iter().chain(hidden).chain(pages_of_a_granted(&entry.0))
    })
}

fn is_same(one: &SignEntry, other: &SignEntry) -> bool {
    (one.bucket(), one.prefix()) == (other.bucket(), other.prefix())
}

/// The pages of an entry that serves none: without a grant no one could see them, and a grant is for a player.
fn pages_of_a_granted(section: &SignSection) -> impl Iterator<Item = (Place, String)> {
    let index = section.index.as_ref().map(|index| index.place);
    let error = section.error.as_ref().map(|error| error.place);
    let pages = index.into_iter().chain(error).filter(|_| section.when == SignWhen::Granted);
    pages.map(|place| (place, "has no effect with when: granted, which serves no pages; leave it out".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigFile, Flags};
    use std::path::Path;

    fn read(text: &str) -> Result<Vec<SignedPrefix>, Vec<String>> {
        let file = ConfigFile::parse(text, Path::new("f"));
        let file = file.map_err(|errors| errors.into_iter().map(|error| error.to_string()).collect::<Vec<_>>())?;
        Ok(Config::merge(Flags::default(), file).0.sign)
    }

    fn signed(bucket: &str, prefix: &str) -> SignedPrefix {
        let prefix = if prefix.is_empty() { KeyPrefix::default() } else { prefix.to_owned().try_into().unwrap() };
        let (index, error, when, query) = Default::default();
        SignedPrefix { bucket: bucket.to_owned(), prefix, index, error, when, query }
    }

    #[test]
    fn an_entry_is_a_bucket_and_what_else_is_known_of_it() {
        let site = signed("site", "docs/");
        for (text, expected) in [
            ("", vec![]),
            ("sign:\n", vec![]),
            ("sign: []\n", vec![]),
            ("sign: {bucket: photos}\n", vec![signed("photos", "")]),
            ("sign: [{bucket: photos}, {bucket: Old_Photos, prefix: 'Vidéo 7/'}]\n", {
                vec![signed("photos", ""), signed("Old_Photos", "Vidéo 7/")]
            }),
            ("sign:\n- bucket: site\n  prefix: docs/\n  index: index.html\n  error: 404.html\n  query: drop\n", {
                let (index, error) = (Some("index.html".to_owned()), Some("docs/404.html".to_owned()));
                vec![SignedPrefix { index, error, query: SignedQuery::Drop, ..site.clone() }]
            }),
            ("sign: {prefix: docs/, error: docs/404.html, bucket: site}\n", {
                vec![SignedPrefix { error: Some("docs/404.html".to_owned()), ..site.clone() }]
            }),
            ("sign: [{bucket: site, prefix: docs/, when: granted}, {bucket: site}]\n", {
                vec![SignedPrefix { when: SignWhen::Granted, ..site }, signed("site", "")]
            }),
            ("sign: [{bucket: one, prefix: ~a/}, {bucket: two, when: granted}]\n", {
                vec![signed("one", "~a/"), SignedPrefix { when: SignWhen::Granted, ..signed("two", "") }]
            }),
        ] {
            assert_eq!(read(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn every_error_of_an_entry_has_its_place() {
        for (text, said) in [
            ("sign: photos\n", "f:1:7: sign is an object; write `sign: {bucket: photos}`"),
            ("sign: [photos]\n", "f:1:8: sign[0]: sign is an object; write `sign: {bucket: photos}`"),
            ("sign: [~]\n", "f:1:8: sign[0]: an empty entry; write {bucket: NAME"),
            ("sign: {prefix: docs/}\n", "f:1:8: sign: missing field `bucket`"),
            ("sign: [{bucket: a b}]\n", "f:1:17: sign[0].bucket: \"a b\": no bucket can have this name"),
            ("sign: [{bucket: ''}]\n", "f:1:17: sign[0].bucket: \"\": no bucket can have this name"),
            ("sign: {bucket: '${B}'}\n", "f:1:16: sign.bucket: \"${B}\": nothing replaces ${B}"),
            ("sign: {bucket: site, prefix: docs}\n", "f:1:30: sign.prefix: \"docs\": a prefix ends in a slash"),
            ("sign:\n- bucket: site\n  prefix: /docs/\n", "f:3:11: sign[0].prefix: \"/docs/\": keys do not begin"),
            ("sign: {bucket: site, prefix: ''}\n", "f:1:30: sign.prefix: \"\": an empty prefix; leave the key out"),
            ("sign: {bucket: site, prefix: }\n", "no value; leave the key out"),
            ("sign: {bucket: site, when: }\n", "no value; leave the key out"),
            ("sign: {bucket: site, prefixes: docs/}\n", "f:1:22: sign: unknown field `prefixes`"),
            ("sign: {bucket: site, index: a/b}\n", "f:1:29: sign.index: \"a/b\": an index document is a name"),
            ("sign: {bucket: site, error: errors/}\n", "f:1:29: sign.error: \"errors/\": an error document"),
            ("sign: {bucket: site, when: never}\n", "f:1:28: sign.when: unknown variant `never`"),
            ("sign: {bucket: site, query: keep}\n", "f:1:29: sign.query: unknown variant `keep`"),
        ] {
            let errors = read(text).unwrap_err();
            assert!(errors.len() == 1 && errors[0].contains(said), "{text:?}: {errors:#?}");
        }
    }

    #[test]
    fn entries_that_contradict_are_named_with_both_places() {
        for (text, expected) in [
            (
                "sign:\n- bucket: site\n- {bucket: site, prefix: docs/}\n- bucket: site\n",
                &["f:4:11: sign[2].bucket: the entry at line 2, column 11 has this bucket and prefix too"][..],
            ),
            (
                "sign: [{bucket: site, prefix: docs/}, {bucket: site, prefix: docs/, when: granted}]\n",
                &["f:1:48: sign[1].bucket: the entry at line 1, column 17 has this bucket"],
            ),
            (
                "sign: {bucket: site, when: granted, index: index.html, error: 404.html}\n",
                &[
                    "f:1:44: sign.index: has no effect with when: granted",
                    "f:1:63: sign.error: has no effect with when: granted",
                ],
            ),
            (
                "sign: [{bucket: site, prefix: ~a/}, {bucket: site, when: granted, prefix: video/}]\n",
                &["f:1:31: sign[0].prefix: no request reaches it"],
            ),
            // Nothing follows from an entry that is not what was meant.
            (
                "sign: [{bucket: site, prefix: docs}, {bucket: site}]\n",
                &["f:1:31: sign[0].prefix: \"docs\": a prefix ends in a slash"],
            ),
        ] {
            let errors = read(text).unwrap_err();
            assert_eq!(errors.len(), expected.len(), "{text:?}: {errors:#?}");
            for (error, expected) in errors.iter().zip(expected) {
                assert!(error.starts_with(expected), "{text:?}: {error}");
            }
        }
    }
}
