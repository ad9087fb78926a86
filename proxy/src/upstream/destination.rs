//! An upstream with the connections to it.

use super::pool::Pool;
use super::targets::Upstream;
use crate::config::Timeouts;
use std::sync::Arc;

/// An upstream, the connections to it, and how long each step towards it may take.
pub struct Destination {
    /// The addresses.
    pub upstream: Arc<Upstream>,
    /// The connections.
    pub pool: Pool,
    /// The timeouts.
    pub timeouts: Timeouts,
}
