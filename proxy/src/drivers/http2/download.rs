//! A response's body on its way from an upstream to a stream.
//!
//! Decides: which bytes belong to the body. What is read is sent without another copy; only the data of several small chunks is put
//! together.

use bytes::{Bytes, BytesMut};
use s3cors_http1::body_length::ResponseBody;
use s3cors_http1::chunked::{Decoder, Step};

/// How a body ends.
#[derive(Debug)]
enum Left {
    Length(u64),
    Chunked(Decoder),
    UntilClose,
    Nothing,
}

/// Why a body broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broke {
    /// It is not a chunked body.
    Malformed,
    /// The upstream closed.
    Truncated,
}

/// A body on its way.
#[derive(Debug)]
pub(super) struct Download {
    left: Left,
    /// Whether anything was read after the body's end.
    pub(super) has_excess: bool,
}

impl Download {
    pub(super) fn new(body: ResponseBody) -> Self {
        let left = match body {
            ResponseBody::Absent | ResponseBody::Length(0) => Left::Nothing,
            ResponseBody::Length(length) => Left::Length(length),
            ResponseBody::Chunked => Left::Chunked(Decoder::default()),
            ResponseBody::UntilClose => Left::UntilClose,
        };
        Self { left, has_excess: false }
    }

    /// Whether the whole body was read.
    pub(super) const fn has_ended(&self) -> bool {
        matches!(self.left, Left::Nothing)
    }

    /// How much is to come, where that is known.
    pub(super) fn expected(&self) -> usize {
        match self.left {
            Left::Length(left) => usize::try_from(left).unwrap_or(usize::MAX),
            Left::Chunked(_) | Left::UntilClose => usize::MAX,
            Left::Nothing => 0,
        }
    }

    /// What of the bytes that were read is of the body.
    pub(super) fn take(&mut self, mut read: Bytes) -> Result<Bytes, Broke> {
        match &mut self.left {
            Left::Length(left) => {
                let most = usize::try_from(*left).unwrap_or(usize::MAX).min(read.len());
                self.has_excess |= most < read.len();
                read.truncate(most);
                *left -= most as u64;
                if *left == 0 {
                    self.left = Left::Nothing;
                }
                Ok(read)
            }
            Left::Chunked(_) => self.take_chunks(&read),
            Left::UntilClose => Ok(read),
            Left::Nothing => {
                self.has_excess |= !read.is_empty();
                Ok(Bytes::new())
            }
        }
    }

    fn take_chunks(&mut self, read: &Bytes) -> Result<Bytes, Broke> {
        let (mut at, mut one, mut many) = (0, Bytes::new(), BytesMut::new());
        while at < read.len() {
            let Left::Chunked(decoder) = &mut self.left else { break };
            let step = decoder.next(read.get(at..).unwrap_or_default()).map_err(|_| Broke::Malformed)?;
            let (framing, data) = match step {
                Step::Data { framing, data } => (framing, data),
                Step::More { framing } => (framing, 0),
                Step::End { framing } => {
                    self.left = Left::Nothing;
                    (framing, 0)
                }
            };
            let data = at + framing..at + framing + data;
            at = data.end;
            if data.is_empty() {
                continue;
            }
            if one.is_empty() {
                one = read.slice(data);
                continue;
            }
            if many.is_empty() {
                many.reserve(read.len());
                many.extend_from_slice(&one);
            }
            many.extend_from_slice(read.get(data).unwrap_or_default());
        }
        self.has_excess |= at < read.len();
        Ok(if many.is_empty() { one } else { many.freeze() })
    }

    /// The upstream closed.
    pub(super) fn closed(&mut self) -> Result<(), Broke> {
        match std::mem::replace(&mut self.left, Left::Nothing) {
            Left::Nothing | Left::UntilClose => Ok(()),
            Left::Length(_) | Left::Chunked(_) => Err(Broke::Truncated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What reads make of a body: its data, whether it has ended, whether there is more.
    fn read(body: ResponseBody, reads: &[&'static str]) -> Result<(String, bool, bool), Broke> {
        let (mut download, mut data) = (Download::new(body), Vec::new());
        for read in reads {
            data.extend_from_slice(&download.take(Bytes::from_static(read.as_bytes()))?);
        }
        let has_ended = download.has_ended();
        download.closed()?;
        Ok((String::from_utf8(data).unwrap(), has_ended, download.has_excess))
    }

    #[test]
    fn only_what_is_body_is_taken_and_only_a_whole_body_ends() {
        use ResponseBody::{Absent, Chunked, Length, UntilClose};
        for (body, reads, expected) in [
            (Absent, &[][..], Ok(("", true, false))),
            (Absent, &["x"], Ok(("", true, true))),
            (Length(0), &[], Ok(("", true, false))),
            (Length(3), &["ab", "c"], Ok(("abc", true, false))),
            (Length(3), &["ab", "cd"], Ok(("abc", true, true))),
            (Length(3), &["ab"], Err(Broke::Truncated)),
            (UntilClose, &["ab", "c"], Ok(("abc", false, false))),
            (Chunked, &["3\r\nabc\r\n0\r\n\r\n"], Ok(("abc", true, false))),
            (Chunked, &["1\r\na\r\n2\r\nbc\r\n1;x=y\r\nd\r\n0\r\nt: v\r\n\r\n"], Ok(("abcd", true, false))),
            (Chunked, &["3\r\na", "bc\r", "\n0\r\n\r\nx"], Ok(("abc", true, true))),
            (Chunked, &["3\r\nabc\r\n"], Err(Broke::Truncated)),
            (Chunked, &["3\r\nabc\r\n0\r\n"], Err(Broke::Truncated)),
            (Chunked, &["x"], Err(Broke::Malformed)),
        ] {
            let expected = expected.map(|(data, has_ended, excess): (&str, _, _)| (data.to_owned(), has_ended, excess));
            assert_eq!(read(body, reads), expected, "{body:?} {reads:?}");
        }
    }
}
