//! The fields of a request on their way to the `h2` crate.
//!
//! The crate cuts a target at `#`, knows fewer targets than HTTP/1.1 has, resets a request that is malformed before anyone can count it,
//! and replies to one that is too large by itself, with an empty 431. So it is handed pseudo-header fields that it accepts, and the
//! length that it compares with the body: the rest is in a [`Note`] beside them. Decides: what is malformed (RFC 9113 §8.2, §8.3), and how large a head may be (§6.5.2).

use super::pseudo::Pseudo;
use super::rejected::{HeadFault, KEPT_FIELDS, KEPT_VALUE, Note, is_kept, readable};
use super::syntax::is_usual_in_path;
use super::written::put;
use bytes::BytesMut;
use s3cors_http1::body_length::LengthHeaders;
use s3cors_http1::field_bytes::is_value;
use s3cors_http1::field_name::is_lower_name;
use s3cors_http1::hop_by_hop::is_hop_by_hop;
use s3cors_http1::request_head::MAX_LINES;
use std::borrow::Cow;

/// Beyond its text, what a field counts (RFC 9113 §6.5.2).
const OVERHEAD: usize = 32;
/// The room for the pseudo-header fields of a usual request, in bytes.
const ROOM: usize = 256;
/// The fields of a connection, which HTTP/2 does not have (RFC 9113 §8.2.2).
const OF_CONNECTION: [&[u8]; 5] = [b"connection", b"transfer-encoding", b"upgrade", b"keep-alive", b"proxy-connection"];

/// A request's fields, one after the other.
#[derive(Default)]
pub(super) struct Fields {
    /// A block that no table is needed for.
    block: BytesMut,
    note: Note,
    limit: usize,
    size: usize,
    lines: usize,
    has_cookie: bool,
    pseudo: Pseudo,
    has_field: bool,
    length: LengthHeaders,
    kept: usize,
}

impl Fields {
    /// The fields of a head that may have so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, block: BytesMut::with_capacity(ROOM), ..Self::default() }
    }

    /// Takes the next field.
    pub(super) fn take(&mut self, name: &[u8], value: &[u8]) {
        self.size = self.size.saturating_add(name.len() + value.len() + OVERHEAD);
        if self.size >= self.limit {
            self.fail(HeadFault::TooLarge);
        }
        if self.note.fault.is_some() {
            return self.keep(name, value);
        }
        match self.check(name, value) {
            Err(fault) => self.fail(fault),
            Ok(()) if name == b":path" => self.put_path(value),
            Ok(()) => self.put(name, value),
        }
    }

    /// The first fault is the one that counts.
    pub(super) fn fail(&mut self, fault: HeadFault) {
        self.note.fault.get_or_insert(fault);
    }

    /// Ends the head: the block for the `h2` crate, and what is not in it.
    pub(super) fn finish(mut self) -> (BytesMut, Note) {
        if let Err(fault) = self.check_whole() {
            self.fail(fault);
        }
        if self.note.fault.is_some() {
            let (block, target) = readable(&self.block, &mut self.note.lines, self.pseudo.is_connect());
            self.block = block;
            if self.note.target.is_none() {
                self.set_target(&target);
            }
        }
        (self.block, self.note)
    }

    fn put(&mut self, name: &[u8], value: &[u8]) {
        if name.starts_with(b":") {
            return put(&mut self.block, name, value);
        }
        if name == b"content-length" {
            put(&mut self.block, name, value);
        }
        self.note.lines.push(name, value);
    }

    fn check(&mut self, name: &[u8], value: &[u8]) -> Result<(), HeadFault> {
        if !name.starts_with(b":") {
            return self.check_field(name, value);
        }
        if self.has_field {
            return Err(HeadFault::Malformed("a pseudo-header field after a field"));
        }
        self.pseudo.take(name, value)
    }

    /// RFC 9113 §8.2.
    fn check_field(&mut self, name: &[u8], value: &[u8]) -> Result<(), HeadFault> {
        self.has_field = true;
        let is_cookie = name == b"cookie";
        if !(is_cookie && std::mem::replace(&mut self.has_cookie, is_cookie)) {
            self.lines += 1;
        }
        if self.lines > MAX_LINES {
            return Err(HeadFault::TooManyLines);
        }
        if !is_lower_name(name) {
            return Err(HeadFault::Malformed("an invalid field name"));
        }
        if !is_value(value) {
            return Err(HeadFault::Malformed("an invalid field value"));
        }
        if (is_hop_by_hop(name) && OF_CONNECTION.contains(&name)) || (name == b"te" && value != b"trailers") {
            return Err(HeadFault::Malformed("a field of the connection"));
        }
        self.length.read(name, value).map_err(|ambiguous| HeadFault::Length(ambiguous.message()))
    }

    fn check_whole(&self) -> Result<(), HeadFault> {
        self.pseudo.check_whole()?;
        let length = self.length.finish(http::Version::HTTP_11);
        length.map(drop).map_err(|ambiguous| HeadFault::Length(ambiguous.message()))
    }

    /// Hands on a `:path` that all parsers read alike, and keeps any other.
    fn put_path(&mut self, path: &[u8]) {
        let is_usual = path.starts_with(b"/") && path.iter().copied().all(is_usual_in_path);
        put(&mut self.block, b":path", if is_usual { path } else { b"/" });
        if !is_usual {
            self.set_target(path);
        }
    }

    fn set_target(&mut self, path: &[u8]) {
        let text = String::from_utf8_lossy(path);
        if matches!(text, Cow::Owned(_)) {
            self.fail(HeadFault::Target);
        }
        self.note.target = Some(text.into());
    }

    /// Takes a field of a head that is rejected. One byte of a block may be a field of 4 KiB: only a few are looked at.
    fn keep(&mut self, name: &[u8], value: &[u8]) {
        if self.kept == KEPT_FIELDS || !is_kept(name) {
            return;
        }
        self.kept += 1;
        let value = value.get(..KEPT_VALUE).unwrap_or(value);
        if self.check(name, value).is_ok() {
            self.put(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hpack::Decoder;
    use super::*;

    const USUAL: [(&str, &str); 4] =
        [(":method", "GET"), (":scheme", "http"), (":authority", "h"), (":path", "/bucket/key")];

    /// The fields that the crate gets of these, and what it does not see.
    fn read(fields: &[(&str, &str)]) -> (Vec<(String, String)>, Note) {
        let mut all = Fields::new(4096);
        fields.iter().for_each(|(name, value)| all.take(name.as_bytes(), value.as_bytes()));
        let (block, note) = all.finish();
        let (mut left, text) = (Vec::new(), |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap());
        Decoder::default().decode(&block, |name, value| left.push((text(name), text(value)))).unwrap();
        // The crate compares it with the body; it is among the lines too.
        left.retain(|(name, _)| name != "content-length");
        assert!(left.iter().all(|(name, _)| name.starts_with(':')), "{left:?}");
        left.extend(note.lines.iter().map(|(name, value)| (text(name), text(value))));
        (left, note)
    }

    fn fault(fields: &[(&str, &str)]) -> Option<HeadFault> {
        read(fields).1.fault
    }

    fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
        USUAL.iter().map(|(usual, was)| (*usual, if *usual == name { value } else { *was })).collect()
    }

    #[test]
    fn the_usual_fields_pass_as_they_are() {
        let fields =
            [&USUAL[..], &[("cookie", "a"), ("x", ""), ("cookie", "b"), ("te", "trailers"), ("a", "\u{e9}\t")]]
                .concat();
        let (left, note) = read(&fields);
        let left: Vec<_> = left.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!((left, note.target, note.fault), (fields, None, None));
    }

    #[test]
    fn the_crate_gets_the_length_that_it_compares_with_the_body() {
        let mut fields = Fields::new(4096);
        [("x", "y"), ("content-length", "3")]
            .iter()
            .for_each(|(name, value)| fields.take(name.as_bytes(), value.as_bytes()));
        let mut left = Vec::new();
        Decoder::default().decode(&fields.block, |name, value| left.push((name.to_vec(), value.to_vec()))).unwrap();
        assert_eq!(left, [(b"content-length".to_vec(), b"3".to_vec())]);
        assert_eq!(fields.note.lines.iter().count(), 2);
    }

    #[test]
    fn a_target_that_not_all_parsers_read_alike_is_kept_beside_the_fields() {
        for target in
            ["/k#2", "/k?a#b", "*", "/caf\u{e9}", "/a b", "/?\"", "/a|b", "/<", "bucket/key", "http://h/k", "?"]
        {
            let (left, note) = read(&with(":path", target));
            assert_eq!(left[3], (":path".to_owned(), "/".to_owned()), "{target}");
            assert_eq!((note.target.as_deref(), note.fault), (Some(target), None), "{target}");
        }
        for target in ["/", "//a/../%2f%zz?b+c=&d?e", "/a.b-c_d~e!f$g&h'i(j)k*l,m;n:o@p"] {
            assert_eq!(read(&with(":path", target)).1, Note::default(), "{target}");
        }
        let mut fields = Fields::new(4096);
        fields.take(b":path", b"/\xff");
        assert_eq!(fields.note.fault, Some(HeadFault::Target));
    }

    #[test]
    fn a_malformed_head_has_a_fault_and_can_be_read_all_the_same() {
        let more: [&[(&str, &str)]; 16] = [
            &[("A", "b")],
            &[("", "b")],
            &[("a b", "c")],
            &[("a", "b\n")],
            &[("a", "b\0")],
            &[("connection", "close")],
            &[("transfer-encoding", "chunked")],
            &[("te", "gzip")],
            &[(":path", "/other")],
            &[("a", "b"), (":path", "/late")],
            &[(":status", "200")],
            &[(":protocol", "websocket")],
            &[("content-length", "3, 3")],
            &[("content-length", "+3")],
            &[("content-length", "3"), ("content-length", "3")],
            &[("x-large", LARGE)],
        ];
        const LARGE: &str = match str::from_utf8(&[b'x'; 5000]) {
            Ok(text) => text,
            Err(_) => "",
        };
        let origin = ("origin", "https://app.example");
        for more in more {
            for fields in [[&USUAL[..], more, &[origin]].concat(), [&USUAL[..], &[origin], more].concat()] {
                let (left, note) = read(&fields);
                assert!(note.fault.is_some(), "{more:?}");
                assert_eq!(note.target.as_deref(), Some("/bucket/key"), "{more:?}");
                let expected = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h"), origin];
                let mut expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
                expected[..2].sort();
                let mut left = left;
                left.sort();
                expected.sort();
                assert_eq!(left, expected, "{more:?}");
            }
        }
    }

    #[test]
    fn a_head_is_whole_with_its_pseudo_header_fields() {
        for (name, expected) in [(":method", true), (":scheme", true), (":path", true), (":authority", false)] {
            let fields: Vec<_> = USUAL.into_iter().filter(|(usual, _)| *usual != name).collect();
            assert_eq!(fault(&fields).is_some(), expected, "{name}");
        }
        assert_eq!(fault(&[(":method", "CONNECT"), (":authority", "h:443")]), None);
        assert!(fault(&with(":method", "CONNECT")).is_some());
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_a_port() {
        for (host, is_valid) in [
            ("h", true),
            ("h:80", true),
            ("[::1]:80", true),
            ("", false),
            ("u@h", false),
            ("h/k", false),
            ("h?k", false),
            ("h#k", false),
            ("h\\k", false),
            ("[::1", false),
            ("h h", false),
        ] {
            assert_eq!(fault(&with(":authority", host)), (!is_valid).then_some(HeadFault::Host), "{host}");
        }
    }

    #[test]
    fn a_head_is_bounded_in_size_and_lines() {
        let lines = |count: usize| [&USUAL[..], &vec![("a", ""); count]].concat();
        assert_eq!(fault(&lines(100)), None);
        assert_eq!(fault(&lines(122)), Some(HeadFault::TooLarge));
        let mut fields = Fields::new(1 << 20);
        USUAL.iter().for_each(|(name, value)| fields.take(name.as_bytes(), value.as_bytes()));
        (0..300).for_each(|_| fields.take(b"cookie", b"a=b"));
        (0..255).for_each(|_| fields.take(b"a", b"b"));
        assert_eq!(fields.note.fault, None);
        fields.take(b"a", b"b");
        assert_eq!(fields.note.fault, Some(HeadFault::TooManyLines));
    }
}
