//! The grammar of a request head, rule by rule.

use super::*;

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
fn declines(head: impl AsRef<[u8]>, why: Decline) {
    let head = head.as_ref();
    assert_eq!(classify(head), Classified::Declined(why), "{}", head.escape_ascii());
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
        ("\r\nGET / HTTP/1.1", Decline::EmptyLine),
        ("\nGET / HTTP/1.1", Decline::EmptyLine),
        ("\rGET / HTTP/1.1", Decline::EmptyLine),
        (" GET / HTTP/1.1", Decline::Malformed),
        ("GET", Decline::Malformed),
        ("GET ", Decline::Malformed),
        ("GET /", Decline::Malformed),
        ("GET  HTTP/1.1", Decline::Malformed),
        ("GET  / HTTP/1.1", Decline::Malformed),
        ("GET /  HTTP/1.1", Decline::Malformed),
        ("GET / HTTP/1.1 ", Decline::Malformed),
        ("GET / HTTP/1.1 x", Decline::Malformed),
        ("GET /a b HTTP/1.1", Decline::Malformed),
        ("GET\t/\tHTTP/1.1", Decline::Malformed),
        ("G(T / HTTP/1.1", Decline::Malformed),
        ("G\0T / HTTP/1.1", Decline::Malformed),
        ("GET / HTTP/0.9", Decline::Malformed),
        ("GET / HTTP/1.2", Decline::Malformed),
        ("GET / HTTP/2.0", Decline::Malformed),
        ("GET / HTTP/11", Decline::Malformed),
        ("GET / http/1.1", Decline::Malformed),
        ("GET / HTTPS/1.1", Decline::Malformed),
        ("\x16\x03\x01\x02\0\x01", Decline::Malformed),
        ("GET / HTTP/1.1\n", Decline::Framing),
    ] {
        declines(format!("{line}\r\nHost: h\r\n\r\n"), why);
    }
    declines("GET / HTTP/1.1\nHost: h\r\n\r\n", Decline::Framing);
}

#[test]
fn what_can_never_be_a_head_is_declined_before_its_end() {
    for bytes in
        [&b"\x16"[..], b"GET /\0", b"GET / HTTP/2", b"GET / HTTP/1.1\r\nA b", b"GET / HTTP/1.1\r\nA: b\r\n c", b"\r"]
    {
        assert!(matches!(classify(bytes), Classified::Declined(_)), "{}", bytes.escape_ascii());
    }
}

#[test]
fn methods_that_reach_beyond_one_exchange_are_declined() {
    for method in ["CONNECT", "connect", "TRACE", "Trace", "PRI"] {
        declines(format!("{method} / HTTP/1.1\r\nHost: h\r\n\r\n"), Decline::Method);
    }
    for method in ["GET", "get", "OPTIONS", "PROPFIND", "PRIX", "!#$%&'*+-.^_`|~09"] {
        assert_eq!(accepted(&format!("{method} / HTTP/1.1\r\nHost: h\r\n\r\n")).method(), method);
    }
}

#[test]
fn a_target_is_in_origin_form_and_visible_ascii() {
    for target in ["*", "h:443", "http://h/key", "bucket/key", "?x", "/key#f", "/#", "/caf\u{e9}", "/\u{2028}"] {
        declines(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"), Decline::Target);
    }
    for byte in (0..=0x20).chain([0x7f]) {
        let head = [b"GET /", &[byte][..], b"key HTTP/1.1\r\nHost: h\r\n\r\n"].concat();
        assert!(matches!(classify(&head), Classified::Declined(_)), "{byte:#x}");
    }
    declines(b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n", Decline::Malformed);
    let visible: String = (b'!'..=b'~').map(char::from).filter(|c| !"#<>`".contains(*c)).collect();
    for (target, path, query) in [
        ("/", "/", None),
        ("//h/../%2f%zz", "//h/../%2f%zz", None),
        ("/?", "/", Some("")),
        ("/a?b?c", "/a", Some("b?c")),
        (&*format!("/{}", visible.replace('?', "")), &*format!("/{}", visible.replace('?', "")), None),
    ] {
        let text = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        let head = accepted(&text);
        assert_eq!((head.target(), head.path(), head.query()), (target, path, query));
    }
}

#[test]
fn http_1_1_has_one_host_and_http_1_0_at_most_one() {
    for (version, lines, host) in [
        ("1.1", "Host: h\r\n", Ok(Some("h"))),
        ("1.1", "Host: [::1]:9000\r\n", Ok(Some("[::1]:9000"))),
        ("1.1", "Host: a-b.c_d~!$&'()*+,;=\r\n", Ok(Some("a-b.c_d~!$&'()*+,;="))),
        ("1.0", "Host: h\r\n", Ok(Some("h"))),
        ("1.0", "", Ok(None)),
        ("1.1", "", Err(Decline::Host)),
        ("1.1", "Host:\r\n", Err(Decline::Host)),
        ("1.1", "Host: h\r\nHost: h\r\n", Err(Decline::Host)),
        ("1.1", "Host: h\r\nX: y\r\nhOST: i\r\n", Err(Decline::Host)),
        ("1.0", "Host: h\r\nHost: h\r\n", Err(Decline::Host)),
        ("1.1", "Host: h i\r\n", Err(Decline::Host)),
        ("1.1", "Host: h/i\r\n", Err(Decline::Host)),
        ("1.1", "Host: u@h\r\n", Err(Decline::Host)),
        ("1.1", "Host: h?i\r\n", Err(Decline::Host)),
        ("1.1", "Host: h#i\r\n", Err(Decline::Host)),
        ("1.1", "Host: h%2e\r\n", Err(Decline::Host)),
        ("1.1", "Host: h\\i\r\n", Err(Decline::Host)),
        ("1.1", "Host: \u{e9}\r\n", Err(Decline::Host)),
    ] {
        let head = format!("GET / HTTP/{version}\r\n{lines}\r\n");
        match host {
            Ok(host) => assert_eq!(accepted(&head).host(), host),
            Err(why) => declines(&head, why),
        }
    }
    declines(b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n", Decline::Host);
}

#[test]
fn a_header_line_is_a_name_a_colon_a_value_and_cr_lf() {
    for line in ["A", ": b", "A : b", "A\t: b", " A: b", "A b: c", "A(b): c", "A\"b: c", "A\0: b", "A\u{e9}: b"] {
        declines(with(&format!("{line}\r\n")), Decline::Malformed);
    }
    for value in ["b\0", "b\x01c", "b\x0bc", "b\x7fc", "b\rc", "b\r\r\n", "b\r\n c", "b\r\n\tc", "\r\n c", "b\r\n \r\n"]
    {
        declines(with(&format!("A: {value}\r\n")), Decline::Malformed);
    }
    for lines in ["A: b\nC: d\r\n", "A: b\n", "A:\nC: d\r\n", "A: b\r\n\n"] {
        declines(with(lines), Decline::Framing);
    }
    let all: Vec<u8> = (0..=255).filter(|byte| header_line::is_text(*byte)).collect();
    let head = [b"GET / HTTP/1.1\r\nHost: h\r\nA: <", &all[..], b">\r\n\r\n"].concat();
    assert!(matches!(classify(&head), Classified::Head(_)));
}

#[test]
fn a_head_has_at_most_100_lines() {
    let lines = |count: usize| "A: b\r\n".repeat(count - 1);
    assert_eq!(accepted(&with(&lines(MAX_LINES))).lines().count(), MAX_LINES);
    declines(with(&lines(MAX_LINES + 1)), Decline::TooManyLines);
}

#[test]
fn a_length_that_can_be_read_in_two_ways_is_declined() {
    for (lines, body) in [
        ("", Ok(BodyLength::None)),
        ("Content-Length: 3\r\n", Ok(BodyLength::Length(3))),
        ("Transfer-Encoding: chunked\r\n", Ok(BodyLength::Chunked)),
        ("Content-Length: 3, 3\r\n", Err(Ambiguous::InvalidLength)),
        ("Content-Length: 3\r\nContent-Length: 3\r\n", Err(Ambiguous::RepeatedLength)),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", Err(Ambiguous::LengthAndCoding)),
        ("Transfer-Encoding: gzip, chunked\r\n", Err(Ambiguous::UnknownCoding)),
    ] {
        match body {
            Ok(body) => assert_eq!(accepted(&with(lines)).body(), body),
            Err(why) => declines(with(lines), Decline::Length(why)),
        }
    }
    declines("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Decline::Length(Ambiguous::CodingInHttp10));
}

#[test]
fn fields_about_this_hop_are_declined_unless_they_are_close_and_keep_alive() {
    for (line, why) in [
        ("Upgrade: h2c", Decline::Upgrade),
        ("UPGRADE: websocket", Decline::Upgrade),
        ("HTTP2-Settings: AAMAAABkAAQAAP__", Decline::Upgrade),
        ("TE: trailers", Decline::HopByHop),
        ("Trailer: x", Decline::HopByHop),
        ("Keep-Alive: timeout=5", Decline::HopByHop),
        ("Proxy-Connection: keep-alive", Decline::HopByHop),
        ("proxy-authorization: x", Decline::HopByHop),
        ("Proxy-: x", Decline::HopByHop),
        ("Connection: upgrade", Decline::Connection),
        ("Connection: close, host", Decline::Connection),
        ("Connection: keep-alive; x", Decline::Connection),
        ("Connection: close,", Decline::Connection),
        ("Connection:", Decline::Connection),
        ("Expect: 200-ok", Decline::Expect),
        ("Expect: 100-continue, x", Decline::Expect),
        ("Expect:", Decline::Expect),
        ("Expect: 100-continue\r\nExpect: 100-continue", Decline::Expect),
    ] {
        declines(with(&format!("{line}\r\n")), why);
    }
    declines("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", Decline::Expect);
    for line in ["Tee: x", "Trailers: x", "X-Amz-Trailer: x", "Proxy: x", "X-Upgrade: x", "Connections: x"] {
        accepted(&with(&format!("{line}\r\n")));
    }
    for value in ["100-continue", "100-Continue"] {
        assert!(accepted(&with(&format!("Expect: {value}\r\n"))).expects_continue());
    }
}

#[test]
fn a_connection_is_kept_as_its_version_and_options_say() {
    for (version, lines, kept) in [
        ("1.1", "", true),
        ("1.1", "Connection: keep-alive\r\n", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "connection: CLOSE\r\n", false),
        ("1.1", "Connection: keep-alive, close\r\n", false),
        ("1.1", "Connection: close\r\nConnection: keep-alive\r\n", false),
        ("1.0", "", false),
        ("1.0", "Connection: Keep-Alive\r\n", true),
        ("1.0", "Connection: keep-alive,close\r\n", false),
    ] {
        let head = format!("GET / HTTP/{version}\r\nHost: h\r\n{lines}\r\n");
        assert_eq!(accepted(&head).keep_alive(), kept, "{head:?}");
    }
}
