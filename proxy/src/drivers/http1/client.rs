//! A client's connection, with what it has for all its requests.

use super::timer::Timer;
use crate::drivers::peer;
use crate::exchange::{Exchange, Peer};
use pingora::protocols::Stream;

/// A client's connection.
pub struct Client {
    /// The connection itself.
    pub stream: Stream,
    /// For all waits on it.
    pub timer: Timer,
    /// Who is at its other end.
    pub peer: Peer,
}

impl Client {
    /// The client of a connection.
    #[must_use]
    pub fn new(stream: Stream, exchange: &Exchange) -> Self {
        let peer = peer::of_stream(&stream, exchange);
        Self { stream, timer: Timer::default(), peer }
    }
}
