//! The warnings about live documents in the log: once for each document, after the start and after each reload, on a thread of its own.
//!
//! Decides: how many lines there are at most, and how much of a processor the thread takes. Must not know: what there is to warn of.

use super::Store;
use super::snapshot::DocumentOrigin;
use super::warnings::LiveWarnings;
use super::watch::WatchError;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The most lines of one pass: thousands of documents with the same mistake must not bury the rest of the log.
const MOST_LINES: usize = 50;
/// How long the thread works before it rests.
const WORK: Duration = Duration::from_millis(5);
/// How long it then rests: requests need the processors.
const REST: Duration = Duration::from_millis(15);

/// Writes the warnings about documents that have not been judged yet into the log. Ends with the store.
#[derive(Clone, Debug)]
pub struct WarningLog(SyncSender<()>);

impl WarningLog {
    /// Starts the thread. It waits until it is [told to look](Self::look).
    ///
    /// # Errors
    /// [`WatchError`] when no thread can be started.
    pub fn start(store: &Arc<Store>) -> Result<Self, WatchError> {
        let (sender, asked) = sync_channel(1);
        let store = Arc::downgrade(store);
        std::thread::Builder::new().name("warnings".into()).spawn(move || serve(&store, &asked))?;
        Ok(Self(sender))
    }

    /// Looks at the live documents soon. Does not block.
    pub fn look(&self) {
        // A look that is due already will see what is live then.
        let _ = self.0.try_send(());
    }
}

fn serve(store: &Weak<Store>, asked: &Receiver<()>) {
    while asked.recv().is_ok()
        && let Some(store) = store.upgrade()
    {
        log(&store);
    }
}

/// One pass over the live documents.
fn log(store: &Store) {
    let live = Arc::clone(&store.live());
    let (mut lines, mut begun) = (0, Instant::now());
    for bucket in live.with_rules() {
        let Some(origin) = bucket.origin.as_ref().filter(|origin| origin.claim_log()) else { continue };
        let Some(warnings) = store.warnings(bucket) else { continue };
        log_some(origin, warnings, MOST_LINES.saturating_sub(lines));
        lines += warnings.len();
        if begun.elapsed() >= WORK {
            std::thread::sleep(REST);
            begun = Instant::now();
        }
    }
    if let Some(more) = lines.checked_sub(MOST_LINES).filter(|more| *more > 0) {
        tracing::warn!(more, "there are more warnings about rules: run s3cors check");
    }
}

fn log_some(origin: &DocumentOrigin, warnings: &LiveWarnings, most: usize) {
    for (place, warning) in warnings.iter().take(most) {
        tracing::warn!(
            file = %origin.path.display(),
            line = place.map(|place| place.line),
            column = place.map(|place| place.column),
            code = warning.code().as_str(),
            hint = warning.hint().as_deref(),
            "{}",
            warning.message()
        );
    }
}
