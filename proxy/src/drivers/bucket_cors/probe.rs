//! Asks each address of the upstreams now and then whether it refuses a broken signature.

use super::ask::conversation;
use crate::config::Timeouts;
use crate::exchange::{Confirmed, Exchange, ForgedRequest, Response, Writing};
use crate::upstream::{Peer, Pool, Upstreams};
use async_trait::async_trait;
use bytes::BytesMut;
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
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) timeouts: Timeouts,
}

impl Probe {
    /// Asks each address once.
    async fn pass(&self) {
        let forged = self.exchange.forged_request();
        let mut responses = Vec::new();
        for peer in self.upstreams.all_peers() {
            // An address that does not respond says nothing: requests do not reach it either.
            if let Ok(Some(response)) = tokio::time::timeout(LIMIT, self.ask(&peer, &forged)).await {
                responses.push(response);
            }
        }
        self.exchange.probed(&responses);
        let unclear = responses.iter().filter(|response| Confirmed::of(response) == Confirmed::Unclear);
        tracing::debug!(asked = responses.len(), unclear = unclear.count(), "sent requests with a broken signature");
    }

    async fn ask(&self, peer: &Peer, forged: &ForgedRequest) -> Option<Response> {
        let host = self.exchange.upstream_host_name().unwrap_or(peer.authority());
        let mut head = BytesMut::new();
        for part in ["PUT ", &forged.target, " HTTP/1.1\r\nhost: ", host, "\r\n"] {
            head.extend_from_slice(part.as_bytes());
        }
        for (name, value) in &forged.lines {
            for part in [name, ": ", value, "\r\n"] {
                head.extend_from_slice(part.as_bytes());
            }
        }
        head.extend_from_slice(b"\r\n");
        let mut upstream = self.pool.connect(peer).await.ok()?;
        let (response, is_reusable) = conversation(&mut upstream, &head, &[], &self.timeouts).await.ok()?;
        if is_reusable {
            self.pool.keep(peer, upstream);
        }
        Some(response)
    }
}

#[async_trait]
impl BackgroundService for Probe {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            self.pass().await;
            let wait = match self.exchange.writing() {
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
