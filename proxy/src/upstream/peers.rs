//! One address of an upstream: what is known about it, and how many requests it has.

use super::kept::Kept;
use pingora::upstreams::peer::HttpPeer;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How long an address that could not be connected to is passed over, in milliseconds: as long as names are kept, so that a pod that
/// is gone costs one request a connect timeout, not every one.
pub(super) const PASS_OVER: u64 = 5_000;
/// How many checks in a row must fail: one may be lost to a garbage collector's pause or to a lost packet.
const FAILURES: usize = 2;
/// No request has tried to connect to the address yet. Moments begin after it.
const UNTRIED: u64 = 1;
/// The last request could connect to it.
const REACHED: u64 = 0;

/// An address that requests can be sent to. Its state is atomic, because every request reads it.
pub struct Peer {
    http: HttpPeer,
    pub(super) security: Security,
    /// The upstream's own `Host`.
    authority: Arc<str>,
    pub(super) address: SocketAddr,
    /// Which of the configured URLs it belongs to.
    pub(super) target: usize,
    in_flight: AtomicUsize,
    /// Checks that failed since the last that did not.
    failed_checks: AtomicUsize,
    /// Until when it is passed over, in milliseconds since the start; [`REACHED`] and [`UNTRIED`] are no such moments.
    passed_over_until: AtomicU64,
    kept: Kept,
}

impl Peer {
    pub(super) fn new(
        http: HttpPeer,
        security: Security,
        authority: Arc<str>,
        address: SocketAddr,
        target: usize,
        kept: Kept,
    ) -> Self {
        let (in_flight, failed_checks) = Default::default();
        let passed_over_until = AtomicU64::new(UNTRIED);
        Self { http, security, authority, address, target, in_flight, failed_checks, passed_over_until, kept }
    }

    /// The `Host` of the upstream's URL, for a request that has none.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The address itself.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections to this address that can be used again.
    pub(super) const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// The peer as Pingora's driver has it.
    #[must_use]
    pub fn http(&self) -> &HttpPeer {
        &self.http
    }

    /// Requests that it has been given and that have not ended.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether its checks say that it is well; without checks it always is.
    pub(super) fn is_healthy(&self) -> bool {
        self.failed_checks.load(Ordering::Relaxed) < FAILURES
    }

    /// False after a request could not connect to it.
    pub(super) fn is_reachable(&self) -> bool {
        self.passed_over_until.load(Ordering::Relaxed) <= UNTRIED
    }

    /// True once it has answered or failed: until then no one knows whether it is there.
    pub(super) fn is_known(&self) -> bool {
        self.passed_over_until.load(Ordering::Relaxed) != UNTRIED || !self.is_healthy()
    }

    /// Whether this request is the one to try it again: once its time is over one request does, while the others still pass it over.
    /// If all of them tried, each would wait for the connect timeout. `now` is only asked for where an address is passed over.
    pub(super) fn takes_a_trial(&self, now: impl FnOnce() -> u64) -> bool {
        let until = self.passed_over_until.load(Ordering::Relaxed);
        if until <= UNTRIED {
            return false;
        }
        let now = now();
        let next = now.saturating_add(PASS_OVER);
        until <= now
            && self.passed_over_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// It could not be connected to; `true` when that is new.
    pub(super) fn pass_over(&self, now: u64) -> bool {
        self.passed_over_until.swap(now.saturating_add(PASS_OVER), Ordering::Relaxed) <= UNTRIED
    }

    /// It could be reached; `true` when that is new. Read first, because every answer comes by here.
    pub(super) fn reached(&self) -> bool {
        let was_reached = self.passed_over_until.load(Ordering::Relaxed) == REACHED;
        !was_reached && self.passed_over_until.swap(REACHED, Ordering::Relaxed) > UNTRIED
    }

    /// It passed a check; `true` when it was unhealthy.
    pub(super) fn passed_check(&self) -> bool {
        self.failed_checks.swap(0, Ordering::Relaxed) >= FAILURES
    }

    /// It failed a check; `true` when that makes it unhealthy.
    pub(super) fn failed_check(&self) -> bool {
        self.failed_checks.fetch_add(1, Ordering::Relaxed) + 1 == FAILURES
    }
}

/// The way in which connections to an address are secured.
pub(super) enum Security {
    Plain,
    /// TLS, with a server that has this name.
    Tls(ServerName<'static>),
    /// TLS with a host that no certificate can be issued for.
    Unnamed,
}

impl Security {
    /// TLS with a server of this name: a host name or an address.
    pub(super) fn tls(name: &str) -> Self {
        ServerName::try_from(name.to_owned()).map_or(Self::Unnamed, Self::Tls)
    }
}

/// The peer that a request was given: it counts as one in flight for as long as this lives.
pub struct PeerLease(Arc<Peer>);

impl PeerLease {
    pub(super) fn on(peer: &Arc<Peer>) -> Self {
        peer.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(peer))
    }
}

impl Deref for PeerLease {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl Drop for PeerLease {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
