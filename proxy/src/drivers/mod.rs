//! Drivers move the bytes of an exchange between a client and an upstream.
//!
//! A driver takes the exchange from stage to stage and does what it says. No decision, header edit, count or log line is a driver's own.
//! `http1` and `http2` are a client's side each, `upstream` is the one conversation with an upstream that both have, and `pingora` is
//! the alternative to all three.

pub(crate) mod budget;
mod date;
pub mod http1;
pub mod http2;
pub(crate) mod peer;
pub mod pingora;
pub(crate) mod place;
mod timer;
mod turn;
pub(crate) mod upstream;
mod wire;
