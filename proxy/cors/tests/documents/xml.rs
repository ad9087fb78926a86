//! The XML form.

use super::{INVALID, MALFORMED, RULE, Xml, check_accepted, check_refused, root, rule};
use s3_cors::{Document, MAX_LISTED_ERRORS};

#[test]
fn xml_that_is_not_well_formed_is_refused_at_its_place() {
    check_refused(vec![
        ("nothing", Xml, vec![], vec![("1:1", MALFORMED, "no CORSConfiguration")]),
        ("white space", Xml, b" \n\t\n ".into(), vec![("3:2", MALFORMED, "no CORSConfiguration")]),
        ("a comment only", Xml, b"<!-- x -->".into(), vec![("1:11", MALFORMED, "no CORSConfiguration")]),
        ("not XML at all", Xml, b"rules:\n  - GET".into(), vec![("1:1", MALFORMED, "neither XML nor JSON")]),
        ("JSON", Xml, b"  {\"CORSRules\": []}".into(), vec![("1:3", MALFORMED, "this is JSON, where XML")]),
        ("UTF-16", Xml, b"\xff\xfe<\0".into(), vec![("1:1", MALFORMED, "this is UTF-16")]),
        ("not UTF-8", Xml, b"<CORSConfiguration>\n\xc3\xa9 \xff".into(), vec![("2:3", MALFORMED, "from byte 24")]),
        (
            "not UTF-8 after a byte order mark",
            Xml,
            b"\xef\xbb\xbf<!--\n \xff".into(),
            vec![("2:2", MALFORMED, "from byte 10")],
        ),
        (
            "a root that is not closed",
            Xml,
            format!("<CORSConfiguration>\n{RULE}").into(),
            vec![("2:88", MALFORMED, "CORSConfiguration is not closed")],
        ),
        (
            "a rule that is not closed",
            Xml,
            b"<CORSConfiguration>\n <CORSRule>\n".into(),
            vec![("3:1", MALFORMED, "CORSRule is not closed")],
        ),
        (
            "a value that is not closed",
            Xml,
            b"<CORSConfiguration><CORSRule><ID>\xc3\xa9\xe2\x82\xac".into(),
            vec![("1:36", MALFORMED, "ID is not closed")],
        ),
        ("a tag cut off", Xml, b"<CORSConfiguration>\n  <CORSRu".into(), vec![("2:3", MALFORMED, "tag not closed")]),
        ("a comment cut off", Xml, root("<!-- "), vec![("2:1", MALFORMED, "comment not closed")]),
        ("CDATA cut off", Xml, rule("<ID>a<![CDATA[b]]</ID>"), vec![("3:6", MALFORMED, "CDATA not closed")]),
        ("another end tag", Xml, rule("  <ID>a</Id>"), vec![("3:8", MALFORMED, "`</ID>`, but `</Id>`")]),
        (
            "an end tag too many",
            Xml,
            root("</CORSConfiguration>\n "),
            vec![("4:1", MALFORMED, "does not match any open")],
        ),
        ("only an end tag", Xml, b"\n </CORSRule>".into(), vec![("2:2", MALFORMED, "does not match any open")]),
        (
            "crossed inside an unknown element",
            Xml,
            root("<a>\n <b></a></b>"),
            vec![("2:1", MALFORMED, "a is not known"), ("3:5", MALFORMED, "`</b>`, but `</a>`")],
        ),
        ("a bare <", Xml, rule(" < "), vec![("3:2", MALFORMED, "a tag without a name")]),
        ("a bare &", Xml, rule("<ID>a & b</ID>"), vec![("3:7", MALFORMED, "reference not closed")]),
        ("an unknown entity", Xml, rule("<ID>\u{e9}&eacute;</ID>"), vec![("3:6", MALFORMED, "entity &eacute;")]),
        ("a reference to no character", Xml, rule("<ID>&#x110000;</ID>"), vec![("3:5", MALFORMED, "codepoint")]),
        ("a reference to a control", Xml, rule("<ID>&#1;</ID>"), vec![("3:5", MALFORMED, r"'\u{1}' is not allowed")]),
        ("a control character", Xml, rule("<ID>\u{0}</ID>"), vec![("3:5", MALFORMED, r"'\0' is not allowed in XML")]),
        (
            "an attribute twice",
            Xml,
            rule("<ID a='1' a='2'/>"),
            vec![("3:1", MALFORMED, "the attribute a occurs twice")],
        ),
        ("an attribute without quotes", Xml, rule("<ID a=1/>"), vec![("3:1", MALFORMED, "must be enclosed")]),
        (
            "a late declaration",
            Xml,
            root("<?xml version='1.0'?>"),
            vec![("2:1", MALFORMED, "only at the very beginning")],
        ),
        ("a reserved prefix", Xml, rule("<ID xmlns:xml='urn:x'/>"), vec![("3:1", MALFORMED, "cannot be bound")]),
    ]);
}

#[test]
fn no_document_type_is_read() {
    let laughs = "<?xml version=\"1.0\"?>\n<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;\">]>\n";
    let refused = |place| vec![(place, MALFORMED, "a DOCTYPE is not allowed")];
    check_refused(vec![
        ("billion laughs", Xml, [laughs.into(), rule("<ID>&c;</ID>")].concat(), refused("2:1")),
        ("unused", Xml, [b" <!DOCTYPE CORSConfiguration>".into(), root(RULE)].concat(), refused("1:2")),
        ("from elsewhere", Xml, b"<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>".into(), refused("1:1")),
        ("inside the root", Xml, root("\n<!DOCTYPE x>"), refused("3:1")),
        ("after the root", Xml, [root(RULE), b"\n<!DOCTYPE x>".into()].concat(), refused("4:1")),
        (
            "inside an unknown element",
            Xml,
            root("<a>\n <!DOCTYPE x></a>"),
            vec![
                ("2:1", MALFORMED, "a is not known in CORSConfiguration"),
                ("3:2", MALFORMED, "a DOCTYPE is not allowed"),
            ],
        ),
    ]);
}

#[test]
fn xml_that_does_not_follow_the_schema_is_refused_at_its_place() {
    let foreign = "<CORSConfiguration xmlns=\"urn:other\"/>";
    check_refused(vec![
        ("another root", Xml, b"\n<Rules/>".into(), vec![("2:1", MALFORMED, "the root element is Rules")]),
        ("a root in lower case", Xml, b"<corsconfiguration/>".into(), vec![("1:1", MALFORMED, "is corsconfiguration")]),
        ("a foreign root", Xml, foreign.into(), vec![("1:1", MALFORMED, "in the namespace urn:other")]),
        ("an undeclared prefix", Xml, b"<s3:CORSConfiguration/>".into(), vec![("1:1", MALFORMED, "prefix s3 is not")]),
        ("a foreign rule", Xml, root(" <CORSRule xmlns='urn:o'/>"), vec![("2:2", MALFORMED, "in the namespace urn:o")]),
        ("a foreign value", Xml, rule("<x:ID xmlns:x='u:o'/>"), vec![("3:1", MALFORMED, "in the namespace u:o")]),
        (
            "a value with an undeclared prefix",
            Xml,
            rule("<x:ID/>"),
            vec![("3:1", MALFORMED, "prefix x is not declared")],
        ),
        ("text after the root", Xml, [root(RULE), b"\n\n  x".into()].concat(), vec![("5:3", MALFORMED, "text where")]),
        ("a second root", Xml, [root(RULE), b"\n<a/>".into()].concat(), vec![("4:1", MALFORMED, "a second element")]),
        ("text between rules", Xml, root(&format!("{RULE}\n\u{a0}{RULE}")), vec![("3:1", MALFORMED, "text where")]),
        ("CDATA between rules", Xml, root("<![CDATA[ ]]>"), vec![("2:1", MALFORMED, "text where only")]),
        ("a reference between rules", Xml, root(" &#32;"), vec![("2:2", MALFORMED, "text where only")]),
        ("text between values", Xml, rule("\tx"), vec![("3:2", MALFORMED, "text where only elements are allowed")]),
        ("no rule", Xml, root(""), vec![("1:1", MALFORMED, "no CORSRule")]),
        (
            "an unknown element next to the rules",
            Xml,
            root(&format!("{RULE}<a/>")),
            vec![("2:88", MALFORMED, "a is not known in CORSConfiguration")],
        ),
        (
            "an unknown element in a rule",
            Xml,
            rule("<AllowedOrigins/>"),
            vec![("3:1", MALFORMED, "AllowedOrigins is not known in CORSRule")],
        ),
        ("an element in a value", Xml, rule("<ID>a<b>c</b></ID>"), vec![("3:6", MALFORMED, "b is not known in ID")]),
        ("a second ID", Xml, rule("<ID/>\n <ID/>"), vec![("4:2", MALFORMED, "a second ID")]),
        (
            "a second time",
            Xml,
            rule("<MaxAgeSeconds>1</MaxAgeSeconds>\n<MaxAgeSeconds>1</MaxAgeSeconds>"),
            vec![("4:1", MALFORMED, "a second MaxAgeSeconds")],
        ),
        (
            "an empty rule",
            Xml,
            root(" <CORSRule/>"),
            vec![("2:2", MALFORMED, "without AllowedOrigin"), ("2:2", MALFORMED, "without AllowedMethod")],
        ),
        (
            "9,000 levels",
            Xml,
            root(&format!("{}{}", "<a>".repeat(9_000), "</a>".repeat(9_000))),
            vec![("2:1", MALFORMED, "a is not known in CORSConfiguration")],
        ),
        (
            "10,000 levels that are not closed",
            Xml,
            format!("<CORSConfiguration>{}", "<a>".repeat(10_000)).into(),
            vec![("1:20", MALFORMED, "a is not known"), ("1:30020", MALFORMED, "a is not closed")],
        ),
    ]);
    let times = ["", " ", "x", "1.5", "0x10", "1e3", "1 2", "--1", "9223372036854775808", "\u{a0}1"];
    let time = |text| rule(&format!("<MaxAgeSeconds>{text}</MaxAgeSeconds>"));
    let refused = vec![("3:1", MALFORMED, "is not a whole number")];
    check_refused(times.map(|text| (text, Xml, time(text), refused.clone())).into());
}

#[test]
fn all_errors_of_a_document_are_listed_in_the_order_in_which_s3_checks() {
    let many = "<CORSRule>
  <AllowedMethod>PATCH</AllowedMethod>
  <AllowedOrigin>https://*.*</AllowedOrigin>
  <AllowedHeader>x-*-*</AllowedHeader> <AllowedHeader>a b</AllowedHeader>
  <ExposeHeader>*</ExposeHeader><ExposeHeader>\u{e9}</ExposeHeader>
</CORSRule>\r\n<CORSRule><Foo/>\r\n\t<AllowedMethod>get</AllowedMethod></CORSRule>";
    check_refused(vec![
        (
            "two rules",
            Xml,
            root(many),
            vec![
                ("8:11", MALFORMED, "Foo is not known in CORSRule"),
                ("8:1", MALFORMED, "without AllowedOrigin"),
                ("3:3", INVALID, "Unsupported method is PATCH"),
                ("4:3", INVALID, "AllowedOrigin \"https://*.*\" can not have more than one wildcard."),
                ("5:3", INVALID, "AllowedHeader \"x-*-*\" can not have more than one wildcard."),
                ("5:40", INVALID, "AllowedHeader \"a b\" contains invalid character."),
                ("6:3", INVALID, "ExposeHeader \"*\" contains wildcard."),
                ("6:33", INVALID, "ExposeHeader \"\u{e9}\" contains invalid character."),
                ("9:2", INVALID, "Unsupported method is get"),
            ],
        ),
        (
            "101 rules",
            Xml,
            root(&format!("{RULE}\n").repeat(101)),
            vec![("102:1", INVALID, "The number of CORS rules should not exceed allowed limit of 100 rules.")],
        ),
    ]);
    let errors = Document::parse(&root(&"\n<a/>".repeat(MAX_LISTED_ERRORS + 7)), Xml).unwrap_err();
    assert_eq!((errors.iter().count(), errors.unlisted()), (MAX_LISTED_ERRORS, 7));
    assert_eq!(errors.iter().next_back().unwrap().position().to_string(), format!("{}:1", MAX_LISTED_ERRORS + 2));
    assert!(errors.to_string().ends_with("\nand 7 more"));
}

#[test]
fn odd_but_good_xml_is_accepted() {
    let namespace = s3_cors::NAMESPACE;
    let prefixed = format!(
        "<s:CORSConfiguration xmlns:s='{namespace}'><s:CORSRule><s:AllowedMethod>GET</s:AllowedMethod>\
         <s:AllowedOrigin>b</s:AllowedOrigin></s:CORSRule></s:CORSConfiguration>"
    );
    check_accepted(vec![
        ("no namespace", Xml, root(RULE), "|*|"),
        (
            "S3's namespace",
            Xml,
            format!("<CORSConfiguration xmlns='{namespace}'>{RULE}</CORSConfiguration>").into(),
            "|*|",
        ),
        ("S3's namespace by a prefix", Xml, prefixed.into(), "|b|"),
        (
            "a byte order mark and a declaration",
            Xml,
            [b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\r\n".into(), root(RULE)].concat(),
            "|*|",
        ),
        (
            "comments and instructions",
            Xml,
            [b"<!-- & -->\n<?x y?>".into(), rule("<!----><?x?>"), b"<!-- -->".into()].concat(),
            "|*|",
        ),
        (
            "a value in pieces",
            Xml,
            rule("<ID>a<!-- x -->b<![CDATA[<&c]]><?p?>&#100;&#x65;&amp;&lt;</ID>"),
            "ab<&cde&<|*|",
        ),
        ("white space in a value", Xml, rule("<ID> a\tb\n</ID>"), " a\tb\n|*|"),
        // XML 1.0 §2.11: what is written as a reference is kept.
        ("line ends", Xml, rule("<ID>a\r\nb\rc&#13;</ID>"), "a\nb\nc\r|*|"),
        ("an attribute", Xml, rule("<ID lang=\"x\">a</ID >"), "a|*|"),
        (
            "no order",
            Xml,
            rule("<AllowedOrigin/><MaxAgeSeconds>0</MaxAgeSeconds><AllowedOrigin>c</AllowedOrigin>"),
            "|*  c|0",
        ),
        ("the same twice", Xml, rule("<AllowedOrigin>*</AllowedOrigin>"), "|* *|"),
        ("a negative time", Xml, rule("<MaxAgeSeconds>-1</MaxAgeSeconds>"), "|*|-1"),
        ("a time with white space", Xml, rule("<MaxAgeSeconds>\n +600 </MaxAgeSeconds>"), "|*|600"),
        ("a long time", Xml, rule("<MaxAgeSeconds>2147483648</MaxAgeSeconds>"), "|*|2147483648"),
    ]);
    let two = format!(
        "{}\n{}",
        RULE.replace("<CORSRule>", "<CORSRule><ID>a</ID>"),
        RULE.replace("<CORSRule>", "<CORSRule><ID>a</ID>")
    );
    check_accepted(vec![("two rules with the same ID", Xml, root(&two), "a|*|")]);
}
