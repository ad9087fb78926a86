//! CORS rules as S3 servers read them by themselves, where S3 reads them otherwise.
//!
//! Decides: which differences of a server matter for a document, and what a page sees of each. The evidence is the end-to-end report, whose
//! versions a test compares, or what the server's own source or documentation says. Must not know: requests, this proxy.

mod compare;
mod difference;
mod hidden_rules;
mod patterns;
mod server;

pub use compare::{Compared, compare};
pub use difference::{Difference, Harm};
pub use server::{Evidence, KnownServer};
