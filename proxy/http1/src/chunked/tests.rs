//! The chunked coding, rule by rule.

use super::*;

/// Decodes `input`, handed over in pieces of `piece` bytes: the data, and how many bytes the body has.
fn decode(input: &[u8], piece: usize) -> Result<Option<(Vec<u8>, usize)>, ChunkError> {
    decode_with(Decoder::default(), input, piece)
}

fn decode_with(mut decoder: Decoder, input: &[u8], piece: usize) -> Result<Option<(Vec<u8>, usize)>, ChunkError> {
    let (mut data, mut consumed, mut end) = (Vec::new(), 0, 0);
    while end < input.len() {
        end = input.len().min(end + piece);
        while consumed < end {
            match decoder.next(&input[consumed..end])? {
                Step::More { framing } => {
                    assert_eq!(framing, end - consumed, "framing is consumed at once");
                    consumed = end;
                }
                Step::Data { framing, data: len } => {
                    assert!(len > 0);
                    data.extend_from_slice(&input[consumed + framing..consumed + framing + len]);
                    consumed += framing + len;
                }
                Step::End { framing } => {
                    assert!(decoder.is_done());
                    return Ok(Some((data, consumed + framing)));
                }
            }
            assert!(!decoder.is_done(), "the end is told when its last byte is read");
        }
    }
    Ok(None)
}

#[test]
fn a_body_is_decoded_however_it_is_cut_and_nothing_after_it_is_consumed() {
    let line = format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(254));
    let trailers = format!("0\r\na: {}\r\n\r\n", "v".repeat(8187));
    for (body, expected) in [
        ("0\r\n\r\n", ""),
        ("0000\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("0000000000000001\r\nx\r\n0000000000000000\r\n\r\n", "x"),
        ("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"),
        ("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
        ("1;a=b\r\nx\r\n0;last\r\n\r\n", "x"),
        ("1;\r\nx\r\n0\r\n\r\n", "x"),
        ("1; a = \"b c\"\t;d\r\nx\r\n0\r\n\r\n", "x"),
        ("0\r\nA: b\r\n\r\n", ""),
        ("1\r\nx\r\n0\r\nx-checksum:\r\nB:\tc: \u{e9}\r\n\r\n", "x"),
        (&line, "x"),
        (&trailers, ""),
    ] {
        for rest in ["", "\r\n", "0\r\n\r\n", "GET / HTTP/1.1\r\n", "\0"] {
            let input = format!("{body}{rest}");
            for piece in (1..input.len().min(20)).chain([input.len()]) {
                let expected = Ok(Some((expected.as_bytes().to_vec(), body.len())));
                assert_eq!(decode(input.as_bytes(), piece), expected, "{input:?} in pieces of {piece}");
            }
        }
        let cut = &body[..body.len() - 1];
        assert_eq!(decode(cut.as_bytes(), 3), Ok(None), "{cut:?}");
    }
}

#[test]
fn what_another_parser_could_read_differently_is_an_error() {
    let line = format!("1;{}\r\nx\r\n", "e".repeat(255));
    let trailers = format!("0\r\na: {}\r\n\r\n", "v".repeat(8188));
    let many = format!("0\r\n{}\r\n", "a:\r\n".repeat(2049));
    for (body, error) in [
        ("\r\n", ChunkError::Size),
        (";\r\n", ChunkError::Size),
        ("g\r\n", ChunkError::Size),
        ("+1\r\nx\r\n", ChunkError::Size),
        ("-1\r\nx\r\n", ChunkError::Size),
        ("0x1\r\nx\r\n", ChunkError::Size),
        ("1h\r\nx\r\n", ChunkError::Size),
        (" 1\r\nx\r\n", ChunkError::Size),
        ("1 \r\nx\r\n", ChunkError::Size),
        ("1\t;a\r\nx\r\n", ChunkError::Size),
        ("1_0\r\nx\r\n", ChunkError::Size),
        ("1\nx\n0\n\n", ChunkError::Size),
        ("\n1\r\n", ChunkError::Size),
        ("1\0\r\n", ChunkError::Size),
        ("\u{661}\r\n", ChunkError::Size),
        ("00000000000000001\r\n", ChunkError::Size),
        ("10000000000000001\r\n", ChunkError::Size),
        ("8000000000000000\r\n", ChunkError::SizeTooLarge),
        ("ffffffffffffffff\r\n", ChunkError::SizeTooLarge),
        ("1\rx", ChunkError::LineEnd),
        ("1\r\r\nx", ChunkError::LineEnd),
        ("1;a\nx\r\n0\r\n\r\n", ChunkError::Extension),
        ("1;a\0\r\n", ChunkError::Extension),
        ("1;\u{e9}\r\n", ChunkError::Extension),
        ("1;a\x7f\r\n", ChunkError::Extension),
        ("1;a\rb\r\n", ChunkError::LineEnd),
        (&line, ChunkError::SizeLineTooLong),
        ("1\r\nxy\r\n", ChunkError::LineEnd),
        ("1\r\nx0\r\n\r\n", ChunkError::LineEnd),
        ("1\r\nx\n0\r\n\r\n", ChunkError::LineEnd),
        ("1\r\nx\r0\r\n\r\n", ChunkError::LineEnd),
        ("2\r\nx\r\n0\r\n\r\n", ChunkError::LineEnd),
        ("1\r\nx\r\n\r\n0\r\n\r\n", ChunkError::Size),
        ("0\r\n\n", ChunkError::Trailer),
        ("0\r\n\rx", ChunkError::LineEnd),
        ("0\r\nGET / HTTP/1.1\r\n", ChunkError::Trailer),
        ("0\r\n: b\r\n", ChunkError::Trailer),
        ("0\r\na : b\r\n", ChunkError::Trailer),
        ("0\r\n a: b\r\n", ChunkError::Trailer),
        ("0\r\na\r\n", ChunkError::Trailer),
        ("0\r\na: b\n", ChunkError::Trailer),
        ("0\r\na: \0\r\n", ChunkError::Trailer),
        ("0\r\na: \x7f\r\n", ChunkError::Trailer),
        ("0\r\na: b\rc", ChunkError::LineEnd),
        ("0\r\na: b\r\n c\r\n", ChunkError::Trailer),
        (&trailers, ChunkError::TrailersTooLong),
        (&many, ChunkError::TrailersTooLong),
    ] {
        for piece in [1, 2, 3, body.len()] {
            assert_eq!(decode(body.as_bytes(), piece), Err(error), "{body:?} in pieces of {piece}");
        }
    }
}

#[test]
fn the_largest_chunk_is_counted_down_and_never_allocated() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.next(b"7fffffffffffffff\r\nxyz"), Ok(Step::Data { framing: 18, data: 3 }));
    assert_eq!(decoder.next(b""), Ok(Step::More { framing: 0 }));
    assert_eq!(decoder.next(b"0\r\n\r\n"), Ok(Step::Data { framing: 0, data: 5 }));
}

#[test]
fn an_end_and_an_error_last() {
    let mut ended = Decoder::default();
    let mut failed = Decoder::default();
    assert_eq!(ended.next(b"0\r\n\r\n0\r\n"), Ok(Step::End { framing: 5 }));
    assert_eq!(failed.next(b"1\n"), Err(ChunkError::Size));
    for input in [&b""[..], b"0\r\n\r\n", b"\r\n", b"x"] {
        assert_eq!(ended.next(input), Ok(Step::End { framing: 0 }), "{input:?}");
        assert_eq!(failed.next(input), Err(ChunkError::Size), "{input:?}");
    }
}

#[test]
fn a_chunk_head_is_what_the_decoder_reads() {
    for (size, line) in [
        (1, "1\r\n"),
        (9, "9\r\n"),
        (10, "a\r\n"),
        (15, "f\r\n"),
        (16, "10\r\n"),
        (0x1234, "1234\r\n"),
        (65536, "10000\r\n"),
        (0xabcdef, "abcdef\r\n"),
        (usize::MAX, "ffffffffffffffff\r\n"),
    ] {
        let mut buffer = [0; 18];
        assert_eq!(chunk_head(NonZeroUsize::new(size).unwrap(), &mut buffer), line.as_bytes());
    }
    for size in (1..20).chain([255, 256, 4095, 4096, 65535]) {
        let mut buffer = [0; 18];
        let head = chunk_head(NonZeroUsize::new(size).unwrap(), &mut buffer);
        let body = [head, &vec![b'x'; size], b"\r\n", LAST_CHUNK].concat();
        assert_eq!(decode(&body, 7), Ok(Some((vec![b'x'; size], body.len()))));
    }
}

#[test]
fn blanks_may_follow_a_size_in_a_response() {
    let line = format!("1{}\r\nx\r\n0\r\n\r\n", " ".repeat(255));
    for body in [
        "1 \r\nx\r\n0 \r\n\r\n",
        "1\t  \r\nx\r\n0   \r\n\r\n",
        "1 ;a=b\r\nx\r\n0\r\n\r\n",
        "1;a \r\nx\r\n0\r\n\r\n",
        &line,
    ] {
        for piece in [1, 2, 3, body.len()] {
            let decoded = decode_with(Decoder::of_response(), body.as_bytes(), piece);
            assert_eq!(decoded, Ok(Some((b"x".to_vec(), body.len()))), "{body:?} in pieces of {piece}");
        }
    }
    let line = format!("1{}\r\n", " ".repeat(256));
    for (body, error) in [
        (" 1\r\nx\r\n", ChunkError::Size),
        ("1 0\r\nx\r\n", ChunkError::Size),
        ("1 \nx\r\n", ChunkError::Size),
        ("1 \rx", ChunkError::LineEnd),
        (" \r\n", ChunkError::Size),
        (&line, ChunkError::SizeLineTooLong),
    ] {
        assert_eq!(decode_with(Decoder::of_response(), body.as_bytes(), 1), Err(error), "{body:?}");
    }
}
