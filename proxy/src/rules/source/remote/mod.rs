//! Sources on another machine, asked by S3's own API: a bucket of documents, and the CORS that an S3 server keeps itself.

mod bucket_cors;
mod call;
mod call_error;
mod client;
mod copied;
mod objects;
mod upstream;

pub use bucket_cors::BucketCors;
pub(super) use copied::Copied;
pub(super) use objects::Objects;
pub(super) use upstream::UpstreamRules;
