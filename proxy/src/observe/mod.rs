//! Bounded tables of what operators ask about: who is turned away and why, the latest denials, what shadow rules would change, and the
//! last hour.
//!
//! Decides: what a table keeps when more comes than it has room for. State is held here; metrics export it, the admin listener reads
//! it.

mod denial;
mod group;
mod heavy_hitters;
mod last_hour;
mod recent;
mod refused_signatures;
mod rejections;
mod shadow;

pub use denial::{Denial, Denied};
pub use group::{GroupedRequest, RequestGroup};
pub use last_hour::{LastHour, RequestCounts, quantile};
pub use recent::{AskedTogether, RecentDenials};
pub use refused_signatures::{RefusedSignature, RefusedSignatures, SignatureGroup};
pub use rejections::{OriginCount, Rejections};
pub use shadow::{ByDirection, Changed, Direction, ShadowChange, ShadowDecisions, ShadowReport};
