//! The grammar of a response head, rule by rule.

use super::*;

fn with(lines: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{lines}\r\n")
}

fn accepted(head: &str) -> ResponseHead<'_> {
    match parse(head.as_bytes()) {
        Parsed::Head(head) => head,
        other => panic!("{head:?}: {other:?}"),
    }
}

#[track_caller]
fn rejects(head: impl AsRef<[u8]>, why: InvalidResponse) {
    let head = head.as_ref();
    assert_eq!(parse(head), Parsed::Invalid(why), "{}", head.escape_ascii());
}

#[test]
fn a_head_is_read_with_its_parts_as_they_came() {
    let text = "HTTP/1.1 404 Not  Found\r\nServer: MinIO\r\nx-a:\t1 \r\nContent-Length: 5\r\n\r\n";
    let bytes = format!("{text}hello");
    let head = accepted(&bytes);
    assert_eq!(head.bytes(), text.as_bytes());
    assert_eq!((head.version(), head.status(), head.reason()), (Version::HTTP_11, 404, &b"Not  Found"[..]));
    assert_eq!((head.body(false), head.body(true)), (ResponseBody::Length(5), ResponseBody::Absent));
    assert!(head.keep_alive() && !head.is_interim());
    let lines: Vec<_> = head.lines().map(|line| (line.name, line.value, line.whole)).collect();
    assert_eq!(
        lines,
        [
            (&b"Server"[..], &b"MinIO"[..], &b"Server: MinIO\r\n"[..]),
            (b"x-a", b"1", b"x-a:\t1 \r\n"),
            (b"Content-Length", b"5", b"Content-Length: 5\r\n"),
        ]
    );
}

#[test]
fn every_beginning_of_a_head_is_incomplete_and_what_follows_it_is_ignored() {
    for head in [
        with(""),
        with("Transfer-Encoding: chunked\r\nX: \r\n"),
        "HTTP/1.0 204\r\n\r\n".to_owned(),
        "HTTP/1.1 100 \r\n\r\n".to_owned(),
    ] {
        for end in 0..head.len() {
            assert_eq!(parse(&head.as_bytes()[..end]), Parsed::Incomplete, "{head:?} cut at {end}");
        }
        for rest in ["\r\n", "\0", "HTTP/1.1 200 OK\r\nX: y\r\n\r\n", ": x\r\n"] {
            assert_eq!(accepted(&format!("{head}{rest}")).bytes(), head.as_bytes());
        }
    }
}

#[test]
fn a_status_line_is_a_version_three_digits_and_a_reason() {
    for (line, version, status, reason) in [
        ("HTTP/1.1 200 OK", Version::HTTP_11, 200, "OK"),
        ("HTTP/1.0 200 OK", Version::HTTP_10, 200, "OK"),
        ("HTTP/1.1 200 ", Version::HTTP_11, 200, ""),
        ("HTTP/1.1 200", Version::HTTP_11, 200, ""),
        ("HTTP/1.1 100 Continue", Version::HTTP_11, 100, "Continue"),
        ("HTTP/1.1 999 Odd", Version::HTTP_11, 999, "Odd"),
        ("HTTP/1.1 599 \tcaf\u{e9} ", Version::HTTP_11, 599, "\tcaf\u{e9} "),
    ] {
        let text = format!("{line}\r\n\r\n");
        let head = accepted(&text);
        assert_eq!((head.version(), head.status(), head.reason()), (version, status, reason.as_bytes()));
        assert_eq!(head.is_interim(), status == 100);
    }
    for (line, why) in [
        ("HTTP/1.1 099 x", InvalidResponse::Status),
        ("HTTP/1.1 000 x", InvalidResponse::Status),
        ("HTTP/1.1 101 Switching Protocols", InvalidResponse::SwitchingProtocols),
        ("HTTP/1.1 20 x", InvalidResponse::Malformed),
        ("HTTP/1.1 2000 x", InvalidResponse::Malformed),
        ("HTTP/1.1 +20 x", InvalidResponse::Malformed),
        ("HTTP/1.1  200 x", InvalidResponse::Malformed),
        ("HTTP/1.1\t200 x", InvalidResponse::Malformed),
        ("HTTP/1.1 200\tx", InvalidResponse::Malformed),
        ("HTTP/1.1 200 a\0", InvalidResponse::Malformed),
        ("HTTP/1.1 200 a\rb", InvalidResponse::Malformed),
        ("HTTP/1.1 200 a\x7f", InvalidResponse::Malformed),
        ("HTTP/1.2 200 x", InvalidResponse::Malformed),
        ("HTTP/2 200 x", InvalidResponse::Malformed),
        ("http/1.1 200 x", InvalidResponse::Malformed),
        ("ICY 200 OK", InvalidResponse::Malformed),
        (" HTTP/1.1 200 x", InvalidResponse::Malformed),
        ("\r\nHTTP/1.1 200 x", InvalidResponse::Framing),
        ("\nHTTP/1.1 200 x", InvalidResponse::Framing),
    ] {
        rejects(format!("{line}\r\nA: b\r\n\r\n"), why);
    }
    rejects("HTTP/1.1 200 OK\n\r\n", InvalidResponse::Framing);
    rejects("HTTP/1.1 200\n\r\n", InvalidResponse::Framing);
}

#[test]
fn a_header_line_is_a_name_a_colon_a_value_and_cr_lf() {
    for line in ["A", ": b", "A : b", " A: b", "A b: c", "A\0: b", "A: b\0", "A: b\rc", "A: b\r\n c", "A: b\x7f"] {
        rejects(with(&format!("{line}\r\n")), InvalidResponse::Malformed);
    }
    for lines in ["A: b\nC: d\r\n", "A: b\n", "A:\nC: d\r\n", "A: b\r\n\n"] {
        rejects(with(lines), InvalidResponse::Framing);
    }
    let all: Vec<u8> = (0..=255).filter(|byte| crate::field_bytes::is_text(*byte)).collect();
    let head = [b"HTTP/1.1 200 OK\r\nA: <", &all[..], b">\r\n\r\n"].concat();
    assert!(matches!(parse(&head), Parsed::Head(_)));
}

#[test]
fn a_head_has_at_most_2000_lines() {
    let lines = |count: usize| "A: b\r\n".repeat(count);
    for count in [100, 101, MAX_LINES] {
        assert_eq!(accepted(&with(&lines(count))).lines().count(), count);
    }
    rejects(with(&lines(MAX_LINES + 1)), InvalidResponse::TooManyLines);
}

#[test]
fn a_length_that_can_be_read_in_two_ways_is_rejected_even_where_no_body_follows() {
    for status in ["200 OK", "204 No Content", "304 Not Modified", "100 Continue"] {
        for (lines, why) in [
            ("Content-Length: 3, 3\r\n", Ambiguous::InvalidLength),
            ("Content-Length: 3\r\nContent-Length: 3\r\n", Ambiguous::RepeatedLength),
            ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", Ambiguous::LengthAndCoding),
            ("Transfer-Encoding: gzip\r\n", Ambiguous::UnknownCoding),
        ] {
            rejects(format!("HTTP/1.1 {status}\r\n{lines}\r\n"), InvalidResponse::Length(why));
        }
    }
    let why = InvalidResponse::Length(Ambiguous::CodingInHttp10);
    rejects("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", why);
}

#[test]
fn a_body_ends_as_status_and_lines_say() {
    for (status, lines, body, to_head) in [
        ("200 OK", "", ResponseBody::UntilClose, ResponseBody::Absent),
        ("200 OK", "Content-Length: 0\r\n", ResponseBody::Length(0), ResponseBody::Absent),
        ("403 Forbidden", "Transfer-Encoding: chunked\r\n", ResponseBody::Chunked, ResponseBody::Absent),
        ("204 No Content", "Content-Length: 0\r\n", ResponseBody::Absent, ResponseBody::Absent),
        ("304 Not Modified", "Content-Length: 9\r\n", ResponseBody::Absent, ResponseBody::Absent),
        ("103 Early Hints", "", ResponseBody::Absent, ResponseBody::Absent),
    ] {
        let text = format!("HTTP/1.1 {status}\r\n{lines}\r\n");
        let head = accepted(&text);
        assert_eq!((head.body(false), head.body(true)), (body, to_head), "{text:?}");
    }
}

#[test]
fn a_connection_is_kept_as_its_version_and_options_say() {
    for (line, lines, kept) in [
        ("HTTP/1.1 200 OK", "", true),
        ("HTTP/1.1 200 OK", "Connection: keep-alive\r\n", true),
        ("HTTP/1.1 200 OK", "Connection: x-hop, Close\r\n", false),
        ("HTTP/1.1 200 OK", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("HTTP/1.0 200 OK", "", false),
        ("HTTP/1.0 200 OK", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.0 200 OK", "Connection: keep-alive, close\r\n", false),
        ("HTTP/1.1 204 No Content", "", true),
        ("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked\r\n", false),
        ("HTTP/1.1 304 Not Modified", "Transfer-Encoding: chunked\r\n", true),
    ] {
        let text = format!("{line}\r\n{lines}\r\n");
        assert_eq!(accepted(&text).keep_alive(), kept, "{text:?}");
    }
}
