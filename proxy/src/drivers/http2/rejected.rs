//! The rest of a head that is rejected, and the reason: enough for a reply with the CORS headers of its bucket.

use super::hpack::Decoder;
use super::lines::FieldLines;
use super::written::put;
use bytes::BytesMut;

/// The longest value that is kept of a head that is rejected, in bytes, and so many fields of it.
pub(super) const KEPT_VALUE: usize = 1024;
pub(super) const KEPT_FIELDS: usize = 8;
/// The fields that a reply depends on: the bucket's host, and what the rules are asked about.
const KEPT: [&[u8]; 4] = [b"host", b"origin", b"access-control-request-method", b"access-control-request-headers"];
/// Stands for the method of a head that names none.
pub(super) const UNKNOWN_METHOD: &[u8] = b"-";

/// The part of a request that the `h2` crate does not see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Note {
    /// The `:path` as it came, where it is one that not all parsers read alike.
    pub(super) target: Option<Box<str>>,
    /// The fields that are no pseudo-header fields.
    pub(super) lines: FieldLines,
    pub(super) fault: Option<HeadFault>,
}

impl Note {
    /// The memory that it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        self.lines.size() + self.target.as_ref().map_or(0, |target| target.len())
    }
}

/// The reason why a head is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadFault {
    /// The head is malformed, a stream error (RFC 9113 §8.1.1); the reason in a few words.
    Malformed(&'static str),
    /// The length of the body is not stated once and plainly.
    Length(&'static str),
    /// `:authority` is no host.
    Host,
    /// The target is no text.
    Target,
    /// The head is larger than it may be.
    TooLarge,
    /// The head has more lines than it may have.
    TooManyLines,
    /// The head did not end in time.
    TooSlow,
    /// The unfinished heads of all clients take as much memory as they may.
    TooMany,
}

/// Returns true for a field that a reply depends on.
pub(super) fn is_kept(name: &[u8]) -> bool {
    name.starts_with(b":") || KEPT.contains(&name)
}

/// The pseudo-header fields of a block that a reply depends on, as far as they are there, as a head that the `h2` crate accepts; and the
/// `:path`. Of the lines, those stay that a reply depends on.
pub(super) fn readable(block: &[u8], lines: &mut FieldLines, is_connect: bool) -> (BytesMut, Vec<u8>) {
    let (mut kept, mut path) = (Vec::new(), Vec::new());
    // It was written by `put`.
    let _ = Decoder::default().decode(block, |name, value| match name {
        b":path" => path = value.get(..KEPT_VALUE).unwrap_or(value).to_vec(),
        b":method" | b":authority" if value.len() <= KEPT_VALUE => kept.push((name.to_vec(), value.to_vec())),
        _ => {}
    });
    let mut left = KEPT_FIELDS.saturating_sub(kept.len());
    lines.retain(|name, value| {
        let stays = left > 0 && is_kept(name) && value.len() <= KEPT_VALUE;
        left -= usize::from(stays);
        stays
    });
    let mut readable = BytesMut::new();
    if !kept.iter().any(|(name, _)| name == b":method") {
        put(&mut readable, b":method", UNKNOWN_METHOD);
    }
    if !is_connect {
        put(&mut readable, b":scheme", b"http");
        put(&mut readable, b":path", b"/");
    }
    for (name, value) in &kept {
        put(&mut readable, name, value);
    }
    (readable, path)
}
