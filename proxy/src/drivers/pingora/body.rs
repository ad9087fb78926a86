//! Bodies pass through as they come; Pingora's way of ending them needs one fix.

use bytes::Bytes;

/// Ends a body once.
///
/// An HTTP/2 upload of unknown length ends with an empty DATA frame, for which Pingora writes the end of the chunked body, and
/// then writes it again: the upstream takes the second for the next request on a connection that other clients share (pingora
/// issue 935, not fixed in 0.9.1).
pub(super) fn end_once(body: &mut Option<Bytes>, end_of_stream: bool) -> pingora::Result<()> {
    if end_of_stream && body.as_ref().is_some_and(Bytes::is_empty) {
        *body = None;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_end_is_removed() {
        let bytes = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
        for (body, end_of_stream, left) in [
            (bytes(""), true, None),
            (bytes("last"), true, bytes("last")),
            (bytes("more"), false, bytes("more")),
            (bytes(""), false, bytes("")),
            (None, true, None),
            (None, false, None),
        ] {
            let mut passed = body.clone();
            end_once(&mut passed, end_of_stream).unwrap();
            assert_eq!(passed, left, "{body:?}, {end_of_stream}");
        }
    }
}
