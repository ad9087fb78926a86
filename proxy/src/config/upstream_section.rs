//! The section `upstream` of the file, and its short form: only the URLs. The section is the value that the proxy works with.

use super::fields::{OneOrMany, OptionalSection, OrDefault, SectionOrDefault};
use super::settings::{HealthCheck, Keepalive, Timeouts};
use super::tls::UpstreamTls;
use super::upstream::{Balance, UpstreamUrl};
use super::upstream_credentials::UpstreamCredentials;
use super::upstream_host::UpstreamHosts;
use super::values::UpstreamOrigin;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::time::Duration;

/// The S3 server and how to talk to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamConfig {
    #[serde(with = "OrDefault::<OneOrMany<UpstreamUrl>>")]
    pub(super) url: OneOrMany<UpstreamUrl>,
    /// How an address is chosen among the available ones.
    #[serde(with = "OrDefault::<Balance>")]
    pub balance: Balance,
    /// The `Host` that an upstream sees: the name that URLs are signed for. Of a list, each is tried in turn.
    #[serde(with = "OrDefault::<UpstreamHosts>")]
    pub host: UpstreamHosts,
    /// The credentials that reads are signed with.
    #[serde(with = "SectionOrDefault::<UpstreamCredentials>")]
    pub credentials: UpstreamCredentials,
    /// The fate of an `Origin` that the request does not sign.
    #[serde(with = "OrDefault::<UpstreamOrigin>")]
    pub origin: UpstreamOrigin,
    /// Active health checks of upstream addresses.
    #[serde(with = "OptionalSection::<HealthCheck>")]
    pub health_check: Option<HealthCheck>,
    /// How upstream certificates are verified.
    #[serde(with = "SectionOrDefault::<UpstreamTls>")]
    pub tls: UpstreamTls,
    /// How long each step towards an upstream may take.
    #[serde(with = "SectionOrDefault::<Timeouts>")]
    pub timeouts: Timeouts,
    /// Connections to upstreams that stay open.
    #[serde(with = "SectionOrDefault::<Keepalive>")]
    pub keepalive: Keepalive,
}

impl UpstreamConfig {
    /// The endpoints; at least one in a [`Config`](super::Config).
    #[must_use]
    pub fn urls(&self) -> &[UpstreamUrl] {
        &self.url.0
    }

    /// Returns true if it is asked over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.urls().iter().any(UpstreamUrl::is_tls)
    }

    /// The time that an upstream may take to acknowledge what it is sent.
    #[must_use]
    pub fn user_timeout(&self) -> Duration {
        const USUAL: Duration = Duration::from_secs(60);
        self.keepalive.user_timeout.map_or(USUAL.max(self.timeouts.write), |timeout| timeout.value)
    }

    /// The place and the reason if two values do not go together.
    pub(super) fn contradiction(&self) -> Option<((u64, u64), String)> {
        let (timeout, write) = (self.keepalive.user_timeout?, self.timeouts.write);
        let reason = || {
            let timeout = timeout.value;
            format!(
                "{timeout:?} is shorter than timeouts.write ({write:?}), and would end what an upstream may take longer for"
            )
        };
        (timeout.value < write).then(|| (timeout.place, reason()))
    }
}

/// The upstream: the section, or only the URLs of its servers.
pub(super) struct UpstreamOrUrls;

impl UpstreamOrUrls {
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UpstreamConfig, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = UpstreamConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL, a list of URLs, or an object with the key `url`")
            }

            fn visit_unit<E: Error>(self) -> Result<UpstreamConfig, E> {
                Ok(UpstreamConfig::default())
            }

            fn visit_str<E: Error>(self, url: &str) -> Result<UpstreamConfig, E> {
                let url = OneOrMany(vec![url.parse().map_err(E::custom)?]);
                Ok(UpstreamConfig { url, ..UpstreamConfig::default() })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, urls: A) -> Result<UpstreamConfig, A::Error> {
                let url = OneOrMany(Vec::deserialize(SeqAccessDeserializer::new(urls))?);
                Ok(UpstreamConfig { url, ..UpstreamConfig::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, section: A) -> Result<UpstreamConfig, A::Error> {
                UpstreamConfig::deserialize(MapAccessDeserializer::new(section))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
