//! PutBucketCors, GetBucketCors and DeleteBucketCors in front of an upstream that has no such operations.
//!
//! The upstream is the judge: it gets the signed request first. Only where it says that it does not support the operation, which it says
//! to a request that it has authenticated and authorised, is the operation served from the rules. Before that the same request is sent
//! again with a broken signature: an upstream that does not refuse that has judged nothing.

mod after_upstream;
pub(super) mod api;
mod confirm;
mod operation;
mod replays;
mod response;
mod write;

pub use after_upstream::AfterUpstream;
pub use api::{Confirmed, SignatureCheck, Writing};
pub use confirm::{AfterConfirmation, ConfirmedWrite, Unconfirmed};
pub use operation::AskedOperation;
pub(super) use operation::operation;
pub use response::Response;
pub use write::WriteJob;
