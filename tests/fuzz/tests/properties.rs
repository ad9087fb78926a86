//! Property tests of the wire grammar. They run in seconds; the fuzz targets beside them check the same for hours.

use proptest::collection::vec;
use proptest::prelude::*;
use s3cors_fuzz::edits::{BODIES, Edit, FRAGMENTS, REQUESTS, RESPONSES, edited, edited_once};
use s3cors_fuzz::{properties, strict};
use s3cors_http1::chunked::{LAST_CHUNK, chunk_head};
use s3cors_http1::request_head::{Classified, classify};
use s3cors_http1::response_head::{Parsed, parse};
use std::num::NonZeroUsize;

// A build for libFuzzer calls into its runtime everywhere, which only bolero links.
#[cfg(fuzzing)]
use bolero as _;

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    vec(any::<Edit>(), 0..5)
}

/// Fragments in any order: rarely a message, often the beginning of two.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    vec(prop::sample::select(FRAGMENTS), 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn two_parsers_read_the_same_request(number: u8, edits in edits()) {
        let bytes = edited(REQUESTS, number, &edits);
        properties::request_head(&bytes);
        properties::request_prefixes(&bytes);
    }

    #[test]
    fn two_parsers_read_the_same_request_in_fragments(start in prop::sample::select(REQUESTS), cut: prop::sample::Index, rest in fragments()) {
        properties::request_head(&[&start.as_bytes()[..cut.index(start.len())], &rest].concat());
    }

    #[test]
    fn two_parsers_read_the_same_response(number: u8, edits in edits()) {
        let bytes = edited(RESPONSES, number, &edits);
        properties::response_head(&bytes);
        properties::response_prefixes(&bytes);
    }

    #[test]
    fn two_decoders_read_the_same_body(number: u8, edits in edits(), cuts in vec(1usize..9, 1..6)) {
        let body = edited(BODIES, number, &edits);
        properties::chunked(&body, &cuts);
        properties::chunked(&body, &[1]);
        properties::chunked(&body, &[]);
    }

    #[test]
    fn what_is_encoded_is_decoded(chunks in vec(vec(any::<u8>(), 1..40), 0..6), rest: Vec<u8>, cuts in vec(1usize..30, 1..6)) {
        let mut body = Vec::new();
        for chunk in &chunks {
            let mut line = [0; 18];
            body.extend_from_slice(chunk_head(NonZeroUsize::new(chunk.len()).unwrap(), &mut line));
            body.extend_from_slice(chunk);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(LAST_CHUNK);
        let size = body.len();
        body.extend_from_slice(&rest);
        prop_assert_eq!(strict::chunked(&body), Some((chunks.concat(), size)));
        properties::chunked(&body, &cuts);
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, cuts in vec(1usize..9, 1..6)) {
        properties::request_head(&bytes);
        properties::response_head(&bytes);
        properties::chunked(&bytes, &cuts);
    }

    #[test]
    fn a_head_of_any_lines_is_read_whole(lines in vec("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,9}:[ \t]{0,2}[!-~\u{80}-\u{ff} \t]{0,20}\r\n", 0..110)) {
        let lines = lines.concat();
        properties::request_head(format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n").as_bytes());
        properties::response_head(format!("HTTP/1.1 200 OK\r\n{lines}\r\n").as_bytes());
    }
}

/// The same for every message that one edit makes, and a check that a good part of these is accepted and a good part is not.
fn every_single_edit(messages: &[&'static str], check: impl Fn(&[u8]), is_accepted: impl Fn(&[u8]) -> bool) {
    let (mut total, mut accepted) = (0, 0);
    for bytes in edited_once(messages) {
        check(&bytes);
        total += 1;
        accepted += usize::from(is_accepted(&bytes));
    }
    assert!((total / 10..total * 9 / 10).contains(&accepted), "{accepted} of {total}");
}

#[test]
fn two_parsers_read_the_same_request_after_any_edit() {
    every_single_edit(REQUESTS, properties::request_head, |bytes| matches!(classify(bytes), Classified::Head(_)));
}

#[test]
fn two_parsers_read_the_same_response_after_any_edit() {
    every_single_edit(RESPONSES, properties::response_head, |bytes| matches!(parse(bytes), Parsed::Head(_)));
}

#[test]
fn two_decoders_read_the_same_body_after_any_edit() {
    every_single_edit(BODIES, |bytes| properties::chunked(bytes, &[1]), |bytes| strict::chunked(bytes).is_some());
}
