//! What operators see: metric families, the log, the access line, and what must never be in any of them.
//!
//! A leaf: it counts and writes what it is given and decides nothing. Labels are closed sets or bounded tables; the registry belongs
//! to one [`Metrics`], not to the process. It knows value types of the engine; state that others own it exports, it never holds it.

mod bucket_cors;
mod buckets;
mod exported;
mod grants;
mod http;
pub mod log;
mod metrics;
mod registry;
mod signatures;
mod uploads;
mod upstreams;

pub use bucket_cors::{BucketCorsCounters, OperationResult};
pub use buckets::Buckets;
pub use exported::{Exported, Row};
pub use grants::{GrantCounters, GrantResult};
pub use http::{ByGet, DURATION_BOUNDS, HttpCounters, Served, UpstreamErrorKind};
pub use log::{Access, AccessLog, SignedBy, printable};
pub use metrics::{Metrics, MetricsError, ReloadOutcome};
pub use signatures::{HealCause, HealResult, SignatureCause, SignatureCounters};
pub use uploads::{UploadCounters, UploadRefusedBy};
pub use upstreams::{FallbackCounters, FallbackResult, UpstreamCounters, UpstreamResponses};
