//! Names become addresses in the background; the last good ones stay when a name stops resolving.

use super::target::{Target, Upstreams};
use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::Duration;

/// How often names are asked again: clusters move pods in seconds, and `getaddrinfo` does not tell a record's lifetime.
const INTERVAL: Duration = Duration::from_secs(5);
/// How often while a name has never resolved, and requests fail for it.
const INTERVAL_UNRESOLVED: Duration = Duration::from_secs(1);

/// Keeps the addresses of the upstreams up to date.
pub struct Resolver(Arc<Upstreams>);

impl Resolver {
    /// Resolves every name once, before anything is served; a name that does not resolve is logged and asked again later.
    #[must_use]
    pub fn new(upstreams: Arc<Upstreams>) -> Self {
        for target in upstreams.targets() {
            let resolved = (target.url.host(), target.url.port()).to_socket_addrs();
            take(&upstreams, target, resolved.map(Iterator::collect));
        }
        Self(upstreams)
    }

    async fn refresh(&self) {
        for target in self.0.targets() {
            let resolved = tokio::net::lookup_host((target.url.host(), target.url.port())).await;
            take(&self.0, target, resolved.map(Iterator::collect));
        }
    }
}

fn take(upstreams: &Upstreams, target: &Target, resolved: std::io::Result<Vec<std::net::SocketAddr>>) {
    let upstream = target.url.to_string();
    match resolved {
        Ok(addresses) => {
            if upstreams.set_addresses(target, addresses.clone()) {
                tracing::info!(upstream, ?addresses, "upstream resolved");
            }
        }
        Err(error) if target.is_resolved() => {
            tracing::warn!(upstream, %error, "the upstream's name does not resolve any more; its last addresses stay");
        }
        Err(error) => {
            tracing::error!(upstream, %error, "the upstream's name does not resolve; requests get 503 until it does");
        }
    }
}

#[async_trait]
impl BackgroundService for Resolver {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            let all_resolved = self.0.targets().iter().all(Target::is_resolved);
            let interval = if all_resolved { INTERVAL } else { INTERVAL_UNRESOLVED };
            tokio::select! {
                _ = shutdown.changed() => return,
                () = tokio::time::sleep(interval) => self.refresh().await,
            }
        }
    }
}
