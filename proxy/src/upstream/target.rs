//! The upstreams and their peers: which one the next request gets.

use super::balance::choose;
use super::peer::{InFlight, Peer};
use crate::config::{Balance, Config, UpstreamUrl};
use arc_swap::ArcSwap;
use pingora::protocols::ALPN;
use pingora::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};
use prometheus::IntGauge;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// All upstreams.
pub struct Upstreams {
    targets: Box<[Target]>,
    /// The peers of all targets; a new list whenever a name resolves to something else.
    peers: ArcSwap<Vec<Arc<Peer>>>,
    balance: Balance,
    turn: AtomicUsize,
    template: Template,
    started: Instant,
}

/// One URL of the configuration.
pub(super) struct Target {
    pub(super) url: UpstreamUrl,
    /// 1 while one of its addresses at least can be reached and is healthy.
    up: IntGauge,
    peers: ArcSwap<Vec<Arc<Peer>>>,
}

/// What all peers have in common.
struct Template {
    server_name: Option<String>,
    verify: bool,
    connect: Duration,
    read: Duration,
    write: Duration,
    idle: Duration,
}

impl Upstreams {
    /// Takes the configured upstreams; `up` gives the gauge of one. Nothing is resolved yet.
    #[must_use]
    pub fn new(config: &Config, up: impl Fn(&str) -> IntGauge) -> Self {
        let target =
            |url: &UpstreamUrl| Target { url: url.clone(), up: up(&url.to_string()), peers: ArcSwap::default() };
        Self {
            targets: config.upstreams.iter().map(target).collect(),
            peers: ArcSwap::default(),
            balance: config.balance,
            turn: AtomicUsize::new(0),
            template: Template {
                server_name: config.upstream_tls.server_name.as_ref().map(|name| name.as_str().to_owned()),
                verify: config.upstream_tls.verify,
                connect: config.timeouts.connect,
                read: config.timeouts.read,
                write: config.timeouts.write,
                idle: config.keepalive.idle,
            },
            started: Instant::now(),
        }
    }

    /// The turn of the next request. It keeps its turn for all its tries: were a second try to take a new one, requests at the
    /// same time would send each other back to an address that is down.
    #[must_use]
    pub fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// The peer for the request that has this turn; `None` while no name has resolved.
    #[must_use]
    pub fn peer(&self, turn: usize) -> Option<InFlight> {
        choose(&self.peers.load(), self.balance, turn, self.now()).map(InFlight::on)
    }

    /// How many peers there are: how often a failed connection may be tried elsewhere.
    #[must_use]
    pub fn len(&self) -> usize {
        self.peers.load().len()
    }

    /// Whether no name has resolved yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A peer could not be connected to: others are preferred for a while.
    pub fn unreachable(&self, peer: &Peer) {
        if peer.pass_over(self.now()) {
            let (upstream, address) = (self.name(peer), peer.address);
            tracing::warn!(upstream, %address, "the address can not be connected to; it is passed over for a while");
        }
        self.tell(peer);
    }

    /// A peer answered.
    pub fn reached(&self, peer: &Peer) {
        let is_new = peer.reached();
        if is_new {
            let (upstream, address) = (self.name(peer), peer.address);
            tracing::info!(upstream, %address, "the address answers again");
        }
        // The gauge is looked at, too: two who tell at the same time may have left it behind.
        if is_new || self.targets.get(peer.target).is_some_and(|target| target.up.get() == 0) {
            self.tell(peer);
        }
    }

    /// A peer was checked; the error says why it failed.
    pub(super) fn checked(&self, peer: &Peer, outcome: Result<(), String>) {
        let (upstream, address) = (self.name(peer), peer.address);
        match outcome {
            Ok(()) => {
                peer.reached();
                if peer.passed_check() {
                    tracing::info!(upstream, %address, "the address is healthy again");
                }
            }
            Err(error) => {
                if peer.failed_check() {
                    tracing::warn!(upstream, %address, error, "the address is unhealthy");
                }
            }
        }
        self.tell(peer);
    }

    pub(super) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Takes what a target's name resolved to; `true` when it is something else than before. What is known about an address that
    /// stays is kept.
    pub(super) fn set_addresses(&self, target: usize, mut addresses: Vec<SocketAddr>) -> bool {
        let Some(resolved) = self.targets.get(target) else { return false };
        // Resolvers shuffle; another order is no change.
        addresses.sort_unstable();
        addresses.dedup();
        let before = resolved.peers.load_full();
        if addresses.is_empty() || before.iter().map(|peer| &peer.address).eq(&addresses) {
            return false;
        }
        let peer = |address: &SocketAddr| {
            let known = before.iter().find(|peer| peer.address == *address).cloned();
            known.unwrap_or_else(|| Arc::new(Peer::new(self.template.peer(&resolved.url, *address), *address, target)))
        };
        resolved.peers.store(Arc::new(addresses.iter().map(peer).collect()));
        resolved.tell();
        let all = self.targets.iter().flat_map(|target| target.peers().iter().cloned().collect::<Vec<_>>());
        self.peers.store(Arc::new(all.collect()));
        true
    }

    /// A peer as this target's are, for checks, which put the address in themselves.
    pub(super) fn peer_template(&self, target: &Target) -> HttpPeer {
        self.template.peer(&target.url, SocketAddr::from(([0; 4], target.url.port())))
    }

    fn tell(&self, peer: &Peer) {
        if let Some(target) = self.targets.get(peer.target) {
            target.tell();
        }
    }

    fn name(&self, peer: &Peer) -> String {
        self.targets.get(peer.target).map(|target| target.url.to_string()).unwrap_or_default()
    }

    /// Milliseconds since the start, from 1: 0 means never.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }
}

impl Target {
    pub(super) fn is_resolved(&self) -> bool {
        !self.peers.load().is_empty()
    }

    pub(super) fn peers(&self) -> Arc<Vec<Arc<Peer>>> {
        self.peers.load_full()
    }

    fn tell(&self) {
        self.up.set(self.peers.load().iter().any(|peer| peer.is_healthy() && peer.is_reachable()).into());
    }
}

impl Template {
    /// A peer is made from an address, never from a name: `HttpPeer::new` would resolve a name on the request's thread and panic
    /// when it does not resolve (pingora issues 570, 920).
    fn peer(&self, url: &UpstreamUrl, address: SocketAddr) -> HttpPeer {
        // With rustls an empty SNI never verifies; a host that is an address is its own name.
        let name = self.server_name.as_deref().unwrap_or_else(|| url.host());
        let mut peer = HttpPeer::new(address, url.is_tls(), name.to_owned());
        let options = &mut peer.options;
        options.verify_cert = self.verify;
        options.verify_hostname = self.verify;
        options.connection_timeout = Some(self.connect);
        options.total_connection_timeout = Some(self.connect + Duration::from_secs(2));
        options.read_timeout = Some(self.read);
        options.write_timeout = Some(self.write);
        options.idle_timeout = Some(self.idle);
        options.alpn = ALPN::H1;
        // S3 has no protocol to upgrade to; a tunnel would be a way past every check.
        options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        peer
    }
}
