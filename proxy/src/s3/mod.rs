//! S3 on the wire, as far as a proxy must know it: which bucket a request is for, what it has signed, what an error looks like,
//! and how requests are named.
//!
//! Must not know: rules, configuration, or who answers.

pub mod address;
pub mod as_written;
pub mod aws_chunked;
pub mod bucket_cors;
pub mod bucket_name;
pub mod checksum;
pub mod credential;
pub mod domain;
pub mod endpoint;
pub mod error;
pub mod form_fields;
pub mod identity;
pub mod key_pattern;
pub mod key_readings;
pub mod operation;
pub mod placed_signature;
pub mod presigned;
pub mod read_signer;
mod readings;
pub mod signature;
pub mod signed_body;
