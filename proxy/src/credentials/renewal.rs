//! The task that keeps a signer's credentials fresh.
//!
//! Decides: when the live signer is replaced, and which changes are worth a log line. Credentials that cannot be renewed are used until
//! they expire.

use super::context::context;
use super::region::region;
use super::schedule::Schedule;
use super::sources::{CredentialSource, CredentialSources, LoadError, LoadedCredential};
use super::state::{CredentialsState, HeldKeys};
use crate::s3::read_signer::{AccessKeys, LiveSigner, ReadSigner};
use crate::tls::TlsError;
use crate::tls::client::trusting_system;
use reqsign_core::{Context, Env, OsEnv};
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The time that a start waits for the first credentials. Without them it goes on.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// Keeps a live signer's credentials fresh.
pub struct Renewal {
    context: Context,
    sources: CredentialSources,
    region: String,
    live: Arc<LiveSigner>,
    state: Arc<CredentialsState>,
}

impl Renewal {
    /// Prepares to follow the credentials of this process's environment, for a live signer. `profile` and `region` are those that the
    /// configuration names.
    ///
    /// # Errors
    /// [`TlsError`] when the system's authorities cannot be read.
    pub fn new(profile: Option<&str>, region: Option<&str>, live: Arc<LiveSigner>) -> Result<Self, TlsError> {
        Ok(Self::within(OsEnv, trusting_system()?, profile, region, live))
    }

    /// The same in another environment.
    pub(super) fn within(
        env: impl Env,
        system: ClientConfig,
        profile: Option<&str>,
        configured_region: Option<&str>,
        live: Arc<LiveSigner>,
    ) -> Self {
        let region = region(&env, profile, configured_region);
        let (context, sources) = (context(env, system), CredentialSources::new(profile));
        Self { context, sources, region, live, state: Arc::new(CredentialsState::new(SystemTime::now())) }
    }

    /// The state of the credentials, for operators.
    #[must_use]
    pub fn state(&self) -> Arc<CredentialsState> {
        Arc::clone(&self.state)
    }

    /// The region that is signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Follows the credentials without end: a process that drains still serves requests. `tried` is called once, after the first attempt,
    /// or before if that takes long.
    pub async fn run(&self, tried: impl FnOnce()) {
        let mut schedule = Schedule::new(SystemTime::now());
        {
            let mut first = std::pin::pin!(self.attempt(&mut schedule));
            let is_done = tokio::time::timeout(FIRST_WAIT, &mut first).await.is_ok();
            tried();
            if !is_done {
                first.await;
            }
        }
        let mut was_there = self.is_there();
        loop {
            tokio::time::sleep(schedule.rest(SystemTime::now())).await;
            if schedule.is_due(SystemTime::now()) {
                self.attempt(&mut schedule).await;
            }
            // They may have expired during the attempt.
            let is_there = self.is_there();
            if was_there && !is_there {
                let reason = self.state.snapshot(SystemTime::now()).error;
                tracing::warn!(reason, "the AWS credentials have expired: requests that are signed here fail");
            }
            was_there = is_there;
        }
    }

    fn is_there(&self) -> bool {
        self.live.get(SystemTime::now()).is_some()
    }

    /// Asks the sources once.
    async fn attempt(&self, schedule: &mut Schedule) {
        let made = self.sources.load(&self.context).await.and_then(|loaded| self.signer(loaded));
        let now = SystemTime::now();
        match made {
            Ok((origin, signer)) => {
                schedule.renewed(now, origin, signer.end());
                self.renew(origin, signer, now);
            }
            Err(error) => {
                schedule.failed(now);
                self.fail(error, now);
            }
        }
    }

    fn signer(&self, LoadedCredential { origin, credential }: LoadedCredential) -> Made {
        let end = credential.expires_in.map(reqsign_core::time::Timestamp::as_system_time);
        if end.is_some_and(|end| end <= SystemTime::now()) {
            return Err(LoadError::Expired { origin });
        }
        let keys = AccessKeys {
            id: &credential.access_key_id,
            secret: &credential.secret_access_key,
            session_token: credential.session_token.as_deref(),
        };
        let signer = ReadSigner::new(keys, &self.region, end);
        signer.map(|signer| (origin, signer)).map_err(|unusable| LoadError::Unusable { origin, unusable })
    }

    fn renew(&self, origin: CredentialSource, signer: ReadSigner, now: SystemTime) {
        let held = HeldKeys { origin, access_key: signer.access_key().into(), end: signer.end() };
        let (source, access_key) = (origin.as_str(), &*held.access_key);
        let end = held.end.map(|end| humantime::format_rfc3339_seconds(end).to_string());
        // The same keys, read again, keep the day's key that is derived from them.
        if self.live.get(now).is_none_or(|live| !live.is_same(&signer)) {
            tracing::debug!(source, access_key, end, "AWS credentials renewed");
            self.live.set(Some(Arc::new(signer)));
        }
        if self.state.renewed(held.clone(), now) {
            tracing::info!(source, access_key, end, region = self.region, "AWS credentials found");
        }
    }

    fn fail(&self, error: LoadError, now: SystemTime) {
        let reason = error.to_string();
        if !self.state.failed(error) {
            tracing::debug!(reason, "no AWS credentials, again");
        } else if let Some(signer) = self.live.get(now) {
            let end = signer.end().map(|end| humantime::format_rfc3339_seconds(end).to_string());
            tracing::warn!(reason, end, "AWS credentials not renewed; those before are used until their end");
        } else {
            tracing::warn!(reason, "no AWS credentials: requests that are signed here fail");
        }
    }
}

/// A signer, and where its keys were.
type Made = Result<(CredentialSource, ReadSigner), LoadError>;
