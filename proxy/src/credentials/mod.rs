//! AWS credentials: where they come from, and when they are renewed.
//!
//! Decides: in which order the sources of the AWS tools are asked, how long keys are kept, and what an operator reads about them. Must
//! not know: requests, or what is signed.

mod context;
mod credential_process;
mod https;
mod reason;
mod region;
mod renewal;
mod schedule;
mod sources;
mod state;
#[cfg(test)]
mod tests;

pub use context::context;
pub use https::{Https, SendError};
pub use region::region;
pub use renewal::Renewal;
pub use sources::{CredentialSource, CredentialSources, LoadError};
pub use state::{CredentialsSnapshot, CredentialsState};
