//! The way in: sockets that are bound before anything else starts, the services that accept on them, and each client's connection
//! until a driver has it.
//!
//! Decides: what a listener is made of, how many connections there may be, how long and how large a request's head may be, and
//! which driver gets a connection. Must not know: what is decided about a request.

mod connection;
mod declines;
mod endpoints;
mod handshake;
mod head;
mod http2;
mod listeners;
mod opened;
mod places;
mod proxy_protocol;
mod refusal;
mod service;
mod sockets;
mod split;

pub use connection::ConnectionServer;
pub use declines::Declines;
pub use handshake::Secured;
pub use listeners::{admin_service, listeners};
pub use opened::{Accepts, Uncounted};
pub use service::{Accepting, NotAccepting, Starting};
pub use sockets::{BindError, Sockets};
