//! A request's way to a connection with an upstream: at which address it is tried, and what a kept connection that was closed means.
//!
//! Decides: which connection the next attempt gets. Must not know: what is sent on it, and over which protocol the client asked.

use super::pingora::failure::connect_failure_of;
use crate::exchange::{Context, Failure};
use crate::upstream::{Attempts, Pool, Upstreams};
use bytes::Bytes;
use pingora::protocols::Stream;

/// Why an exchange with an upstream did not come to its end.
pub(super) enum Broken {
    /// A kept connection was closed before any byte came back, and the request can be sent again.
    Stale,
    /// No response was begun.
    Failed(Failure, &'static str),
    /// A response was begun: only its broken end can tell the client.
    Cut(Failure, &'static str),
}

impl Broken {
    /// Which failure it is, in the driver's word for it, and whether a response was begun.
    pub(super) const fn parts(&self) -> (Failure, &'static str, bool) {
        match self {
            Self::Stale => (Failure::UpstreamClosed, "ConnectionClosed", false),
            Self::Failed(failure, error) => (*failure, error, false),
            Self::Cut(failure, error) => (*failure, error, true),
        }
    }
}

/// What came of a conversation that did come to its end.
pub(super) struct Outcome {
    /// Whether the connection to the upstream can be used again.
    pub(super) is_reusable: bool,
    /// The head of the upstream's rejection, where the client has no response yet and the request is to be asked again as GET.
    pub(super) rejection: Option<Bytes>,
}

impl Outcome {
    /// The client has its response.
    pub(super) const fn relayed(is_reusable: bool) -> Self {
        Self { is_reusable, rejection: None }
    }
}

/// The attempts of one request.
pub(super) struct Route<'u> {
    upstreams: &'u Upstreams,
    pool: &'u Pool,
    attempts: Attempts,
    may_resend: bool,
    kept_is_tried: bool,
    is_kept: bool,
    /// No address is tried but the current one.
    is_pinned: bool,
}

impl<'u> Route<'u> {
    pub(super) fn new(upstreams: &'u Upstreams, pool: &'u Pool, method: &str) -> Self {
        let (may_resend, attempts) = (Attempts::may_resend(method), Attempts::default());
        Self { upstreams, pool, attempts, may_resend, kept_is_tried: false, is_kept: false, is_pinned: false }
    }

    /// A connection for the next attempt: one address after the other, until one can be connected to.
    pub(super) async fn connect(&mut self, ctx: &mut Context) -> Result<Stream, Broken> {
        loop {
            let next = if self.is_pinned { self.attempts.peer() } else { self.attempts.next(self.upstreams) };
            let Some(peer) = next else {
                return Err(Broken::Failed(Failure::Unresolved, "Unresolved"));
            };
            ctx.sent_upstream(peer.address());
            let kept = if self.kept_is_tried { None } else { self.pool.take(peer) };
            self.is_kept = kept.is_some();
            let connected = match kept {
                Some(upstream) => Ok(upstream),
                None => Box::pin(self.pool.connect(peer)).await,
            };
            match connected {
                Ok(upstream) => return Ok(upstream),
                Err(_) if !self.is_pinned && self.attempts.unreachable(self.upstreams) => {}
                Err(error) => return Err(Broken::Failed(connect_failure_of(&error), "connect")),
            }
        }
    }

    /// Keeps to the address that responded, for all further connections.
    pub(super) const fn pin(&mut self) {
        (self.is_pinned, self.kept_is_tried) = (true, false);
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
        self.attempts.answered(self.upstreams);
    }

    /// The connection can be used again.
    pub(super) fn keep(&self, upstream: Stream) {
        if let Some(peer) = self.attempts.peer() {
            self.pool.keep(peer, upstream);
        }
    }
}
