//! Bounded tables of what operators ask about: today the origins that are turned away.
//!
//! Decides: what a table keeps when more comes than it has room for. State is held here; metrics export it, the admin listener reads
//! it.

mod rejections;

pub use rejections::{Rejection, Rejections};
