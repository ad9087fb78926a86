//! Notices that the files changed: by the file system's notifications, and by looking, for what sends none.
//!
//! Watched are directories, never files: a watch on a file dies with its first replacement (ConfigMap swap, atomic rename). The
//! parent is watched too, for a directory that is itself replaced. Network file systems and bind mounts may notify nobody, hence
//! the poll; it compares contents, so it also covers whatever the watches miss.

use super::reload::Report;
use super::store::Store;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

/// Quiet after a notification before the files are read: a file written in place is seen half-written first.
const QUIET: Duration = Duration::from_millis(50);
/// The longest wait for quiet: a change is live within a second however busy the directory is.
const LONGEST_WAIT: Duration = Duration::from_millis(400);

/// The watcher's thread could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the rules can not be watched: {0}")]
pub struct WatchError(#[from] std::io::Error);

/// Watching; ends when dropped.
pub struct Watch {
    stop: Option<Sender<Signal>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

enum Signal {
    Changed,
    Stop,
}

/// Reloads the store whenever its files change, and tells `report` when there is something new.
///
/// # Errors
/// [`WatchError`] when no thread can be started. Missing notifications are no error: the poll remains.
pub fn watch<P: Send + Sync + 'static>(
    store: Arc<Store<P>>,
    poll: Duration,
    report: impl Fn(&Report) + Send + 'static,
) -> Result<Watch, WatchError> {
    let (sender, signals) = channel();
    let mut notifications = Notifications::new(store.path(), sender.clone());
    let mut look = move || {
        // First the watch, then the look: what changes in between is notified, what changed before is seen.
        notifications.renew();
        let looked = store.reload();
        if looked.news {
            report(&looked);
        }
    };
    // Before anybody is told that the rules are served, they are watched.
    look();
    let thread = std::thread::Builder::new().name("rules".into()).spawn(move || {
        while wait(&signals, poll) {
            look();
        }
    })?;
    Ok(Watch { stop: Some(sender), thread: Some(thread) })
}

/// Waits for a change that has settled, or for the time to look; `false` is the end.
fn wait(signals: &Receiver<Signal>, poll: Duration) -> bool {
    match signals.recv_timeout(poll) {
        Ok(Signal::Changed) => {}
        Err(RecvTimeoutError::Timeout) => return true,
        Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
    }
    let first = Instant::now();
    while first.elapsed() < LONGEST_WAIT {
        match signals.recv_timeout(QUIET) {
            Ok(Signal::Changed) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    true
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(Signal::Stop);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The directories that are watched. A watch holds on to a directory that was since replaced, so they are set again when the
/// path leads elsewhere.
struct Notifications {
    path: PathBuf,
    watcher: Option<RecommendedWatcher>,
    watched: Vec<Directory>,
}

/// A directory that can be told from another that took its place under the same name. The number alone can not: file systems
/// give the number of what was removed to what is made next.
#[derive(Debug, PartialEq, Eq)]
struct Directory {
    path: PathBuf,
    device: u64,
    number: u64,
    created: Option<SystemTime>,
}

impl Notifications {
    fn new(path: &Path, events: Sender<Signal>) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Our own reading shows as Access: to answer it would be to read for ever.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                let _ = events.send(Signal::Changed);
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "the file system sends no notifications; rules are looked at by polling only");
        }
        let mut notifications = Self { path: path.to_owned(), watcher: watcher.ok(), watched: Vec::new() };
        notifications.renew();
        notifications
    }

    /// Watches where the path leads now, if that is not where it led before.
    fn renew(&mut self) {
        let directories = directories(&self.path);
        if directories == self.watched {
            return;
        }
        let Some(watcher) = &mut self.watcher else { return };
        for old in &self.watched {
            let _ = watcher.unwatch(&old.path);
        }
        for directory in &directories {
            if let Err(error) = watcher.watch(&directory.path, RecursiveMode::NonRecursive) {
                tracing::debug!(%error, directory = %directory.path.display(), "not watched");
            }
        }
        self.watched = directories;
    }
}

/// The directory with the rules and the one that holds it, symbolic links followed; nothing for what is not there.
fn directories(path: &Path) -> Vec<Directory> {
    let parent = path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
    let candidates = [Some(path), parent];
    let real = candidates.into_iter().flatten().filter_map(|path| std::fs::canonicalize(path).ok());
    real.filter_map(Directory::at).collect()
}

impl Directory {
    /// What is there now, if it is a directory.
    fn at(path: PathBuf) -> Option<Self> {
        let metadata = std::fs::metadata(&path).ok().filter(Metadata::is_dir)?;
        Some(Self { path, device: metadata.dev(), number: metadata.ino(), created: metadata.created().ok() })
    }
}
