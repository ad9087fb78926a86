//! The section `upstream` of the file, and its short form: only the URLs.

use super::fields::{OneOrMany, OptionalSection, OrDefault, SectionOrDefault};
use super::settings::{HealthCheck, Keepalive, Timeouts};
use super::tls::UpstreamTls;
use super::upstream::{Balance, UpstreamHost, UpstreamUrl};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// The S3 server and how to talk to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct Upstream {
    #[serde(with = "OrDefault::<OneOrMany<UpstreamUrl>>")]
    pub(super) url: OneOrMany<UpstreamUrl>,
    #[serde(with = "OrDefault::<Balance>")]
    pub(super) balance: Balance,
    #[serde(with = "OrDefault::<UpstreamHost>")]
    pub(super) host: UpstreamHost,
    #[serde(with = "OptionalSection::<HealthCheck>")]
    pub(super) health_check: Option<HealthCheck>,
    #[serde(with = "SectionOrDefault::<UpstreamTls>")]
    pub(super) tls: UpstreamTls,
    #[serde(with = "SectionOrDefault::<Timeouts>")]
    pub(super) timeouts: Timeouts,
    #[serde(with = "SectionOrDefault::<Keepalive>")]
    pub(super) keepalive: Keepalive,
}

/// The upstream: the section, or only the URLs of its servers.
pub(super) struct UpstreamOrUrls;

impl UpstreamOrUrls {
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Upstream, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Upstream;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL, a list of URLs, or an object with the key `url`")
            }

            fn visit_unit<E: Error>(self) -> Result<Upstream, E> {
                Ok(Upstream::default())
            }

            fn visit_str<E: Error>(self, url: &str) -> Result<Upstream, E> {
                let url = OneOrMany(vec![url.parse().map_err(E::custom)?]);
                Ok(Upstream { url, ..Upstream::default() })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, urls: A) -> Result<Upstream, A::Error> {
                let url = OneOrMany(Vec::deserialize(SeqAccessDeserializer::new(urls))?);
                Ok(Upstream { url, ..Upstream::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, section: A) -> Result<Upstream, A::Error> {
                Upstream::deserialize(MapAccessDeserializer::new(section))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
