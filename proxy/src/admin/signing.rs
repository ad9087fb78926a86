//! The reads that are signed here, and the state of the credentials for them.

use crate::config::SignedPrefix;
use crate::credentials::CredentialsState;
use std::sync::Arc;

/// The prefixes and the credentials of signed reads, for operators.
pub struct Signing {
    /// The prefixes, as they are configured.
    pub prefixes: Vec<SignedPrefix>,
    /// The credentials, for each upstream that something is signed for.
    pub credentials: Vec<NamedCredentials>,
}

/// The state of the credentials for an upstream.
#[derive(Clone)]
pub struct NamedCredentials {
    /// The name, where there are several.
    pub upstream: Option<Arc<str>>,
    /// The state.
    pub state: Arc<CredentialsState>,
}
