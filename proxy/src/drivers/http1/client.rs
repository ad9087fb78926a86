//! A client's connection, with its timer and its peer for all requests on it.

use super::Timer;
use crate::drivers::peer;
use crate::exchange::{ClientPeer, Policy};
use pingora::protocols::Stream;

/// A client's connection.
pub struct Client {
    /// The connection itself.
    pub stream: Stream,
    /// For all waits on it.
    pub timer: Timer,
    /// The other end of it.
    pub peer: ClientPeer,
}

impl Client {
    /// The client of a connection.
    #[must_use]
    pub fn new(stream: Stream, policy: &Policy) -> Self {
        let peer = peer::of_stream(&stream, policy);
        Self { stream, timer: Timer::default(), peer }
    }
}
