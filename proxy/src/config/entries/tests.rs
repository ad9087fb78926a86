//! Entries, and texts without them.

use super::*;

const TEXT: &str = "listen: # here\n  - :1\n  - {address: ':2', http2: on}\nлог: {x: 1}\nupstream:\n  url: http://a\n  timeouts: {read: 1s, write: 2s}\nlog:\n";

#[test]
fn each_entry_has_its_path() {
    let entries = Entries::of(TEXT).unwrap();
    let paths: Vec<_> = (0..entries.0.len()).map(|index| entries.path(index)).collect();
    assert_eq!(
        paths,
        [
            "listen",
            "listen[0]",
            "listen[1]",
            "listen[1].address",
            "listen[1].http2",
            "(...)",
            "(...).x",
            "upstream",
            "upstream.url",
            "upstream.timeouts",
            "upstream.timeouts.read",
            "upstream.timeouts.write",
            "log",
        ]
    );
}

#[test]
fn a_text_without_an_entry_is_the_rest_in_its_place() {
    let entries = Entries::of(TEXT).unwrap();
    for (path, removed) in [
        ("listen[0]", "- :1\n  "),
        ("listen[1].address", "address: ':2', "),
        ("listen[1].http2", "http2: on"),
        ("listen[1]", "- {address: ':2', http2: on}"),
        ("upstream.timeouts", "timeouts: {read: 1s, write: 2s}"),
        ("upstream.timeouts.read", "read: 1s, "),
        ("upstream.url", "url: http://a\n  "),
        ("log", "log:"),
    ] {
        let index = (0..entries.0.len()).find(|index| entries.path(*index) == path).unwrap();
        let blank: String = removed.chars().map(|each| if each == '\n' { '\n' } else { ' ' }).collect();
        let without = entries.without(index, TEXT).unwrap();
        assert_eq!(without, TEXT.replacen(removed, &blank, 1), "{path}");
        assert!(Entries::of(&without).is_some(), "{path}: still YAML");
    }
}

#[test]
fn an_entry_is_found_by_the_place_and_the_kind_of_an_error() {
    let entries = Entries::of("a:\n  b:\n    c: 1\n  d: {e: 2}\nf: [3, {g: 4}]\n").unwrap();
    for (subject, place, path) in [
        (Subject::Key, (3, 5), "a.b.c"),
        (Subject::Value, (3, 8), "a.b.c"),
        (Subject::Mapping, (3, 5), "a.b"),
        (Subject::Collection, (3, 5), "a.b"),
        (Subject::Collection, (2, 3), "a"),
        (Subject::Mapping, (4, 7), "a.d"),
        (Subject::Value, (5, 5), "f[0]"),
        (Subject::Mapping, (5, 9), "f[1]"),
        (Subject::Value, (4, 20), "a.d.e"),
    ] {
        let found = entries.find(subject, place).map(|index| entries.path(index));
        assert_eq!(found, Some(path), "{subject:?} {place:?}");
    }
}

#[test]
fn a_text_that_is_not_yaml_has_no_entries() {
    for text in ["a: [", "{a: b}: c", "a: 'b"] {
        assert!(Entries::of(text).is_none(), "{text}");
    }
    assert!(Entries::of("").is_some_and(|entries| entries.0.is_empty()));
}
