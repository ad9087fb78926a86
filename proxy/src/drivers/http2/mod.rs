//! A client's side of HTTP/2, on the `h2` crate.
//!
//! The crate reads and writes frames and checks what RFC 9113 says about a stream. This driver moves a stream's bytes to and from an
//! upstream and asks the exchange; of its own it decides how a message is framed, how long a side may take, and how a connection ends.
//! A stream that is no valid request is rejected here.

mod allowance;
mod blocks;
mod connection;
mod download;
mod fields;
mod frame_head;
mod frames;
mod hpack;
mod huffman;
mod lines;
mod pieces;
mod pseudo;
mod rejected;
mod request;
mod response;
mod side;
mod stream;
mod syntax;
mod upload;
mod windows;
mod wire;
mod written;

pub use windows::WINDOW;

use super::upstream::Forwarder;
use crate::config::Limits;
use crate::exchange::Policy;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// Drives exchanges over HTTP/2.
pub struct Http2Driver {
    policy: Arc<Policy>,
    forwarder: Forwarder,
    limits: Limits,
    /// The memory of all heads that are still being read, in bytes.
    heads: AtomicUsize,
}

impl Http2Driver {
    /// A driver for these upstreams.
    #[must_use]
    pub fn new(policy: Arc<Policy>, forwarder: Forwarder) -> Self {
        let limits = *forwarder.limits();
        Self { policy, forwarder, limits, heads: AtomicUsize::new(0) }
    }
}
