//! Where requests go: addresses of the S3 servers, resolved beside the requests and never within one.
//!
//! Decides: which of them a request gets. An address is passed over for a while when it could not be connected to, and while its
//! checks fail, if there are checks.

mod balance;
mod health;
mod peer;
mod resolve;
mod target;

pub use health::{HealthCheckError, HealthChecks};
pub use peer::{InFlight, Peer};
pub use resolve::Resolver;
pub use target::Upstreams;
