//! The live rules: one snapshot that a request reads once, without a lock.

use super::reload::{LastReload, Reading, Reads, Report};
use super::remark::{self, Remark};
use super::slot::Slot;
use super::snapshot::{Bucket, Snapshot};
use super::source::{Source, SourceError};
use super::unknown::Unknown;
use super::warnings::LiveWarnings;
use super::write::{SigningTime, Write, WriteError, Written};
use arc_swap::{ArcSwap, Guard};
use s3_cors::{CorsConfiguration, Credentials};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

/// Told of a reload, with the rules that are live after it.
pub type Observer = Box<dyn Fn(&Report, &Snapshot) + Send + Sync>;

/// What a set of rules is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Requests are decided by it.
    Live,
    /// It is only compared with the live one.
    Shadow,
}

impl Purpose {
    /// What lines of the log add about a set that is not the live one.
    pub(super) const fn in_log(self) -> Option<&'static str> {
        match self {
            Self::Live => None,
            Self::Shadow => Some("shadow"),
        }
    }
}

/// The live rules and the source behind them.
pub struct Store {
    source: Box<dyn Source>,
    purpose: Purpose,
    credentials: Credentials,
    live: ArcSwap<Snapshot>,
    /// What was last read. Held while reading and writing, which may wait for a network.
    reading: Mutex<Reading>,
    /// What it shows to those who ask, who must not wait for a network.
    shown: Mutex<Shown>,
    last: Mutex<Option<LastReload>>,
    observer: OnceLock<Observer>,
}

/// What is to know about the source as last read.
#[derive(Default)]
struct Shown {
    errors: Vec<SourceError>,
    remarks: Vec<Remark>,
}

impl Store {
    /// Reads all rules of a source for the first time.
    ///
    /// # Errors
    /// Everything wrong, when anything is: a proxy does not start with other rules than those it was given.
    pub fn of(source: Box<dyn Source>, credentials: Credentials) -> Result<Self, Vec<SourceError>> {
        let (store, errors) = Self::of_what_is_valid(source, credentials);
        if errors.is_empty() { Ok(store) } else { Err(errors) }
    }

    /// Reads all rules of a source for the first time, and returns those that are valid with everything wrong: not for serving.
    #[must_use]
    pub fn of_what_is_valid(source: Box<dyn Source>, credentials: Credentials) -> (Self, Vec<SourceError>) {
        Self::for_purpose(Purpose::Live, source, credentials)
    }

    pub(super) fn for_purpose(
        purpose: Purpose,
        source: Box<dyn Source>,
        credentials: Credentials,
    ) -> (Self, Vec<SourceError>) {
        let store = Self {
            source,
            purpose,
            credentials,
            live: ArcSwap::default(),
            reading: Mutex::default(),
            shown: Mutex::default(),
            last: Mutex::default(),
            observer: OnceLock::new(),
        };
        let report = store.read(Reads::First);
        (store, report.errors)
    }

    /// Whether an error leaves open which rules a bucket has: it is about the bucket's own document, or, where there is none, about the
    /// default.
    #[must_use]
    pub fn is_about(&self, error: &SourceError, bucket: Option<&str>) -> bool {
        Unknown::of(std::slice::from_ref(error), self.path()).covers(bucket, &self.live())
    }

    /// Tells `observer` of every reload from now on that someone asked for or that found something new. The first observer stays.
    pub fn observe(&self, observer: Observer) {
        let _ = self.observer.set(observer);
    }

    /// The rules of this moment.
    pub fn live(&self) -> Guard<Arc<Snapshot>> {
        self.live.load()
    }

    /// The directory or file that the rules come from.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.source.path()
    }

    pub(super) fn source(&self) -> &dyn Source {
        &*self.source
    }

    /// What is wrong in the source as last read: empty when all of it is live.
    #[must_use]
    pub fn errors(&self) -> Vec<SourceError> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).errors.clone()
    }

    /// What is no error in the source and should be known.
    #[must_use]
    pub fn remarks(&self) -> Vec<Remark> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).remarks.clone()
    }

    /// The warnings about a live document; `None` for rules without one. The first time it is read for that, and so this may block on I/O;
    /// afterwards it costs nothing.
    #[must_use]
    pub fn warnings<'b>(&self, bucket: &'b Bucket) -> Option<&'b LiveWarnings> {
        bucket.warnings(&*self.source)
    }

    /// The last reload that changed something, was rejected or was asked for; `None` since the start.
    #[must_use]
    pub fn last_reload(&self) -> Option<LastReload> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads all of the source again because someone asked for it, and tells of it. Blocks on I/O: not for a request's thread.
    pub fn reload(&self) -> Report {
        let report = self.read(Reads::All);
        self.tell(&report);
        report
    }

    /// Reads what has changed in the source, and tells of it if there is something new. Returns how many documents there are.
    pub(super) fn look(&self) -> usize {
        let report = self.read(Reads::Changed);
        if report.is_news {
            self.tell(&report);
        }
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).documents()
    }

    /// Writes a bucket's document durably, then makes it live. Who asks must have been allowed to. Blocks on I/O: not for a request's thread.
    ///
    /// # Errors
    /// [`WriteError`]; the rules that were live stay.
    pub fn put(
        &self,
        bucket: &str,
        document: &CorsConfiguration,
        signed: impl Into<SigningTime>,
    ) -> Result<Written, WriteError> {
        self.write(&Write { bucket, document: Some(document), signed: signed.into() })
    }

    /// Removes a bucket's document durably, then its rules, as [`Self::put`] writes it. There need not be one.
    ///
    /// # Errors
    /// [`WriteError`]; the rules that were live stay.
    pub fn delete(&self, bucket: &str, signed: impl Into<SigningTime>) -> Result<Written, WriteError> {
        self.write(&Write { bucket, document: None, signed: signed.into() })
    }

    fn write(&self, write: &Write<'_>) -> Result<Written, WriteError> {
        let slot = Slot::of_bucket(write.bucket).ok_or(WriteError::NoBucketName)?;
        // No reload comes between the write and its rules: it would bring back what it read before.
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = self.source.write(write)?;
        let live = self.live.load();
        let (report, snapshot) = reading.written(&*self.source, (&slot, stored), self.credentials, &live);
        if let Some(snapshot) = snapshot {
            self.live.store(Arc::new(snapshot));
        }
        let digest = |snapshot: &Snapshot| snapshot.own(write.bucket).and_then(Bucket::digest);
        self.show(&reading);
        let written = Written { before: digest(&live), after: digest(&self.live.load()) };
        drop(reading);
        if report.is_news {
            self.tell(&report);
        }
        Ok(written)
    }

    /// Reads the source and swaps in what is valid.
    fn read(&self, reads: Reads) -> Report {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let (report, snapshot) = reading.next(&*self.source, reads, self.credentials, &self.live.load());
        if let Some(snapshot) = snapshot {
            self.live.store(Arc::new(snapshot));
        }
        self.show(&reading);
        remark::log(&report.remarks, self.purpose.in_log());
        report
    }

    fn show(&self, reading: &Reading) {
        let shown = Shown { errors: reading.errors().to_vec(), remarks: reading.remarks().to_vec() };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
    }

    fn tell(&self, report: &Report) {
        let live = self.live.load();
        report.log(live.rule_count(), self.purpose.in_log());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(LastReload { at: SystemTime::now(), outcome: report.outcome, changed: report.changed.clone() });
        if let Some(observer) = self.observer.get() {
            observer(report, &live);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reload::Outcome;
    use super::super::source::Stored;
    use super::super::source::{Changed, Changes, Found, Listing, Version};
    use super::*;
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    const RULES: &[u8] = br#"[{"AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"]}]"#;

    /// Counts how often its two documents are read. `version` is the first one's, 0 for none.
    #[derive(Default)]
    struct Counting {
        version: AtomicU64,
        reads: AtomicUsize,
    }

    impl Source for Arc<Counting> {
        fn path(&self) -> &Path {
            Path::new("counting")
        }

        fn list(&self) -> Result<Listing, SourceError> {
            let version = self.version.load(Ordering::Relaxed);
            let found = |name: &str, version| {
                let path = PathBuf::from(format!("{name}.json"));
                (
                    Slot::Bucket(name.into()),
                    vec![Found { path, version: Some(Version::of(version)).filter(|_| version > 0) }],
                )
            };
            Ok(Listing { documents: BTreeMap::from([found("a", version), found("b", 1)]), ..Listing::default() })
        }

        fn read(&self, _: &Path) -> Result<Vec<u8>, SourceError> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            Ok(RULES.to_vec())
        }

        fn write(&self, _: &Write<'_>) -> Result<Option<Stored>, WriteError> {
            Err(WriteError::read_only(self.path(), "it only counts"))
        }

        fn changes(&self, _: Changed) -> Box<dyn Changes> {
            unreachable!("nothing is watched here")
        }
    }

    #[test]
    fn a_look_reads_what_may_have_changed_and_a_reload_reads_everything() {
        let source = Arc::<Counting>::default();
        let store = Store::of(Box::new(Arc::clone(&source)), Credentials::S3).unwrap();
        let reads_of = |act: &dyn Fn()| {
            let before = source.reads.load(Ordering::Relaxed);
            act();
            source.reads.load(Ordering::Relaxed) - before
        };
        assert_eq!(reads_of(&|| assert_eq!(store.look(), 2)), 1, "the first has no version");
        assert_eq!(reads_of(&|| assert_eq!(store.look(), 2)), 1, "it still has none");
        source.version.store(7, Ordering::Relaxed);
        assert_eq!(reads_of(&|| assert_eq!(store.look(), 2)), 1, "it has one that was not read");
        assert_eq!(reads_of(&|| assert_eq!(store.look(), 2)), 0, "nothing has changed");
        source.version.store(8, Ordering::Relaxed);
        assert_eq!(reads_of(&|| assert_eq!(store.look(), 2)), 1, "the first has changed");
        assert_eq!(reads_of(&|| assert_eq!(store.reload().outcome, Outcome::Unchanged)), 2, "someone asked");
        assert_eq!(store.live().rule_count(), 2);
    }
}
