//! The folder that a grant opens.
//!
//! Decides: which folder of a key that is. Must not know: buckets, tokens.
//!
//! Keys come decoded, and with one reading. A key with an empty segment or one of dots still has no folder here: a folder must be the
//! same place to every server.

/// A folder of a bucket, at least one segment deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedFolder<'k> {
    path: &'k str,
    depth: u8,
}

impl<'k> OpenedFolder<'k> {
    /// The key's first segments, so many of them; `None` where the key has fewer folders or is not plain.
    pub(super) fn of_key(key: &'k str, depth: u8) -> Option<Self> {
        let (end, _) = key.match_indices('/').nth(usize::from(depth).checked_sub(1)?)?;
        is_plain(key).then_some(Self { path: key.get(..=end)?, depth })
    }

    /// The folder as keys begin with it: it ends in `/`.
    #[must_use]
    pub const fn as_str(self) -> &'k str {
        self.path
    }

    /// The number of its segments.
    pub(super) const fn depth(self) -> u8 {
        self.depth
    }
}

/// The folder that a playlist opens: its own, or so many folders higher. Never one above `prefix`, which is empty or ends in `/`, and
/// never the whole bucket.
#[must_use]
pub fn folder_of<'k>(key: &'k str, prefix: &str, up: usize) -> Option<OpenedFolder<'k>> {
    let is_below = key.starts_with(prefix) && (prefix.is_empty() || prefix.ends_with('/'));
    let highest = folders(prefix).max(1);
    let own = Some(folders(key)).filter(|own| is_below && *own >= highest)?;
    OpenedFolder::of_key(key, u8::try_from(own.saturating_sub(up).max(highest)).ok()?)
}

/// The number of folders that a key is in.
fn folders(key: &str) -> usize {
    key.bytes().filter(|byte| *byte == b'/').count()
}

/// Returns true if a key has no dot segments and no empty ones but the last, so that no server reads a different path in it.
fn is_plain(key: &str) -> bool {
    let (folders, name) = key.rsplit_once('/').map_or((None, key), |(folders, name)| (Some(folders), name));
    let is_dots = |segment: &str| matches!(segment, "." | "..");
    !is_dots(name) && folders.is_none_or(|folders| folders.split('/').all(|each| !each.is_empty() && !is_dots(each)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playlist_opens_its_own_folder_or_a_higher_one() {
        for (key, prefix, up, expected) in [
            ("video/7/master.m3u8", "", 0, Some("video/7/")),
            ("video/7/master.m3u8", "video/", 0, Some("video/7/")),
            ("video/7/hd/master.m3u8", "video/", 1, Some("video/7/")),
            ("video/7/master.m3u8", "video/7/", 0, Some("video/7/")),
            // The prefix ends the way up, and so does the last folder.
            ("video/7/hd/master.m3u8", "video/7/", 2, Some("video/7/")),
            ("video/7/master.m3u8", "", 9, Some("video/")),
            ("video/7/master.m3u8", "", usize::MAX, Some("video/")),
            ("ü/日本/a b.m3u8", "", 0, Some("ü/日本/")),
            ("...//a", "", 0, None),
            (".../a", "", 0, Some(".../")),
            ("a/..b/c", "", 0, Some("a/..b/")),
            // No folder: that would be the bucket.
            ("master.m3u8", "", 0, None),
            ("", "", 0, None),
            // Not below the prefix.
            ("audio/7/master.m3u8", "video/", 0, None),
            ("video", "video/", 0, None),
            ("Video/7/master.m3u8", "video/", 0, None),
            // A prefix that is no folder.
            ("video/7/master.m3u8", "vid", 0, None),
            ("video/7/master.m3u8", "video/7", 0, None),
            // Not one place to all servers.
            ("/video/master.m3u8", "", 0, None),
            ("video//7/master.m3u8", "", 0, None),
            ("video/7//master.m3u8", "", 0, None),
            ("video//7/hd/master.m3u8", "", 3, None),
            ("video/7/../8/master.m3u8", "", 0, None),
            ("video/./master.m3u8", "", 0, None),
            ("video/..", "", 0, None),
            ("/", "", 0, None),
        ] {
            assert_eq!(folder_of(key, prefix, up).map(OpenedFolder::as_str), expected, "{key} below {prefix}, {up} up");
        }
    }

    #[test]
    fn a_folder_is_at_most_255_segments_deep() {
        let key = |folders: usize| "a/".repeat(folders) + "master.m3u8";
        assert_eq!(folder_of(&key(255), "", 0).map(OpenedFolder::depth), Some(255));
        assert_eq!(folder_of(&key(256), "", 0), None);
        assert_eq!(folder_of(&key(256), "", 1).map(OpenedFolder::depth), Some(255));
    }

    #[test]
    fn a_folder_of_a_depth_is_the_keys_beginning() {
        for (key, depth, expected) in [
            ("a/b/c", 1, Some("a/")),
            ("a/b/c", 2, Some("a/b/")),
            ("a/b/", 2, Some("a/b/")),
            ("a/b/c", 3, None),
            ("a/b/c", 255, None),
            ("a/b/c", 0, None),
            ("a", 1, None),
            ("", 1, None),
            ("a/b/../c", 1, None),
            ("a/b//c", 1, None),
            ("a/b/..", 1, None),
        ] {
            assert_eq!(OpenedFolder::of_key(key, depth).map(OpenedFolder::as_str), expected, "{key} {depth}");
        }
    }
}
