//! The world as the sources of credentials see it: environment, files, programs, HTTP.

use super::credential_process::CredentialProcess;
use super::https::Https;
use reqsign_core::{Context, Env};
use reqsign_file_read_tokio::TokioFileRead;
use rustls::ClientConfig;

/// Gives sources this environment. `system` trusts the system's authorities: web identities are exchanged at Amazon's own server, which
/// none of an upstream's authorities has certified.
#[must_use]
pub fn context(env: impl Env, system: ClientConfig) -> Context {
    Context::new()
        .with_env(env)
        .with_file_read(TokioFileRead)
        .with_command_execute(CredentialProcess)
        .with_http_send(Https::new(system))
}
