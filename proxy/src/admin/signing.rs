//! The reads that are signed here, and the state of the credentials for them.

use crate::config::SignedPrefix;
use crate::credentials::CredentialsState;
use std::sync::Arc;

/// The prefixes and the credentials of signed reads, for operators.
pub struct Signing {
    /// The prefixes, as they are configured.
    pub prefixes: Vec<SignedPrefix>,
    /// The credentials.
    pub credentials: Arc<CredentialsState>,
}
