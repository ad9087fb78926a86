//! The repairs, one by one, and what is left to be an error.

use super::*;
use crate::response_head::{Parsed, parse};

fn repaired(head: &[u8]) -> Result<Option<(String, usize)>, InvalidResponse> {
    let mut out = Vec::new();
    let size = repair(head, |piece| out.extend_from_slice(piece))?;
    Ok(size.map(|size| (String::from_utf8_lossy(&out).into_owned(), size)))
}

#[test]
fn a_head_that_says_one_thing_is_written_in_the_one_spelling() {
    for (head, expected) in [
        ("HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"),
        ("HTTP/1.0 200\n\r\n", "HTTP/1.0 200\r\n\r\n"),
        (
            "HTTP/1.1 200 OK\r\nA: one\r\n two\r\n\t three\r\nB: c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: one two three\r\nB: c\r\n\r\n",
        ),
        ("HTTP/1.1 200 OK\r\nA:\r\n one\r\n\r\n", "HTTP/1.1 200 OK\r\nA:  one\r\n\r\n"),
        ("HTTP/1.1 200 OK\nA: one\n two\n\n", "HTTP/1.1 200 OK\r\nA: one two\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nA \t: b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nA: b\u{1}c\0d\re\u{7f}\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b c d e \r\n\r\n"),
        ("HTTP/1.1 200 O\u{1}K\r\nA: b\r\n\r\n", "HTTP/1.1 200 O K\r\nA: b\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nContent-Length: ,02,,2,\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 120\r\nA: b\r\nContent-Length: 120, 120\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 120\r\nA: b\r\n\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding:  chunked\r\n\r\n",
        ),
    ] {
        for rest in ["", "body", "\r\n", "\n"] {
            let whole = format!("{head}{rest}");
            assert_eq!(repaired(whole.as_bytes()), Ok(Some((expected.to_owned(), head.len()))), "{whole:?}");
        }
        assert!(matches!(parse(expected.as_bytes()), Parsed::Head(_)), "{expected:?}");
        let line = head.find('\n').unwrap() + 1;
        for cut in line..head.len() {
            assert_eq!(repaired(&head.as_bytes()[..cut]), Ok(None), "{head:?} cut at {cut}");
        }
    }
}

#[test]
fn what_recipients_could_take_for_something_else_is_an_error() {
    for (lines, why) in [
        (": v\r\n", InvalidResponse::Name),
        ("a b: v\r\n", InvalidResponse::Name),
        ("gr\u{f6}\u{df}e: v\r\n", InvalidResponse::Name),
        ("A\0: v\r\n", InvalidResponse::Name),
        ("no colon here\r\n", InvalidResponse::NoColon),
        ("\r\r\n", InvalidResponse::NoColon),
        (" A: b\r\n", InvalidResponse::Fold),
        ("A: b\r\n \r\nC: d\r\n", InvalidResponse::Fold),
        ("A: b\r\n\t\nC: d\r\n", InvalidResponse::Fold),
        ("Content-Length: 2\0\r\n", InvalidResponse::Control),
        ("Transfer-Encoding: \u{b}chunked\r\n", InvalidResponse::Control),
        ("Transfer-Encoding:\r\n \u{b}chunked\r\n", InvalidResponse::Control),
        ("Content-Length: 2\r\n ,2\r\nno colon here\r\n", InvalidResponse::NoColon),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
        assert_eq!(repaired(head.as_bytes()), Err(why), "{head:?}");
    }
    for (bytes, why) in [
        ("", InvalidResponse::Framing),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", InvalidResponse::Framing),
        ("SSH-2.0-x\r\n", InvalidResponse::Malformed),
        ("SSH", InvalidResponse::Malformed),
        ("HTTP/1.1 20 x\r\n\r\n", InvalidResponse::Malformed),
        ("HTTP/1.1 2000\r\n\r\n", InvalidResponse::Malformed),
        ("HTTP/2.0 200 OK\r\n\r\n", InvalidResponse::Version),
        ("HTTP/1.2 200 OK\r\n\r\n", InvalidResponse::Version),
    ] {
        assert_eq!(repaired(bytes.as_bytes()), Err(why), "{bytes:?}");
    }
}

/// The grammar judges the written head like any other.
#[test]
fn a_length_that_is_not_agreed_on_stays_one() {
    for lines in [
        "Content-Length: 2, 3\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2\r\n 2\r\n",
        "Content-Length: +2, +2\r\n",
        "Content-Length: \r\n",
        "Content-Length: 2, 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
        let (written, _) = repaired(head.as_bytes()).unwrap().unwrap();
        assert!(matches!(parse(written.as_bytes()), Parsed::Invalid(InvalidResponse::Length(_))), "{written:?}");
    }
}
