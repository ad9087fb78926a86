//! What holds for all bytes, as assertions: fuzz targets and property tests share them.

use crate::strict::{self, Length, Line};
use http::Version;
use s3cors_http1::body_length::{BodyLength, ResponseBody};
use s3cors_http1::chunked::{Decoder, Step};
use s3cors_http1::header_line;
use s3cors_http1::repaired_head::repair;
use s3cors_http1::request_head::{Classified, RequestHead, classify};
use s3cors_http1::response_head::{Parsed, parse};

/// Up to this length, an input is also read at each of its prefixes.
const PREFIXES: usize = 200;

/// A head is accepted exactly if a second parser reads one, and both read the same.
pub fn request_head(bytes: &[u8]) {
    let text = || bytes.escape_ascii().to_string();
    let second = strict::request(bytes);
    if let Classified::Head(head) = classify(bytes) {
        let first = strict::Request {
            size: head.bytes().len(),
            method: head.method().into(),
            target: head.target().into(),
            resource: head.query().map_or(head.path().to_owned(), |query| format!("{}?{query}", head.path())).into(),
            minor: minor(head.version()),
            lines: copied(head.lines()),
            staying: staying(&head),
            host: head.host().map(Into::into),
            length: stated(head.body()),
            keep_alive: head.keep_alive(),
            expects_continue: head.expects_continue(),
        };
        assert_eq!(Some(&first), second.as_ref(), "{}", text());
        assert!(bytes.starts_with(head.bytes()));
        forwarded(&head, &first);
    } else {
        assert_eq!(second, None, "{}", text());
    }
}

/// A head is forwarded in one spelling, from which any recipient reads the same fields and the same length.
fn forwarded(head: &RequestHead<'_>, first: &strict::Request) {
    let mut written = format!("{} {} HTTP/1.{}\r\n", head.method(), head.target(), first.minor).into_bytes();
    head.pieces(|name| head.ends_here(name), |piece| written.extend_from_slice(piece));
    written.extend_from_slice(b"\r\n");
    let text = || format!("{} as {}", head.bytes().escape_ascii(), written.escape_ascii());
    let second = strict::forwarded_request(&written).unwrap_or_else(|| panic!("{}", text()));
    assert_eq!(second.size, written.len(), "{}", text());
    let lines = |lines: Vec<Line>| lines.into_iter().map(|(name, value, _)| (name, value)).collect::<Vec<_>>();
    assert_eq!((&second.target, lines(second.lines)), (&first.target, first.staying.clone()), "{}", text());
    assert_eq!((second.length, &second.host), (first.length, &first.host), "{}", text());
    if written.len() == head.bytes().len() && strict::forwarded_request(head.bytes()).is_some() {
        assert_eq!(written, head.bytes(), "what stays is not changed");
    }
}

/// Names and values of the lines that are forwarded.
fn staying(head: &RequestHead<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let lines = head.lines().filter(|line| !head.ends_here(line.name));
    lines.map(|line| (line.name.into(), line.value.into())).collect()
}

/// How the bytes of a request head arrive changes nothing.
pub fn request_prefixes(bytes: &[u8]) {
    let kind = |bytes: &[u8]| match classify(bytes) {
        Classified::Incomplete => Kind::Incomplete,
        Classified::Rejected(_) => Kind::Rejected,
        Classified::Head(head) => Kind::Head(head.bytes().len()),
    };
    every_prefix(bytes, kind);
}

/// The same for responses.
pub fn response_head(bytes: &[u8]) {
    let text = || bytes.escape_ascii().to_string();
    let second = strict::response(bytes);
    if let Parsed::Head(head) = parse(bytes) {
        let first = strict::Response {
            size: head.bytes().len(),
            minor: minor(head.version()),
            status: head.status(),
            reason: head.reason().into(),
            lines: copied(head.lines()),
            length: second.as_ref().map_or(Length::Unstated, |second| second.length),
            keep_alive: head.keep_alive(),
        };
        assert_eq!(Some(&first), second.as_ref(), "{}", text());
        let without_body = [204, 304].contains(&head.status()) || head.status() < 200;
        let body = match first.length {
            _ if without_body => ResponseBody::Absent,
            Length::Unstated => ResponseBody::UntilClose,
            Length::Chunks => ResponseBody::Chunked,
            Length::Bytes(bytes) => ResponseBody::Length(bytes.try_into().expect("below 2^63")),
        };
        assert_eq!((head.body(false), head.body(true)), (body, ResponseBody::Absent), "{}", text());
        let fields = rebuilt(Vec::new(), head.lines());
        assert!(bytes.starts_with(head.bytes()) && head.bytes().ends_with(&fields), "{}", text());
    } else {
        assert_eq!(second, None, "{}", text());
    }
    let mut written = Vec::new();
    if let Ok(Some(size)) = repair(bytes, |piece| written.extend_from_slice(piece)) {
        assert!(size <= bytes.len() && bytes[..size].ends_with(b"\n"), "{}", text());
        // A repaired head is one of the grammar's, or none: it is not repaired twice, and no byte after it is a part of it.
        match (parse(&written), strict::response(&written)) {
            (Parsed::Head(head), Some(second)) => assert_eq!((head.bytes().len(), second.size), (written.len(), written.len())),
            (Parsed::Invalid(_), None) => {}
            both => panic!("{}: {both:?}", text()),
        }
    }
}

/// How the bytes of a response head arrive changes nothing.
pub fn response_prefixes(bytes: &[u8]) {
    let kind = |bytes: &[u8]| match parse(bytes) {
        Parsed::Incomplete => Kind::Incomplete,
        Parsed::Invalid(_) => Kind::Rejected,
        Parsed::Head(head) => Kind::Head(head.bytes().len()),
    };
    every_prefix(bytes, kind);
}

/// A body is decoded as a second decoder does, however it is cut into pieces, and nothing after it is consumed.
///
/// `cuts` are the lengths of the pieces, taken in turn.
pub fn chunked(bytes: &[u8], cuts: &[usize]) {
    let text = || format!("{} cut at {cuts:?}", bytes.escape_ascii());
    let mut decoder = Decoder::default();
    let mut data = Vec::new();
    let (mut consumed, mut end) = (0, 0);
    let mut cuts = cuts.iter().copied().filter(|cut| *cut > 0).cycle();
    let outcome = loop {
        assert!(consumed <= end, "never more than there is");
        if consumed == end {
            if end == bytes.len() {
                break None;
            }
            end = bytes.len().min(end + cuts.next().unwrap_or(bytes.len()));
        }
        match decoder.next(&bytes[consumed..end]) {
            Ok(Step::More { framing }) => {
                assert_eq!(consumed + framing, end, "framing is not left over");
                consumed = end;
            }
            Ok(Step::Data { framing, data: len }) => {
                assert!(len > 0, "each step makes progress");
                data.extend_from_slice(&bytes[consumed + framing..consumed + framing + len]);
                consumed += framing + len;
            }
            Ok(Step::End { framing }) => break Some((data, consumed + framing)),
            Err(error) => {
                assert_eq!(decoder.next(&bytes[consumed..]), Err(error), "an error lasts");
                break None;
            }
        }
    };
    assert_eq!(outcome, strict::chunked(bytes), "{}", text());
}

/// What is read out of a prefix, without its details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Incomplete,
    Rejected,
    Head(usize),
}

/// More bytes complete or reject an incomplete head, and change neither a head nor a rejection.
fn every_prefix(bytes: &[u8], kind: impl Fn(&[u8]) -> Kind) {
    let whole = kind(bytes);
    for end in 0..bytes.len().min(PREFIXES) {
        let prefix = kind(&bytes[..end]);
        let agrees = match (whole, prefix) {
            (Kind::Head(size), Kind::Incomplete) => end < size,
            (Kind::Head(size), Kind::Head(other)) => end >= size && other == size,
            (Kind::Incomplete, prefix) => prefix == Kind::Incomplete,
            (Kind::Rejected, Kind::Incomplete | Kind::Rejected) => true,
            _ => false,
        };
        assert!(agrees, "{} is {whole:?}, its first {end} bytes are {prefix:?}", bytes.escape_ascii());
    }
}

fn copied<'b>(lines: impl Iterator<Item = header_line::Line<'b>>) -> Vec<Line> {
    lines.map(|line| (line.name.into(), line.value.into(), line.whole.into())).collect()
}

fn rebuilt<'b>(start: Vec<u8>, lines: impl Iterator<Item = header_line::Line<'b>>) -> Vec<u8> {
    let fields = lines.flat_map(|line| line.whole.iter().copied());
    start.into_iter().chain(fields).chain(*b"\r\n").collect()
}

fn minor(version: Version) -> u8 {
    u8::from(version == Version::HTTP_11)
}

fn stated(body: BodyLength) -> Length {
    match body {
        BodyLength::None => Length::Unstated,
        BodyLength::Length(length) => Length::Bytes(length.into()),
        BodyLength::Chunked => Length::Chunks,
    }
}
