//! Readings of a key: which keys a server, or a proxy before it, may take the text of a path for.
//!
//! What strangers may read is a list of prefixes, and a path is below one only if it is so to every reader. Decides: which readings a text has.
//! Must not know: prefixes that are listed, buckets.

use percent_encoding::percent_decode;
use std::borrow::Cow;

/// The longest text that is read, in bytes: a key has 1,024 at most, each of which may be percent-encoded.
const LONGEST: usize = 3 * 1024;
/// A path that is encoded more often is for no one.
const MOST_DECODINGS: usize = 4;
/// A slash within a segment, to a reader who has split the path before he decoded it. No prefix has this text.
const INNER_SLASH: &[u8] = b"%2F";

/// The keys that one text is to its readers.
#[derive(Debug, PartialEq, Eq)]
pub enum KeyReadings<'k> {
    /// The same key to all.
    One(Cow<'k, str>),
    /// Several keys. Each begins where the text begins: no reading leads up.
    Several(Vec<Vec<u8>>),
    /// Any key: a reader may take part of the text for a step up, or for the end.
    Any,
}

impl<'k> KeyReadings<'k> {
    /// Reads the text of a path after the bucket and its slash, as it was sent.
    #[must_use]
    pub fn of(raw: &'k str) -> Self {
        let is_plain = |byte: u8| !matches!(byte, b'%' | b'\\' | b';') && !byte.is_ascii_control();
        if raw.len() > LONGEST {
            return Self::Any;
        }
        if raw.bytes().all(is_plain) && !has_empty_segment(raw.as_bytes()) {
            return if may_lead_up(raw.as_bytes()) { Self::Any } else { Self::One(raw.into()) };
        }
        if has_broken_escape(raw.as_bytes()) {
            return Self::Any;
        }
        let decoded = [decoded_by_segment(raw), decoded_times(raw, 1), decoded_times(raw, MOST_DECODINGS)];
        // Of bytes that are no UTF-8, some readers make others: a dot of two bytes.
        let is_odd = |text: &Vec<u8>| may_lead_up(text) || str::from_utf8(text).is_err();
        if decoded.iter().any(is_odd) {
            return Self::Any;
        }
        let mut readings = Vec::new();
        decoded.into_iter().for_each(|text| add_variants(text, &mut readings));
        match readings.pop() {
            Some(one) if readings.is_empty() => Self::One(String::from_utf8_lossy(&one).into_owned().into()),
            last => {
                readings.extend(last);
                Self::Several(readings)
            }
        }
    }

    /// Each reading; `None` where they cannot be counted.
    #[must_use]
    pub fn each(&self) -> Option<Vec<&[u8]>> {
        match self {
            Self::One(text) => Some(vec![text.as_bytes()]),
            Self::Several(texts) => Some(texts.iter().map(Vec::as_slice).collect()),
            Self::Any => None,
        }
    }
}

/// Changes a text as some readers do.
type Change = fn(&[u8]) -> Vec<u8>;

/// Adds a text as readers have it who take `\` for `/`, remove parameters (RFC 3986 §3.3), end it where a query would begin, or merge slashes.
fn add_variants(text: Vec<u8>, readings: &mut Vec<Vec<u8>>) {
    const CHANGES: [Change; 4] = [with_slashes, without_parameters, without_query, merged];
    let first = readings.len();
    add(text, readings);
    for change in CHANGES {
        for at in first..readings.len() {
            let changed = readings.get(at).map(|text| change(text));
            changed.into_iter().for_each(|text| add(text, readings));
        }
    }
}

fn add(text: Vec<u8>, readings: &mut Vec<Vec<u8>>) {
    if !readings.contains(&text) {
        readings.push(text);
    }
}

fn with_slashes(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

fn without_parameters(text: &[u8]) -> Vec<u8> {
    let segments = text.split(|byte| *byte == b'/').map(without_parameter);
    segments.collect::<Vec<_>>().join(&b'/')
}

/// A proxy that sends a decoded path on as it is makes a query of the rest (nginx with `$uri`).
fn without_query(text: &[u8]) -> Vec<u8> {
    text.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default().to_vec()
}

fn merged(text: &[u8]) -> Vec<u8> {
    let is_folder = text.ends_with(b"/");
    let segments: Vec<_> = text.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()).collect();
    let mut merged = segments.join(&b'/');
    if is_folder && !merged.is_empty() {
        merged.push(b'/');
    }
    merged
}

fn without_parameter(segment: &[u8]) -> &[u8] {
    segment.split(|byte| *byte == b';').next().unwrap_or_default()
}

/// A segment up to where some readers end it.
fn shortest(segment: &[u8]) -> &[u8] {
    segment.split(|byte| matches!(byte, b';' | b'?' | b'#')).next().unwrap_or_default()
}

/// A `%` that encodes nothing. Most readers keep it; Ceph RGW takes the whole path for an empty one, which is the list of all buckets.
fn has_broken_escape(raw: &[u8]) -> bool {
    let is_escape =
        |rest: &[u8]| matches!(rest, [_, high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    memchr::memchr_iter(b'%', raw).any(|at| !raw.get(at..).is_some_and(is_escape))
}

fn has_empty_segment(text: &[u8]) -> bool {
    text.starts_with(b"/") || memchr::memmem::find(text, b"//").is_some()
}

/// Returns true if a decoded text has a dot segment, to a reader who splits it anywhere, or a byte at which some end it.
fn may_lead_up(text: &[u8]) -> bool {
    let is_separator = |byte: &u8| matches!(*byte, b'/' | b'\\');
    let is_dots = |segment: &[u8]| matches!(shortest(segment), b"." | b"..");
    text.iter().any(u8::is_ascii_control) || text.split(is_separator).any(is_dots)
}

fn decoded_by_segment(raw: &str) -> Vec<u8> {
    let decoded = raw.split('/').map(|segment| {
        let bytes = percent_decode(segment.as_bytes());
        bytes.fold(Vec::new(), |mut text, byte| {
            match byte {
                b'/' => text.extend_from_slice(INNER_SLASH),
                byte => text.push(byte),
            }
            text
        })
    });
    decoded.collect::<Vec<_>>().join(&b'/')
}

fn decoded_times(raw: &str, most: usize) -> Vec<u8> {
    let mut decoded = raw.as_bytes().to_vec();
    for _ in 0..most {
        if !decoded.contains(&b'%') {
            break;
        }
        decoded = percent_decode(&decoded).collect();
    }
    decoded
}

/// Returns true if some reader may take a path for one below a prefix: after it has decoded the path, once or several times, merged slashes,
/// removed dot segments, or compared without regard to case (Caddy). A plain path is below it or not.
#[must_use]
pub fn may_lead_below(path: &str, prefix: &str) -> bool {
    let (decoded, wanted) = (decoded(path), decoded(prefix));
    let is_odd = |pair: &[u8]| matches!(pair, b"//" | b"/." | b"/;");
    if !path.contains(['%', '\\']) && !decoded.windows(2).any(is_odd) {
        return decoded.strip_prefix(&*wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
    }
    let has = |text: &[u8]| memchr::memmem::find(text, &wanted).is_some();
    has(&decoded) || has(&without_separators(&decoded))
}

/// A path decoded to its end, in lower case, with slashes only.
fn decoded(path: &str) -> Vec<u8> {
    let decoded = decoded_times(path, MOST_DECODINGS);
    decoded.into_iter().map(|byte| if byte == b'\\' { b'/' } else { byte.to_ascii_lowercase() }).collect()
}

/// A path with one slash in place of each run of slashes and dots between them.
fn without_separators(path: &[u8]) -> Vec<u8> {
    let segments = path.split(|byte| *byte == b'/').filter(|segment| !matches!(*segment, b"" | b"." | b".."));
    segments.flat_map(|segment| b"/".iter().chain(segment)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_key_is_the_same_to_all_readers() {
        for (raw, key) in [
            ("docs/a.txt", "docs/a.txt"),
            ("docs/my%20file", "docs/my file"),
            ("docs/%C3%BC", "docs/\u{fc}"),
            ("docs/a+b", "docs/a+b"),
            ("docs/...", "docs/..."),
            ("docs/.well-known/x..", "docs/.well-known/x.."),
            ("docs/", "docs/"),
            ("", ""),
        ] {
            assert_eq!(KeyReadings::of(raw), KeyReadings::One(key.into()), "{raw}");
        }
    }

    #[test]
    fn a_key_that_readers_split_differently_has_each_of_their_readings() {
        for (raw, readings) in [
            ("docs/a%2Fb", &["docs/a%2Fb", "docs/a/b"][..]),
            ("docs%2fa", &["docs%2Fa", "docs/a"]),
            ("docs\\a", &["docs\\a", "docs/a"]),
            ("docs/a;v=1/b", &["docs/a;v=1/b", "docs/a/b"]),
            ("docs//a", &["docs//a", "docs/a"]),
            ("/docs/a", &["/docs/a", "docs/a"]),
            ("docs/100%25", &["docs/100%"]),
            ("docs/%2541", &["docs/%41", "docs/A"]),
            ("%2F", &["%2F", "/", ""]),
            ("docs/a%3Fb", &["docs/a?b", "docs/a"]),
            ("docs/%23", &["docs/#", "docs/"]),
        ] {
            let found = KeyReadings::of(raw);
            let mut found: Vec<_> =
                found.each().unwrap().into_iter().map(|text| str::from_utf8(text).unwrap()).collect();
            let mut expected = readings.to_vec();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{raw}");
        }
    }

    #[test]
    fn a_key_that_may_lead_up_or_end_early_may_be_any() {
        let long = "a".repeat(LONGEST + 1);
        for raw in [
            "docs/../a",
            "docs/./a",
            "..",
            "docs/%2e%2e/a",
            "docs/%2E./a",
            "docs/..%2fa",
            "docs/..%5ca",
            "docs/..\\a",
            "docs/%252e%252e/a",
            "docs/..;x/a",
            "docs/..%3bx/a",
            "docs/a%00",
            "docs/a%0a",
            "docs/..%3fx",
            "docs/%2e.%23",
            "docs/%c0%ae%c0%ae/a",
            "docs/%ff",
            "docs/100%",
            "docs/%",
            "docs/%4",
            "docs/%zz",
            "docs/%u0041",
            "docs/%2%35",
            "docs/x\\y/../../a",
            &long,
        ] {
            assert_eq!(KeyReadings::of(raw), KeyReadings::Any, "{raw}");
        }
    }

    #[test]
    fn a_path_that_some_reader_takes_for_one_below_a_prefix_is_known() {
        for (path, may) in [
            ("/photos/..%2fstorage/k", true),
            ("//storage/photos/k", true),
            ("/%73torage/photos/k", true),
            ("/%2573torage/photos/k", true),
            ("/storage%2fphotos/k", true),
            ("/./storage/photos/k", true),
            ("/x/../storage/k", true),
            ("/x/..\\storage/k", true),
            ("/%5cstorage/k", true),
            ("/STORAGE/photos/k", true),
            ("/sto%72age%2f..%2fx", true),
            ("/storage/photos/k", true),
            ("/photos/k", false),
            ("/photos/storage/k", false),
            ("/storagex/photos/k", false),
            ("/photos/a%20b", false),
            ("/", false),
            ("*", false),
        ] {
            assert_eq!(may_lead_below(path, "/storage"), may, "{path}");
        }
        assert!(may_lead_below("//s%20t/k", "/s%20t") && may_lead_below("/s%2520t/k", "/s%20t"));
        assert!(
            may_lead_below("/a//b/k", "/a/b")
                && may_lead_below("/a/./b/k", "/a/b")
                && !may_lead_below("/a/c/b", "/a/b")
        );
    }
}
