//! What operators see: metrics, the log and its access line.
//!
//! Labels are closed sets or bounded tables; the registry belongs to one [`Metrics`], not to the process. Must not know Pingora.

mod bucket;
mod families;
mod http;
pub mod log;
mod registry;
mod rejected;
mod reloads;

pub use bucket::{BucketCounters, Decision, Kind};
pub use families::{Metrics, MetricsError};
pub use http::{HttpCounters, Served, UpstreamErrorKind};
pub use reloads::{Reloader, Rules, prepare};
