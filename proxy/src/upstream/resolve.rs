//! Names become addresses in the background; the last good ones stay when a name stops resolving.

use super::targets::{Target, Upstream};
use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often names are asked again: clusters move pods in seconds, and `getaddrinfo` does not tell a record's lifetime.
const INTERVAL: Duration = Duration::from_secs(5);
/// How often while a name has never resolved, and requests fail for it.
const INTERVAL_UNRESOLVED: Duration = Duration::from_secs(1);

/// The time that a name that does not resolve stays unmentioned after it was logged.
const SILENCE: Duration = Duration::from_secs(300);

/// Keeps the addresses of an upstream up to date.
pub struct Resolver {
    upstream: Arc<Upstream>,
    /// The failures of each target, in their order.
    failures: Mutex<Vec<Failures>>,
}

/// The lookups of a name that have failed since it last resolved.
#[derive(Default)]
struct Failures {
    count: u64,
    logged: Option<Instant>,
}

impl Failures {
    /// Counts one more. Returns how many there were, where that is to be logged now.
    fn add(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.logged.is_some_and(|logged| now.saturating_duration_since(logged) < SILENCE) {
            return None;
        }
        self.logged = Some(now);
        Some(self.count)
    }

    /// Ends them. Returns how many there were.
    fn end(&mut self) -> u64 {
        std::mem::take(self).count
    }
}

impl Resolver {
    /// Resolves every name once, before anything is served; a name that does not resolve is logged and asked again later.
    #[must_use]
    pub fn new(upstream: Arc<Upstream>) -> Self {
        let failures = upstream.targets().iter().map(|_| Failures::default()).collect();
        let resolver = Self { upstream, failures: Mutex::new(failures) };
        for (index, target) in resolver.upstream.targets().iter().enumerate() {
            let resolved = (target.url.host(), target.url.port()).to_socket_addrs();
            resolver.take(index, target, resolved.map(Iterator::collect));
        }
        resolver
    }

    /// Asks for every name again.
    async fn refresh(&self, lookup: impl AsyncFn(String, u16) -> std::io::Result<Vec<SocketAddr>>) {
        for (index, target) in self.upstream.targets().iter().enumerate() {
            let resolved = lookup(target.url.host().to_owned(), target.url.port()).await;
            self.take(index, target, resolved);
        }
    }

    fn take(&self, index: usize, target: &Target, resolved: std::io::Result<Vec<SocketAddr>>) {
        let url = target.url.to_string();
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failures) = all.get_mut(index) else { return };
        match resolved.and_then(some) {
            Ok(addresses) => {
                let failed = failures.end();
                if self.upstream.set_addresses(index, addresses.clone()) {
                    tracing::info!(upstream = url, ?addresses, "upstream resolved");
                } else if failed > 0 {
                    tracing::info!(upstream = url, ?addresses, failed, "the upstream's name resolves again");
                }
            }
            Err(error) => {
                let Some(failed) = failures.add(Instant::now()) else { return };
                if target.is_resolved() {
                    tracing::warn!(upstream = url, %error, failed, "the upstream's name no longer resolves; its last addresses stay");
                } else {
                    tracing::error!(upstream = url, %error, failed, "the upstream's name does not resolve; requests get 503 until it does");
                }
            }
        }
    }
}

/// A name without an address is as good as none.
fn some(addresses: Vec<SocketAddr>) -> std::io::Result<Vec<SocketAddr>> {
    if addresses.is_empty() { Err(std::io::Error::other("the name has no address")) } else { Ok(addresses) }
}

async fn ask_system(host: String, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    tokio::net::lookup_host((host, port)).await.map(Iterator::collect)
}

#[async_trait]
impl BackgroundService for Resolver {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            let all_resolved = self.upstream.targets().iter().all(Target::is_resolved);
            let interval = if all_resolved { INTERVAL } else { INTERVAL_UNRESOLVED };
            tokio::select! {
                _ = shutdown.changed() => return,
                () = tokio::time::sleep(interval) => self.refresh(ask_system).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Flags};

    fn resolver() -> Resolver {
        // `.invalid` never resolves (RFC 6761 §6.4), so what is known comes from the test alone.
        let flags = Flags { upstream: vec!["http://store.invalid:9000".parse().unwrap()], ..Flags::default() };
        let config = Config::load(flags).unwrap();
        Resolver::new(Arc::clone(Upstream::each(&config).default_one()))
    }

    fn is_up(resolver: &Resolver) -> bool {
        resolver.upstream.states()[0].is_up
    }

    /// Resolves to these ports of loopback, in this order; `None` is a failure. Returns the ports that four turns come to.
    async fn after(resolver: &Resolver, ports: Option<&[u16]>) -> Vec<u16> {
        let lookup = async |host: String, port: u16| {
            assert_eq!((host.as_str(), port), ("store.invalid", 9000));
            let addresses = ports.map(|ports| ports.iter().map(|port| ([127, 0, 0, 1], *port).into()).collect());
            addresses.ok_or_else(|| std::io::Error::other("no such name"))
        };
        resolver.refresh(lookup).await;
        (0..4).filter_map(|turn| resolver.upstream.peer(turn)).map(|peer| peer.address.port()).collect()
    }

    #[tokio::test]
    async fn a_name_is_followed_and_its_last_good_addresses_stay() {
        let resolver = resolver();
        assert_eq!((after(&resolver, None).await, is_up(&resolver)), (vec![], false));
        assert_eq!((after(&resolver, Some(&[1])).await, is_up(&resolver)), (vec![1, 1, 1, 1], true));
        assert_eq!(after(&resolver, Some(&[3, 2, 3])).await, [2, 3, 2, 3]);
        assert_eq!(after(&resolver, None).await, [2, 3, 2, 3], "a failure changes nothing");
        assert_eq!(after(&resolver, Some(&[])).await, [2, 3, 2, 3], "no address is a failure, too");
        assert_eq!(after(&resolver, Some(&[4])).await, [4, 4, 4, 4]);
    }

    #[test]
    fn a_name_that_does_not_resolve_is_logged_once_and_then_now_and_again() {
        let (mut failures, start) = (Failures::default(), Instant::now());
        let logged: Vec<_> = (0..=600).filter_map(|second| failures.add(start + Duration::from_secs(second))).collect();
        assert_eq!(logged, [1, 301, 601]);
        assert_eq!((failures.end(), failures.end()), (601, 0));
        assert_eq!(failures.add(start + Duration::from_secs(601)), Some(1), "it had resolved in between");
    }

    #[tokio::test]
    async fn what_is_known_about_an_address_outlives_a_change_of_the_others() {
        let resolver = resolver();
        after(&resolver, Some(&[1, 2])).await;
        let first = resolver.upstream.peer(0).unwrap();
        resolver.upstream.unreachable(&first);
        assert!(is_up(&resolver), "the other one is up");
        assert_eq!(after(&resolver, Some(&[1, 3])).await, [3, 3, 3, 3], "1 is still passed over");
        assert_eq!(after(&resolver, Some(&[1])).await, [1, 1, 1, 1], "the only one is used all the same");
        assert!(!is_up(&resolver));
        resolver.upstream.reached(&first);
        assert!(is_up(&resolver));
    }
}
