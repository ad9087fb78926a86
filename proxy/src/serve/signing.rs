//! The signers of reads and the keys of grants: made at the start, and followed from then on.

use super::ServeError;
use super::credentials::RenewCredentials;
use crate::admin::NamedCredentials;
use crate::config::{Config, EachUpstream, GrantKeyFile, GrantKeyFileError, NamedUpstream, UpstreamCredentials};
use crate::credentials::Renewal;
use crate::downstream::Starting;
use crate::exchange::{GrantKeys, Policy, SigningParts};
use crate::s3::read_signer::LiveSigner;
use async_trait::async_trait;
use pingora::server::{Server, ShutdownWatch};
use pingora::services::background::{BackgroundService, background_service};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The time after which the file with the keys of grants is read again: it is small, and a rotation has no hurry.
const READ_KEYS_AGAIN: Duration = Duration::from_secs(5);

/// The signers of reads, and the tasks that keep them fresh.
pub(super) struct ReadSigning {
    signers: EachUpstream<Arc<LiveSigner>>,
    /// The tasks, one for all upstreams with the same credentials.
    renewals: Vec<Arc<Renewal>>,
    states: Vec<NamedCredentials>,
}

impl ReadSigning {
    /// `None` where nothing is signed here.
    pub(super) fn of(config: &Config) -> Result<Option<Self>, ServeError> {
        if config.sign.is_empty() {
            return Ok(None);
        }
        let routes = config.sign.iter().map(|entry| config.routes.of(Some(&entry.bucket)));
        let used: HashSet<_> = routes.flat_map(|route| route.fallback.into_iter().chain([route.upstream])).collect();
        let mut made: Vec<(UpstreamCredentials, Arc<LiveSigner>, Arc<Renewal>)> = Vec::new();
        let mut states = Vec::new();
        let signers = config.upstreams.try_map_indexed(|index, NamedUpstream { name, settings }| {
            if !used.contains(&index) {
                return Ok(Arc::default());
            }
            let credentials = &settings.credentials;
            let known = made.iter().find(|(other, ..)| other == credentials);
            let (live, renewal) = match known {
                Some((_, live, renewal)) => (Arc::clone(live), Arc::clone(renewal)),
                None => {
                    let (live, profile) = (Arc::<LiveSigner>::default(), credentials.profile.as_deref());
                    let renewal = Renewal::new(profile, credentials.region.as_deref(), Arc::clone(&live))?;
                    let renewal = Arc::new(renewal);
                    made.push((credentials.clone(), Arc::clone(&live), Arc::clone(&renewal)));
                    (live, renewal)
                }
            };
            states.push(NamedCredentials { upstream: name.clone(), state: renewal.state() });
            Ok::<_, ServeError>(live)
        })?;
        let renewals = made.into_iter().map(|(.., renewal)| renewal).collect();
        Ok(Some(Self { signers, renewals, states }))
    }

    /// The parts that exchanges ask.
    pub(super) fn parts(&self, config: &Config) -> Result<SigningParts, ServeError> {
        let keys = match config.grants.key_file.as_deref() {
            Some(path) => keys_of(&GrantKeyFile::read(path)?),
            None => None,
        };
        let keys = keys.map_or_else(GrantKeys::random, Ok)?;
        Ok(SigningParts { signers: self.signers.clone(), keys })
    }

    /// Adds the services that keep credentials and keys fresh. The start waits until credentials were looked for.
    pub(super) fn follow(&self, server: &mut Server, config: &Config, policy: &Arc<Policy>, starting: &mut Starting) {
        for renewal in &self.renewals {
            let credentials = RenewCredentials { renewal: Arc::clone(renewal), tried: starting.also() };
            server.add_service(background_service("credentials", credentials));
        }
        if let Some(path) = config.grants.key_file.clone() {
            let keys = FollowGrantKeys { path, policy: Arc::clone(policy) };
            server.add_service(background_service("keys of grants", keys));
        }
    }

    /// The state of the credentials, for operators.
    pub(super) fn states(&self) -> &[NamedCredentials] {
        &self.states
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
