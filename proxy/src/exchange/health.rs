//! Requests that only ask whether the process is ready: on the listeners that have a path for it, and for no bucket.
//!
//! Decides: which those are. They are neither counted nor logged: a load balancer asks every few seconds, and its 503 during a drain
//! would be an error in every ratio.

use super::head::RequestHead;
use super::{Context, Exchange, Peer, Reply};
use crate::config::{HealthPath, Listener, listener_of};
use http::StatusCode;
use std::net::SocketAddr;

/// Why no requests should be sent here; `None` when they should.
type WhyNot = Box<dyn Fn() -> Option<&'static str> + Send + Sync>;

/// The health paths of the listeners, and what is said there.
pub(super) struct HealthPaths {
    listeners: Vec<(SocketAddr, Option<HealthPath>)>,
    why_not: WhyNot,
}

impl Exchange {
    /// Replies to requests for the listeners' health paths from now on.
    #[must_use]
    pub fn with_health_paths(
        self,
        listen: &[Listener],
        why_not: impl Fn() -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        let listeners: Vec<_> =
            listen.iter().map(|listener| (listener.address, listener.health_path.clone())).collect();
        let has_any = listeners.iter().any(|(_, path)| path.is_some());
        Self { health: has_any.then(|| HealthPaths { listeners, why_not: Box::new(why_not) }), ..self }
    }

    /// A peer that has connected to this address, which says to which listener.
    #[must_use]
    pub fn connected_to(&self, mut peer: Peer, local: impl FnOnce() -> Option<SocketAddr>) -> Peer {
        peer.listener = self.health.as_ref().and_then(|health| {
            let addresses = health.listeners.iter().map(|(address, _)| *address);
            listener_of(addresses, local()?)
        });
        peer
    }

    /// The reply to a request that asks whether the process is ready.
    pub(super) fn health_reply(&self, head: &impl RequestHead, peer: &Peer, ctx: &mut Context) -> Option<Reply> {
        let health = self.health.as_ref()?;
        let (_, path) = health.listeners.get(peer.listener?)?;
        if path.as_ref()?.as_str() != head.path() || !matches!(head.method(), "GET" | "HEAD") {
            return None;
        }
        ctx.is_health_check = true;
        Some(match (health.why_not)() {
            None => Reply::text(StatusCode::OK, "ready"),
            Some(why) => Reply::text(StatusCode::SERVICE_UNAVAILABLE, why),
        })
    }
}
