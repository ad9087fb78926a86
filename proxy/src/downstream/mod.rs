//! The way in: sockets that are bound before anything else starts, the services that accept on them, and each client's connection
//! until a driver has it.
//!
//! Decides: what a listener is made of, how many connections there may be, how long and how large a request's head may be, which heads
//! no driver gets, and which driver gets a request. Must not know: what is decided about a request.

mod connection;
mod declines;
mod endpoints;
mod handshake;
mod head;
mod http2;
mod listeners;
mod malformed;
mod proxy_protocol;
mod refusal;
mod service;
mod sockets;
mod unparsed;

pub use connection::ConnectionServer;
pub use declines::Declines;
pub use handshake::Secured;
pub use listeners::{admin_service, listeners};
pub use service::{Accepting, NotAccepting, Starting};
pub use sockets::{BindError, Sockets};
