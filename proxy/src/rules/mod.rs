//! The rules of all buckets: read from a source, kept as one immutable snapshot, swapped whole when a document changes.
//!
//! Decides: which rules are live, and what a reload comes to. Must not know: requests, metrics, or who asks.

mod any_page;
mod check;
mod load;
mod missing;
mod reload;
mod remark;
mod shadow;
mod slot;
mod snapshot;
mod source;
mod store;
mod unknown;
mod warning_log;
mod warnings;
mod watch;
mod write;

pub use any_page::any_page_reads;
pub use check::{Checked, check};
pub use missing::MissingRules;
pub use reload::{LastReload, Outcome, Report};
pub use remark::Remark;
pub use shadow::ShadowRules;
pub use slot::Slot;
pub use snapshot::{Bucket, DocumentOrigin, Snapshot};
pub(crate) use source::json_of;
pub use source::{
    Allowed, BucketCors, Changed, Changes, Directory, Listing, Source, SourceError, Stored, WhyPassedOver, source_of,
};
pub use store::Store;
pub use warning_log::WarningLog;
pub use warnings::LiveWarnings;
pub use watch::{Watch, WatchError, watch};
pub use write::{Digest, SigningTime, Write, WriteError, Written};
