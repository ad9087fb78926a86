//! What the parts know about themselves, shown as metrics.

use super::{Parts, ServeError};
use crate::config::Config;
use crate::downstream::{AcceptFailures, Declines};
use crate::exchange::{Count, Writing};
use crate::observe::Rejections;
use crate::telemetry::{Exported, Metrics, MetricsError, Row};
use crate::tls::{Certificates, TlsError};
use crate::upstream::{AllConnections, UpstreamState, Upstreams};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Parts {
    /// Shows as metrics what the parts know about themselves.
    pub(super) fn export(&self, open: Count) -> Result<(), MetricsError> {
        self.shadow.iter().try_for_each(|shadow| shadow.export(&self.metrics))?;
        let (in_flight, rejections) = (self.policy.in_flight().clone(), Arc::clone(&self.rejections));
        let metrics = Arc::clone(&self.metrics);
        self.metrics.export(Exported::gauge(
            "s3cors_http_requests_in_flight",
            "Requests that are being served.",
            move || in_flight.get(),
        ))?;
        self.metrics.export(Exported::gauge(
            "s3cors_connections_open",
            "Open connections of S3 clients.",
            move || open.get(),
        ))?;
        self.export_writing()?;
        self.export_upstreams_up()?;
        self.metrics.export(Exported::counters(
            "s3cors_rejected_origins_total",
            "Requests that no rule grants, by bucket and Origin; _other are those beyond the most frequent ones.",
            &["bucket", "origin"],
            move || rejected_rows(&rejections, &metrics),
        ))
    }

    /// Exports when the certificate of each listener with TLS ends. The live one is asked, so that a replacement shows at once.
    pub(super) fn export_expiry(&self, config: &Config, certificates: &mut Certificates) -> Result<(), ServeError> {
        let of_clients = config.listen.iter().map(|listener| (listener.address, listener.tls.as_ref()));
        let listeners = of_clients.chain([(config.admin.address, config.admin.tls.as_ref())]);
        let live = listeners.filter_map(|(address, files)| Some((address.to_string(), files?)));
        let live = live.map(|(address, files)| Ok((address, certificates.of(files)?)));
        let live = live.collect::<Result<Vec<_>, TlsError>>()?;
        let rows = move || live.iter().map(|(address, live)| (vec![address.clone()], live.life().end())).collect();
        Ok(self.metrics.export(Exported::gauges(
            "s3cors_certificate_expiry_timestamp_seconds",
            "When the certificate of a listener with TLS ends, in seconds since 1970.",
            &["listener"],
            rows,
        ))?)
    }

    /// Exports how many heads the grammar of HTTP/1.1 rejects, each reason at 0 from the start.
    pub(super) fn export_declines(&self, declines: Declines) -> Result<(), MetricsError> {
        self.metrics.export(Exported::counters(
            "s3cors_declines_total",
            "HTTP/1.1 request heads that are rejected before a driver has them, by reason.",
            &["reason"],
            move || declines.counts().map(|(reason, count)| (vec![reason.to_owned()], count)).collect(),
        ))
    }

    /// Exports how many connections could not be accepted.
    pub(super) fn export_accept_failures(&self, failures: AcceptFailures) -> Result<(), MetricsError> {
        self.metrics.export(Exported::counters(
            "s3cors_accept_failures_total",
            "Attempts to accept a connection that failed, such as for want of file descriptors.",
            &[],
            move || vec![(Vec::new(), failures.count())],
        ))
    }

    /// Exports how many connections to upstreams are open.
    pub(super) fn export_upstream_connections(&self, all: &Arc<AllConnections>) -> Result<(), MetricsError> {
        let all = Arc::clone(all);
        self.metrics.export(Exported::gauge(
            "s3cors_upstream_connections",
            "Open connections to upstreams, those that are kept among them.",
            move || all.open(),
        ))
    }

    /// Exports the state of each server, with the name of its upstream where there are several.
    fn export_upstreams_up(&self) -> Result<(), MetricsError> {
        let upstreams: Upstreams = self.upstreams.clone();
        let is_named = upstreams.default_one().name().is_some();
        let row = move |UpstreamState { name, url, is_up, .. }: UpstreamState| {
            (name.map(|name| name.to_string()).into_iter().chain([url]).collect(), is_up.into())
        };
        let labels = if is_named { &["name", "upstream"][..] } else { &["upstream"] };
        self.metrics.export(Exported::gauges(
            "s3cors_upstream_up",
            "Whether an address of the upstream could be reached when last tried.",
            labels,
            move || upstreams.iter().flat_map(|upstream| upstream.states()).map(row).collect(),
        ))
    }

    /// Only where there is an API to write with.
    fn export_writing(&self) -> Result<(), MetricsError> {
        if self.policy.writing().is_none() {
            return Ok(());
        }
        let policy = Arc::clone(&self.policy);
        self.metrics.export(Exported::gauge(
            "s3cors_rules_api_writable",
            "Whether PutBucketCors and DeleteBucketCors are served: the upstream refuses broken signatures.",
            move || usize::from(policy.writing() == Some(Writing::Allowed)),
        ))
    }
}

/// The rejected origins under the labels that their buckets have.
fn rejected_rows(rejections: &Rejections, metrics: &Metrics) -> Vec<Row> {
    let mut rows = BTreeMap::new();
    for row in rejections.series() {
        *rows.entry(vec![metrics.buckets.shown_as(&row.bucket).to_owned(), row.origin.into()]).or_insert(0) +=
            row.count;
    }
    rows.into_iter().collect()
}
