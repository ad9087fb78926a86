//! A request on its way: which address it is tried at, and whether it is asked again.

use super::client::{Client, Link};
use super::conversation::{Conversation, NextStep};
use super::request;
use super::route::{ForwardError, Route};
use crate::config::{Config, Limits, Timeouts};
use crate::drivers::budget::Budget;
use crate::drivers::timer::Timer;
use crate::exchange::{Forward, RequestHead};
use crate::upstream::{Peer, Pool, Upstreams};
use bytes::Bytes;
use std::sync::Arc;

/// The end of a request that went to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::drivers) enum ForwardEnd {
    /// The client has the response.
    Relayed,
    /// The client gets a reply of the exchange's in place of the response.
    Reply,
}

/// Forwards requests to the upstreams. One for all drivers.
#[derive(Clone)]
pub struct Forwarder {
    upstreams: Arc<Upstreams>,
    pool: Arc<Pool>,
    limits: Limits,
    timeouts: Timeouts,
    bodies: Arc<Budget>,
}

impl Forwarder {
    /// Forwards to these upstreams.
    #[must_use]
    pub fn new(config: &Config, upstreams: Arc<Upstreams>, pool: Arc<Pool>) -> Self {
        let bodies = Arc::new(Budget::new(config.limits.bodies.0));
        Self { upstreams, pool, limits: config.limits, timeouts: config.upstream.timeouts, bodies }
    }

    /// The limits on clients.
    pub(in crate::drivers) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The memory for request bodies that are kept whole.
    pub(in crate::drivers) fn bodies(&self) -> &Budget {
        &self.bodies
    }

    pub(super) fn upstreams(&self) -> &Upstreams {
        &self.upstreams
    }

    /// The way of a request among the upstreams.
    pub(super) fn route(&self, method: &str) -> Route<'_> {
        Route::new(&self.upstreams, &self.pool, method)
    }

    /// The way to one address only.
    pub(super) fn route_to(&self, peer: &Arc<Peer>, method: &str) -> Route<'_> {
        Route::to(&self.upstreams, &self.pool, peer, method)
    }

    /// Forwards a request and relays the response, after further questions where the exchange asks them.
    pub(in crate::drivers) async fn forward<H: RequestHead, C: Client>(
        &self,
        forward: &mut Forward<H>,
        client: &mut C,
        timer: &mut Timer,
    ) -> Result<ForwardEnd, ForwardError> {
        let mut route = self.route(forward.head().method());
        let mut next = self.ask(&mut route, forward, client, timer, None).await?;
        while let NextStep::Again(head) = next {
            let mut route = self.route(forward.head().method());
            next = Box::pin(self.ask(&mut route, forward, client, timer, Some(&head))).await?;
        }
        Ok(if matches!(next, NextStep::Reply) { ForwardEnd::Reply } else { ForwardEnd::Relayed })
    }

    /// Tries one address after the other, and a kept connection that turned out closed once more.
    pub(super) async fn ask<H: RequestHead, C: Client>(
        &self,
        route: &mut Route<'_>,
        forward: &mut Forward<H>,
        client: &mut C,
        timer: &mut Timer,
        first: Option<&Bytes>,
    ) -> Result<NextStep, ForwardError> {
        loop {
            let mut upstream = route.connect(forward, client.share()).await?;
            let edits = forward.request();
            let is_held = edits.holds_body();
            let head = request::head(&edits, forward.head(), route.authority(), client.framing());
            let link = Link { upstream: &mut upstream, timer, timeouts: self.timeouts, limits: self.limits };
            let mut conversation = Conversation { forward, client, link, route, is_held };
            match conversation.run(head, first).await {
                Err(ForwardError::Stale) if route.may_be_stale() => route.mark_stale(),
                Err(error) => return Err(error),
                Ok(outcome) => {
                    if outcome.is_reusable {
                        route.keep(upstream, outcome.patience);
                    }
                    return Ok(outcome.next);
                }
            }
        }
    }
}
