//! The way in: sockets that are bound before anything else starts, the services that accept on them, the threads that serve, and each
//! client's connection until a driver has it.
//!
//! Decides: what a listener is made of, how many connections there may be, how long and how large a request's head may be, and
//! which driver gets a connection. Must not know: what is decided about a request.

mod accepted;
mod acceptor;
mod connection;
mod declines;
mod handshake;
mod head;
mod http2;
mod listeners;
mod opened;
mod places;
mod protocols;
mod proxy_protocol;
mod refusal;
mod service;
mod sockets;
mod split;
mod workers;

pub use acceptor::AcceptFailures;
pub use connection::ConnectionServer;
pub use declines::Declines;
pub use listeners::{admin_service, client_service};
pub use opened::{Accepts, Opened, Uncounted};
pub use service::{Accepting, NotAccepting, Service, Starting};
pub use sockets::{BindError, Sockets};
