//! What is signed here, and the state of the credentials for it.

use crate::config::SignedPrefix;
use crate::credentials::CredentialsState;
use std::sync::Arc;

/// What operators see of the reads that are signed here.
pub struct Signing {
    /// The prefixes, as they are configured.
    pub prefixes: Vec<SignedPrefix>,
    /// The credentials.
    pub credentials: Arc<CredentialsState>,
}
