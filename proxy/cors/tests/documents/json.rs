//! The JSON form.

use super::{INVALID, Json, MALFORMED, check_accepted, check_refused, json};
use s3_cors::{Document, Format};

#[test]
fn json_that_is_not_well_formed_is_refused_at_its_place() {
    check_refused(vec![
        ("nothing", Json, b"".into(), vec![("1:1", MALFORMED, "EOF while parsing a value")]),
        ("white space", Json, b" \n ".into(), vec![("2:2", MALFORMED, "EOF while parsing a value")]),
        ("not JSON at all", Json, b"rules:\n  - GET".into(), vec![("1:1", MALFORMED, "neither XML nor JSON")]),
        ("XML", Json, b"\n<CORSConfiguration/>".into(), vec![("2:1", MALFORMED, "this is XML, where JSON")]),
        ("not UTF-8", Json, b"[\n  \"\xff\"]".into(), vec![("2:4", MALFORMED, "not UTF-8 from byte 6")]),
        ("cut off in an object", Json, b"{\n  \"CORSRules\": [{\"ID\": ".into(), vec![("2:24", MALFORMED, "EOF")]),
        ("cut off in a text", Json, "[{\"ID\": \"\u{e9}".into(), vec![("1:11", MALFORMED, "EOF")]),
        ("cut off after a line", Json, b"[\n".into(), vec![("2:1", MALFORMED, "EOF")]),
        ("trailing text", Json, b"[]\n  x".into(), vec![("2:3", MALFORMED, "trailing characters")]),
        ("a second document", Json, b"[] []".into(), vec![("1:4", MALFORMED, "trailing characters")]),
        ("a trailing comma in a list", Json, b"[{},\n]".into(), vec![("2:1", MALFORMED, "expected value")]),
        (
            "a trailing comma in an object",
            Json,
            json("\"ID\": \"a\",\n  "),
            vec![("4:1", MALFORMED, "key must be a string")],
        ),
        ("no colon", Json, b"{\n \"CORSRules\" []}".into(), vec![("2:14", MALFORMED, "expected `:`")]),
        ("no comma", Json, json("\"ID\": \"\u{e9}\u{1f600}\" x"), vec![("2:12", MALFORMED, "expected `,` or `}`")]),
        ("single quotes", Json, b"{'CORSRules': []}".into(), vec![("1:2", MALFORMED, "key must be a string")]),
        ("a word", Json, json("\"ID\": nil"), vec![("2:8", MALFORMED, "expected ident")]),
        ("a comment", Json, json(" // x"), vec![("2:2", MALFORMED, "key must be a string")]),
        ("a leading zero", Json, json("\"MaxAgeSeconds\": 01"), vec![("2:19", MALFORMED, "invalid number")]),
        ("an unknown escape", Json, json("\"ID\": \"\\x\""), vec![("2:9", MALFORMED, "invalid escape")]),
        ("a tab in a text", Json, json("\"ID\": \"\u{e9}\t\""), vec![("2:9", MALFORMED, "control character")]),
        ("a line feed in a text", Json, json("\"ID\": \"a\nb\""), vec![("2:9", MALFORMED, "control character")]),
        ("10,000 levels that are not closed", Json, b"[".repeat(10_000), vec![("1:10001", MALFORMED, "EOF")]),
    ]);
}

#[test]
fn json_that_does_not_follow_the_schema_is_refused_at_its_place() {
    let nested = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
    let nested_value = json(&format!("\"ExposeHeaders\":\n [{}{}]", "[".repeat(10_000), "]".repeat(10_000)));
    check_refused(vec![
        ("a number", Json, b" 5".into(), vec![("1:2", MALFORMED, "where an object belongs")]),
        ("a text", Json, b"\"CORSRules\"".into(), vec![("1:1", MALFORMED, "where an object belongs")]),
        ("null", Json, b"null".into(), vec![("1:1", MALFORMED, "where an object belongs")]),
        ("no rules", Json, b"[]".into(), vec![("1:1", MALFORMED, "no CORSRule: a configuration has at least one")]),
        ("an empty object", Json, b"\n {}".into(), vec![("2:2", MALFORMED, "there is no CORSRules")]),
        (
            "rules that are null",
            Json,
            b"{\"CORSRules\": null}".into(),
            vec![("1:15", MALFORMED, "where a list belongs")],
        ),
        (
            "rules that are one rule",
            Json,
            b"{\"CORSRules\":\n{}}".into(),
            vec![("2:1", MALFORMED, "where a list belongs")],
        ),
        (
            "an unknown key",
            Json,
            b"{\"CORSRules\": [],\n  \"X\": 1}".into(),
            vec![("2:3", MALFORMED, "unknown key \"X\"")],
        ),
        (
            "rules twice",
            Json,
            b"{\"CORSRules\":[],\n \"CORSRules\":[]}".into(),
            vec![("2:2", MALFORMED, "occurs twice")],
        ),
        ("a rule that is null", Json, b"[ null]".into(), vec![("1:3", MALFORMED, "where an object belongs")]),
        // serde would accept a list as the members in their order.
        (
            "a rule that is a list",
            Json,
            b"[\n [\"id\", [], [\"GET\"], [\"*\"]]]".into(),
            vec![("2:2", MALFORMED, "where an object belongs")],
        ),
        (
            "XML's name for a key",
            Json,
            json("\"ID\": \"a\", \"AllowedHeader\": [\"*\"]"),
            vec![("2:12", MALFORMED, "unknown key \"AllowedHeader\", expected ID, AllowedHeaders")],
        ),
        (
            "a key twice",
            Json,
            json("\"ID\": \"a\",\n\t\"I\\u0044\": \"b\""),
            vec![("3:2", MALFORMED, "\"ID\" occurs twice")],
        ),
        ("an ID that is a number", Json, json("\"ID\": 12345"), vec![("2:7", MALFORMED, "where a string belongs")]),
        (
            "a list that is a text",
            Json,
            json("\"AllowedHeaders\":\n  \"*\""),
            vec![("3:3", MALFORMED, "where a list belongs")],
        ),
        (
            "a list that is null",
            Json,
            json("\"AllowedHeaders\": null"),
            vec![("2:19", MALFORMED, "where a list belongs")],
        ),
        (
            "a value that is null",
            Json,
            json("\"AllowedHeaders\": [\"a\", null]"),
            vec![("2:25", MALFORMED, "where a string belongs")],
        ),
        (
            "a value that is an object",
            Json,
            json("\"ExposeHeaders\": [{\n}]"),
            vec![("2:19", MALFORMED, "where a string belongs")],
        ),
        ("a value that is no Unicode", Json, json("\"ID\": \"\\ud800\""), vec![("2:14", MALFORMED, "hex escape")]),
        (
            "a value that XML cannot carry",
            Json,
            json("\"ID\": \"\\u0000\""),
            vec![("2:7", MALFORMED, r"'\0' is not allowed")],
        ),
        ("10,000 levels as the rules", Json, nested, vec![("1:2", MALFORMED, "where an object belongs")]),
        ("10,000 levels as a value", Json, nested_value, vec![("3:3", MALFORMED, "where a string belongs")]),
        (
            "rules without lists",
            Json,
            b"[{},\n {\"ID\": 1}]".into(),
            vec![
                ("2:9", MALFORMED, "where a string belongs"),
                ("1:2", MALFORMED, "without AllowedOrigin"),
                ("1:2", MALFORMED, "without AllowedMethod"),
                ("2:2", MALFORMED, "without AllowedOrigin"),
                ("2:2", MALFORMED, "without AllowedMethod"),
            ],
        ),
    ]);
    let times = ["\"600\"", "1.5", "1e3", "true", "[600]", "9223372036854775808"];
    let time = |text| json(&format!("\"MaxAgeSeconds\": {text}"));
    check_refused(
        times.map(|text| (text, Json, time(text), vec![("2:18", MALFORMED, "where a whole number belongs")])).into(),
    );
}

#[test]
fn a_refused_value_deep_in_a_document_has_its_own_line_and_column() {
    let document = "{
  \"CORSRules\": [
    {
      \"ID\": \"b\u{fc}ro \u{1f600}\", \"AllowedMethods\": [
        \"GET\",
        \"\u{e9}\", \"get\"
      ],\r
      \"AllowedOrigins\": [\"https://*.*\"],
      \"AllowedHeaders\": [\"*\", \"a b\"]
    },
    {\"AllowedMethods\": [\"PUT\"], \"AllowedOrigins\": [7, \"*\"], \"ExposeHeaders\": [\"ETag\", \"*\"]}
  ]
}
";
    check_refused(vec![(
        "two rules",
        Json,
        document.into(),
        vec![
            ("11:52", MALFORMED, "where a string belongs"),
            ("6:9", INVALID, "Unsupported method is \u{e9}"),
            ("6:14", INVALID, "Unsupported method is get"),
            ("8:26", INVALID, "can not have more than one wildcard"),
            ("9:31", INVALID, "AllowedHeader \"a b\" contains invalid character."),
            ("11:87", INVALID, "ExposeHeader \"*\" contains wildcard"),
        ],
    )]);
}

#[test]
fn json_is_accepted_as_a_list_and_as_an_object() {
    let object = |list: Vec<u8>| [b"{\"CORSRules\": ".into(), list, b"}".into()].concat();
    check_accepted(vec![
        ("a bare list, as the S3 console shows it", Json, json("\"ID\": \"a\""), "a|*|"),
        ("an object, as the AWS CLI prints it", Json, object(json("\"MaxAgeSeconds\": -1")), "|*|-1"),
        ("a byte order mark", Json, [b"\xef\xbb\xbf ".into(), object(json("\"ID\": \"\""))].concat(), "|*|"),
        ("null for what may be absent", Json, json("\"ID\": null, \"MaxAgeSeconds\": null"), "|*|"),
        ("empty lists", Json, json("\"AllowedHeaders\": [], \"ExposeHeaders\": []"), "|*|"),
        ("escapes", Json, json("\"I\\u0044\": \"\\u00e9\\ud83d\\ude00\\r\\n\\\"<&\""), "\u{e9}\u{1f600}\r\n\"<&|*|"),
    ]);
}

#[test]
fn the_format_is_told_by_the_first_character() {
    for (text, format) in [
        ("{", Format::Json),
        (" \r\n\t[", Format::Json),
        ("\u{feff}[", Format::Json),
        ("<", Format::Xml),
        ("", Format::Xml),
        ("\u{feff}<", Format::Xml),
        ("rules", Format::Xml),
    ] {
        assert_eq!(Format::detect(text.as_bytes()), format, "{text:?}");
    }
    // What is neither is rejected as XML, in S3's own words.
    assert!(Document::parse(b"rules", Format::detect(b"rules")).is_err());
}
