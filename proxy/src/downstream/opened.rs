//! A connection from when it is accepted: its place in the count, and the deadline for all that comes before its first request.

use super::places::{Places, Taken};
use crate::drivers::place::Place;
use crate::exchange::{Count, Counted};
use pingora::apps::ServerApp;
use pingora::protocols::Stream;
use pingora::server::ShutdownWatch;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The number of connections above the limit that are told so at a time: as many as may be open, in these bounds. Others are closed at
/// once, since each takes a descriptor and, with TLS, a handshake. A process with few descriptors has a low limit, and few to spare.
const TOLD_AT_ONCE: RangeInclusive<usize> = 16..=100;

/// The time that one of them may take until it can be told: what it holds, a client that is not refused may need.
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// A connection that was accepted.
#[derive(Debug)]
pub struct Opened {
    /// The time of accept.
    pub(super) at: Instant,
    /// Its place, which it may have to give up.
    pub(super) place: Place,
    /// Set if there are as many connections as there may be without it, and none of them can give up its place.
    pub(super) is_refused: bool,
    _taken: Option<Taken>,
    /// `None` where connections are not counted.
    _counted: Option<Counted>,
}

impl Opened {
    /// Counts a connection, and takes one of so many places for it. `None` where it is to be closed at once.
    pub(super) fn enter(count: &Count, places: &Places, most: usize) -> Option<Self> {
        let counted = count.enter();
        // Those that gave up their places and are not closed yet count, too.
        if counted.count() > most.saturating_add(most.clamp(*TOLD_AT_ONCE.start(), *TOLD_AT_ONCE.end())) {
            return None;
        }
        let at = Instant::now();
        let (place, taken) = places.take(most, at).unzip();
        let is_refused = taken.is_none();
        Some(Self { at, place: place.unwrap_or_default(), is_refused, _taken: taken, _counted: Some(counted) })
    }

    /// The deadline for what comes before a first request.
    pub(super) fn deadline(&self, limit: Duration) -> Instant {
        self.at + if self.is_refused { limit.min(TOLD_WITHIN) } else { limit }
    }
}

/// A server of connections that are counted from accept.
pub trait Accepts: Send + Sync + 'static {
    /// Counts a connection before anything is read of it. `None` closes it.
    fn enter(&self) -> Option<Opened>;

    /// Serves a connection to its end, once its handshake is done.
    fn serve(
        self: Arc<Self>,
        stream: Stream,
        opened: Opened,
        shutdown: ShutdownWatch,
    ) -> impl Future<Output = ()> + Send;

    /// Ends.
    fn cleanup(&self) -> impl Future<Output = ()> + Send;
}

/// An app whose connections are not counted: that of operators.
pub struct Uncounted<A>(pub(super) Arc<A>);

impl<A: ServerApp + Send + Sync + 'static> Accepts for Uncounted<A> {
    fn enter(&self) -> Option<Opened> {
        let (at, place) = (Instant::now(), Place::default());
        Some(Opened { at, place, is_refused: false, _taken: None, _counted: None })
    }

    async fn serve(self: Arc<Self>, stream: Stream, _: Opened, shutdown: ShutdownWatch) {
        let mut next = Some(stream);
        while let Some(stream) = next {
            next = self.0.process_new(stream, &shutdown).await;
        }
    }

    async fn cleanup(&self) {
        self.0.cleanup().await;
    }
}
