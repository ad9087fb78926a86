//! A request on its way: which address it is tried at, and whether it is asked again.

use super::client::{Client, Link};
use super::conversation::{Conversation, NextStep};
use super::request;
use super::route::{ForwardError, Route};
use crate::config::{Config, EachUpstream, Limits, UpstreamIndex};
use crate::drivers::budget::Budget;
use crate::drivers::timer::Timer;
use crate::exchange::{Forward, RequestHead};
use crate::upstream::Destination;
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
    destinations: Arc<EachUpstream<Destination>>,
    limits: Limits,
    bodies: Arc<Budget>,
}

impl Forwarder {
    /// Forwards to these upstreams.
    #[must_use]
    pub fn new(config: &Config, destinations: EachUpstream<Destination>) -> Self {
        let bodies = Arc::new(Budget::new(config.limits.bodies.0));
        Self { destinations: Arc::new(destinations), limits: config.limits, bodies }
    }

    /// The limits on clients.
    pub(in crate::drivers) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The memory for request bodies that are kept whole.
    pub(in crate::drivers) fn bodies(&self) -> &Budget {
        &self.bodies
    }

    /// The upstream with this index.
    pub(super) fn destination(&self, index: UpstreamIndex) -> &Destination {
        self.destinations.get(index)
    }

    /// The way of a request among the addresses of the upstream that it is for now.
    pub(super) fn route<H: RequestHead>(&self, forward: &Forward<H>) -> Route<'_> {
        Route::new(self.destination(forward.upstream()), forward.head().method())
    }

    /// Forwards a request and relays the response, after further questions where the exchange asks them.
    pub(in crate::drivers) async fn forward<H: RequestHead, C: Client>(
        &self,
        forward: &mut Forward<H>,
        client: &mut C,
        timer: &mut Timer,
    ) -> Result<ForwardEnd, ForwardError> {
        let mut route = self.route(forward);
        let mut next = self.ask(&mut route, forward, client, timer, None).await?;
        while let NextStep::Again(head) = next {
            let mut route = self.route(forward);
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
            let most_upload = forward.most_upload();
            let edits = forward.request();
            let is_held = edits.holds_body();
            let head = request::head(&edits, forward.head(), route.authority(), client.framing());
            let link =
                Link { upstream: &mut upstream, timer, timeouts: route.timeouts(), limits: self.limits, most_upload };
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
