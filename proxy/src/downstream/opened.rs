//! A connection from when it is accepted: its place in the count, and the deadline for all that comes before its first request.

use crate::exchange::{Count, Counted};
use async_trait::async_trait;
use pingora::apps::ServerApp;
use pingora::protocols::Stream;
use pingora::server::ShutdownWatch;
use std::sync::Arc;
use tokio::time::Instant;

/// The number of connections above the limit that are told so at a time. Others are closed at once: each takes a descriptor and, with
/// TLS, a handshake.
const TOLD_AT_ONCE: usize = 100;

/// A connection that was accepted.
#[derive(Debug)]
pub struct Opened {
    /// The time of accept.
    pub(super) at: Instant,
    /// Its place in the count; `None` where connections are not counted.
    _place: Option<Counted>,
    /// Set if there are as many connections as there may be without it.
    pub(super) is_refused: bool,
}

impl Opened {
    /// Counts a connection. `None` where it is to be closed at once.
    pub(super) fn enter(count: &Count, most: usize) -> Option<Self> {
        let place = count.enter();
        let open = place.count();
        let opened = Self { at: Instant::now(), _place: Some(place), is_refused: open > most };
        (open <= most.saturating_add(TOLD_AT_ONCE)).then_some(opened)
    }
}

/// A server of connections that are counted from accept.
#[async_trait]
pub trait Accepts: Send + Sync + 'static {
    /// Counts a connection before anything is read of it. `None` closes it.
    fn accept(&self) -> Option<Opened>;

    /// Serves a connection once its handshake is done.
    async fn serve(self: &Arc<Self>, stream: Stream, opened: Opened, shutdown: &ShutdownWatch) -> Option<Stream>;

    /// Ends.
    async fn cleanup(&self);
}

/// An app whose connections are not counted: that of operators.
pub struct Uncounted<A>(pub(super) Arc<A>);

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> Accepts for Uncounted<A> {
    fn accept(&self) -> Option<Opened> {
        Some(Opened { at: Instant::now(), _place: None, is_refused: false })
    }

    async fn serve(self: &Arc<Self>, stream: Stream, _: Opened, shutdown: &ShutdownWatch) -> Option<Stream> {
        self.0.process_new(stream, shutdown).await
    }

    async fn cleanup(&self) {
        self.0.cleanup().await;
    }
}
