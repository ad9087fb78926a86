//! Where requests go: addresses of the S3 servers, resolved beside the requests and never within one.

mod resolve;
mod target;

pub use resolve::Resolver;
pub use target::{Peer, Upstreams};
