//! Hosts that are a bucket's name: a CNAME for it, as for a website.

use super::upstream::UpstreamHost;
use crate::s3::domain::{Domain, host_name};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A host that is a bucket's name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BucketHost {
    /// The bucket. The whole path of a request is the key.
    pub bucket: String,
    /// The `Host` that the upstream sees; by default as `upstream.host` says.
    pub upstream_host: Option<UpstreamHost>,
}

/// The hosts that are a bucket's name.
#[derive(Clone, Debug, Default)]
pub struct BucketHosts(BTreeMap<String, Arc<BucketHost>>);

impl BucketHosts {
    /// What is configured for a host, with or without a port.
    #[must_use]
    pub fn of(&self, host: &str) -> Option<Arc<BucketHost>> {
        if self.0.is_empty() {
            return None;
        }
        let name = host_name(host);
        let found = match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => self.0.get(&name.to_ascii_lowercase()),
            false => self.0.get(name),
        };
        found.map(Arc::clone)
    }
}

impl From<BTreeMap<Domain, BucketHost>> for BucketHosts {
    fn from(hosts: BTreeMap<Domain, BucketHost>) -> Self {
        Self(hosts.into_iter().map(|(name, host)| (name.as_str().to_owned(), Arc::new(host))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_in_any_case_with_or_without_a_port() {
        let photos = BucketHost { bucket: "photos".into(), upstream_host: None };
        let hosts = BucketHosts::from(BTreeMap::from([("Photos.Example.com".parse().unwrap(), photos)]));
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
            assert_eq!(hosts.of(host).is_some(), is_found, "{host}");
        }
    }
}
