//! The upstream's side of an exchange, whatever protocol the client speaks.
//!
//! Decides: which connection a request gets, in which order its bytes and those of the response move, who is to blame when it does not
//! come to its end, and whether the connection can be used again. A client's side is a [`Client`].

mod buffered;
mod client;
mod conversation;
mod forward;
mod head;
mod keep_alive;
mod memory;
mod probe;
mod request;
mod route;
mod tls_fault;

pub(super) use client::{Client, Link, Received, Taken, UploadError, UploadState};
pub(super) use forward::ForwardEnd;
pub(crate) use forward::Forwarder;
pub(crate) use probe::Probe;
pub(super) use request::BodyFraming;
pub(super) use route::ForwardError;
