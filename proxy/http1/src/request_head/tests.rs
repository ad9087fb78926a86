//! The grammar of a request head, rule by rule.

mod fields;
mod oracle;

use super::*;
use crate::body_length::Ambiguous;
use Rejection::{
    Connect, Connection, HeaderLine, Host, Length, NoHost, RequestLine, Target, TooManyLines, Version as BadVersion,
};

/// A head with a valid request line and `Host`, and these lines after it.
fn with(lines: &str) -> String {
    format!("GET /bucket/key HTTP/1.1\r\nHost: h\r\n{lines}\r\n")
}

fn accepted(head: &str) -> RequestHead<'_> {
    match classify(head.as_bytes()) {
        Classified::Head(head) => head,
        other => panic!("{head:?}: {other:?}"),
    }
}

#[track_caller]
fn rejects(head: impl AsRef<[u8]>, why: Rejection) {
    let head = head.as_ref();
    assert_eq!(classify(head), Classified::Rejected(why), "{}", head.escape_ascii());
}

/// The head as it is forwarded, but for the fields that end here.
fn forwarded(head: &RequestHead<'_>) -> String {
    let mut lines = Vec::new();
    head.pieces(|name| head.ends_here(name), |piece| lines.extend_from_slice(piece));
    String::from_utf8(lines).unwrap()
}

#[test]
fn a_head_is_taken_with_its_parts_as_they_came() {
    let text =
        "PUT /b/k%20e?partNumber=1&x=? HTTP/1.1\r\nhOsT:h.example:9000\r\nX-A: \t1 \r\ncontent-length: 5\r\n\r\n";
    let bytes = format!("{text}hello");
    let head = accepted(&bytes);
    assert_eq!(head.bytes(), text.as_bytes());
    assert_eq!((head.method(), head.target()), ("PUT", "/b/k%20e?partNumber=1&x=?"));
    assert_eq!((head.path(), head.query()), ("/b/k%20e", Some("partNumber=1&x=?")));
    assert_eq!((head.version(), head.host()), (Version::HTTP_11, Some("h.example:9000")));
    assert_eq!((head.body(), head.keep_alive(), head.expects_continue()), (BodyLength::Length(5), true, false));
    let lines: Vec<_> = head.lines().map(|line| (line.name, line.value, line.whole)).collect();
    assert_eq!(
        lines,
        [
            (&b"hOsT"[..], &b"h.example:9000"[..], &b"hOsT:h.example:9000\r\n"[..]),
            (b"X-A", b"1", b"X-A: \t1 \r\n"),
            (b"content-length", b"5", b"content-length: 5\r\n"),
        ]
    );
}

#[test]
fn every_beginning_of_a_head_is_incomplete_and_what_follows_it_is_ignored() {
    for head in [
        with(""),
        with("Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n"),
        with("Transfer-Encoding: chunked\r\nX: \r\n"),
        "M /?a HTTP/1.0\r\n\r\n".to_owned(),
    ] {
        for end in 0..head.len() {
            assert_eq!(classify(&head.as_bytes()[..end]), Classified::Incomplete, "{head:?} cut at {end}");
        }
        let alone = accepted(&head);
        for rest in ["\r", "\n", "\r\n\r\n", "\0", "GET /other HTTP/1.1\r\nHost: i\r\n\r\n", ": x\r\n"] {
            let both = format!("{head}{rest}");
            assert_eq!(accepted(&both).bytes(), head.as_bytes());
            let lines = |head: RequestHead<'_>| head.lines().map(|line| line.whole.to_vec()).collect::<Vec<_>>();
            assert_eq!(lines(accepted(&both)), lines(alone));
        }
    }
}

#[test]
fn a_request_line_has_three_parts_and_nothing_else() {
    for (line, why) in [
        ("\r\nGET / HTTP/1.1", RequestLine),
        ("\nGET / HTTP/1.1", RequestLine),
        ("\rGET / HTTP/1.1", RequestLine),
        (" GET / HTTP/1.1", RequestLine),
        ("GET", RequestLine),
        ("GET ", RequestLine),
        ("GET /", RequestLine),
        ("GET / HTTP/1.1 ", RequestLine),
        ("GET / HTTP/1.1 x", RequestLine),
        ("GET\t/\tHTTP/1.1", RequestLine),
        ("G(T / HTTP/1.1", RequestLine),
        ("G\0T / HTTP/1.1", RequestLine),
        ("\x16\x03\x01\x02\0\x01", RequestLine),
        ("SSH-2.0-x", RequestLine),
        ("GET  HTTP/1.1", Target),
        ("GET  / HTTP/1.1", Target),
        ("GET /  HTTP/1.1", Target),
        ("GET /a b HTTP/1.1", Target),
        ("GET a\0b HTTP/1.0", Target),
        ("GET /\x7f HTTP/1.1", Target),
        ("GET /a#b HTTP/1.1", Target),
        ("GET / HTTP/0.9", BadVersion),
        ("GET / HTTP/1.2", BadVersion),
        ("GET / HTTP/2.0", BadVersion),
        ("GET / HTTP/11", BadVersion),
        ("GET / http/1.1", BadVersion),
        ("GET / HTTPS/1.1", BadVersion),
        ("CONNECT h:443 HTTP/1.1", Connect),
        ("CONNECT /#f HTTP/1.1", Connect),
        ("CONNECT \0 HTTP/1.1", Connect),
    ] {
        rejects(format!("{line}\r\nHost: h\r\n\r\n"), why);
    }
    rejects(b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n", Target);
}

#[test]
fn a_head_that_can_never_be_valid_is_rejected_before_its_end() {
    for (bytes, why) in [
        (&b"\x16"[..], RequestLine),
        (b"\r", RequestLine),
        (b"CONNECT ", Connect),
        (b"GET /\0", RequestLine),
        (b"GET / HTTP/2", BadVersion),
        (b"GET /#f HTTP/1.1\r\n", Target),
        (b"GET /<k> HTTP/1.1\r\nHost", Target),
        (b"GET http:h HTTP/1.1\r\n", Host),
        (b"GET / HTTP/1.1\r\nA b", HeaderLine),
        (b"GET / HTTP/1.1\r\nA: b\r\n c", HeaderLine),
    ] {
        rejects(bytes, why);
    }
    let many = format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(MAX_LINES + 1));
    rejects(many, TooManyLines);
}

#[test]
fn the_first_byte_tells_whether_a_request_may_begin() {
    for byte in 0..=u8::MAX {
        assert_eq!(may_begin(&[byte, b' ']), is_token(byte), "{byte:#x}");
    }
    assert!(may_begin(b"") && may_begin(b"\r"));
}

#[test]
fn every_method_but_connect_is_accepted_as_it_came() {
    for method in ["GET", "get", "OPTIONS", "PROPFIND", "TRACE", "PRI", "connect", "CONNECTS", "!#$%&'*+-.^_`|~09"] {
        assert_eq!(accepted(&format!("{method} / HTTP/1.1\r\nHost: h\r\n\r\n")).method(), method);
    }
}

#[test]
fn a_header_line_is_a_name_a_colon_and_a_value() {
    for line in ["A", ": b", "A : b", "A\t: b", " A: b", "A b: c", "A(b): c", "A\"b: c", "A\0: b", "A\u{e9}: b"] {
        rejects(with(&format!("{line}\r\n")), HeaderLine);
    }
    for value in ["b\0", "b\x01c", "b\x0bc", "b\x7fc", "b\rc", "b\r\r\n", "b\r\n c", "b\r\n\tc", "\r\n c", "b\r\n \r\n"]
    {
        rejects(with(&format!("A: {value}\r\n")), HeaderLine);
    }
    for value in ["b\n c", "b\r\r\n\n", "\n\tc", "b\0\n"] {
        rejects(with(&format!("A: {value}\n")), HeaderLine);
    }
    let all: Vec<u8> = (0..=255).filter(|byte| crate::field_bytes::is_text(*byte)).collect();
    let head = [b"GET / HTTP/1.1\r\nHost: h\r\nA: <", &all[..], b">\r\n\r\n"].concat();
    assert!(matches!(classify(&head), Classified::Head(_)));
}

#[test]
fn a_line_feed_alone_ends_a_line_and_is_forwarded_as_cr_lf() {
    for (text, lines) in [
        ("GET / HTTP/1.1\nHost: h\n\n", "Host: h\r\n"),
        ("GET / HTTP/1.1\nHost: h\r\n\r\n", "Host: h\r\n"),
        ("GET / HTTP/1.1\r\nHost: h\nA:b\r\n\n", "Host: h\r\nA:b\r\n"),
        ("GET / HTTP/1.1\r\nHost: h\r\nA: b \t\n\r\n", "Host: h\r\nA: b\r\n"),
        ("GET / HTTP/1.1\r\nA:\nHost:h\nB: \n\n", "A:\r\nHost:h\r\nB:\r\n"),
        ("PUT / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n", "Host: h\r\nTransfer-Encoding: chunked\r\n"),
    ] {
        for rest in ["", "\n", "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"] {
            let bytes = format!("{text}{rest}");
            let head = accepted(&bytes);
            assert_eq!(head.bytes(), text.as_bytes());
            assert_eq!(forwarded(&head), lines);
        }
        let rewritten = format!("GET / HTTP/1.1\r\n{lines}\r\n");
        let (first, second) = (accepted(text), accepted(&rewritten));
        let named =
            |head: RequestHead<'_>| head.lines().map(|l| (l.name.to_vec(), l.value.to_vec())).collect::<Vec<_>>();
        assert_eq!(named(first), named(second), "{text:?}");
        assert_eq!(first.body(), second.body());
    }
}

#[test]
fn a_head_has_at_most_256_lines_of_any_size() {
    let lines = |count: usize| (1..count).map(|number| format!("A{number}: {number}\r\n")).collect::<String>();
    for count in [1, 99, 100, 101, 150, MAX_LINES] {
        let text = with(&lines(count));
        let head = accepted(&text);
        let read: Vec<_> = head.lines().map(|line| line.whole).collect();
        assert_eq!((read.len(), read.concat()), (count, format!("Host: h\r\n{}", lines(count)).into_bytes()));
        assert_eq!(forwarded(&head).as_bytes(), read.concat());
    }
    rejects(with(&lines(MAX_LINES + 1)), TooManyLines);
    for size in [65_530, 65_535, 65_536, 200_000] {
        for (line, name) in [
            (format!("A:{}\r\n", "b".repeat(size - 4)), "A".to_owned()),
            (format!("{}:\r\n", "n".repeat(size - 3)), "n".repeat(size - 3)),
        ] {
            let text = with(&format!("{line}Last: 1\r\n"));
            let read: Vec<_> = accepted(&text).lines().map(|line| (line.name, line.whole)).collect();
            assert_eq!(read[1], (name.as_bytes(), line.as_bytes()));
            assert_eq!(read[2], (&b"Last"[..], &b"Last: 1\r\n"[..]));
        }
    }
}

#[test]
fn every_rejection_has_a_reason_of_its_own() {
    let all = [
        RequestLine,
        BadVersion,
        Connect,
        Target,
        HeaderLine,
        TooManyLines,
        NoHost,
        Host,
        Length(Ambiguous::InvalidLength),
        Connection,
    ];
    assert_eq!(all.map(Rejection::reason), Rejection::REASONS);
}
