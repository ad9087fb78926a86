//! What moves the bytes of an exchange between a client and an upstream.
//!
//! A driver asks the exchange at the fixed points of a request's life and does what it says. No decision, header edit, count or log
//! line is a driver's own.

pub(crate) mod bucket_cors;
pub mod http1;
pub mod http2;
pub(crate) mod peer;
pub mod pingora;
mod route;
