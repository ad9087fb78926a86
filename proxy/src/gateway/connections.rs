//! The way into the proxy: counts connections, and is where a faster path for plain preflights would branch off.

use super::Gateway;
use super::counted::Counted;
use async_trait::async_trait;
use pingora::apps::ServerApp;
use pingora::protocols::Stream;
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use pingora::server::configuration::ServerConf;
use prometheus::IntGauge;
use std::sync::Arc;

/// Hands connections to Pingora's proxy and counts them while they are open.
pub struct Front {
    proxy: Arc<HttpProxy<Gateway>>,
    open: IntGauge,
}

impl Front {
    /// Puts the gateway on Pingora.
    #[must_use]
    pub fn new(conf: &Arc<ServerConf>, gateway: Gateway) -> Self {
        let open = gateway.metrics.http.connections.clone();
        let mut proxy = HttpProxy::new(gateway, Arc::clone(conf));
        proxy.handle_init_modules();
        Self { proxy: Arc::new(proxy), open }
    }
}

#[async_trait]
impl ServerApp for Front {
    async fn process_new(self: &Arc<Self>, stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let _open = Counted::new(&self.open);
        self.proxy.process_new(stream, shutdown).await
    }

    async fn cleanup(&self) {
        self.proxy.cleanup().await;
    }
}
