//! Readings of a path: which bucket each server, and each proxy before it, takes it to name.
//!
//! Servers differ: RGW and s3s decode a path before they split it, others afterwards; proxies take `\` for `/`, merge slashes and remove
//! dot segments (RFC 3986 §5.2.4); C code stops at NUL. A grant must be right for all of them, and for any chain of them. Decides: which
//! bucket that is, if it is one. Must not know: hosts, rules.

use memchr::memchr2_iter;
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// The bucket that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedBucket<'r> {
    /// None: the request is for the service itself (ListBuckets).
    Service,
    /// This one, for every reader of the request.
    One(Cow<'r, str>),
    /// Not the same one to every server or proxy. No rule may grant: the upstream's bucket may not be the one that the rule is for.
    Ambiguous,
}

impl NamedBucket<'_> {
    /// Its name, where there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::One(name) => Some(name),
            Self::Service | Self::Ambiguous => None,
        }
    }

    /// The same, without a reference to the request.
    #[must_use]
    pub fn into_owned(self) -> NamedBucket<'static> {
        match self {
            Self::Service => NamedBucket::Service,
            Self::One(name) => NamedBucket::One(name.into_owned().into()),
            Self::Ambiguous => NamedBucket::Ambiguous,
        }
    }
}

/// Which bytes besides `/` a reader splits at.
#[derive(Clone, Copy)]
struct Separators {
    encoded_slash: bool,
    backslash: bool,
    encoded_backslash: bool,
}

impl Separators {
    /// The separators of each reader. One that takes `%5C` for `/` has decoded the path: to it `%2F` and `\` are the same.
    const ALL: [Self; 5] = [
        Self { encoded_slash: false, backslash: false, encoded_backslash: false },
        Self { encoded_slash: false, backslash: true, encoded_backslash: false },
        Self { encoded_slash: true, backslash: false, encoded_backslash: false },
        Self { encoded_slash: true, backslash: true, encoded_backslash: false },
        Self { encoded_slash: true, backslash: true, encoded_backslash: true },
    ];

    fn has(self, byte: u8, is_encoded: bool) -> bool {
        match (byte, is_encoded) {
            (b'/', is_encoded) => self.encoded_slash || !is_encoded,
            (b'\\', false) => self.backslash,
            (b'\\', true) => self.encoded_backslash,
            _ => false,
        }
    }
}

/// The bucket that a path names to all readers.
pub(super) fn bucket_of(path: &str) -> NamedBucket<'_> {
    let Some(path) = path.strip_prefix('/') else {
        // `*` and an empty path have no segments. In any other, readers may begin the first segment at different places.
        return if matches!(path, "" | "*") { NamedBucket::Service } else { NamedBucket::Ambiguous };
    };
    let (first, key) = path.split_once('/').unwrap_or((path, ""));
    if first.is_empty() {
        // A reader that merges slashes finds a bucket after them, if anything is there.
        let is_empty = key.bytes().all(|byte| byte == b'/');
        return if is_empty { NamedBucket::Service } else { NamedBucket::Ambiguous };
    }
    if may_climb(key.as_bytes()) && leaves_its_bucket(key) {
        return NamedBucket::Ambiguous;
    }
    name_in(first)
}

/// The name that a path's first segment is.
fn name_in(segment: &str) -> NamedBucket<'_> {
    let mut is_encoded = false;
    for byte in segment.bytes() {
        match byte {
            b'%' => is_encoded = true,
            byte if ends_a_name(byte) => return NamedBucket::Ambiguous,
            _ => {}
        }
    }
    if !is_encoded {
        return if is_dots(segment.as_bytes()) { NamedBucket::Ambiguous } else { NamedBucket::One(segment.into()) };
    }
    let decoded = percent_decode(segment.as_bytes());
    if decoded.clone().any(|byte| byte == b'%' || ends_a_name(byte)) {
        return NamedBucket::Ambiguous;
    }
    let name = decoded.decode_utf8_lossy();
    if is_dots(name.as_bytes()) { NamedBucket::Ambiguous } else { NamedBucket::One(name) }
}

/// Returns true if a name ends at this byte to some reader: where a path is split, where a string of C ends, and where a decoded path ends
/// that a proxy sends on as it is (nginx's `$uri`) or whose parameters a server removes (RFC 3986 §3.3). No name of a bucket has one of
/// them.
const fn ends_a_name(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\' | b'?' | b'#' | b';' | b' ') || byte.is_ascii_control()
}

fn is_dots(segment: &[u8]) -> bool {
    matches!(segment, b"." | b"..")
}

/// Returns true if there may be two dots in a row, encoded or not, of which a climbing segment is made. Most keys have none and are read no
/// further.
fn may_climb(key: &[u8]) -> bool {
    let begins_climb = |rest: &[u8]| matches!(rest, [b'.', b'.', ..] | [b'%', b'2', b'E' | b'e', ..]);
    memchr2_iter(b'.', b'%', key).any(|at| key.get(at..).is_some_and(begins_climb))
}

/// Returns true if `..` after the bucket's name leads out of it to some reader: counts the fewest folders that any of them is in. A path
/// that comes back counts too: no browser sends one, since browsers remove dot segments, encoded ones too (WHATWG URL, "path state").
fn leaves_its_bucket(key: &str) -> bool {
    let mut depth: isize = 1;
    for segment in key.split('/') {
        let descents = Separators::ALL.map(|separators| Descent::through(segment.as_bytes(), separators));
        // A proxy may have removed segments before the path was decoded: each segment counts as the reader sees it that it leads up most.
        if descents.iter().any(|descent| depth + descent.lowest <= 0) {
            return true;
        }
        depth += descents.iter().map(|descent| descent.depth).min().unwrap_or_default();
    }
    false
}

/// The step that one segment is to one reader: folders down, or up below zero.
#[derive(Default)]
struct Descent {
    depth: isize,
    lowest: isize,
}

impl Descent {
    fn through(segment: &[u8], separators: Separators) -> Self {
        let (mut descent, mut part, mut rest) = (Self::default(), PathPart::default(), segment);
        while let Some((byte, is_encoded, after)) = next_byte(rest) {
            rest = after;
            if separators.has(byte, is_encoded) {
                descent.enter(&std::mem::take(&mut part));
                continue;
            }
            if byte == b'\0' {
                // Here the path may end.
                descent.lowest = descent.lowest.min(descent.depth + part.leads());
            }
            part.read(byte);
        }
        descent.enter(&part);
        descent
    }

    fn enter(&mut self, part: &PathPart) {
        self.depth += part.leads();
        self.lowest = self.lowest.min(self.depth);
    }
}

/// The text between two separators.
#[derive(Default)]
struct PathPart {
    dots: usize,
    has_others: bool,
}

impl PathPart {
    fn read(&mut self, byte: u8) {
        if byte == b'.' { self.dots += 1 } else { self.has_others = true }
    }

    /// One folder down, or up; an empty one may be merged with the next.
    const fn leads(&self) -> isize {
        match (self.has_others, self.dots) {
            (false, 0 | 1) => 0,
            (false, 2) => -1,
            _ => 1,
        }
    }
}

/// The first byte, decoded, whether it was encoded, and what is after it.
fn next_byte(bytes: &[u8]) -> Option<(u8, bool, &[u8])> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if let [b'%', high, low, rest @ ..] = bytes
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
    {
        return Some((high << 4 | low, true, rest));
    }
    let (byte, rest) = bytes.split_first()?;
    Some((*byte, false, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_bucket_if_it_names_the_same_one_to_all_readers() {
        for (path, bucket) in [
            ("/demo/key", "demo"),
            ("/demo", "demo"),
            ("/demo/", "demo"),
            ("/d%65mo/key", "demo"),
            ("/demo//key", "demo"),
            ("/demo/a%2Fb%5Cc%00d\\e", "demo"),
            ("/demo/%2F", "demo"),
            ("/demo/100%25", "demo"),
            ("/demo/%", "demo"),
            ("/demo/./a/../b/.", "demo"),
            ("/demo/a/b/../..c/../d", "demo"),
            ("/demo/a/..", "demo"),
            ("/demo/...", "demo"),
            ("/demo/..a/b..", "demo"),
            ("/demo/a..b%2e%2ec", "demo"),
            ("/demo/a%2F..%2Fb", "demo"),
            ("/demo/a%5c..", "demo"),
            ("/demo/a/%2e%2E", "demo"),
            ("/demo/a%2Fb%2F..%2F..", "demo"),
            ("/demo/a/..%00", "demo"),
            ("/demo.v1_2-x/key", "demo.v1_2-x"),
            ("/tenant:demo/key", "tenant:demo"),
            ("/.demo/key", ".demo"),
            ("/b%C3%BCcher/key", "bücher"),
        ] {
            assert_eq!(bucket_of(path), NamedBucket::One(bucket.into()), "{path}");
        }
        for path in ["/", "", "*", "//", "///"] {
            assert_eq!(bucket_of(path), NamedBucket::Service, "{path}");
        }
    }

    #[test]
    fn a_path_that_names_different_buckets_to_readers_names_none() {
        for path in [
            "/demo%2Fkey",
            "/demo%2fkey/more",
            "/demo%5Ckey",
            "/demo\\key",
            "/demo%00",
            "/demo%00/key",
            "/demo\0/key",
            "/%2Fdemo/key",
            "/\\demo/key",
            "//demo/key",
            "///demo",
            "//..",
            "//%00",
            "/./demo/key",
            "/%2e/demo/key",
            "/../demo/key",
            "/%2E./demo/key",
            "/x/../demo/key",
            "/x/%2e%2e/demo/key",
            "/x/.%2e/demo/key",
            "/x/..%2Fdemo/key",
            "/x/..%5Cdemo/key",
            "/x/..\\demo/key",
            "/x/a/../../demo/key",
            "/x/a/..\\..\\demo/key",
            "/x//../demo/key",
            "/x/./../demo/key",
            "/x/a%2F../../demo/key",
            "/x/a%2Fb/../..%2Fdemo/key",
            "/x/a%5C..%5C..%5Cdemo",
            // To exactly one of the readers each.
            "/x/a%2Fb\\c/../../demo",
            "/x/a%2Fb\\..\\..\\demo",
            "/x/a\\b%2F..%2F..%2Fdemo",
            "/x/a%5Cb\\..%2F..\\demo",
            "/x/a%2Fb%5C..\\..%5C..%2F..%5Cdemo",
            "/demo/..",
            "/demo/..%00key",
            "/demo/a%2F..%2F..%00key",
            "/demo/../demo/key",
            "/demo%252Fkey",
            "/demo%3Fx/key",
            "/demo%23x/key",
            "/demo;x=y/key",
            "/demo%20/key",
            "/demo%0A/key",
            "/%/key",
            "demo/key",
            "*demo",
        ] {
            assert_eq!(bucket_of(path), NamedBucket::Ambiguous, "{path:?}");
        }
    }
}
