//! Where a header line, its name and its value begin and end.

use super::*;

fn read(bytes: &[u8]) -> Option<Lines<'_>> {
    let mut shown = Vec::new();
    let (lines, size) = Lines::read(bytes, 8, |line| shown.push(line)).ok()??;
    assert_eq!((lines.iter().collect::<Vec<_>>(), size), (shown, bytes.len()));
    Some(lines)
}

#[test]
fn a_line_is_read_as_it_came() {
    for (whole, name, value) in [
        ("a: b\r\n", "a", "b"),
        ("a:b\r\n", "a", "b"),
        ("A-b:\t b \t\r\n", "A-b", "b"),
        ("a: b  c\td\r\n", "a", "b  c\td"),
        ("a: b:c: d\r\n", "a", "b:c: d"),
        ("a: \"b, c\"\r\n", "a", "\"b, c\""),
        ("a: caf\u{e9}\r\n", "a", "caf\u{e9}"),
        ("a:\r\n", "a", ""),
        ("a: \t \r\n", "a", ""),
    ] {
        let head = format!("first: 1\r\n{whole}last: 2\r\n\r\n");
        let lines: Vec<_> = read(head.as_bytes()).unwrap().iter().collect();
        let [_, line, last] = lines[..] else { panic!("{lines:?}") };
        assert_eq!(line, Line { name: name.as_bytes(), value: value.as_bytes(), whole: whole.as_bytes() });
        assert_eq!(last.whole, b"last: 2\r\n");
    }
    assert_eq!(read(b"\r\n").unwrap().iter().next(), None);
}

#[test]
fn lines_that_stay_are_handed_over_as_they_came() {
    let lines = read(b"a: 1\r\nB:2\r\nc:  3 \r\nb: 4\r\n\r\n").unwrap();
    for (gone, pieces) in [
        ("x", &["a: 1\r\nB:2\r\nc:  3 \r\nb: 4\r\n"][..]),
        ("a", &["B:2\r\nc:  3 \r\nb: 4\r\n"]),
        ("b", &["a: 1\r\n", "c:  3 \r\n"]),
        ("c", &["a: 1\r\nB:2\r\n", "b: 4\r\n"]),
    ] {
        let mut taken = Vec::new();
        let goes = |name: &[u8]| name.eq_ignore_ascii_case(gone.as_bytes());
        lines.pieces(goes, |piece| taken.push(str::from_utf8(piece).unwrap()));
        taken.retain(|piece| !piece.is_empty());
        assert_eq!(taken, pieces, "without {gone}");
    }
}

#[test]
fn a_line_that_ends_with_lf_alone_is_told_apart() {
    for head in ["a: b\n\r\n", "a: b\r\n\n", "a: b\n\n", "\n", "a:\n\r\n", "a: \n\r\n", "a: b \n\r\n"] {
        let lines = read(head.as_bytes()).unwrap();
        assert!(!lines.has_crlf(), "{head:?}");
        assert!(lines.iter().all(|line| line.name == b"a" && !line.value.ends_with(b"\r")), "{head:?}");
    }
    assert!(read(b"a: b\r\n\r\n").unwrap().has_crlf());
}

#[test]
fn lines_that_are_remembered_and_those_that_are_searched_for_are_the_same() {
    for count in [REMEMBERED - 1, REMEMBERED, REMEMBERED + 1, 3 * REMEMBERED] {
        let head: String = (0..count).map(|at| format!("a{at}: \t{at} \r\n")).collect();
        let bytes = format!("{head}\r\n");
        let mut shown = Vec::new();
        let (lines, _) = Lines::read(bytes.as_bytes(), count, |line| shown.push(line)).unwrap().unwrap();
        assert_eq!((lines.iter().collect::<Vec<_>>(), lines.count), (shown, count.min(REMEMBERED)));
        assert_eq!(Lines::read(bytes.as_bytes(), count - 1, |_| {}), Err(NotLines::TooMany));
    }
}
