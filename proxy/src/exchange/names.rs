//! Public names, and the names that URLs may have been signed for.
//!
//! Decides: which of those names an upstream may be asked under. One under which our rules would see another bucket or another key is left out:
//! what is decided about a request has to be decided about what the upstream sees of it.

use crate::config::{
    Config, EachUpstream, PublicHost, PublicHosts, Switch, UpstreamHost, UpstreamHosts, UpstreamIndex,
};
use crate::s3::address::{Address, BucketPlace, NamedBucket};
use crate::s3::domain::{Domain, host_name};
use crate::s3::key_readings::may_lead_below;
use std::borrow::Cow;

/// The most names that are asked one after the other; of more, the others are never asked.
const MOST: usize = 8;

/// A name that URLs may have been signed for: what an upstream sees as `Host`.
#[derive(Debug)]
struct SignedName {
    /// `None`: the client's own.
    host: Option<Box<str>>,
    /// The place of the bucket in a request under this name.
    place: BucketPlace<'static>,
}

/// The names that the URLs of one public name may have been signed for, in their order.
#[derive(Debug)]
pub(super) struct SignedNames {
    names: Box<[SignedName]>,
    /// Set where a public name has said so, and not `upstream.host` for all hosts.
    is_of_host: bool,
}

/// The names that a request may be asked under, by their index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NameSet(u8);

impl NameSet {
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn has_several(self) -> bool {
        self.0.count_ones() > 1
    }

    pub(super) fn has(self, index: u8) -> bool {
        1_u8.checked_shl(index.into()).is_some_and(|bit| self.0 & bit != 0)
    }

    #[cfg(test)]
    pub(super) fn of(indices: &[u8]) -> Self {
        Self(indices.iter().fold(0, |set, index| set | 1 << index))
    }

    /// The indices, in their order.
    pub(super) fn indices(self) -> impl Iterator<Item = u8> {
        (0..8).filter(move |index| self.has(*index))
    }
}

impl SignedNames {
    fn new(hosts: &UpstreamHosts, public: &PublicHosts, domains: &[Domain], is_of_host: bool) -> Self {
        let name = |host: &UpstreamHost| match host {
            UpstreamHost::Preserve => SignedName { host: None, place: BucketPlace::Path },
            UpstreamHost::Name(name) => {
                SignedName { host: Some(name.as_str().into()), place: place_of(name, public, domains) }
            }
        };
        Self { names: hosts.as_slice().iter().take(MOST).map(name).collect(), is_of_host }
    }

    /// The `Host` of a name; `None`: the client's own, which is part of what the client signs.
    pub(super) fn host(&self, index: u8) -> Option<&str> {
        self.names.get(usize::from(index)).and_then(|name| name.host.as_deref())
    }

    /// Returns true if a name was configured as the one that signatures are for, so that it cannot be why one fails.
    pub(super) const fn are_for_signatures(&self) -> bool {
        self.is_of_host || self.names.len() > 1
    }

    /// The names under which a request has the same address.
    fn of_address(&self, address: &Address<'_>) -> NameSet {
        // The only name that there is holds by the operator's word: there is nothing to choose.
        if self.names.len() == 1 {
            return NameSet(1);
        }
        let fits = |(name, _): &(&SignedName, u8)| name.is_for(address, self.is_of_host);
        NameSet(self.names.iter().zip(0_u8..).filter(fits).fold(0, |set, (_, at)| set | 1 << at))
    }
}

impl SignedName {
    /// Returns true if a request has the same bucket and the same key under this name. `is_told`: an operator has named it for this host.
    fn is_for(&self, address: &Address<'_>, is_told: bool) -> bool {
        match (&self.host, &self.place, &address.bucket) {
            (None, ..) | (_, _, NamedBucket::Ambiguous) => true,
            (Some(_), BucketPlace::Host(bucket), NamedBucket::One(asked)) => address.is_in_host && bucket == asked,
            // A host of which no domain is known can be a bucket's only by its own beginning.
            (Some(host), BucketPlace::Path, NamedBucket::One(asked)) if address.is_in_host => {
                is_told && begins_with(host, asked)
            }
            (Some(_), BucketPlace::Path, _) => !address.is_in_host,
            (Some(_), BucketPlace::Host(_) | BucketPlace::Ambiguous, _) => false,
        }
    }
}

/// Returns true if a host is a bucket's in virtual-host style, or has its name.
fn begins_with(host: &str, bucket: &str) -> bool {
    let rest = host_name(host).get(bucket.len()..);
    let is_same = host.get(..bucket.len()).is_some_and(|name| name.eq_ignore_ascii_case(bucket));
    is_same && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The place of the bucket in a request to this name, as we would read it.
fn place_of(name: &str, public: &PublicHosts, domains: &[Domain]) -> BucketPlace<'static> {
    match public.of(name, "/") {
        Some((_, host)) => match &host.bucket {
            Some(bucket) => BucketPlace::Host(Cow::Owned(bucket.clone())),
            None => BucketPlace::Path,
        },
        None => match BucketPlace::of(name, domains) {
            BucketPlace::Host(bucket) => BucketPlace::Host(Cow::Owned(bucket.into_owned())),
            BucketPlace::Path => BucketPlace::Path,
            BucketPlace::Ambiguous => BucketPlace::Ambiguous,
        },
    }
}

/// A public name, as exchanges use it.
#[derive(Debug)]
pub(super) struct KnownName {
    /// The bucket that it is a name of; else the path names it.
    pub(super) bucket: Option<Box<str>>,
    /// `None`: as the upstream says for all hosts.
    signed: Option<SignedNames>,
    is_sandboxed: bool,
    /// Set where an entry says itself that there is no sandbox.
    has_no_sandbox: bool,
}

/// The public names, and the names that URLs are signed for.
#[derive(Debug)]
pub(super) struct KnownNames {
    public: PublicHosts<KnownName>,
    signed: EachUpstream<SignedNames>,
    domains: Vec<Domain>,
}

impl KnownNames {
    pub(super) fn of(config: &Config) -> Self {
        let (hosts, domains) = (&config.hosts, &config.domains);
        let named = |_: &str, prefix: &str, host: &PublicHost| KnownName {
            bucket: host.bucket.as_deref().map(Into::into),
            signed: host.upstream_host.as_ref().map(|names| SignedNames::new(names, hosts, domains, true)),
            is_sandboxed: host.sandbox.map_or(!prefix.is_empty(), Switch::is_on),
            has_no_sandbox: host.sandbox == Some(Switch::Off),
        };
        Self {
            public: hosts.map(named),
            signed: config.upstreams.map(|upstream| SignedNames::new(&upstream.settings.host, hosts, domains, false)),
            domains: domains.clone(),
        }
    }

    /// Finds the name that a request is for, and how much of its path belongs to it.
    pub(super) fn named(&self, host: Option<&str>, path: &str) -> NamedHost {
        let of_host = host.map_or(&[][..], |host| self.public.names_of(host));
        if of_host.is_empty() {
            return NamedHost::default();
        }
        // A proxy in front may choose by a path that it has decoded, and pass on the one that came.
        let leads_in = || of_host.iter().any(|(prefix, named)| named.is_sandboxed && may_lead_below(path, prefix));
        match PublicHosts::chosen(of_host, path) {
            Some((prefix, named)) => NamedHost {
                prefix,
                is_sandboxed: named.is_sandboxed || (!named.has_no_sandbox && leads_in()),
                named: Some(named),
            },
            None => NamedHost { is_sandboxed: leads_in(), ..NamedHost::default() },
        }
    }

    /// The bucket and the key that a request is for. `path` is without what belongs to the name.
    pub(super) fn address<'r>(
        &self,
        host: Option<&'r str>,
        path: &'r str,
        named: Option<&'r KnownName>,
    ) -> Address<'r> {
        match named.map(|named| named.bucket.as_deref()) {
            Some(Some(bucket)) => Address::in_bucket(bucket, path),
            Some(None) => Address::in_path(path),
            None => Address::of(host, path, &self.domains),
        }
    }

    /// The names under which a request to an upstream has this address.
    pub(super) fn of_address(
        &self,
        address: &Address<'_>,
        named: Option<&KnownName>,
        upstream: UpstreamIndex,
    ) -> NameSet {
        self.signed(named, upstream).of_address(address)
    }

    /// The names that a request to a public name may have been signed for.
    pub(super) fn signed<'n>(&'n self, named: Option<&'n KnownName>, upstream: UpstreamIndex) -> &'n SignedNames {
        named.and_then(|named| named.signed.as_ref()).unwrap_or_else(|| self.signed.get(upstream))
    }
}

/// The public name that a request is for.
#[derive(Debug, Default)]
pub(super) struct NamedHost {
    /// The bytes of the path that belong to the name.
    pub(super) prefix: usize,
    /// `None` where nothing is known of a host and a path.
    pub(super) named: Option<std::sync::Arc<KnownName>>,
    /// Set if objects are kept from acting as the application whose host it is.
    pub(super) is_sandboxed: bool,
}

impl NamedHost {
    pub(super) fn get(&self) -> Option<&KnownName> {
        self.named.as_deref()
    }

    /// The path without what belongs to the name.
    pub(super) fn inner<'p>(&self, path: &'p str) -> &'p str {
        inner_path(path, self.prefix)
    }
}

/// A path without so many bytes at its beginning, which are whole segments.
pub(super) fn inner_path(path: &str, prefix: usize) -> &str {
    match path.get(prefix..) {
        Some("") | None if prefix > 0 => "/",
        inner => inner.unwrap_or(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigFile, Flags};

    fn names(settings: &str) -> KnownNames {
        let file = ConfigFile::parse(
            &format!(
                "upstream: {{url: 'http://u:1', host: [preserve, minio:9000, s.example, photos.s.example, other.s.example.]}}\ndomains: [s.example]\n{settings}"
            ),
            "f".as_ref(),
        );
        KnownNames::of(&Config::merge(Flags::default(), file.unwrap()).0)
    }

    /// The names that may be asked for a request.
    fn asked(names: &KnownNames, host: &str, path: &str) -> Vec<u8> {
        let named = names.named(Some(host), path);
        let address = names.address(Some(host), named.inner(path), named.get());
        names.of_address(&address, named.get(), UpstreamIndex::DEFAULT).indices().collect()
    }

    #[test]
    fn a_name_is_asked_only_where_bucket_and_key_stay() {
        let names = names(
            "hosts:\n  cdn.test: {bucket: photos, upstream_host: [preserve, photos.s.example, photos.store.test, minio:9000, photosx.test]}\n  \
             alone.test: {bucket: photos, upstream_host: minio:9000}\n  other.test: {bucket: photos, upstream_host: mail.s.example}\n  \
             none.test: {bucket: photos, upstream_host: [mail.s.example, mail.test]}\n  \
             app.test/s: {upstream_host: [minio:9000, photos.s.example, cdn.test]}\n",
        );
        for (host, path, expected) in [
            // Path style: the name may be any that is no bucket's.
            ("a.test", "/photos/k", &[0, 1, 2][..]),
            ("a.test", "/", &[0, 1, 2]),
            ("s.example", "/photos/k", &[0, 1, 2]),
            // The host is the bucket: under another host the path's beginning would be.
            ("photos.s.example", "/photos/k", &[0, 3]),
            ("PHOTOS.s.example:8080", "/k", &[0, 3]),
            ("mail.s.example", "/k", &[0]),
            ("cdn.test", "/k", &[0, 1, 2]),
            ("alone.test", "/k", &[0]),
            ("other.test", "/k", &[0]),
            ("none.test", "/k", &[]),
            ("app.test", "/s/photos/k", &[0]),
            ("app.test", "/photos/k", &[0, 1, 2]),
        ] {
            assert_eq!(asked(&names, host, path), expected, "{host} {path}");
        }
    }

    /// Every name that is asked addresses the bucket that the rules are looked up by.
    #[test]
    fn no_name_changes_which_rules_apply() {
        let hosts = [
            "a.test",
            "s.example",
            "photos.s.example",
            "mail.s.example",
            "minio",
            "photos",
            "s.example.",
            "x.y.s.example",
        ];
        let paths = ["/", "/photos", "/photos/k", "/mail/photos/k", "//photos/k", "/photos%2Fk", "/../k", "/k?x", "*"];
        for first in hosts {
            let names = names(&format!(
                "hosts: {{app.test/s: {{upstream_host: [preserve, {first}]}}, b.test: {{bucket: photos, upstream_host: [preserve, {first}]}}}}"
            ));
            for (host, path) in hosts.iter().flat_map(|host| paths.map(|path| (*host, path))) {
                for (host, outer) in
                    [(host, path.to_owned()), ("app.test", format!("/s{path}")), ("b.test", path.to_owned())]
                {
                    let named = names.named(Some(host), &outer);
                    let address = names.address(Some(host), named.inner(&outer), named.get());
                    let NamedBucket::One(bucket) = &address.bucket else { continue };
                    let signed = names.signed(named.get(), UpstreamIndex::DEFAULT);
                    for index in names.of_address(&address, named.get(), UpstreamIndex::DEFAULT).indices() {
                        let Some(sent) = signed.host(index) else { continue };
                        let seen = Address::of(Some(sent), named.inner(&outer), &names.domains);
                        let is_told = host == "b.test" && begins_with(sent, bucket) && !seen.is_in_host;
                        assert!(
                            is_told || seen.bucket == address.bucket && seen.is_in_host == address.is_in_host,
                            "{host} {outer} as {sent}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_prefix_is_taken_off_a_path() {
        for (path, prefix, inner) in
            [("/s/b/k", 2, "/b/k"), ("/s", 2, "/"), ("/s/", 2, "/"), ("/b", 0, "/b"), ("*", 0, "*"), ("", 0, "")]
        {
            assert_eq!(inner_path(path, prefix), inner, "{path}");
        }
    }
}
