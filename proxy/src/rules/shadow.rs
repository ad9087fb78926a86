//! Shadow rules: a candidate set, read and watched like the live one. No request is decided by it.

use super::snapshot::{Bucket, Snapshot};
use super::source::Source;
use super::store::{Purpose, Store};
use super::unknown::Unknown;
use arc_swap::ArcSwap;
use s3_cors::Credentials;
use std::sync::Arc;

/// A candidate set of rules.
pub struct ShadowRules {
    store: Arc<Store>,
    unknown: Arc<ArcSwap<Unknown>>,
}

impl ShadowRules {
    /// Reads a candidate set for the first time. Errors in it are logged, and stop nothing. `changed` is called with the
    /// rules after each reload that changes what the set says.
    #[must_use]
    pub fn of(
        source: Box<dyn Source>,
        credentials: Credentials,
        changed: impl Fn(&Snapshot) + Send + Sync + 'static,
    ) -> Self {
        let (store, errors) = Store::for_purpose(Purpose::Shadow, source, credentials);
        for error in &errors {
            tracing::error!(%error, "shadow rules rejected; requests that they would decide are not compared");
        }
        let path = store.path().to_owned();
        let unknown = Arc::new(ArcSwap::from_pointee(Unknown::of(&errors, &path)));
        let latest = Arc::clone(&unknown);
        store.observe(Box::new(move |report, candidate| {
            let next = Unknown::of(&report.errors, &path);
            let is_other = next != **latest.load();
            latest.store(Arc::new(next));
            if is_other || !report.changed.is_empty() {
                changed(candidate);
            }
        }));
        Self { store: Arc::new(store), unknown }
    }

    /// The rules for a request; `None` where they are not known, because the document that would decide is not valid.
    #[must_use]
    pub fn bucket(&self, name: Option<&str>) -> Option<Arc<Bucket>> {
        let candidate = self.store.live();
        let is_known = !self.unknown.load().covers(name, &candidate);
        is_known.then(|| Arc::clone(candidate.bucket(name)))
    }

    /// The set itself, to reload and to watch.
    #[must_use]
    pub const fn store(&self) -> &Arc<Store> {
        &self.store
    }
}
