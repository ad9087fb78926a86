//! What people write: each document's errors say what was meant, with a hint, and nothing that only follows from another error.

use super::{Json, Xml, json, root, rule};
use s3_cors::{Document, Format};

type Mistake<'a> = (&'a str, Format, Vec<u8>, &'a [(&'a str, &'a str, &'a str)]);

/// Place, a part of the detail or message, a part of the hint.
fn check_told(cases: Vec<Mistake<'_>>) {
    for (name, format, bytes, expected) in cases {
        let errors = Document::parse(&bytes, format).err().unwrap_or_else(|| panic!("{name}: accepted"));
        let found: Vec<_> = errors
            .iter()
            .map(|error| {
                let what = format!("{} {}", error.message(), error.detail().unwrap_or_default());
                (error.position().to_string(), what, error.hint().unwrap_or_default())
            })
            .collect();
        let same = found.len() == expected.len()
            && found.iter().zip(expected).all(|(f, e)| f.0 == e.0 && f.1.contains(e.1) && f.2.contains(e.2));
        assert!(same, "{name}: {found:#?}, expected {expected:#?}");
    }
}

fn utf16(text: &str, mark: &[u8], bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
}

#[test]
fn another_form_is_named_once_with_the_command_that_converts_it() {
    let r2 = r#"{"rules": [{"allowed": {"origins": ["*"], "methods": ["GET"]}}]}"#;
    let policy = r#"{"Version": "2012-10-17", "Statement": []}"#;
    let terraform = "resource \"aws_s3_bucket\" \"b\" {\n  cors_rule {\n  }\n}\n";
    let bare = "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>";
    check_told(vec![
        ("R2", Json, r2.into(), &[("1:1", "this is Cloudflare R2's form", "s3cors convert --from r2 --to json FILE")]),
        ("Terraform", Xml, terraform.into(), &[("1:1", "this is Terraform's form", "--from terraform --to xml FILE")]),
        ("R2 in a file named .xml", Xml, format!("\n {r2}").into(), &[("2:2", "Cloudflare R2's", "--from r2")]),
        (
            "Google's XML",
            Xml,
            b"<?xml version='1.0'?>\n<CorsConfig/>".into(),
            &[("2:1", "this is Google Cloud Storage's form", "--from gcs --to xml FILE")],
        ),
        ("a policy", Json, policy.into(), &[("1:1", "this is a bucket policy", "a document of their own")]),
        ("a bare rule in XML", Xml, bare.into(), &[("1:1", "one rule", "put <CORSConfiguration> around it")]),
        ("a bare rule", Json, br#"{"AllowedOrigins": []}"#.into(), &[("1:1", "one rule", "put [ and ] around it")]),
        ("XML as .json", Json, root(""), &[("1:1", "this is XML, where JSON is expected", "name the file .xml")]),
        ("JSON as .xml", Xml, json(""), &[("1:1", "this is JSON, where XML is expected", "name the file .json")]),
    ]);
}

#[test]
fn what_is_not_well_formed_is_told_by_what_is_written_there() {
    let little = |mark: &[u8]| utf16("<CORSConfiguration/>", mark, u16::to_le_bytes);
    let big = |mark: &[u8]| utf16("[{}]", mark, u16::to_be_bytes);
    let utf8 = "save the document as UTF-8";
    check_told(vec![
        ("UTF-16 with its mark", Xml, little(b"\xff\xfe"), &[("1:1", "this is UTF-16", utf8)]),
        ("UTF-16 without", Xml, little(b""), &[("1:1", "this is UTF-16", utf8)]),
        ("UTF-16, big end first", Json, big(b"\xfe\xff"), &[("1:1", "this is UTF-16", utf8)]),
        ("the same without", Json, big(b""), &[("1:1", "this is UTF-16", utf8)]),
        ("UTF-32", Xml, b"\xff\xfe\0\0<\0\0\0".into(), &[("1:1", "not UTF-8", utf8)]),
        ("a comment", Json, json(" // x"), &[("2:2", "key must", "JSON has no comments")]),
        ("a comment after a value", Json, json("\"ID\": \"a\" # x"), &[("2:11", "expected", "JSON has no comments")]),
        ("a comma too many", Json, json("\"ID\": \"a\","), &[("3:1", "key must", "remove the comma before it")]),
        ("a single quote", Json, json("'ID': 'a'"), &[("2:1", "key must", "JSON has no single quotes")]),
        ("a bracket too few", Json, b"[{}".into(), &[("1:4", "EOF", "a bracket or a quote is not closed")]),
        ("nothing", Json, b" ".into(), &[("1:2", "EOF", "")]),
        ("YAML", Json, b"CORSRules:\n- a".into(), &[("1:1", "this is S3's form in YAML", "--from json --to json")]),
        ("an unknown form", Json, b"hello".into(), &[("1:1", "neither XML nor JSON", "convert --help")]),
        (
            "one where XML is expected",
            Xml,
            b"\nname = 1\n".into(),
            &[("2:1", "neither XML nor JSON", "convert --help")],
        ),
        (
            "escaped quotes",
            Json,
            br#"[{\"AllowedOrigins\": []}]"#.into(),
            &[("1:1", "escaped", "remove the backslashes")],
        ),
        ("a string of JSON", Xml, br#""{\"CORSRules\": []}""#.into(), &[("1:1", "escaped", "remove the backslashes")]),
        ("text before XML", Xml, b"x <CORSConfiguration/>".into(), &[("1:1", "text where", "remove it")]),
        ("a bare name", Json, json("ID: 1"), &[("2:1", "key must", "double quotes")]),
        ("a typographic quote", Json, json("“ID”: 1"), &[("2:1", "key must", "“ is a typographic quotation mark")]),
        ("one that closes", Json, json("\"ID\": \"a”, \"b\": 1"), &[("2:13", "expected", "” is a typographic")]),
        (
            "a declaration with such quotes",
            Xml,
            "<?xml version=“1.0”?><CORSConfiguration/>".into(),
            &[("1:1", "the XML declaration", "write <?xml version=\"1.0\"")],
        ),
        ("one without a version", Xml, b"<?xml encoding='UTF-8'?><a/>".into(), &[("1:1", "the XML declaration", "")]),
        (
            "one in another order",
            Xml,
            b"<?xml version='1.0' standalone='no' encoding='a'?>".into(),
            &[("1:1", "the XML declaration", "")],
        ),
        ("a version of its own", Xml, b"<?xml version='2.0'?><a/>".into(), &[("1:1", "the XML declaration", "")]),
        ("an instruction without a name", Xml, b"<? x?><a/>".into(), &[("1:1", "without a name", "")]),
        ("an attribute", Xml, "<CORSConfiguration xmlns=“u”/>".into(), &[("1:1", "", "“ is a typographic")]),
    ]);
}

#[test]
fn an_error_that_only_follows_from_another_is_left_out() {
    check_told(vec![
        (
            "text where lists belong",
            Json,
            br#"[{"AllowedOrigins": "*", "AllowedMethods": "GET, PUT", "MaxAgeSeconds": "60"}]"#.into(),
            &[
                ("1:21", "\"*\" where a list belongs", "write [\"*\"]"),
                ("1:44", "\"GET, PUT\" where a list belongs", "write [\"GET\", \"PUT\"]"),
                ("1:73", "\"60\" where a whole number belongs", "write 60, without quotes"),
            ],
        ),
        (
            "null for a list",
            Json,
            br#"[{"AllowedOrigins": null, "AllowedMethods": ["GET"]}]"#.into(),
            &[("1:21", "null where a list belongs", "write []")],
        ),
        (
            "one rule for the list",
            Json,
            b"{\"CORSRules\": {}}".into(),
            &[("1:15", "an object where a list", "put [ and ]")],
        ),
        (
            "XML's name in JSON",
            Json,
            br#"[{"AllowedOrigin": ["*"], "AllowedMethods": ["GET"]}]"#.into(),
            &[("1:3", "unknown key", "write AllowedOrigins")],
        ),
        (
            "JSON's name in XML",
            Xml,
            root("<CORSRule><AllowedOrigins>*</AllowedOrigins><AllowedMethod>GET</AllowedMethod></CORSRule>"),
            &[("2:11", "AllowedOrigins is not known", "write AllowedOrigin")],
        ),
        (
            "another name of the list",
            Json,
            br#"{"CorsRules": []}"#.into(),
            &[("1:2", "unknown key", "write CORSRules")],
        ),
        ("Kubernetes' words", Json, json("\"exposedHeaders\": []"), &[("2:1", "unknown key", "write ExposeHeaders")]),
    ]);
}

#[test]
fn several_values_in_one_are_told_by_their_comma() {
    let one = "a comma does not separate values: write one Allowed";
    check_told(vec![
        ("methods", Xml, rule("<AllowedMethod>GET, PUT</AllowedMethod>"), &[("3:1", "Unsupported", one)]),
        ("headers", Xml, rule("<AllowedHeader>a, b</AllowedHeader>"), &[("3:1", "invalid character", one)]),
        ("origins", Xml, rule("<AllowedOrigin>http://*.a,http://*.b</AllowedOrigin>"), &[("3:1", "wildcard", one)]),
        (
            "methods with a bar",
            Xml,
            rule("<AllowedMethod>GET|PUT</AllowedMethod>"),
            &[("3:1", "Unsupported", "a | does not")],
        ),
        (
            "two patterns",
            Xml,
            rule("<AllowedOrigin>http://*.a;http://*.b</AllowedOrigin>"),
            &[("3:1", "wildcard", "a semicolon")],
        ),
        (
            "a regular expression",
            Xml,
            rule(r"<AllowedOrigin>^https://.*\.a\..*$</AllowedOrigin>"),
            &[("3:1", "wildcard", "S3 has no regular expressions")],
        ),
        ("every method", Xml, rule("<AllowedMethod>*</AllowedMethod>"), &[("3:1", "Unsupported", "list the methods")]),
        ("every header", Xml, rule("<ExposeHeader>*</ExposeHeader>"), &[("3:1", "wildcard", "list each header")]),
    ]);
}

#[test]
fn a_document_with_errors_has_the_warnings_about_its_other_values() {
    let text = "<CORSConfiguration><CORSRule><AllowedOrigin>a.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
                <AllowedHeaders>*</AllowedHeaders></CORSRule></CORSConfiguration>";
    let errors = Document::parse(text.as_bytes(), Xml).unwrap_err();
    let codes: Vec<_> = errors.warnings().iter().map(|warning| warning.code().as_str()).collect();
    assert_eq!(codes, ["OriginNeverMatches"], "not EtagNotExposed: what is not known may expose it");
    let listed =
        root("<CORSRule><AllowedOrigin>http://a,http://b</AllowedOrigin><AllowedMethod>get</AllowedMethod></CORSRule>");
    let errors = Document::parse(&listed, Xml).unwrap_err();
    let told: Vec<_> = errors.warnings().iter().map(ToString::to_string).collect();
    assert!(matches!(&*told, [comma] if comma.starts_with("2:11: ") && comma.contains("has no comma")), "{told:?}");
}

#[test]
fn an_origin_in_another_notation_is_called_that() {
    for (origin, why) in [
        (r"^https://.*\\.shop\\.example$", "it is a regular expression"),
        (r"/shop\\.example$/", "it is a regular expression"),
        ("https://(www|app).shop.example", "it is a regular expression"),
        ("https://shop.example|https://app.shop.example", "an Origin is one; hint: write one AllowedOrigin for each"),
        ("https://shop.example;https://app.shop.example", "an Origin is one; hint: write one AllowedOrigin for each"),
        ("https://shop.example,https://app.shop.example", "has no comma"),
    ] {
        let text = format!(r#"[{{"AllowedOrigins": ["{origin}"], "AllowedMethods": ["GET"]}}]"#);
        let document = Document::parse(text.as_bytes(), Json).unwrap();
        let told: Vec<_> = document.warnings().iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.contains(why)), "{origin}: {told:#?}");
    }
}
