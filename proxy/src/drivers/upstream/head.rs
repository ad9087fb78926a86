//! The head of a response while it is read: put together from its pieces, and repaired where HTTP lets a recipient.

use bytes::{Bytes, BytesMut};
use s3cors_http1::repaired_head::repair;
use s3cors_http1::response_head::{InvalidResponse, Parsed, parse};

/// The beginning of a head.
pub(super) struct BegunHead(BytesMut);

impl BegunHead {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self(bytes.into())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds what came. Returns true if it is worth while to parse the head again: its first line or its last has ended.
    ///
    /// A head that comes byte by byte would else be read as often.
    pub(super) fn append(&mut self, more: &[u8]) -> bool {
        let had_line = memchr::memchr(b'\n', &self.0).is_some();
        // The end of the last line may have come before the end of the head.
        let from = self.0.len().saturating_sub(2);
        self.0.extend_from_slice(more);
        let unsearched = self.0.get(from..).unwrap_or_default();
        memchr::memchr_iter(b'\n', unsearched).any(|at| {
            let after = unsearched.get(at + 1..).unwrap_or_default();
            !had_line || after.starts_with(b"\n") || after.starts_with(b"\r\n")
        })
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.0.freeze()
    }
}

/// The same response with a head that is repaired; `None` if its end is not here yet. `why` is what is wrong with it.
#[cold]
pub(super) fn repaired(bytes: &Bytes, why: InvalidResponse) -> Result<Option<Bytes>, InvalidResponse> {
    if !matches!(why, InvalidResponse::Malformed | InvalidResponse::Framing | InvalidResponse::Length(_)) {
        return Err(why);
    }
    let mut repaired = BytesMut::with_capacity(bytes.len());
    let Some(size) = repair(bytes, |piece| repaired.extend_from_slice(piece))? else { return Ok(None) };
    // No repair is tried twice.
    if let Parsed::Invalid(why) = parse(&repaired) {
        return Err(why);
    }
    repaired.extend_from_slice(bytes.get(size..).unwrap_or_default());
    Ok(Some(repaired.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_parsed_again_when_it_may_be_whole() {
        for end in ["\r\n\r\n", "\n\n", "\n\r\n"] {
            let head = format!("HTTP/1.1 200 OK\r\nA: b\r\nC: d{end}");
            let mut begun = BegunHead::new(Bytes::from_static(b"H"));
            let parsed: Vec<_> = (1..head.len()).filter(|at| begun.append(&head.as_bytes()[*at..=*at])).collect();
            assert_eq!(parsed, [16, head.len() - 1], "{head:?}");
            assert_eq!(begun.into_bytes(), head);
        }
    }
}
