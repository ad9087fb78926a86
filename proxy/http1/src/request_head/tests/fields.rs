//! The fields that decide how a request is framed and forwarded.

use super::*;

#[test]
fn http_1_1_has_one_host_and_http_1_0_at_most_one() {
    for (version, target, lines, host) in [
        ("1.1", "/", "Host: h\r\n", Ok(Some("h"))),
        ("1.1", "/", "Host: [::1]:9000\r\n", Ok(Some("[::1]:9000"))),
        ("1.1", "/", "Host: a-b.c_d~!$&'()*+,;=\r\n", Ok(Some("a-b.c_d~!$&'()*+,;="))),
        ("1.1", "/", "Host:\r\n", Ok(Some(""))),
        ("1.1", "http://h/", "Host: h\r\n", Ok(Some("h"))),
        ("1.1", "file:///", "Host: \r\n", Ok(Some(""))),
        ("1.0", "/", "Host: h\r\n", Ok(Some("h"))),
        ("1.0", "/", "", Ok(None)),
        ("1.0", "http://h:80/", "", Ok(Some("h:80"))),
        ("1.1", "/", "", Err(NoHost)),
        ("1.1", "http://h/", "", Err(NoHost)),
        ("1.1", "*", "X-Host: h\r\n", Err(NoHost)),
        ("1.1", "http://h/", "Host: H\r\n", Err(Host)),
        ("1.1", "http://h/", "Host: h:80\r\n", Err(Host)),
        ("1.1", "http://h/", "Host:\r\n", Err(Host)),
        ("1.0", "http://h/", "Host: i\r\n", Err(Host)),
        ("1.1", "/", "Host: h\r\nHost: h\r\n", Err(Host)),
        ("1.1", "/", "Host: h\r\nX: y\r\nhOST: i\r\n", Err(Host)),
        ("1.0", "/", "Host: h\r\nHost: h\r\n", Err(Host)),
        ("1.1", "/", "Host:\r\nHost: h\r\n", Err(Host)),
        ("1.1", "/", "Host: h i\r\n", Err(Host)),
        ("1.1", "/", "Host: h/i\r\n", Err(Host)),
        ("1.1", "/", "Host: u@h\r\n", Err(Host)),
        ("1.1", "/", "Host: h?i\r\n", Err(Host)),
        ("1.1", "/", "Host: h#i\r\n", Err(Host)),
        ("1.1", "/", "Host: h%2e\r\n", Err(Host)),
        ("1.1", "/", "Host: h\\i\r\n", Err(Host)),
        ("1.1", "/", "Host: \u{e9}\r\n", Err(Host)),
    ] {
        let head = format!("GET {target} HTTP/{version}\r\n{lines}\r\n");
        match host {
            Ok(host) => {
                assert_eq!(accepted(&head).host(), host, "{head:?}");
                assert_eq!(accepted(&head).has_host_line(), !lines.is_empty(), "{head:?}");
            }
            Err(why) => rejects(&head, why),
        }
    }
    rejects(b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n", Host);
}

#[test]
fn a_length_that_can_be_read_in_two_ways_is_rejected() {
    for (lines, body) in [
        ("", Ok(BodyLength::None)),
        ("Content-Length: 3\r\n", Ok(BodyLength::Length(3))),
        ("Transfer-Encoding: chunked\r\n", Ok(BodyLength::Chunked)),
        ("Content-Length: 3, 3\r\n", Err(Ambiguous::InvalidLength)),
        ("Content-Length: 3\r\nContent-Length: 3\r\n", Err(Ambiguous::RepeatedLength)),
        ("Content-Length: x\nContent-Length: 3\n", Err(Ambiguous::RepeatedLength)),
        ("Transfer-Encoding: gzip, chunked\r\n", Err(Ambiguous::UnknownCoding)),
        ("Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n", Err(Ambiguous::RepeatedCoding)),
    ] {
        match body {
            Ok(body) => assert_eq!(accepted(&with(lines)).body(), body),
            Err(why) => rejects(with(lines), Length(why)),
        }
    }
    for lines in ["", "Content-Length: 3\r\n"] {
        let old = format!("PUT / HTTP/1.0\r\n{lines}Transfer-Encoding: chunked\r\n\r\n");
        rejects(old, Length(Ambiguous::CodingInHttp10));
    }
}

#[test]
fn a_length_that_a_coding_overrides_is_dropped_and_the_connection_ends() {
    for lengths in ["Content-Length: 3\r\n", "content-length: x\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n"] {
        for lines in [
            format!("{lengths}A: b\r\nTransfer-Encoding: chunked\r\n"),
            format!("A: b\r\nTransfer-Encoding: chunked\r\n{lengths}"),
        ] {
            let text = with(&format!("Connection: keep-alive\r\n{lines}"));
            let head = accepted(&text);
            assert_eq!((head.body(), head.keep_alive()), (BodyLength::Chunked, false));
            assert!(head.lines().all(|line| !line.name.eq_ignore_ascii_case(b"content-length")));
            assert_eq!(forwarded(&head), "Host: h\r\nA: b\r\nTransfer-Encoding: chunked\r\n");
        }
    }
}

#[test]
fn fields_about_this_hop_end_here() {
    for (lines, left, nominates) in [
        ("TE: trailers\r\n", "", false),
        ("te: gzip\r\nTrailer: x\r\nKEEP-alive: timeout=5\r\n", "", false),
        ("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", "", false),
        ("Proxy-Connection: x\r\nProxy-Authenticate: x\r\nproxy-authorization: x\r\n", "", false),
        ("Tee: x\r\nX-Upgrade: x\r\nProxy-Features: x\r\n", "Tee: x\r\nX-Upgrade: x\r\nProxy-Features: x\r\n", false),
        ("Connection: upgrade\r\nUpgrade: h2c\r\n", "", true),
        ("Connection: X-A, close\r\nx-a: b\r\nx-b: c\r\n", "x-b: c\r\n", true),
        ("x-a: b\r\nConnection: ,x-b\r\nconnection:\tx-a \r\nX-B: c\r\n", "", true),
        (
            "Connection: Host, Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\n",
            true,
        ),
        ("Connection: content-length\r\nContent-Length: 3\r\n", "Content-Length: 3\r\n", true),
        (
            "Connection: close,\r\nConnection:\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\n",
            false,
        ),
    ] {
        let text = with(lines);
        let head = accepted(&text);
        assert_eq!(forwarded(&head), format!("Host: h\r\n{left}"), "{lines:?}");
        assert_eq!(head.nominates(), nominates, "{lines:?}");
    }
}

#[test]
fn a_connection_option_is_a_token_and_there_are_few() {
    for option in ["keep-alive; x", "\"x-a\"", "x a", ":authority", "x/y", "\u{e9}"] {
        rejects(with(&format!("Connection: close, {option}\r\n")), Connection);
    }
    let options = |count: usize| with(&format!("Connection: close{}\r\n", ", x".repeat(count)));
    accepted(&options(9));
    rejects(options(10), Connection);
    rejects(with(&"Connection: x\r\n".repeat(10)), Connection);
}

#[test]
fn an_expectation_is_passed_on_and_known_where_a_client_waits() {
    for (version, lines, expects) in [
        ("1.1", "Expect: 100-continue\r\n", true),
        ("1.1", "expect: 100-Continue\r\n", true),
        ("1.1", "Expect: x\r\nExpect: 100-continue\r\n", true),
        ("1.1", "Expect: x\r\n", false),
        ("1.1", "Expect:\r\n", false),
        ("1.0", "Expect: 100-continue\r\n", false),
    ] {
        let text = format!("PUT / HTTP/{version}\r\nHost: h\r\n{lines}\r\n");
        let head = accepted(&text);
        assert_eq!(head.expects_continue(), expects, "{text:?}");
        assert_eq!(forwarded(&head), format!("Host: h\r\n{lines}"));
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
        ("1.0", "Connection: x-a, keep-alive\r\n", true),
        ("1.1", "Connection: x-a\r\nConnection: close\r\n", false),
    ] {
        let head = format!("GET / HTTP/{version}\r\nHost: h\r\n{lines}\r\n");
        assert_eq!(accepted(&head).keep_alive(), kept, "{head:?}");
    }
}
