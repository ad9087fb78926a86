//! Active health checks: every address is checked at an interval, whether requests come or not.
//!
//! The checks are pingora-load-balancing's. Their results are kept here, beside what requests find out about an address: the
//! library's registry would be a second list of addresses with a state of its own, and would log a second line.

use super::peers::Peer;
use super::targets::{Target, Upstream};
use crate::config::{CheckPath, HealthCheck};
use async_trait::async_trait;
use pingora::ErrorType::CustomCode;
use pingora::connectors::{ConnectorOptions, TransportConnector, http::Connector};
use pingora::http::RequestHeader;
use pingora::lb::health_check::{HealthCheck as Check, HttpHealthCheck, TcpHealthCheck};
use pingora::lb::{Backend, Extensions};
use pingora::server::ShutdownWatch;
use pingora::server::configuration::ServerConf;
use pingora::services::background::BackgroundService;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// The checks cannot be made from the configuration.
#[derive(Debug, thiserror::Error)]
#[error("health check: {0}")]
pub struct HealthCheckError(#[from] Box<pingora::Error>);

type AnyCheck = Arc<dyn Check + Send + Sync>;

/// Checks the addresses of an upstream.
pub struct HealthChecks {
    upstream: Arc<Upstream>,
    /// One for each target, in their order.
    checks: Vec<AnyCheck>,
    interval: Duration,
    timeout: Duration,
}

impl HealthChecks {
    /// Prepares the checks; connections are made as the server's are.
    ///
    /// # Errors
    /// [`HealthCheckError`] when there is no such request.
    pub fn new(upstream: Arc<Upstream>, config: &HealthCheck, server: &ServerConf) -> Result<Self, HealthCheckError> {
        let check = |target: &Target| -> Result<AnyCheck, HealthCheckError> {
            let options = ConnectorOptions::from_server_conf(server);
            Ok(match &config.path {
                Some(path) => Arc::new(ask(&upstream, target, path, options)?),
                None => {
                    let mut check = TcpHealthCheck::default();
                    check.set_connector(TransportConnector::new(Some(options)));
                    check.peer_template.options.connection_timeout = None;
                    Arc::new(check)
                }
            })
        };
        let checks = upstream.targets().iter().map(check).collect::<Result<_, _>>()?;
        Ok(Self { upstream, checks, interval: config.interval, timeout: config.timeout })
    }

    /// Checks every address once, all at the same time.
    async fn pass(&self) {
        let mut checks = JoinSet::new();
        for (target, check) in self.upstream.targets().iter().zip(&self.checks) {
            for peer in target.peers().iter() {
                let (peer, check, timeout) = (Arc::clone(peer), Arc::clone(check), self.timeout);
                checks.spawn(async move { (outcome(&peer, check, timeout).await, peer) });
            }
        }
        while let Some(checked) = checks.join_next().await {
            if let Ok((outcome, peer)) = checked {
                self.upstream.checked(&peer, outcome);
            }
        }
    }
}

/// A request for the path, to a target's addresses.
fn ask(
    upstream: &Upstream,
    target: &Target,
    path: &CheckPath,
    options: ConnectorOptions,
) -> Result<HttpHealthCheck, HealthCheckError> {
    let mut check = HttpHealthCheck::new(target.url.host(), target.url.is_tls());
    check.set_connector(Connector::new(Some(options)));
    check.peer_template = upstream.peer_template(target);
    check.req = RequestHeader::build("GET", path.as_str().as_bytes(), None)?;
    check.req.insert_header(http::header::HOST, target.url.authority())?;
    check.validator = Some(Box::new(|head| {
        if head.status.is_success() {
            return Ok(());
        }
        pingora::Error::e_explain(CustomCode("status", head.status.as_u16()), "not 2xx")
    }));
    Ok(check)
}

/// One check; the library's own timeouts cover single steps of it.
async fn outcome(peer: &Peer, check: AnyCheck, timeout: Duration) -> Result<(), String> {
    let backend = Backend { addr: peer.address.into(), weight: 1, ext: Extensions::new() };
    match tokio::time::timeout(timeout, check.check(&backend)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(match error.etype() {
            CustomCode(_, status) => format!("status {status}"),
            other => other.as_str().to_owned(),
        }),
        Err(_) => Err(format!("no answer within {timeout:?}")),
    }
}

#[async_trait]
impl BackgroundService for HealthChecks {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let mut ticks = tokio::time::interval(self.interval);
        // A pass that took longer than an interval is not caught up.
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = shutdown.changed() => return,
                _ = ticks.tick() => self.pass().await,
            }
        }
    }
}
