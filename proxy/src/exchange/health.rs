//! Requests that only ask whether the process is ready: on the listeners that have a path for it, and for no bucket.
//!
//! Decides: which those are. They are neither counted nor logged: a load balancer asks every few seconds, and its 503 during a drain
//! would be an error in every ratio.

use super::head::RequestHead;
use super::peer::ClientPeer;
use super::reply::Reply;
use crate::config::{HealthPath, Listener, listener_of};
use http::StatusCode;
use std::net::SocketAddr;

/// Returns why no requests should be sent here; `None` when they should.
pub type WhyNotReady = Box<dyn Fn() -> Option<&'static str> + Send + Sync>;

/// The health paths of the listeners, and the readiness that is reported there.
pub(super) struct HealthPaths {
    listeners: Vec<(SocketAddr, Option<HealthPath>)>,
    why_not: WhyNotReady,
}

impl HealthPaths {
    /// `None` where no listener has a path.
    pub(super) fn of(listen: &[Listener], why_not: WhyNotReady) -> Option<Self> {
        let listeners: Vec<_> =
            listen.iter().map(|listener| (listener.address, listener.health_path.clone())).collect();
        let has_any = listeners.iter().any(|(_, path)| path.is_some());
        has_any.then_some(Self { listeners, why_not })
    }

    /// The number of the listener at an address.
    pub(super) fn listener_at(&self, local: SocketAddr) -> Option<usize> {
        listener_of(self.listeners.iter().map(|(address, _)| *address), local)
    }

    /// The reply to a request that asks whether the process is ready.
    pub(super) fn reply(&self, head: &impl RequestHead, peer: &ClientPeer) -> Option<Reply> {
        let (_, path) = self.listeners.get(peer.listener?)?;
        if path.as_ref()?.as_str() != head.path() || !matches!(head.method(), "GET" | "HEAD") {
            return None;
        }
        Some(match (self.why_not)() {
            None => Reply::text(StatusCode::OK, "ready"),
            Some(why) => Reply::text(StatusCode::SERVICE_UNAVAILABLE, why),
        })
    }
}
