//! The retry rule: at which address a request is tried, and how often.
//!
//! A connection that could not be made was sent nothing, so the next address may be tried, whatever the method. A kept connection
//! that turned out closed says nothing against its address: the driver tries once more there, where it can send the request again.

use super::peers::{Peer, PeerLease};
use super::targets::Upstream;
use std::sync::Arc;

/// How often an upstream is tried at most: once, once more when a kept connection turned out closed, once more at another address.
pub const MAX_TRIES: usize = 3;

/// The attempts of one request.
#[derive(Default)]
pub struct Attempts {
    /// The request's turn among the upstream's addresses; `None` before the first attempt. It keeps its turn for all attempts: if a second one
    /// took a new turn, requests at the same time would send each other back to an address that is down.
    turn: Option<usize>,
    /// How many addresses could not be connected to.
    unreachable: usize,
    /// The peer that has the request, or had it.
    lease: Option<PeerLease>,
}

impl Attempts {
    /// Attempts at one address.
    #[must_use]
    pub fn at(peer: &Arc<Peer>) -> Self {
        Self { lease: Some(PeerLease::on(peer)), ..Self::default() }
    }

    /// The peer for the next attempt; `None` while no upstream's name has resolved.
    pub fn next(&mut self, upstream: &Upstream) -> Option<&PeerLease> {
        let turn = *self.turn.get_or_insert_with(|| upstream.turn());
        // The last attempt no longer counts against its address.
        self.lease = None;
        self.lease = upstream.peer(turn);
        self.lease.as_ref()
    }

    /// The current peer could not be connected to. Returns whether another address may be tried.
    pub fn unreachable(&mut self, upstream: &Upstream) -> bool {
        if let Some(peer) = &self.lease {
            upstream.unreachable(peer);
        }
        self.turn = self.turn.map(|turn| turn.wrapping_add(1));
        self.unreachable += 1;
        self.unreachable < upstream.len()
    }

    /// Whether a request with this method may be sent again, when a kept connection was closed before any byte came back: the server
    /// may have begun to carry it out (RFC 9110 §9.2.2).
    #[must_use]
    pub fn may_resend(method: &str) -> bool {
        matches!(method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS")
    }

    /// The peer that has the request, or had it.
    #[must_use]
    pub fn peer(&self) -> Option<&PeerLease> {
        self.lease.as_ref()
    }

    /// The current peer responded.
    pub fn answered(&self, upstream: &Upstream) {
        if let Some(peer) = &self.lease {
            upstream.reached(peer);
        }
    }
}
