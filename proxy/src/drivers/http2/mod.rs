//! Our own driver for HTTP/2 between a client and an HTTP/1.1 upstream, on the `h2` crate.
//!
//! The crate reads and writes frames and checks what RFC 9113 says about a stream. This driver moves a stream's bytes to and from an
//! upstream and asks the exchange; of its own it decides how a message is framed, how long a side may take, and how a connection ends.
//! A stream that is no valid request is rejected here.

mod bucket_cors;
mod by_get;
mod connection;
mod conversation;
mod download;
mod request;
mod response;
mod stream;
mod upload;
mod wire;

use crate::config::{Config, Limits, Timeouts};
use crate::exchange::Exchange;
use crate::upstream::{Pool, Upstreams};
use std::sync::Arc;

/// Drives exchanges over HTTP/2.
pub struct Http2Driver {
    exchange: Arc<Exchange>,
    upstreams: Arc<Upstreams>,
    pool: Arc<Pool>,
    limits: Limits,
    timeouts: Timeouts,
}

impl Http2Driver {
    /// A driver for these upstreams.
    #[must_use]
    pub fn new(config: &Config, exchange: Arc<Exchange>, upstreams: Arc<Upstreams>, pool: Arc<Pool>) -> Self {
        Self { exchange, upstreams, pool, limits: config.limits, timeouts: config.timeouts }
    }
}
