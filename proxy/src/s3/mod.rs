//! S3 on the wire, as far as a proxy must know it: which bucket a request is for, and what an error looks like.

pub mod address;
pub mod error;
