//! Which upstream a bucket is at: the entries of `routes`.
//!
//! Decides: which entries are valid, beside each other and beside the upstreams. Must not know: how a request is sent.

use super::bucket_pattern::BucketPattern;
use super::each_upstream::{EachUpstream, UpstreamIndex};
use super::entries::Place;
use super::fields::{As, OptionalSection, Placed, Section};
use super::named_upstream::{NamedUpstream, UpstreamEntry, UpstreamName};
use super::upstream_section::UpstreamConfig;
use crate::s3::key_pattern::matches;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, HashMap};

/// The most upstreams beside the default one.
const MOST: usize = 1000;

/// The name of the upstream that `upstream` is.
const OF_UPSTREAM: &str = "default";

/// The upstreams that a DELETE is sent to, where a bucket has a fallback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FallbackDelete {
    /// The fallback and then the bucket's own upstream: else the object would be read from the fallback again.
    #[default]
    Both,
    /// The bucket's own upstream alone.
    First,
}

/// An entry as it is written.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct RouteEntry(RouteSection);

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RouteSection {
    /// The buckets: a name, in which `*` is any text.
    bucket: Placed<BucketPattern>,
    /// The upstream that they are at: a name of `upstreams`.
    upstream: Placed<UpstreamName>,
    /// The upstream that is asked for an object that is missing at the first.
    #[serde(default, with = "As::<Placed<UpstreamName>>")]
    fallback: Option<Placed<UpstreamName>>,
    /// `both`: an object is deleted at the fallback too, or it would be back. `first`: the fallback keeps it.
    #[serde(default, with = "As::<Placed<FallbackDelete>>")]
    fallback_delete: Option<Placed<FallbackDelete>>,
}

impl Section for RouteSection {
    const NAME: &'static str = "routes";
    const KEY: &'static str = "bucket";
}

impl<'de> Deserialize<'de> for RouteEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let section = OptionalSection::<RouteSection>::deserialize(deserializer)?;
        section.map(Self).ok_or_else(|| D::Error::custom("an empty entry; write {bucket: PATTERN, upstream: NAME}"))
    }
}

impl RouteEntry {
    fn pattern(&self) -> &str {
        self.0.bucket.value.as_str()
    }

    /// Returns true for the route of every bucket.
    fn is_of_all(&self) -> bool {
        self.0.bucket.value.is_of_all()
    }

    fn route(&self, index: impl Fn(&UpstreamName) -> UpstreamIndex) -> BucketRoute {
        let RouteSection { upstream, fallback, fallback_delete, .. } = &self.0;
        BucketRoute {
            upstream: index(&upstream.value),
            fallback: fallback.as_ref().map(|fallback| index(&fallback.value)),
            fallback_delete: fallback_delete.map_or_else(FallbackDelete::default, |delete| delete.value),
        }
    }

    fn written(&self) -> WrittenRoute {
        let RouteSection { upstream, fallback, .. } = &self.0;
        let name = |name: &Placed<UpstreamName>| name.value.0.as_str().into();
        WrittenRoute { bucket: self.pattern().into(), upstream: name(upstream), fallback: fallback.as_ref().map(name) }
    }
}

/// The upstream of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BucketRoute {
    /// The upstream that every request goes to.
    pub upstream: UpstreamIndex,
    /// The one that is asked for what is missing there.
    pub fallback: Option<UpstreamIndex>,
    /// The upstreams that a DELETE is sent to.
    pub fallback_delete: FallbackDelete,
}

/// The routes, prepared for requests. The first that matches a bucket is the bucket's.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// Whole names, each with its place among all routes.
    by_name: HashMap<Box<str>, (usize, BucketRoute)>,
    patterns: Box<[(usize, Box<str>, BucketRoute)]>,
    /// The route of everything else: other buckets, and requests for none.
    default: BucketRoute,
    /// The routes as they are written.
    written: Box<[WrittenRoute]>,
}

/// A route as operators wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRoute {
    /// The pattern of its buckets.
    pub bucket: Box<str>,
    /// The name of the upstream.
    pub upstream: Box<str>,
    /// The name of the fallback.
    pub fallback: Option<Box<str>>,
}

impl Routes {
    fn of_entries(entries: &[RouteEntry], route: impl Fn(&RouteEntry) -> BucketRoute) -> Self {
        let mut routes = Self::default();
        let mut patterns = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let (pattern, route) = (entry.pattern(), route(entry));
            if entry.is_of_all() {
                routes.default = route;
            } else if pattern.contains('*') {
                patterns.push((at, pattern.into(), route));
            } else {
                routes.by_name.entry(pattern.into()).or_insert((at, route));
            }
        }
        Self { patterns: patterns.into(), written: entries.iter().map(RouteEntry::written).collect(), ..routes }
    }

    /// The route of a bucket; of a request for none, or for one that servers do not agree on, the default one.
    #[must_use]
    pub fn of(&self, bucket: Option<&str>) -> BucketRoute {
        if self.written.is_empty() {
            return self.default;
        }
        let Some(bucket) = bucket else { return self.default };
        let named = self.by_name.get(bucket);
        let first = named.map_or(usize::MAX, |(at, _)| *at);
        let earlier =
            self.patterns.iter().take_while(|(at, ..)| *at < first).find(|(_, pattern, _)| matches(pattern, bucket));
        earlier.map(|(_, _, route)| *route).or(named.map(|(_, route)| *route)).unwrap_or(self.default)
    }

    /// Returns true if there are any.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// Returns true if a bucket has a fallback.
    #[must_use]
    pub fn have_fallback(&self) -> bool {
        self.written.iter().any(|route| route.fallback.is_some())
    }

    /// The routes as they were written, in their order.
    #[must_use]
    pub const fn written(&self) -> &[WrittenRoute] {
        &self.written
    }
}

/// The upstreams and routes of a file, whose parts go together.
pub(super) fn routed(
    upstream: UpstreamConfig,
    upstreams: BTreeMap<UpstreamName, UpstreamEntry>,
    entries: &[RouteEntry],
) -> (EachUpstream<NamedUpstream>, Routes) {
    if upstreams.is_empty() && entries.is_empty() {
        return (NamedUpstream { name: None, settings: upstream }.into(), Routes::default());
    }
    let mut named: Vec<_> = upstreams
        .into_iter()
        .map(|(name, UpstreamEntry(settings))| NamedUpstream { name: Some(name.0.as_str().into()), settings })
        .collect();
    let of_all = entries.iter().find(|entry| entry.is_of_all());
    let place = |name: &UpstreamName| named.iter().position(|other| other.name.as_deref() == Some(&*name.0));
    let default = match of_all.and_then(|RouteEntry(entry)| place(&entry.upstream.value)) {
        Some(at) => named.remove(at),
        None => NamedUpstream { name: Some(OF_UPSTREAM.into()), settings: upstream },
    };
    let index = |name: &UpstreamName| {
        let place = named.iter().position(|other| other.name.as_deref() == Some(&*name.0));
        place.and_then(|at| u16::try_from(at + 1).ok()).map_or(UpstreamIndex::DEFAULT, UpstreamIndex)
    };
    let routes = Routes::of_entries(entries, |entry| entry.route(index));
    (EachUpstream::new(default, named), routes)
}

/// Returns the places where the settings of an upstream do not go together, and the reasons.
pub(super) fn timeouts(upstreams: &BTreeMap<UpstreamName, UpstreamEntry>) -> impl Iterator<Item = (Place, String)> {
    upstreams.values().filter_map(|UpstreamEntry(settings)| settings.contradiction())
}

/// Returns the places where routes do not go together with the upstreams or with those before them, and the reasons.
pub(super) fn contradictions<'e>(
    upstreams: &'e BTreeMap<UpstreamName, UpstreamEntry>,
    has_upstream: bool,
    entries: &'e [RouteEntry],
) -> impl Iterator<Item = (Place, String)> + 'e {
    let is_there = move |name: &UpstreamName| upstreams.contains_key(name) || (has_upstream && name.0 == OF_UPSTREAM);
    entries.iter().enumerate().flat_map(move |(number, RouteEntry(entry))| {
        let RouteSection { bucket, upstream, fallback, fallback_delete } = entry;
        let unknown =
            [Some(upstream), fallback.as_ref()].into_iter().flatten().filter(move |name| !is_there(&name.value));
        let unknown = unknown.map(move |name| (name.place, unknown_name(&name.value, upstreams)));
        let itself = fallback.as_ref().filter(|fallback| fallback.value == upstream.value);
        let itself = itself.map(|name| (name.place, "the fallback is the upstream itself; leave it out".to_owned()));
        let without = fallback_delete.as_ref().filter(|_| fallback.is_none());
        let without =
            without.map(|delete| (delete.place, "there is no fallback to delete at; leave it out".to_owned()));
        let earlier = entries.iter().take(number).find(|other| matches(other.pattern(), bucket.value.as_str()));
        let earlier = earlier.map(|RouteEntry(other)| {
            let (line, column) = other.bucket.place;
            let words = format!(
                "no bucket gets here: the route at line {line}, column {column} takes them all; put this one before it"
            );
            (bucket.place, words)
        });
        unknown.chain(itself).chain(without).chain(earlier)
    })
}

fn unknown_name(name: &UpstreamName, upstreams: &BTreeMap<UpstreamName, UpstreamEntry>) -> String {
    let known: Vec<_> = upstreams.keys().take(10).map(UpstreamName::to_string).collect();
    match known.is_empty() {
        true => format!("no upstream has the name {name}; there are no upstreams"),
        false => format!("no upstream has the name {name}; upstreams has {}", known.join(", ")),
    }
}

/// The reason why there is no default upstream, or more than one; `None` where there is exactly one.
pub(super) fn fault_of_default(
    upstreams: &BTreeMap<UpstreamName, UpstreamEntry>,
    has_upstream: bool,
    entries: &[RouteEntry],
) -> Option<&'static str> {
    if upstreams.is_empty() && entries.is_empty() {
        return None;
    }
    let has_route_of_all = entries.iter().any(RouteEntry::is_of_all);
    let has_own_name = upstreams.keys().any(|name| name.0 == OF_UPSTREAM);
    match (has_upstream, has_route_of_all) {
        _ if upstreams.len() > MOST => Some("upstreams has more than 1000 entries"),
        (true, true) => Some(
            "upstream is the route of all other buckets, and so is the route with bucket: '*'; leave one of the two out",
        ),
        (true, false) if has_own_name => {
            Some("upstream is the upstream with the name default; give the one in upstreams another name")
        }
        (false, false) => {
            Some("no upstream for all other buckets: set upstream, or add the route {bucket: '*', upstream: NAME}")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigFile, Flags};
    use std::path::Path;

    fn config(text: &str) -> Config {
        let file = ConfigFile::parse(text, Path::new("f")).unwrap();
        Config::merge(Flags::default(), file).0
    }

    /// The names of the upstream and the fallback of a bucket.
    fn route(config: &Config, bucket: Option<&str>) -> (String, Option<String>) {
        let BucketRoute { upstream, fallback, .. } = config.routes.of(bucket);
        let name = |index| config.upstreams.get(index).name.as_deref().unwrap_or_default().to_owned();
        (name(upstream), fallback.map(name))
    }

    #[test]
    fn the_first_route_that_matches_is_the_buckets() {
        let text = "upstream: http://u:1\nupstreams: {b: 'http://b:1', a: ['http://a:1', 'http://a:2'], c: {url: 'http://c:1'}}\n\
            routes:\n- {bucket: logs-2026, upstream: c}\n- {bucket: logs-*, upstream: b, fallback: a}\n\
            - {bucket: logs, upstream: a, fallback: default, fallback_delete: first}\n- {bucket: '*-logs-*', upstream: c}\n";
        let config = config(text);
        for (bucket, upstream, fallback) in [
            (Some("logs-2026"), "c", None),
            (Some("logs-2027"), "b", Some("a")),
            (Some("logs-"), "b", Some("a")),
            (Some("logs"), "a", Some("default")),
            (Some("my-logs-1"), "c", None),
            (Some("LOGS"), "default", None),
            (Some("photos"), "default", None),
            (Some(""), "default", None),
            (None, "default", None),
        ] {
            assert_eq!(route(&config, bucket), (upstream.to_owned(), fallback.map(str::to_owned)), "{bucket:?}");
        }
        assert_eq!(config.routes.of(Some("logs")).fallback_delete, FallbackDelete::First);
        assert_eq!(config.routes.of(Some("logs-1")).fallback_delete, FallbackDelete::Both);
        let urls: Vec<_> = config.all_upstreams().map(|settings| settings.urls().len()).collect();
        assert_eq!(urls, [1, 2, 1, 1], "the default one, and the others by name");
    }

    #[test]
    fn a_star_makes_its_upstream_the_default_one() {
        let config = config(
            "upstreams: {a: 'http://a:1', b: 'http://b:1'}\nroutes: [{bucket: xyz, upstream: a}, {bucket: '*', upstream: b, fallback: a}]\n",
        );
        for (bucket, upstream, fallback) in
            [(Some("xyz"), "a", None), (Some("y"), "b", Some("a")), (None, "b", Some("a"))]
        {
            assert_eq!(route(&config, bucket), (upstream.to_owned(), fallback.map(str::to_owned)), "{bucket:?}");
        }
        assert_eq!(config.upstreams.default_one().name.as_deref(), Some("b"));
    }

    #[test]
    fn without_routes_the_only_upstream_has_no_name() {
        let config = config("upstream: http://u:1\n");
        assert_eq!((config.upstreams.default_one().name.as_deref(), config.routes.is_empty()), (None, true));
        assert_eq!(config.routes.of(Some("any")), BucketRoute::default());
    }
}
