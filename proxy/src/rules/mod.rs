//! The rules of all buckets: read from disk, kept as one immutable snapshot, swapped whole when a file changes.
//!
//! Knows the engine and the configuration. Must not know who asks: what is prepared for each bucket beside its rules (counters)
//! is the caller's type `P`.

mod check;
mod files;
mod reload;
mod snapshot;
mod store;
mod watch;

pub use check::{Checked, check};
pub use files::{FileError, Slot};
pub use reload::{Outcome, Prepare, Report};
pub use snapshot::{Bucket, Snapshot, Source};
pub use store::Store;
pub use watch::{Watch, WatchError, watch};
