//! Asks each address of the upstreams now and then whether it refuses a broken signature.

use super::forward::Forwarder;
use crate::config::UpstreamIndex;
use crate::exchange::{Confirmed, Policy, SignatureCheck, Writing};
use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use std::sync::Arc;
use std::time::Duration;

/// From one time to the next, once it is known.
const INTERVAL: Duration = Duration::from_secs(60);
/// The same while no address has said anything.
const RETRY: Duration = Duration::from_secs(1);
/// How long one address may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Asks the upstreams.
pub(crate) struct Probe {
    pub(crate) policy: Arc<Policy>,
    pub(crate) forwarder: Forwarder,
}

impl Probe {
    /// Asks each address of an upstream once.
    async fn pass(&self, index: UpstreamIndex, check: &SignatureCheck) {
        let mut responses = Vec::new();
        let of = self.forwarder.destination(index);
        for peer in of.upstream.all_peers() {
            let Some(mut forged) = self.policy.forge(index) else { return };
            // An address that does not respond says nothing: requests do not reach it either.
            let response = tokio::time::timeout(LIMIT, self.forwarder.question_at((of, &peer), &mut forged)).await;
            responses.extend(response.ok().and_then(Result::ok));
        }
        check.probed(&responses);
        let unclear = responses.iter().filter(|response| Confirmed::of(response) == Confirmed::Unclear);
        tracing::debug!(asked = responses.len(), unclear = unclear.count(), "sent requests with a broken signature");
    }
}

#[async_trait]
impl BackgroundService for Probe {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let Some(checks) = self.policy.signature_checks() else { return };
        loop {
            for (index, check) in checks.indexed() {
                self.pass(index, check).await;
            }
            let wait = match self.policy.writing() {
                Some(Writing::Unproven) => RETRY,
                // Not all processes of a fleet at the same moment.
                _ => INTERVAL.mul_f64(fastrand::f64().mul_add(0.2, 0.9)),
            };
            tokio::select! {
                _ = shutdown.changed() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
