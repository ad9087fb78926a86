//! The upstreams and their peers: which one the next request gets.

use crate::config::{Config, UpstreamUrl};
use arc_swap::ArcSwap;
use pingora::protocols::ALPN;
use pingora::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};
use prometheus::IntGauge;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// All upstreams.
pub struct Upstreams {
    targets: Box<[Target]>,
    /// The peers of all targets, in turn; a new list whenever a name resolves to something else.
    peers: ArcSwap<Vec<Peer>>,
    turn: AtomicUsize,
    template: Template,
}

/// One URL of the configuration.
pub(super) struct Target {
    pub(super) url: UpstreamUrl,
    up: IntGauge,
    addresses: ArcSwap<Vec<SocketAddr>>,
}

/// An address that requests can be sent to.
#[derive(Clone)]
pub struct Peer {
    /// What the connection is made from.
    pub http: HttpPeer,
    /// 1 when it could be reached, 0 when not.
    pub up: IntGauge,
}

/// What all peers have in common.
struct Template {
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
            |url: &UpstreamUrl| Target { url: url.clone(), up: up(&url.to_string()), addresses: ArcSwap::default() };
        Self {
            targets: config.upstreams.iter().map(target).collect(),
            peers: ArcSwap::default(),
            turn: AtomicUsize::new(0),
            template: Template {
                connect: config.timeouts.connect,
                read: config.timeouts.read,
                write: config.timeouts.write,
                idle: config.keepalive.idle,
            },
        }
    }

    /// The turn of the next request. It keeps its turn for all its tries: were a second try to take a new one, requests at the
    /// same time would send each other back to an address that is down.
    #[must_use]
    pub fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// The peer whose turn it is; `None` while no name has resolved.
    #[must_use]
    pub fn peer(&self, turn: usize) -> Option<Peer> {
        let peers = self.peers.load();
        peers.get(turn.checked_rem(peers.len())?).cloned()
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

    pub(super) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Takes what a target's name resolved to; `true` when it is something else than before.
    pub(super) fn set_addresses(&self, target: &Target, mut addresses: Vec<SocketAddr>) -> bool {
        // Resolvers shuffle; another order is no change.
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() || **target.addresses.load() == addresses {
            return false;
        }
        target.up.set(1);
        target.addresses.store(Arc::new(addresses));
        let peers = self.targets.iter().flat_map(|target| self.peers_of(target)).collect();
        self.peers.store(Arc::new(peers));
        true
    }

    fn peers_of(&self, target: &Target) -> Vec<Peer> {
        let addresses = target.addresses.load();
        addresses
            .iter()
            .map(|address| Peer { http: self.template.peer(&target.url, *address), up: target.up.clone() })
            .collect()
    }
}

impl Target {
    pub(super) fn is_resolved(&self) -> bool {
        !self.addresses.load().is_empty()
    }
}

impl Template {
    /// A peer is made from an address, never from a name: `HttpPeer::new` would resolve a name on the request's thread and panic
    /// when it does not resolve (pingora issues 570, 920).
    fn peer(&self, url: &UpstreamUrl, address: SocketAddr) -> HttpPeer {
        // With rustls an empty SNI never verifies; a host that is an address is its own name.
        let mut peer = HttpPeer::new(address, url.is_tls(), url.host().to_owned());
        let options = &mut peer.options;
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
