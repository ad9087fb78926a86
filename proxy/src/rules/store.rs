//! The live rules: one snapshot that a request reads once, without a lock.

use super::files::FileError;
use super::reload::{Loader, Outcome, Prepare, Report, State};
use super::snapshot::Snapshot;
use crate::config;
use arc_swap::{ArcSwap, Guard};
use s3_cors::Credentials;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The live rules and the files behind them.
pub struct Store<P> {
    loader: Loader<P>,
    live: ArcSwap<Snapshot<P>>,
    /// What was last seen on disk. Held while reloading only; no request waits for it.
    state: Mutex<State>,
}

impl<P: Send + Sync + 'static> Store<P> {
    /// Reads all rules for the first time.
    ///
    /// # Errors
    /// Everything wrong, when anything is: a proxy does not start with rules other than those on disk.
    pub fn open(rules: &config::Rules, credentials: Credentials, prepare: Prepare<P>) -> Result<Self, Vec<FileError>> {
        let loader = Loader { path: rules.path.clone(), credentials, prepare };
        let live = ArcSwap::from_pointee(Snapshot::empty((loader.prepare)(Snapshot::<P>::OTHER, None)));
        let store = Self { loader, live, state: Mutex::default() };
        let report = store.reload();
        if report.outcome == Outcome::Rejected { Err(report.errors) } else { Ok(store) }
    }

    /// The rules of this moment.
    pub fn live(&self) -> Guard<Arc<Snapshot<P>>> {
        self.live.load()
    }

    /// The directory or file that the rules come from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.loader.path
    }

    /// What is wrong on disk as last seen: empty when all of it is live.
    #[must_use]
    pub fn errors(&self) -> Vec<FileError> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).errors().to_vec()
    }

    /// Reads the files again and swaps in what is valid. Blocks on file I/O: not for a request's thread.
    pub fn reload(&self) -> Report {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (report, snapshot) = state.look(&self.loader, &self.live.load());
        if let Some(snapshot) = snapshot {
            self.live.store(Arc::new(snapshot));
        }
        report
    }
}
