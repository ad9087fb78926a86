//! The configuration file: YAML. An unknown key is an error with its place.

use super::admin::AdminListener;
use super::fields::{AtLeastOne, OneOrMany, OptionalSection, OrDefault, SectionOrDefault};
use super::forwarded::ForwardedSection;
use super::grants::Grants;
use super::hosts::{PublicHost, PublicHosts, PublicName};
use super::listen::Listener;
use super::named_upstream::{UpstreamEntry, UpstreamName};
use super::number::Threads;
use super::routes::RouteEntry;
use super::rules::Rules;
use super::settings::{Cors, Limits, Log, Metrics, Observe, Presigned, Shutdown, Signatures};
use super::sign::{SignEntry, SignedPrefix};
use super::tls::Tls;
use super::uploads::{UploadEntry, UploadLimit};
use super::upstream_section::{UpstreamConfig, UpstreamOrUrls};
use super::values::Drivers;
use crate::s3::domain::Domain;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The configuration file. A missing key has its default.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ConfigFile {
    #[serde(with = "AtLeastOne::<OneOrMany<Listener>>")]
    pub(super) listen: OneOrMany<Listener>,
    pub(super) admin: Option<AdminListener>,
    #[serde(with = "UpstreamOrUrls")]
    pub(super) upstream: UpstreamConfig,
    #[serde(with = "OrDefault::<BTreeMap<UpstreamName, UpstreamEntry>>")]
    pub(super) upstreams: BTreeMap<UpstreamName, UpstreamEntry>,
    #[serde(with = "OrDefault::<OneOrMany<RouteEntry>>")]
    pub(super) routes: OneOrMany<RouteEntry>,
    #[serde(with = "OrDefault::<OneOrMany<Domain>>")]
    pub(super) domains: OneOrMany<Domain>,
    #[serde(with = "OrDefault::<BTreeMap<PublicName, PublicHost>>")]
    pub(super) hosts: BTreeMap<PublicName, PublicHost>,
    #[serde(with = "SectionOrDefault::<ForwardedSection>")]
    pub(super) forwarded: ForwardedSection,
    #[serde(with = "SectionOrDefault::<Rules>")]
    pub(super) rules: Rules,
    #[serde(with = "SectionOrDefault::<Cors>")]
    pub(super) cors: Cors,
    #[serde(with = "SectionOrDefault::<Presigned>")]
    pub(super) presigned: Presigned,
    #[serde(with = "SectionOrDefault::<Signatures>")]
    pub(super) signatures: Signatures,
    #[serde(with = "OrDefault::<OneOrMany<UploadEntry>>")]
    pub(super) uploads: OneOrMany<UploadEntry>,
    #[serde(with = "OrDefault::<OneOrMany<SignEntry>>")]
    pub(super) sign: OneOrMany<SignEntry>,
    #[serde(with = "OptionalSection::<Grants>")]
    pub(super) grants: Option<Grants>,
    #[serde(with = "SectionOrDefault::<Limits>")]
    pub(super) limits: Limits,
    #[serde(with = "SectionOrDefault::<Tls>")]
    pub(super) tls: Tls,
    #[serde(with = "SectionOrDefault::<Log>")]
    pub(super) log: Log,
    #[serde(with = "SectionOrDefault::<Shutdown>")]
    pub(super) shutdown: Shutdown,
    pub(super) drivers: Option<Drivers>,
    /// The former name of `drivers`.
    #[cfg_attr(test, schemars(skip))]
    pub(super) http1: Option<Drivers>,
    pub(super) threads: Option<Threads>,
    #[serde(with = "SectionOrDefault::<Metrics>")]
    pub(super) metrics: Metrics,
    #[serde(with = "SectionOrDefault::<Observe>")]
    pub(super) observe: Observe,
}

impl ConfigFile {
    /// Where the rules are.
    #[must_use]
    pub fn rules_path(&self) -> PathBuf {
        self.rules.path().to_owned()
    }

    /// The `cors` settings.
    #[must_use]
    pub const fn cors(&self) -> Cors {
        self.cors
    }

    /// The domains whose subdomains are buckets.
    #[must_use]
    pub fn domains(&self) -> &[Domain] {
        &self.domains.0
    }

    /// The public names.
    #[must_use]
    pub fn hosts(&self) -> PublicHosts {
        self.hosts.clone().into()
    }

    /// The prefixes that are signed for here.
    #[must_use]
    pub fn signed_prefixes(&self) -> Vec<SignedPrefix> {
        self.sign.0.iter().cloned().map(Into::into).collect()
    }

    /// The limits on uploads.
    #[must_use]
    pub fn upload_limits(&self) -> Vec<UploadLimit> {
        self.uploads.0.iter().cloned().map(Into::into).collect()
    }

    /// The listeners in the file; empty for the default one.
    #[must_use]
    pub fn listeners(&self) -> Vec<Listener> {
        self.listen.0.clone()
    }

    /// The admin listener.
    #[must_use]
    pub fn admin(&self) -> AdminListener {
        self.admin.clone().unwrap_or_default()
    }
}
