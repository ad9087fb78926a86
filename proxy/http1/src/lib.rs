//! The grammar of HTTP/1.1: the heads of requests and responses, chunks, and the length of a body.
//!
//! Decides which bytes can be read in one way only. Must not know: sockets, the proxy, or what a message means to S3. It does no
//! I/O and allocates nothing, so that fuzzers and property tests run it alone.

pub mod body;
pub mod body_length;
pub mod chunked;
pub mod field_bytes;
pub mod field_name;
pub mod header_line;
pub mod hop_by_hop;
pub mod rejected_head;
mod rejection;
pub mod repaired_head;
mod request_fields;
pub mod request_head;
pub mod request_target;
pub mod response_head;
