//! The version of a file, from what the system knows about it.
//!
//! Decides: when a file need not be read again.

use super::Version;
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

/// For how long after its last change a file has no version: a second change within the clock's step of the file system would
/// leave all that is known about it as it was (git calls such an entry racily clean).
const MAY_CHANGE_UNSEEN: Duration = Duration::from_secs(2);

/// The version of a file. The time of its last change is the system's own: unlike the time of modification no program sets it.
pub(super) fn version(metadata: &Metadata, now: SystemTime) -> Option<Version> {
    let seconds = Duration::from_secs(metadata.ctime().try_into().ok()?);
    let changed = SystemTime::UNIX_EPOCH + seconds + Duration::from_nanos(metadata.ctime_nsec().try_into().ok()?);
    // A clock that is ahead of ours, as a file server's may be, gives no version.
    if now.duration_since(changed).ok()? < MAY_CHANGE_UNSEEN {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    let known = [metadata.dev(), metadata.ino(), metadata.size()];
    let times = [metadata.ctime(), metadata.ctime_nsec(), metadata.mtime(), metadata.mtime_nsec()];
    (known, times).hash(&mut hasher);
    Some(Version::of(hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_file_has_a_version_once_it_has_rested() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let metadata = file.as_file().metadata().unwrap();
        let now = SystemTime::now();
        assert_eq!(version(&metadata, now), None, "it may change within the same tick");
        assert_eq!(version(&metadata, now - Duration::from_secs(60)), None, "it is from the future");
        assert!(version(&metadata, now + MAY_CHANGE_UNSEEN).is_some());
    }

    #[test]
    fn a_change_is_another_version_even_where_its_time_of_modification_is_set_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let later = SystemTime::now() + Duration::from_secs(60);
        let seen = |metadata: Metadata| version(&metadata, later).unwrap();
        let before = file.as_file().metadata().unwrap();
        let changed = |metadata: &Metadata| (metadata.ctime(), metadata.ctime_nsec());
        // The file system's clock steps every few milliseconds.
        let deadline = Instant::now() + Duration::from_secs(5);
        let after = loop {
            file.as_file().set_modified(before.modified().unwrap()).unwrap();
            let after = file.as_file().metadata().unwrap();
            if changed(&after) != changed(&before) {
                break after;
            }
            assert!(Instant::now() < deadline, "the clock stands still");
        };
        assert_eq!(before.modified().unwrap(), after.modified().unwrap());
        assert_ne!(seen(before), seen(after));
    }
}
