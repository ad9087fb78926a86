//! Documents without anything wrong.

use super::{Rule, json, parse, shown};

/// AWS's own, as its documentation has them: S3 User Guide, AWS CLI, Java, Boto3, AWS SDK for JavaScript.
const OF_AWS: &[&str] = &[
    r#"[{"AllowedHeaders": ["*"], "AllowedMethods": ["PUT", "POST", "DELETE"], "AllowedOrigins": ["http://www.example1.com"],
        "ExposeHeaders": []},
       {"AllowedHeaders": ["*"], "AllowedMethods": ["PUT", "POST", "DELETE"], "AllowedOrigins": ["http://www.example2.com"],
        "ExposeHeaders": []},
       {"AllowedHeaders": [], "AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": []}]"#,
    r#"[{"AllowedHeaders": ["*"], "AllowedMethods": ["PUT", "POST", "DELETE"], "AllowedOrigins": ["http://www.example.com"],
        "ExposeHeaders": ["x-amz-server-side-encryption", "x-amz-request-id", "x-amz-id-2"], "MaxAgeSeconds": 3000}]"#,
    r#"{"CORSRules": [
        {"AllowedOrigins": ["http://www.example.com"], "AllowedHeaders": ["*"], "AllowedMethods": ["PUT", "POST", "DELETE"],
         "MaxAgeSeconds": 3000, "ExposeHeaders": ["x-amz-server-side-encryption"]},
        {"AllowedOrigins": ["*"], "AllowedHeaders": ["Authorization"], "AllowedMethods": ["GET"], "MaxAgeSeconds": 3000}]}"#,
    r#"[{"AllowedHeaders": ["Authorization"], "AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"],
        "ExposeHeaders": ["ETag", "x-amz-request-id"], "MaxAgeSeconds": 3000}]"#,
    r#"[{"AllowedOrigins": ["https://example.org"], "AllowedMethods": ["HEAD", "GET", "PUT", "POST", "DELETE"],
        "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag", "x-amz-meta-custom-header"]}]"#,
    r#"[{"AllowedOrigins": ["http://example.com"], "AllowedMethods": ["PUT", "POST", "DELETE"]}]"#,
    r#"[{"ID": "CORSRule1", "AllowedOrigins": ["http://*.example.com"], "AllowedMethods": ["PUT", "POST", "DELETE"]},
       {"ID": "CORSRule2", "AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "MaxAgeSeconds": 3000,
        "ExposeHeaders": ["x-amz-server-side-encryption"]},
       {"ID": "CORSRule3", "AllowedOrigins": ["http://www.example.com"], "AllowedMethods": ["HEAD"]}]"#,
    r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["HEAD", "GET", "PUT", "POST", "DELETE"], "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"]}]"#,
];

const OF_OURS: &[&str] = &[
    include_str!("../../../../conf/rules/environments.xml"),
    include_str!("../../../../conf/rules/media.json"),
    include_str!("../../../../conf/rules/public-read.xml"),
    include_str!("../../../../conf/rules/uploads.xml"),
];

const APP: &str = "https://app.example.com";
const SUM: &str = "ETag|x-amz-checksum-crc32";

const RULES: &[&[Rule]] = &[
    &[Rule("*", "GET", "", "", 0)],
    &[Rule("*", "GET|HEAD", "*", "ETag", 86_400)],
    &[Rule(APP, "GET", "Authorization", "", 60)],
    // Below a name of one's own.
    &[Rule("https://*.example.com", "GET", "", "", 60)],
    &[Rule("https://*.app.example.co.uk", "GET", "", "", 60)],
    &[Rule("https://pr-*.preview.example.com", "GET", "", "", 60)],
    &[Rule("https://*-app.example.com", "GET", "", "", 60)],
    &[Rule("https://*.my-app.vercel.app", "GET", "", "", 60)],
    &[Rule("https://my-app.vercel.app", "GET", "", "", 60)],
    &[Rule("https://*.me.github.io", "GET", "", "", 60)],
    &[Rule("https://*.example.com:8443", "GET", "", "", 60)],
    &[Rule("https://app.example.com:*", "GET", "", "", 60)],
    // Names that no one can register.
    &[Rule("https://*.corp.internal", "GET", "", "", 60)],
    &[Rule("https://*.internal", "GET", "", "", 60)],
    &[Rule("https://*.app.example", "GET", "", "", 60)],
    // The machine itself.
    &[Rule("http://localhost:*", "GET", "", "", 60)],
    &[Rule("http://127.0.0.1:3000|http://[::1]:3000|http://app.localhost:*", "GET", "", "", 60)],
    // Applications.
    &[Rule("capacitor://localhost|ionic://localhost|app://obsidian.md", "GET", "", "", 60)],
    &[Rule("chrome-extension://abcdefghijklmnopabcdefghijklmnop", "GET", "", "", 60)],
    &[Rule("https://[::ffff:102:304]|https://[2001:db8::1]:8443|file://", "GET", "", "", 60)],
    &[Rule("https://xn--bcher-kva.example.com|https://192.168.1.7:8443", "GET", "", "", 60)],
    // Uploads.
    &[Rule(APP, "PUT", "Content-Type", "ETag", 60)],
    &[Rule(APP, "GET|PUT", "*", "ETag", 60)],
    &[Rule(APP, "PUT|POST", "Content-Type", "ETag", 60)],
    &[Rule(APP, "POST", "", "ETag|Location", 60)],
    &[Rule(APP, "PUT|POST|DELETE", "Authorization|Content-Type|x-amz-*|amz-sdk-*", SUM, 60)],
    &[Rule(APP, "PUT", "Content-Type|x-amz-meta-dates|x-app-date", "ETag", 60)],
    // Uppy's documentation; aws4fetch; the SDK by name.
    &[Rule(
        APP,
        "GET|PUT|POST|DELETE",
        "Authorization|x-amz-date|x-amz-content-sha256|content-type",
        "ETag|Location",
        60,
    )],
    &[Rule(APP, "GET|PUT", "authorization|content-type|x-amz-content-sha256|x-amz-date|range", "ETag", 60)],
    // Ranges. PMTiles' documentation: it reads the ETag.
    &[Rule("https://maps.example.com", "GET|HEAD", "range", "ETag", 3000)],
    &[Rule(APP, "GET|HEAD", "Range", "Content-Range|Accept-Ranges", 60)],
    &[Rule(APP, "GET|HEAD", "range|if-match", "etag", 3000)],
    &[Rule(APP, "GET", "*", "Content-Range", 60)],
    // An own header may be like another.
    &[Rule(APP, "GET", "X-Content-Type|X-Tenant|X-App-Version|Api-Key", "X-Total-Count", 60)],
    // Later rules that have something left.
    &[Rule("*", "GET", "", "", 60), Rule(APP, "GET", "Authorization", "", 60)],
    &[Rule(APP, "GET", "*", "", 60), Rule("https://*.example.com", "GET", "*", "", 60)],
    &[
        Rule("https://a.example.com", "GET", "", "", 60),
        Rule("https://b.example.com", "HEAD", "", "", 60),
        Rule("https://a.example.com|https://b.example.com", "GET|HEAD", "", "", 60),
    ],
];

#[test]
fn harmless_documents_are_silent() {
    let texts = OF_AWS.iter().chain(OF_OURS).map(ToString::to_string);
    let all: Vec<_> = texts.chain(RULES.iter().map(|rules| json(rules))).collect();
    assert!(all.len() >= 30, "{}", all.len());
    let wrong = all.iter().filter_map(|text| {
        let warnings = parse(text).warnings();
        (!warnings.is_empty()).then(|| format!("{text}\n   found {:?}", shown(&warnings)))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn only_the_example_itself_is_left_alone() {
    let changed = parse(
        r#"[{"AllowedHeaders": ["*"], "AllowedMethods": ["PUT", "POST", "DELETE"], "AllowedOrigins": ["http://www.mine.com"]}]"#,
    );
    assert_eq!(shown(&changed.warnings()), ["1:92 InsecureOrigin", "1:2 EtagNotExposed", "1:2 ChecksumsNotExposed"]);
}
