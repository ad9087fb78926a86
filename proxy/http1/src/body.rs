//! A message's body as it is read, in either direction.
//!
//! Decides: which bytes belong to the body, and when it has ended. Must not know: who sent it, and where it goes.

use crate::body_length::{BodyLength, ResponseBody};
use crate::chunked::{ChunkError, Decoder, Step};

/// The rest of a body.
#[derive(Debug)]
enum Remaining {
    Length(u64),
    Chunked(Decoder),
    UntilClose,
    Nothing,
}

/// Finds a body in the bytes of a connection.
#[derive(Debug)]
pub struct BodyReader(Remaining);

/// The beginning of some bytes: framing that is no part of the body, then data. Both are empty where the body has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of framing, which are to be skipped.
    pub framing: usize,
    /// Bytes of data after them.
    pub data: usize,
}

/// The reason why a body did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenBody {
    /// The bytes are no chunked body.
    Malformed(ChunkError),
    /// The connection ended before it.
    Truncated,
}

impl BodyReader {
    /// Reads the body of a request.
    #[must_use]
    pub fn of_request(length: BodyLength) -> Self {
        Self::new(match length {
            BodyLength::None => Remaining::Nothing,
            BodyLength::Length(length) => Remaining::Length(length),
            BodyLength::Chunked => Remaining::Chunked(Decoder::default()),
        })
    }

    /// Reads the body of a response.
    #[must_use]
    pub fn of_response(body: ResponseBody) -> Self {
        Self::new(match body {
            ResponseBody::Absent => Remaining::Nothing,
            ResponseBody::Length(length) => Remaining::Length(length),
            ResponseBody::Chunked => Remaining::Chunked(Decoder::of_response()),
            ResponseBody::UntilClose => Remaining::UntilClose,
        })
    }

    fn new(left: Remaining) -> Self {
        Self(if matches!(left, Remaining::Length(0)) { Remaining::Nothing } else { left })
    }

    /// Returns true once the whole body was read.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        matches!(self.0, Remaining::Nothing)
    }

    /// The number of bytes that are to come, where it is known.
    #[must_use]
    pub const fn left(&self) -> Option<u64> {
        match self.0 {
            Remaining::Length(left) => Some(left),
            Remaining::Nothing => Some(0),
            Remaining::Chunked(_) | Remaining::UntilClose => None,
        }
    }

    /// Returns true if the body ends with its connection.
    #[must_use]
    pub const fn is_until_close(&self) -> bool {
        matches!(self.0, Remaining::UntilClose)
    }

    /// Reads the first piece of some bytes, of which there is at least one.
    ///
    /// # Errors
    /// [`BrokenBody::Malformed`].
    pub fn next(&mut self, bytes: &[u8]) -> Result<Piece, BrokenBody> {
        let (framing, data) = match &mut self.0 {
            Remaining::Nothing => (0, 0),
            Remaining::UntilClose => (0, bytes.len()),
            Remaining::Length(left) => {
                let data = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= data as u64;
                if *left == 0 {
                    self.0 = Remaining::Nothing;
                }
                (0, data)
            }
            Remaining::Chunked(decoder) => match decoder.next(bytes).map_err(BrokenBody::Malformed)? {
                Step::Data { framing, data } => (framing, data),
                Step::More { framing } => (framing, 0),
                Step::End { framing } => {
                    self.0 = Remaining::Nothing;
                    (framing, 0)
                }
            },
        };
        Ok(Piece { framing, data })
    }

    /// Hands over the data of some bytes. Returns how many of the bytes belonged to the body.
    ///
    /// # Errors
    /// [`BrokenBody::Malformed`].
    pub fn take(&mut self, bytes: &[u8], mut data: impl FnMut(&[u8])) -> Result<usize, BrokenBody> {
        let mut consumed = 0;
        while let Some(rest) = bytes.get(consumed..).filter(|rest| !rest.is_empty() && !self.has_ended()) {
            let piece = self.next(rest)?;
            data(rest.get(piece.framing..piece.framing + piece.data).unwrap_or_default());
            consumed += piece.framing + piece.data;
        }
        Ok(consumed)
    }

    /// The connection has ended.
    ///
    /// # Errors
    /// [`BrokenBody::Truncated`].
    pub fn close(&mut self) -> Result<(), BrokenBody> {
        match std::mem::replace(&mut self.0, Remaining::Nothing) {
            Remaining::Nothing | Remaining::UntilClose => Ok(()),
            Remaining::Length(_) | Remaining::Chunked(_) => Err(BrokenBody::Truncated),
        }
    }

    /// Returns true if these bytes are the body, no less and no more.
    #[must_use]
    pub fn is_whole(mut self, bytes: &[u8]) -> bool {
        let consumed = self.take(bytes, |_| ());
        self.has_ended() && consumed == Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ResponseBody::{Absent, Chunked, Length, UntilClose};

    /// The data of some reads, whether the body has ended, whether there is more.
    fn read(body: ResponseBody, reads: &[&str]) -> Result<(String, bool, bool), BrokenBody> {
        let (mut reader, mut data, mut has_excess) = (BodyReader::of_response(body), Vec::new(), false);
        for read in reads {
            let consumed = reader.take(read.as_bytes(), |bytes| data.extend_from_slice(bytes))?;
            has_excess |= consumed < read.len();
        }
        let has_ended = reader.has_ended();
        reader.close()?;
        Ok((String::from_utf8(data).unwrap(), has_ended, has_excess))
    }

    #[test]
    fn only_what_is_body_is_taken_and_only_a_whole_body_ends() {
        for (body, reads, expected) in [
            (Absent, &[][..], Ok(("", true, false))),
            (Absent, &["x"], Ok(("", true, true))),
            (Length(0), &[], Ok(("", true, false))),
            (Length(3), &["ab", "c"], Ok(("abc", true, false))),
            (Length(3), &["ab", "cd"], Ok(("abc", true, true))),
            (Length(3), &["ab"], Err(BrokenBody::Truncated)),
            (UntilClose, &["ab", "c"], Ok(("abc", false, false))),
            (Chunked, &["3\r\nabc\r\n0\r\n\r\n"], Ok(("abc", true, false))),
            (Chunked, &["1\r\na\r\n2\r\nbc\r\n1;x=y\r\nd\r\n0\r\nt: v\r\n\r\n"], Ok(("abcd", true, false))),
            (Chunked, &["3\r\na", "bc\r", "\n0\r\n\r\nx"], Ok(("abc", true, true))),
            (Chunked, &["3\r\nabc\r\n"], Err(BrokenBody::Truncated)),
            (Chunked, &["3\r\nabc\r\n0\r\n"], Err(BrokenBody::Truncated)),
            (Chunked, &["x"], Err(BrokenBody::Malformed(ChunkError::Size))),
        ] {
            let expected = expected.map(|(data, has_ended, excess): (&str, _, _)| (data.to_owned(), has_ended, excess));
            assert_eq!(read(body, reads), expected, "{body:?} {reads:?}");
        }
    }

    #[test]
    fn a_connection_is_kept_only_behind_the_whole_body() {
        for (body, first, is_whole) in [
            (Absent, "", true),
            (Absent, "x", false),
            (Length(0), "", true),
            (Length(1), "x", true),
            (Length(1), "", false),
            (Length(1), "xy", false),
            (Length(9), "x", false),
            (Chunked, "1\r\nx\r\n0\r\n\r\n", true),
            (Chunked, "1\r\nx\r\n", false),
            (Chunked, "1\r\nx\r\n0\r\n\r\ny", false),
            (Chunked, "x", false),
            (UntilClose, "x", false),
            (UntilClose, "", false),
        ] {
            assert_eq!(BodyReader::of_response(body).is_whole(first.as_bytes()), is_whole, "{body:?} {first:?}");
        }
    }
}
