//! Documents with one thing wrong.

use super::{Rule, json, parse, shown};
use s3_cors::{Document, Format, Warning};

/// Origins of a rule that reads, and what each is.
const ORIGINS: &[(&str, &str)] = &[
    // Never a browser's.
    ("", "OriginNeverMatches"),
    ("https://app.example.com/", "OriginNeverMatches"),
    ("http://localhost:5173/", "OriginNeverMatches"),
    ("https://app.example.com/path", "OriginNeverMatches"),
    ("https://app.example.com/*", "OriginNeverMatches"),
    ("https://*.example.com/", "OriginNeverMatches"),
    ("https://app.example.com?x=1", "OriginNeverMatches"),
    ("https://app.example.com?*", "OriginNeverMatches"),
    ("https://app.example.com#top", "OriginNeverMatches"),
    ("https://App.example.com", "OriginNeverMatches"),
    ("https://*.Example.com", "OriginNeverMatches"),
    ("HTTPS://app.example.com", "OriginNeverMatches"),
    ("https://app.example.com:443", "OriginNeverMatches"),
    ("http://app.example.com:80", "OriginNeverMatches"),
    ("https://*.example.com:443", "OriginNeverMatches"),
    ("https://app.example.com:0443", "OriginNeverMatches"),
    ("https://app.example.com:99999", "OriginNeverMatches"),
    ("https://one.example.com,https://two.example.com", "OriginNeverMatches"),
    ("https://one.example.com, https://*.two.example.com", "OriginNeverMatches"),
    ("https://one.example.com https://two.example.com", "OriginNeverMatches"),
    ("https://bücher.example.com", "OriginNeverMatches"),
    (" https://app.example.com", "OriginNeverMatches"),
    ("app.example.com", "OriginNeverMatches"),
    ("//app.example.com", "OriginNeverMatches"),
    ("htpps://app.example.com", "OriginNeverMatches"),
    ("wss://app.example.com", "OriginNeverMatches"),
    ("https://user@app.example.com", "OriginNeverMatches"),
    ("https://*.10.0.0.0", "OriginNeverMatches"),
    ("https://.*\\\\.example.com", "OriginNeverMatches"),
    // Also of strangers.
    ("https://*", "OriginTooWide"),
    ("http*", "OriginTooWide"),
    ("https://*:8443", "OriginTooWide"),
    ("https://*.com", "OriginTooWide"),
    ("https://*.co.uk", "OriginTooWide"),
    ("*.com", "OriginTooWide"),
    ("https://*.example", "OriginTooWide"),
    ("https://*app.example", "OriginTooWide"),
    ("https://*example.com", "OriginTooWide"),
    ("https://*-app.com", "OriginTooWide"),
    ("https://www.example.*", "OriginTooWide"),
    ("https://example.co*", "OriginTooWide"),
    ("https://example.com*", "OriginTooWide"),
    ("http://localhost*", "OriginTooWide"),
    ("http://192.168.1.*", "OriginTooWide"),
    ("https://*.vercel.app", "OriginTooWide"),
    ("https://my-app-*.vercel.app", "OriginTooWide"),
    ("https://my-app-*-my-team.vercel.app", "OriginTooWide"),
    ("https://*.netlify.app", "OriginTooWide"),
    ("https://*.github.io", "OriginTooWide"),
    ("https://*.pages.dev", "OriginTooWide"),
    ("https://*.s3.amazonaws.com", "OriginTooWide"),
    ("https://*.amazonaws.com", "OriginTooWide"),
    ("https://*.cloudfront.net", "OriginTooWide"),
    // Anyone on the network.
    ("http://app.example.com", "InsecureOrigin"),
    ("http://*.app.example.com", "InsecureOrigin"),
    ("http://192.168.1.7:3000", "InsecureOrigin"),
    ("http*://app.example.com", "InsecureOrigin"),
    ("*://app.example.com", "InsecureOrigin"),
    ("*.app.example.com", "InsecureOrigin"),
    ("null", "OriginNull"),
    ("nul*", "OriginNull"),
];

const APP: &str = "https://app.example.com";
const SDK: &str = "Authorization|Content-Type|x-amz-*|amz-sdk-*";
const SUM: &str = "ETag|x-amz-checksum-crc32";

/// Rules, and what is found.
const RULES: &[(&[Rule], &[&str])] = &[
    (&[Rule("https://app.example.com|*", "GET", "", "", 60)], &["2:48 AnyOriginBesideNamed"]),
    (&[Rule("*|https://app.example.com", "GET", "", "", 60)], &["2:21 AnyOriginBesideNamed"]),
    (
        &[Rule("https://a.example.com|null|http://b.example.com", "GET", "", "", 60)],
        &["2:46 OriginNull", "2:54 InsecureOrigin"],
    ),
    // Never reached.
    (&[Rule("*", "GET", "*", "", 60), Rule(APP, "GET", "Range", "Content-Range", 60)], &["7:1 RuleNeverReached"]),
    (
        &[Rule("https://*.example.com", "GET|HEAD", "", "", 60), Rule(APP, "HEAD", "", "", 60)],
        &["7:1 RuleNeverReached"],
    ),
    (
        &[Rule("https://*.example.com", "GET", "", "", 60), Rule("https://*.app.example.com", "GET", "", "", 60)],
        &["7:1 RuleNeverReached"],
    ),
    (&[Rule(APP, "GET", "x-amz-*", "", 60), Rule(APP, "GET", "X-Amz-Date", "", 60)], &["7:1 RuleNeverReached"]),
    (
        &[Rule(APP, "GET", "", "", 60), Rule(APP, "HEAD", "", "", 60), Rule(APP, "GET|HEAD", "", "", 60)],
        &["12:1 RuleNeverReached"],
    ),
    (
        &[
            Rule("https://a.example.com", "GET", "*", "", 60),
            Rule("https://b.example.com", "GET", "*", "", 60),
            Rule("https://b.example.com|https://a.example.com", "GET", "accept", "", 60),
        ],
        &["12:1 RuleNeverReached"],
    ),
    // Uploads.
    (&[Rule(APP, "PUT", "", "ETag", 60)], &["2:1 UploadHeadersNotAllowed"]),
    (&[Rule(APP, "PUT", "x-amz-acl", "ETag", 60)], &["2:1 UploadHeadersNotAllowed"]),
    (&[Rule(APP, "PUT", "Content-Type|Authorization", "ETag", 60)], &["2:1 UploadHeadersNotAllowed"]),
    (&[Rule(APP, "PUT", "Content-Type|Authorization|x-amz-*", "ETag", 60)], &["2:1 UploadHeadersNotAllowed"]),
    (&[Rule(APP, "PUT", "*", "", 60)], &["2:1 EtagNotExposed"]),
    (&[Rule(APP, "POST", "*", "x-amz-request-id", 60)], &["2:1 EtagNotExposed"]),
    (&[Rule(APP, "PUT|POST", "*", "ETag", 60)], &["2:1 ChecksumsNotExposed"]),
    (&[Rule(APP, "PUT|POST", SDK, "etag", 60)], &["2:1 ChecksumsNotExposed"]),
    (&[Rule(APP, "PUT|POST", "*", "x-amz-checksum-sha256", 60)], &["2:1 EtagNotExposed"]),
    // Names.
    (&[Rule(APP, "GET", "Authorisation", "", 60)], &["4:20 HeaderMisspelt"]),
    (&[Rule(APP, "GET", "Accept|Content-Typ", "", 60)], &["4:30 HeaderMisspelt"]),
    (&[Rule(APP, "GET", "ContentType", "", 60)], &["4:20 HeaderMisspelt"]),
    (&[Rule(APP, "GET", "*", "E-Tag", 60)], &["5:19 HeaderMisspelt"]),
    (&[Rule(APP, "GET", "*", "ETag|x-amz-checksum-crc23", 60)], &["5:27 HeaderMisspelt"]),
    (&[Rule(APP, "GET", "x-amz-security-tokes", "", 60)], &["4:20 HeaderMisspelt"]),
    (&[Rule(APP, "GET", "*", "Content_Length", 60)], &["5:19 HeaderMisspelt"]),
    // Ranges.
    (&[Rule(APP, "GET", "Range", "", 60)], &["2:1 ContentRangeNotExposed"]),
    (&[Rule(APP, "GET|HEAD", "range", "Content-Length", 60)], &["2:1 ContentRangeNotExposed"]),
    (&[Rule(APP, "GET", "*", "Accept-Ranges", 60)], &["2:1 ContentRangeNotExposed"]),
    (&[Rule(APP, "GET", "", "Content-Range", 60)], &["2:1 RangeNotAllowed"]),
    (&[Rule(APP, "GET", "If-Range", "Accept-Ranges|Content-Range", 60)], &["2:1 RangeNotAllowed"]),
    // Time.
    (&[Rule(APP, "GET", "", "", 86_401)], &["6:18 MaxAgeOutOfRange"]),
    (&[Rule(APP, "GET", "", "", -1)], &["6:18 MaxAgeOutOfRange"]),
    (&[Rule(APP, "PUT|POST", "*", SUM, 31_536_000)], &["6:18 MaxAgeOutOfRange"]),
];

#[test]
fn planted_defects_are_found_at_their_places() {
    let origin = |(origin, code): &(&'static str, &str)| {
        (json(&[Rule(origin, "GET|HEAD", "", "", 60)]), vec![format!("2:21 {code}")])
    };
    let rules = |(rules, found): &(&[Rule], &[&str])| (json(rules), found.iter().map(ToString::to_string).collect());
    let all: Vec<_> = ORIGINS.iter().map(origin).chain(RULES.iter().map(rules)).collect();
    assert!(all.len() >= 60, "{}", all.len());
    let wrong = all.iter().filter_map(|(text, expected)| {
        let found = shown(&parse(text).warnings());
        (found != *expected).then(|| format!("{text}\n   found {found:?}\n   expected {expected:?}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn a_document_with_errors_has_the_warnings_of_the_rest() {
    let start = "<CORSConfiguration>\n<CORSRule>";
    let other = "<CORSRule>\n<AllowedOrigin>null</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>";
    for (broken, expected) in [
        // Of a rule that is not whole nothing is missed: what is missed may be what is wrong.
        (
            "\n<AllowedOrigin>a.example</AllowedOrigin><AllowedHeaders>*</AllowedHeaders>",
            &["3:1 OriginNeverMatches", "5:1 OriginNull"][..],
        ),
        (
            "<AllowedOrigin>https://*.*</AllowedOrigin>\n<AllowedOrigin>null</AllowedOrigin>",
            &["3:1 OriginNull", "5:1 OriginNull"],
        ),
        ("<AllowedOrigin>https://*.*</AllowedOrigin>", &["4:1 OriginNull"]),
        (
            "<AllowedMethod>GET, PUT</AllowedMethod>\n<AllowedOrigin>https://a.example,https://b.example</AllowedOrigin>",
            &["3:1 OriginNeverMatches", "5:1 OriginNull"],
        ),
        (
            "<AllowedMethod>PATCH</AllowedMethod><AllowedOrigin>*</AllowedOrigin>\n<MaxAgeSeconds>-1</MaxAgeSeconds>",
            &["3:1 MaxAgeOutOfRange", "5:1 OriginNull"],
        ),
    ] {
        let text = format!("{start}{broken}</CORSRule>\n{other}</CORSConfiguration>");
        let errors = Document::parse(text.as_bytes(), Format::Xml).unwrap_err();
        assert_eq!(shown(errors.warnings()), expected, "{text}");
    }
}

/// A template that was not rendered, in the spelling of each tool.
#[test]
fn a_placeholder_is_called_one() {
    for (origin, placeholder) in [
        ("${CORS_ORIGIN}", "${CORS_ORIGIN}"),
        ("https://${X}.example.com", "${X}"),
        ("https://*.${DOMAIN}", "${DOMAIN}"),
        ("{{ cors_origin }}", "{{ cors_origin }}"),
        ("https://{{x}}", "{{x}}"),
        ("<YOUR_DOMAIN>", "<YOUR_DOMAIN>"),
        ("https://<your-domain>", "<your-domain>"),
        ("$(ORIGIN)", "$(ORIGIN)"),
        ("$ORIGIN", "$ORIGIN"),
        ("https://%APP_HOST%", "%APP_HOST%"),
        ("https://__HOST__:8443", "__HOST__"),
        ("https://{domain}/", "{domain}"),
        ("#{origin}", "#{origin}"),
        ("<%= @origin %>", "<%= @origin %>"),
        ("${{ secrets.ORIGIN }}", "${{ secrets.ORIGIN }"),
    ] {
        let warnings = parse(&json(&[Rule(origin, "GET", "", "", 60)])).warnings();
        let [warning] = &warnings[..] else { panic!("{origin}: {warnings:?}") };
        assert_eq!(warning.code().as_str(), "OriginNeverMatches", "{origin}");
        assert!(warning.message().ends_with("it has a placeholder that was not filled in"), "{warning}");
        assert_eq!(warning.hint().unwrap(), format!("write the origin that {placeholder} stands for"));
    }
    let notes = parse(&json(&[Rule("https://your-domain.com|https://app.example.com", "GET", "", "", 60)])).notes();
    let notes: Vec<_> = notes.iter().map(Warning::message).collect();
    assert_eq!(
        notes,
        ["AllowedOrigin \"https://your-domain.com\": your-domain looks like a placeholder that was not filled in"]
    );
}

#[test]
fn a_warning_says_what_to_write() {
    for (origin, hint) in [
        ("", "write an origin, such as https://app.example"),
        ("a.example", "write https://a.example"),
        ("https:/a.example", "write https://a.example"),
        ("localhost:3000", "write http://localhost:3000"),
        ("a.example:8443/x", "write https://a.example:8443"),
        ("https://bücher.example", "write https://xn--bcher-kva.example"),
        ("htpps://a.example", "write https://a.example"),
        ("HTTPS://A.example/", "write https://a.example"),
        ("https://u:5ECRET@a.example", "remove the user name and the @ after it"),
        ("https://*example.com", "write https://*.example.com, which does not match https://example.com itself"),
        ("https://*.vercel.app", "list your own sites, or write a dot and a domain of yours after the wildcard"),
        ("https://A.example", "write https://a.example"),
        ("https://a.example/", "remove everything after the host and port"),
        ("https://a.example:443", "remove the port"),
        ("https://a.example,https://b.example", "a comma does not separate values: write one AllowedOrigin for each"),
        ("http://a.example", "use https"),
        ("null", "list the origins that need access"),
    ] {
        let warnings = parse(&json(&[Rule(origin, "GET", "", "", 60)])).warnings();
        assert_eq!(warnings.iter().map(Warning::hint).collect::<Vec<_>>(), [Some(hint.into())], "{origin}");
    }
}
