//! Bounded tables of what operators ask about: who is turned away and why, the latest denials, and what shadow rules would change.
//!
//! Decides: what a table keeps when more comes than it has room for. State is held here; metrics export it, the admin listener reads
//! it.

mod denied;
mod heavy_hitters;
mod recent;
mod rejections;
mod shadow;

pub use denied::Denied;
pub use recent::{Denial, RecentDenials};
pub use rejections::{OriginCount, Rejection, Rejections};
pub use shadow::{ByDirection, Changed, Direction, ShadowChange, ShadowDecisions, ShadowReport};
