//! Objects that strangers read and the proxy signs for: which requests those are, and what their responses become.
//!
//! Decides: whether a request is signed here (`judge`, `claim`), for which prefix (`prefixes`), what of it goes along (`read`), and what the
//! client sees of the response (`answer`, `response`). Must not know: where credentials come from, how a signature or a token is made.

pub(super) mod answer;
pub(super) mod claim;
mod foreign_query;
pub(super) mod judge;
mod prefixes;
pub(super) mod read;
pub(super) mod reads;
pub(super) mod response;

pub use read::ReadEdits;
pub use reads::SigningParts;
