//! The signer of reads and the keys of grants: made at the start, and followed from then on.

use super::ServeError;
use super::credentials::RenewCredentials;
use crate::config::{Config, GrantKeyFile, GrantKeyFileError};
use crate::credentials::{CredentialsState, Renewal};
use crate::downstream::Starting;
use crate::exchange::{GrantKeys, Policy, SigningParts};
use crate::s3::read_signer::LiveSigner;
use async_trait::async_trait;
use pingora::server::{Server, ShutdownWatch};
use pingora::services::background::{BackgroundService, background_service};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The time after which the file with the keys of grants is read again: it is small, and a rotation has no hurry.
const READ_KEYS_AGAIN: Duration = Duration::from_secs(5);

/// The signer of reads, and the task that keeps it fresh.
pub(super) struct ReadSigning {
    live: Arc<LiveSigner>,
    renewal: Arc<Renewal>,
}

impl ReadSigning {
    /// `None` where nothing is signed here.
    pub(super) fn of(config: &Config) -> Result<Option<Self>, ServeError> {
        if config.sign.is_empty() {
            return Ok(None);
        }
        let live = Arc::<LiveSigner>::default();
        let credentials = &config.upstream.credentials;
        let (profile, region) = (credentials.profile.as_deref(), credentials.region.as_deref());
        let renewal = Arc::new(Renewal::new(profile, region, Arc::clone(&live))?);
        Ok(Some(Self { live, renewal }))
    }

    /// The parts that exchanges ask.
    pub(super) fn parts(&self, config: &Config) -> Result<SigningParts, ServeError> {
        let keys = match config.grants.key_file.as_deref() {
            Some(path) => keys_of(&GrantKeyFile::read(path)?),
            None => None,
        };
        let keys = keys.map_or_else(GrantKeys::random, Ok)?;
        Ok(SigningParts { signer: Arc::clone(&self.live), keys })
    }

    /// Adds the services that keep credentials and keys fresh. The start waits until credentials were looked for.
    pub(super) fn follow(&self, server: &mut Server, config: &Config, policy: &Arc<Policy>, starting: &mut Starting) {
        let credentials = RenewCredentials { renewal: Arc::clone(&self.renewal), tried: starting.also() };
        server.add_service(background_service("credentials", credentials));
        if let Some(path) = config.grants.key_file.clone() {
            let keys = FollowGrantKeys { path, policy: Arc::clone(policy) };
            server.add_service(background_service("keys of grants", keys));
        }
    }

    /// The state of the credentials, for operators.
    pub(super) fn state(&self) -> Arc<CredentialsState> {
        self.renewal.state()
    }
}

fn keys_of(file: &GrantKeyFile) -> Option<GrantKeys> {
    GrantKeys::of(file.keys())
}

/// Reads the file with the keys of grants again, so that they can be rotated without a restart.
struct FollowGrantKeys {
    path: PathBuf,
    policy: Arc<Policy>,
}

#[async_trait]
impl BackgroundService for FollowGrantKeys {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let (mut live, mut has_failed) = (read(&self.path).await.ok(), false);
        loop {
            tokio::select! {
                _ = shutdown.changed() => return,
                () = tokio::time::sleep(READ_KEYS_AGAIN) => {}
            }
            match read(&self.path).await {
                Ok(file) => {
                    if live.as_ref() != Some(&file)
                        && let Some(keys) = keys_of(&file)
                    {
                        self.policy.replace_grant_keys(keys);
                        tracing::info!(keys = file.keys().len(), "the keys of grants were read again");
                    }
                    (live, has_failed) = (Some(file), false);
                }
                Err(error) if !has_failed => {
                    has_failed = true;
                    tracing::error!(%error, "grants.key_file: the keys before are still used");
                }
                Err(_) => {}
            }
        }
    }
}

/// Reads the file on a thread that may block.
async fn read(path: &Path) -> Result<GrantKeyFile, GrantKeyFileError> {
    let blocking = path.to_owned();
    let read = tokio::task::spawn_blocking(move || GrantKeyFile::read(&blocking)).await;
    let unread = |error| GrantKeyFileError::Unreadable { path: path.to_owned(), source: std::io::Error::other(error) };
    read.unwrap_or_else(|error| Err(unread(error)))
}
