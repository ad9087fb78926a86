//! Where requests go: addresses of the S3 servers, resolved beside the requests and never within one.
//!
//! Decides: which address a request gets, and whether it may be tried again. An address is passed over for a while when it could not
//! be connected to, and while its checks fail, if there are checks. Must not know: what a request is.

mod attempts;
mod balance;
mod connection;
mod connector;
mod destination;
mod health;
mod kept;
mod limit;
mod peers;
mod pool;
mod resolve;
mod targets;
mod thread;

pub use attempts::{Attempts, MAX_TRIES};
pub use connection::{Connection, has_vanished};
pub use connector::{ConnectError, Connector};
pub use destination::Destination;
pub use health::{HealthCheckError, HealthChecks};
pub use limit::{NoteWait, Permit, Share};
pub use peers::{Peer, PeerLease};
pub use pool::{AllConnections, Pool, Sweeper};
pub use resolve::Resolver;
pub use targets::{Upstream, UpstreamState, Upstreams};
