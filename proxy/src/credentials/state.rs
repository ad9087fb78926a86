//! The state of the credentials, for operators.

use super::sources::{CredentialSource, LoadError};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::SystemTime;

/// The credentials as they were last seen. Shared, and read without a lock.
#[derive(Debug)]
pub struct CredentialsState(ArcSwap<Seen>);

#[derive(Clone, Debug)]
struct Seen {
    held: Option<HeldKeys>,
    error: Option<LoadError>,
    since: SystemTime,
}

/// Credentials without their secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldKeys {
    pub(super) origin: CredentialSource,
    pub(super) access_key: Box<str>,
    pub(super) end: Option<SystemTime>,
}

/// The state at a moment. It has no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsSnapshot {
    /// Set if there are credentials that have not expired.
    pub is_available: bool,
    /// The source of the credentials, or of the last ones.
    pub source: Option<CredentialSource>,
    /// The access key id.
    pub access_key: Option<Box<str>>,
    /// When they expire. `None` without credentials, and for those that do not.
    pub end: Option<SystemTime>,
    /// The reason why the last attempt gave none.
    pub error: Option<String>,
    /// Since when they are available, or not.
    pub since: SystemTime,
}

impl CredentialsState {
    pub(super) fn new(now: SystemTime) -> Self {
        Self(ArcSwap::from_pointee(Seen { held: None, error: None, since: now }))
    }

    /// Reads the state.
    #[must_use]
    pub fn snapshot(&self, now: SystemTime) -> CredentialsSnapshot {
        let seen = self.0.load();
        let held = seen.held.as_ref();
        let end = held.and_then(|held| held.end);
        let is_available = seen.is_available(now);
        CredentialsSnapshot {
            is_available,
            source: held.map(|held| held.origin),
            access_key: held.map(|held| held.access_key.clone()),
            end,
            error: seen.error.as_ref().map(ToString::to_string),
            // They expired while no one looked.
            since: end.filter(|_| !is_available).map_or(seen.since, |end| end.max(seen.since)),
        }
    }

    /// Notes new credentials. Returns true if there were none before.
    pub(super) fn renewed(&self, held: HeldKeys, now: SystemTime) -> bool {
        let seen = self.0.load_full();
        let was_available = seen.is_available(now);
        let since = if was_available { seen.since } else { now };
        self.0.store(Arc::new(Seen { held: Some(held), error: None, since }));
        !was_available
    }

    /// Notes that an attempt failed. Returns true if the one before did not, or failed elsewhere. The text of a reason may have the time
    /// in it.
    pub(super) fn failed(&self, error: LoadError) -> bool {
        let seen = self.0.load_full();
        let is_new = seen.error.as_ref().is_none_or(|last| last.kind() != error.kind());
        self.0.store(Arc::new(Seen { error: Some(error), ..Seen::clone(&seen) }));
        is_new
    }
}

impl Seen {
    fn is_available(&self, now: SystemTime) -> bool {
        self.held.as_ref().is_some_and(|held| held.end.is_none_or(|end| now < end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_snapshot_is_true_at_its_moment() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let held = |end| HeldKeys { origin: CredentialSource::Process, access_key: "AKIDEXAMPLE".into(), end };
        let state = CredentialsState::new(at(1));
        assert!(!state.snapshot(at(5)).is_available);
        assert_eq!(state.snapshot(at(5)).since, at(1));

        assert!(state.failed(LoadError::TimedOut), "the first");
        assert!(!state.failed(LoadError::TimedOut), "the same again");
        assert_eq!(state.snapshot(at(5)).error.as_deref(), Some("the sources did not respond within 30 s"));

        assert!(state.renewed(held(Some(at(20))), at(10)));
        assert!(!state.renewed(held(Some(at(30))), at(15)), "they were there");
        let snapshot = state.snapshot(at(29));
        let expected = CredentialsSnapshot {
            is_available: true,
            source: Some(CredentialSource::Process),
            access_key: Some("AKIDEXAMPLE".into()),
            end: Some(at(30)),
            error: None,
            since: at(10),
        };
        assert_eq!(snapshot, expected);

        let failed = |reason: &str| LoadError::Failed { origin: CredentialSource::Process, reason: reason.into() };
        assert!(state.failed(LoadError::TimedOut) && state.failed(failed("at 10:00")), "it fails elsewhere");
        assert!(!state.failed(failed("at 10:01")), "in other words");
        assert!(state.snapshot(at(29)).is_available, "they are kept until their end");
        let expired = state.snapshot(at(40));
        assert_eq!((expired.is_available, expired.since), (false, at(30)));
        assert!(state.renewed(held(None), at(50)), "they are there again");
        assert_eq!(state.snapshot(at(60)).since, at(50));
    }
}
