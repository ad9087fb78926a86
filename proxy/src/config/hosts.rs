//! Public names: hosts that clients ask for, with or without the beginning of a path, and what a request for one of them is.

use super::upstream_host::UpstreamHosts;
use super::values::{Switch, ValueError};
use crate::s3::domain::{Domain, host_name};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

/// A host, and the beginning of the path that belongs to the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A host name, or one with the beginning of a path."))]
#[serde(try_from = "String")]
pub struct PublicName {
    host: Domain,
    /// Empty, or `/` and whole segments, without a slash at the end.
    #[cfg_attr(test, schemars(skip))]
    prefix: Box<str>,
}

impl FromStr for PublicName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (host, prefix) = match text.trim().split_once('/') {
            Some((host, prefix)) if !host.ends_with(':') => (host, Some(prefix.strip_suffix('/').unwrap_or(prefix))),
            _ => (text, None),
        };
        let host = host.parse::<Domain>()?;
        let Some(prefix) = prefix else { return Ok(Self { host, prefix: "".into() }) };
        match prefix.split('/').find_map(invalid_segment) {
            Some(reason) => Err(ValueError::new(text, reason)),
            None => Ok(Self { host, prefix: format!("/{prefix}").into() }),
        }
    }
}

/// Returns what is wrong with a segment of a prefix. It is compared byte by byte with what clients send, so that it must be as they send it.
fn invalid_segment(segment: &str) -> Option<&'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte);
    match segment {
        "" => Some("a prefix has a name between two slashes"),
        "." | ".." => Some("browsers remove . and .. from a path, so that no prefix has them"),
        _ if !segment.bytes().all(is_plain) => {
            Some("a prefix is compared with paths as they are sent: write it percent-encoded, as in a URL")
        }
        _ => None,
    }
}

impl TryFrom<String> for PublicName {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

/// The meaning of a public name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PublicHost {
    /// The bucket, where the name is that of one: then the whole path is the key. Without it the path names the bucket.
    pub bucket: Option<String>,
    /// The `Host` that the upstream sees, which is the name that URLs are signed for; by default as `upstream.host` says. Of a list, each
    /// is tried in turn.
    pub upstream_host: Option<UpstreamHosts>,
    /// Keeps objects from acting as the application whose host this is; by default with the beginning of a path.
    pub sandbox: Option<Switch>,
}

impl PublicHost {
    pub(super) fn has_candidates(&self) -> bool {
        self.upstream_host.as_ref().is_some_and(|names| names.as_slice().len() > 1)
    }
}

/// Public names, each with what is known of it.
#[derive(Clone, Debug)]
pub struct PublicHosts<T = PublicHost> {
    by_host: ByHost<T>,
}

/// By host, the prefixes and what is known of each; of one host the longest prefix first.
type ByHost<T> = BTreeMap<String, Vec<(Box<str>, Arc<T>)>>;

impl<T> PublicHosts<T> {
    /// Returns what is known of the name that a request is for, and how much of its path belongs to the name, in bytes. `host` may have a
    /// port; a prefix is whole segments, compared as they were sent.
    #[must_use]
    pub fn of(&self, host: &str, path: &str) -> Option<(usize, Arc<T>)> {
        Self::chosen(self.names_of(host), path)
    }

    /// The names of a host, each with the beginning of its path, the longest first. `host` may have a port.
    #[must_use]
    pub fn names_of(&self, host: &str) -> &[(Box<str>, Arc<T>)] {
        if self.by_host.is_empty() {
            return &[];
        }
        let name = host_name(host);
        let of_host = match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => self.by_host.get(&name.to_ascii_lowercase()),
            false => self.by_host.get(name),
        };
        of_host.map_or(&[], Vec::as_slice)
    }

    /// Returns which of one host's names a path is for, and how much of the path belongs to it, in bytes.
    #[must_use]
    pub fn chosen(of_host: &[(Box<str>, Arc<T>)], path: &str) -> Option<(usize, Arc<T>)> {
        let begins = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('/'))
        };
        let (prefix, found) = of_host.iter().find(|(prefix, _)| begins(prefix))?;
        Some((prefix.len(), Arc::clone(found)))
    }

    /// Each host, the beginning of the path that belongs to the name, and what is known of it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &T)> {
        self.by_host
            .iter()
            .flat_map(|(host, names)| names.iter().map(move |(prefix, known)| (host.as_str(), &**prefix, &**known)))
    }

    /// The same names with what follows from what is known of each.
    #[must_use]
    pub fn map<U>(&self, mut follows: impl FnMut(&str, &str, &T) -> U) -> PublicHosts<U> {
        let mut by_host = ByHost::<U>::new();
        for (host, prefix, known) in self.iter() {
            let found = Arc::new(follows(host, prefix, known));
            by_host.entry(host.to_owned()).or_default().push((prefix.into(), found));
        }
        PublicHosts { by_host }
    }
}

impl<T> Default for PublicHosts<T> {
    fn default() -> Self {
        Self { by_host: BTreeMap::new() }
    }
}

impl From<BTreeMap<PublicName, PublicHost>> for PublicHosts {
    fn from(names: BTreeMap<PublicName, PublicHost>) -> Self {
        let mut by_host = ByHost::<PublicHost>::new();
        for (PublicName { host, prefix }, known) in names {
            by_host.entry(host.as_str().to_owned()).or_default().push((prefix, Arc::new(known)));
        }
        for of_host in by_host.values_mut() {
            of_host.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        }
        Self { by_host }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(names: &[&str]) -> PublicHosts {
        let known = |name: &&str| {
            (name.parse().unwrap(), PublicHost { bucket: Some((*name).to_owned()), ..PublicHost::default() })
        };
        names.iter().map(known).collect::<BTreeMap<PublicName, PublicHost>>().into()
    }

    #[test]
    fn a_host_is_found_in_any_case_with_or_without_a_port() {
        let hosts = hosts(&["Photos.Example.com"]);
        for (host, is_found) in [
            ("photos.example.com", true),
            ("PHOTOS.example.com:8080", true),
            // With the dot it is another name to some servers.
            ("photos.example.com.", false),
            ("photos.example.com.:8080", false),
            ("a.photos.example.com", false),
            ("example.com", false),
            ("", false),
        ] {
            assert_eq!(hosts.of(host, "/k").is_some(), is_found, "{host}");
        }
    }

    #[test]
    fn of_one_host_the_longest_prefix_of_whole_segments_wins() {
        let hosts = hosts(&["a.test/s", "a.test/s/deep/", "a.test", "b.test/s%20t"]);
        let taken = |host, path| hosts.of(host, path).map(|(length, known)| (length, known.bucket.clone().unwrap()));
        let is = |length, name: &str| Some((length, name.to_owned()));
        for (host, path, expected) in [
            ("a.test", "/s/b/k", is(2, "a.test/s")),
            ("a.test", "/s", is(2, "a.test/s")),
            ("a.test", "/s/", is(2, "a.test/s")),
            ("a.test", "/s/deep/b/k", is(7, "a.test/s/deep/")),
            ("a.test", "/s/deeper/k", is(2, "a.test/s")),
            ("a.test", "/st/k", is(0, "a.test")),
            ("a.test", "/S/k", is(0, "a.test")),
            ("a.test", "/%73/k", is(0, "a.test")),
            ("a.test", "//s/k", is(0, "a.test")),
            ("a.test", "/x/../s/k", is(0, "a.test")),
            ("a.test", "*", is(0, "a.test")),
            ("b.test", "/s%20t/k", is(6, "b.test/s%20t")),
            ("b.test", "/s", None),
            ("b.test", "/", None),
        ] {
            assert_eq!(taken(host, path), expected, "{host} {path}");
        }
    }

    #[test]
    fn a_name_is_a_host_with_or_without_whole_segments() {
        for text in ["a.test", "A.test.", "a.test/", "a.test/s", "a.test/s/t/", "a.test/s%2Ft"] {
            let parsed = text.parse::<PublicName>();
            assert_eq!(parsed.is_ok(), text != "a.test/", "{text}");
        }
        for (text, said) in [
            ("a.test//s", "between two slashes"),
            ("a.test/s/../t", "remove . and .."),
            ("a.test/s t", "percent-encoded"),
            ("a.test/s?x", "percent-encoded"),
            ("a.test:8080/s", "without scheme and port"),
            ("https://a.test/s", "without scheme and port"),
        ] {
            let error = text.parse::<PublicName>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
