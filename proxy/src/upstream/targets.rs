//! An upstream and its peers: which one the next request gets.

use super::balance::choose;
use super::connector::{TLS_EXTRA, milliseconds};
use super::kept::Kept;
use super::peers::{Peer, PeerLease, Security};
use crate::config::{Balance, Config, EachUpstream, NamedUpstream, UpstreamUrl};
use arc_swap::ArcSwap;
use pingora::protocols::ALPN;
use pingora::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};
use pingora::{ErrorType, OrErr};
use rustix::net::sockopt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;

/// All upstreams.
pub type Upstreams = EachUpstream<Arc<Upstream>>;

/// An upstream: the servers that have the same objects.
pub struct Upstream {
    name: Option<Arc<str>>,
    targets: Box<[Target]>,
    /// The peers of all targets; a new list whenever a name resolves to something else.
    peers: ArcSwap<Vec<Arc<Peer>>>,
    balance: Balance,
    turn: AtomicUsize,
    template: Template,
    /// Threads that send requests.
    threads: usize,
    started: Instant,
}

/// One URL of the configuration.
pub(super) struct Target {
    pub(super) url: UpstreamUrl,
    peers: ArcSwap<Vec<Arc<Peer>>>,
}

/// What operators ask about an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamState {
    /// The name of the upstream, where there are several.
    pub name: Option<Arc<str>>,
    /// Its URL, as it was configured.
    pub url: String,
    /// Whether one of its addresses at least can be reached and is healthy.
    pub is_up: bool,
    /// False while no request and no check has said anything about it: then it is only taken to be up.
    pub is_known: bool,
    /// Its addresses.
    pub addresses: Vec<SocketAddr>,
}

/// What all peers have in common.
struct Template {
    server_name: Option<String>,
    verify: bool,
    connect: Duration,
    read: Duration,
    write: Duration,
    idle: Duration,
    user_timeout: u32,
}

impl Upstream {
    /// Takes the configured upstreams. Nothing is resolved yet.
    #[must_use]
    pub fn each(config: &Config) -> Upstreams {
        // The threads that serve clients, and the one that asks whether an upstream refuses broken signatures.
        let threads = config.threads.saturating_add(1);
        config.upstreams.map(|named| Arc::new(Self::new(named, threads)))
    }

    /// Takes one of them, for so many threads that send requests.
    pub(super) fn new(named: &NamedUpstream, threads: usize) -> Self {
        let settings = &named.settings;
        let target = |url: &UpstreamUrl| Target { url: url.clone(), peers: ArcSwap::default() };
        Self {
            name: named.name.clone(),
            targets: settings.urls().iter().map(target).collect(),
            peers: ArcSwap::default(),
            balance: settings.balance,
            turn: AtomicUsize::new(0),
            template: Template {
                server_name: settings.tls.server_name.as_ref().map(|name| name.as_str().to_owned()),
                verify: settings.tls.verify,
                connect: settings.timeouts.connect,
                read: settings.timeouts.read,
                write: settings.timeouts.write,
                idle: settings.keepalive.idle,
                user_timeout: milliseconds(settings.user_timeout()),
            },
            threads,
            started: Instant::now(),
        }
    }

    /// The name, where there are several.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The state of each of its servers.
    #[must_use]
    pub fn states(&self) -> Vec<UpstreamState> {
        self.targets.iter().map(|target| target.state(self.name.clone())).collect()
    }

    /// The turn of the next request.
    #[must_use]
    pub(super) fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// The peer for the request that has this turn; `None` while no name has resolved.
    #[must_use]
    pub(super) fn peer(&self, turn: usize) -> Option<PeerLease> {
        choose(&self.peers.load(), self.balance, turn, || self.now()).map(PeerLease::on)
    }

    /// How many peers there are.
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
            let (upstream, address) = (self.url_of(peer), peer.address);
            tracing::warn!(upstream, %address, "the address cannot be connected to; it is passed over for a while");
        }
    }

    /// A peer answered.
    pub fn reached(&self, peer: &Peer) {
        if peer.reached() {
            let (upstream, address) = (self.url_of(peer), peer.address);
            tracing::info!(upstream, %address, "the address answers again");
        }
    }

    /// A peer was checked; the error says why it failed.
    pub(super) fn checked(&self, peer: &Peer, outcome: Result<(), String>) {
        let (upstream, address) = (self.url_of(peer), peer.address);
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
    }

    /// Every peer.
    #[must_use]
    pub fn all_peers(&self) -> Vec<Arc<Peer>> {
        self.peers.load().to_vec()
    }

    /// Does something with every peer.
    pub(super) fn for_each_peer(&self, act: impl Fn(&Peer)) {
        self.peers.load().iter().for_each(|peer| act(peer));
    }

    pub(super) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Takes the addresses that a target's name resolved to; `true` when they have changed. What is known about an address that
    /// stays is kept.
    pub(super) fn set_addresses(&self, target: usize, mut addresses: Vec<SocketAddr>) -> bool {
        let Some(resolved) = self.targets.get(target) else { return false };
        // Resolvers shuffle: another order is no change.
        addresses.sort_unstable();
        addresses.dedup();
        let before = resolved.peers.load_full();
        if addresses.is_empty() || before.iter().map(|peer| &peer.address).eq(&addresses) {
            return false;
        }
        let authority: Arc<str> = resolved.url.authority().into();
        let peer = |address: &SocketAddr| {
            let known = before.iter().find(|peer| peer.address == *address).cloned();
            known.unwrap_or_else(|| {
                let http = self.template.peer(&resolved.url, *address);
                let security = self.template.security(&resolved.url);
                let kept = Kept::new(self.threads);
                Arc::new(Peer::new(http, security, Arc::clone(&authority), *address, target, kept))
            })
        };
        resolved.peers.store(Arc::new(addresses.iter().map(peer).collect()));
        let all = self.targets.iter().flat_map(|target| target.peers().iter().cloned().collect::<Vec<_>>());
        self.peers.store(Arc::new(all.collect()));
        true
    }

    /// A peer like this target's own, for checks, which set the address themselves.
    pub(super) fn peer_template(&self, target: &Target) -> HttpPeer {
        self.template.peer(&target.url, SocketAddr::from(([0; 4], target.url.port())))
    }

    fn url_of(&self, peer: &Peer) -> String {
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

    fn state(&self, name: Option<Arc<str>>) -> UpstreamState {
        let peers = self.peers.load();
        UpstreamState {
            name,
            url: self.url.to_string(),
            is_up: peers.iter().any(|peer| peer.is_healthy() && peer.is_reachable()),
            is_known: peers.is_empty() || peers.iter().any(|peer| peer.is_known()),
            addresses: peers.iter().map(|peer| peer.address).collect(),
        }
    }
}

impl Template {
    /// The name that is verified. With rustls an empty one never is; a host that is an address is its own name.
    fn name<'n>(&'n self, url: &'n UpstreamUrl) -> &'n str {
        self.server_name.as_deref().unwrap_or_else(|| url.host())
    }

    fn security(&self, url: &UpstreamUrl) -> Security {
        if url.is_tls() { Security::tls(self.name(url)) } else { Security::Plain }
    }

    /// A peer is made from an address, never from a name: `HttpPeer::new` resolves a name on the request's thread, and panics when
    /// it does not resolve (pingora issues 570, 920).
    fn peer(&self, url: &UpstreamUrl, address: SocketAddr) -> HttpPeer {
        let mut peer = HttpPeer::new(address, url.is_tls(), self.name(url).to_owned());
        let options = &mut peer.options;
        options.verify_cert = self.verify;
        options.verify_hostname = self.verify;
        options.connection_timeout = Some(self.connect);
        options.total_connection_timeout = Some(self.connect + TLS_EXTRA);
        options.read_timeout = Some(self.read);
        options.write_timeout = Some(self.write);
        options.idle_timeout = Some(self.idle);
        options.alpn = ALPN::H1;
        let user_timeout = self.user_timeout;
        options.upstream_tcp_sock_tweak_hook = Some(Arc::new(move |socket: &TcpSocket| {
            sockopt::set_tcp_user_timeout(socket, user_timeout).or_err(ErrorType::SocketError, "TCP_USER_TIMEOUT")
        }));
        // S3 has no protocol to upgrade to; a tunnel would be a way past every check.
        options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        peer
    }
}
