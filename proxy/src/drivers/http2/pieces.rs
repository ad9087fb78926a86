//! The pieces of a response's body: found in what was read, and as large as the client's window allows.

use bytes::{Bytes, BytesMut};
use h2::SendStream;
use s3cors_http1::body::{BodyReader, BrokenBody};
use std::task::{Context, Poll, ready};

/// The data of some bytes, and whether there is more after the body. It is not copied, but for that of several small chunks.
pub(super) fn data_of(reader: &mut BodyReader, read: &Bytes) -> Result<(Bytes, bool), BrokenBody> {
    let (mut at, mut one, mut many) = (0, Bytes::new(), BytesMut::new());
    while let Some(rest) = read.get(at..).filter(|rest| !rest.is_empty() && !reader.has_ended()) {
        let piece = reader.next(rest)?;
        let data = at + piece.framing..at + piece.framing + piece.data;
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
    Ok((if many.is_empty() { one } else { many.freeze() }, at < read.len()))
}

/// Waits for room in the client's window; `None` when the stream is reset.
pub(super) fn poll_capacity(body: &mut SendStream<Bytes>, context: &mut Context<'_>) -> Poll<Option<usize>> {
    loop {
        match ready!(body.poll_capacity(context)) {
            // What was assigned may have been taken back.
            Some(Ok(0)) => {}
            Some(Ok(capacity)) => return Poll::Ready(Some(capacity)),
            Some(Err(_)) | None => return Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3cors_http1::body_length::ResponseBody::Chunked;

    #[test]
    fn the_data_of_chunks_is_put_together() {
        let mut reader = BodyReader::of_response(Chunked);
        let read = Bytes::from_static(b"1\r\na\r\n2\r\nbc\r\n1;x=y\r\nd\r\n0\r\nt: v\r\n\r\nnext");
        assert_eq!(data_of(&mut reader, &read), Ok((Bytes::from_static(b"abcd"), true)));
        assert!(reader.has_ended());
    }
}
