//! A request's way to a connection with an upstream: at which address it is tried, and what a kept connection that was closed means.
//!
//! Decides: which connection the next attempt gets. Must not know: what is sent on it, and over which protocol the client asked.

use super::tls_fault::fault_of;
use crate::config::Timeouts;
use crate::exchange::{Failure, Forward, RequestHead};
use crate::upstream::{Attempts, ConnectError, Connection, Destination, Peer, Pool, Share, Upstream};
use std::sync::Arc;
use std::time::Duration;

/// The reason why an exchange with an upstream did not come to its end.
#[derive(Clone, Copy, Debug)]
pub(in crate::drivers) enum ForwardError {
    /// A kept connection was closed before any byte came back, and the request can be sent again.
    Stale,
    /// No response was begun.
    Failed(Failure),
    /// A response was begun: only its broken end can tell the client.
    Cut(Failure),
}

impl ForwardError {
    /// Returns the failure, and whether a response was begun.
    pub(in crate::drivers) const fn parts(self) -> (Failure, bool) {
        match self {
            Self::Stale => (Failure::UpstreamClosed, false),
            Self::Failed(failure) => (failure, false),
            Self::Cut(failure) => (failure, true),
        }
    }
}

/// The attempts of one request.
pub(super) struct Route<'u> {
    upstream: &'u Upstream,
    pool: &'u Pool,
    timeouts: Timeouts,
    attempts: Attempts,
    may_resend: bool,
    kept_is_tried: bool,
    is_kept: bool,
    /// No address is tried but the current one.
    is_pinned: bool,
}

impl<'u> Route<'u> {
    pub(super) fn new(to: &'u Destination, method: &str) -> Self {
        let (may_resend, attempts) = (Attempts::may_resend(method), Attempts::default());
        let Destination { upstream, pool, timeouts } = to;
        Self {
            upstream,
            pool,
            timeouts: *timeouts,
            attempts,
            may_resend,
            kept_is_tried: false,
            is_kept: false,
            is_pinned: false,
        }
    }

    /// A way to one address, and to no other.
    pub(super) fn at(peer: &Arc<Peer>, of: &'u Destination, method: &str) -> Self {
        Self { attempts: Attempts::at(peer), is_pinned: true, ..Self::new(of, method) }
    }

    /// A connection for the next attempt: one address after the other, until one can be connected to.
    pub(super) async fn connect(
        &mut self,
        request: &mut Forward<impl RequestHead>,
        share: Option<&Share>,
    ) -> Result<Connection, ForwardError> {
        let admitted = self.pool.admit(share).await;
        let permit = admitted.ok_or(ForwardError::Failed(Failure::Busy))?;
        loop {
            let next = if self.is_pinned { self.attempts.peer() } else { self.attempts.next(self.upstream) };
            let Some(peer) = next else {
                return Err(ForwardError::Failed(Failure::Unresolved));
            };
            request.connecting(peer.address());
            let kept = if self.kept_is_tried { None } else { self.pool.take(peer) };
            self.is_kept = kept.is_some();
            let connected = match kept {
                Some(upstream) => Ok(upstream),
                None => Box::pin(self.pool.connect(peer)).await,
            };
            match connected {
                Ok(upstream) => return Ok(upstream.held_by(permit)),
                // It says nothing about the address.
                Err(ConnectError::NoDescriptor) => return Err(ForwardError::Failed(Failure::Busy)),
                Err(_) if !self.is_pinned && self.attempts.unreachable(self.upstream) => {}
                Err(error) => return Err(ForwardError::Failed(failure_of(&error))),
            }
        }
    }

    /// Keeps to the address that responded, for all further connections.
    pub(super) const fn pin(&mut self) {
        (self.is_pinned, self.kept_is_tried) = (true, false);
    }

    /// The longest time of each step.
    pub(super) const fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// The `Host` of the upstream's own URL.
    pub(super) fn authority(&self) -> &str {
        self.attempts.peer().map_or("", |peer| peer.authority())
    }

    /// Whether the connection was kept, and the request may be sent again should it turn out closed.
    pub(super) const fn may_be_stale(&self) -> bool {
        self.is_kept && self.may_resend
    }

    /// The kept connection was closed: the next attempt is the last, and on a new one.
    pub(super) const fn mark_stale(&mut self) {
        (self.may_resend, self.kept_is_tried) = (false, true);
    }

    /// The upstream responded.
    pub(super) fn answered(&self) {
        self.attempts.answered(self.upstream);
    }

    /// The upstream acknowledges nothing any more: no request is to wait for what else was connected to it.
    pub(super) fn vanished(&self) {
        if let Some(peer) = self.attempts.peer() {
            self.pool.forget(peer);
            self.upstream.unreachable(peer);
        }
    }

    /// The connection can be used again; `patience` is how long the upstream keeps it, where it says so.
    pub(super) fn keep(&self, upstream: Connection, patience: Option<Duration>) {
        if let Some(peer) = self.attempts.peer() {
            self.pool.keep(peer, upstream, patience);
        }
    }
}

const fn failure_of(error: &ConnectError) -> Failure {
    match error {
        ConnectError::TimedOut => Failure::ConnectTimeout,
        ConnectError::Unreachable(_) => Failure::Unreachable,
        ConnectError::NoDescriptor => Failure::Busy,
        ConnectError::Tls(error) => Failure::UpstreamTls(fault_of(error.as_ref())),
    }
}
