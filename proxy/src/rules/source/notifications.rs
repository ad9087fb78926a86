//! The file system's notifications about a directory of rules.
//!
//! Directories are watched, never files: a watch on a file dies with its first replacement (ConfigMap swap, atomic rename). The
//! parent is watched too, for a directory that is itself replaced. Network file systems and bind mounts may send nothing, hence
//! the poll.

use super::{Changed, Changes};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The directories that are watched. A watch stays with a directory that was replaced, so watches are set again when the path leads
/// elsewhere.
pub(super) struct Notifications {
    path: PathBuf,
    watcher: Option<RecommendedWatcher>,
    watched: Vec<Watched>,
}

/// A directory that can be told from another that took its place under the same name. The inode number alone is not enough: file
/// systems give the number of a removed directory to the next one made.
#[derive(Debug, PartialEq, Eq)]
struct Watched {
    path: PathBuf,
    device: u64,
    number: u64,
    created: Option<SystemTime>,
}

impl Notifications {
    pub(super) fn new(path: &Path, changed: Changed) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Our own reading shows as Access: answering it would never end.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                changed();
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "the file system sends no notifications; rules are only polled");
        }
        let mut notifications = Self { path: path.to_owned(), watcher: watcher.ok(), watched: Vec::new() };
        notifications.renew();
        notifications
    }
}

impl Changes for Notifications {
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
fn directories(path: &Path) -> Vec<Watched> {
    let parent = path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
    let candidates = [Some(path), parent];
    let real = candidates.into_iter().flatten().filter_map(|path| std::fs::canonicalize(path).ok());
    real.filter_map(Watched::at).collect()
}

impl Watched {
    /// What is there now, if it is a directory.
    fn at(path: PathBuf) -> Option<Self> {
        let metadata = std::fs::metadata(&path).ok().filter(Metadata::is_dir)?;
        Some(Self { path, device: metadata.dev(), number: metadata.ino(), created: metadata.created().ok() })
    }
}
