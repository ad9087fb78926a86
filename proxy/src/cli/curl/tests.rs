//! Lines as browsers copy them.

use super::{Copied, CurlError};

const CHROME: &str = "curl 'https://photos.s3.example.com/a%20b.jpg?X-Amz-Signature=5ECRET' \\\n  -X 'PUT' \\\n  -H 'accept: */*' \\\n  \
    -H 'accept-language: en-US,en;q=0.9' \\\n  -H 'authorization: AWS4-HMAC-SHA256 5ECRET' \\\n  -H 'cache-control: no-cache' \\\n  \
    -H 'content-type: image/jpeg' \\\n  -b 'session=5ECRET' \\\n  -H 'origin: https://app.example.com' \\\n  -H 'pragma: no-cache' \\\n  \
    -H 'priority: u=1, i' \\\n  -H 'referer: https://app.example.com/' \\\n  -H 'sec-ch-ua: \"Chromium\";v=\"156\"' \\\n  \
    -H 'sec-fetch-site: cross-site' \\\n  -H 'user-agent: Mozilla/5.0' \\\n  -H $'x-amz-meta-name: it\\'s \\u00e9' \\\n  \
    --data-raw $'it\\'s \\u0021' \\\n  --compressed";

const CHROME_CMD: &str = "curl ^\"https://photos.s3.example.com/a^%^20b.jpg^\" ^\r\n  -X ^\"PUT^\" ^\r\n  \
    -H ^\"origin: https://app.example.com^\" ^\r\n  -H ^\"sec-ch-ua: ^\\^\"Chromium^\\^\";v=^\\^\"156^\\^\"^\" ^\r\n  \
    -H ^\"content-type: image/jpeg^\" ^\r\n  --data-raw ^\"^{^\\^\"a^\\^\":1^}^\"";

const OLD_CMD: &str = "curl \"https://photos.s3.example.com/a\" ^\n  -H \"Origin: https://app.example.com\" ^\n  \
    -H \"Content-Type: application/json\" ^\n  --data-raw \"x\" ^\n  --compressed";

const FIREFOX: &str = "curl 'https://photos.s3.example.com/a' --compressed -X DELETE -H 'User-Agent: Mozilla/5.0' -H 'Accept: */*' \
    -H 'Accept-Language: en' -H 'Accept-Encoding: gzip' -H 'Referer: https://app.example.com/' -H 'x-amz-date: 1' \
    -H 'Origin: https://app.example.com' -H 'Connection: keep-alive' -H 'Sec-Fetch-Mode: cors' -H 'TE: trailers'";

#[test]
fn a_request_is_read_as_browsers_copy_it() {
    for (line, method, path, headers) in [
        (CHROME, "PUT", "/a%20b.jpg", "authorization,content-type,x-amz-meta-name"),
        (CHROME_CMD, "PUT", "/a%20b.jpg", "content-type"),
        (OLD_CMD, "POST", "/a", "content-type"),
        (FIREFOX, "DELETE", "/a", "x-amz-date"),
    ] {
        let copied = Copied::read(line).unwrap();
        assert_eq!((copied.method.as_str(), copied.path.as_str()), (method, path), "{line}");
        assert_eq!(copied.request_headers.as_deref(), Some(headers), "{line}");
        assert_eq!(
            (copied.host.as_str(), copied.origin.as_deref()),
            ("photos.s3.example.com", Some("https://app.example.com"))
        );
        assert!(!format!("{copied:?}").contains("5ECRET"), "{copied:?}");
    }
}

#[test]
fn method_and_headers_are_those_of_a_preflight() {
    for (options, method, headers) in [
        ("", "GET", None),
        ("-I", "HEAD", None),
        ("-sSI", "HEAD", None),
        ("-XPUT -d x", "PUT", None),
        ("-d x", "POST", None),
        ("-G -d x", "GET", None),
        ("-F a=b", "POST", None),
        ("-T file", "PUT", None),
        ("--json '{}'", "POST", Some("content-type")),
        ("-u user:5ECRET", "GET", Some("authorization")),
        ("-H 'Content-Type: text/plain;charset=UTF-8'", "GET", None),
        ("-H 'Content-Type: text/plain; a=\"b\"'", "GET", Some("content-type")),
        ("-H 'Range: bytes=0-99'", "GET", None),
        ("-r 5-", "GET", None),
        ("-H 'Range: bytes=-5'", "GET", Some("range")),
        ("-H 'Range: bytes=9-5'", "GET", Some("range")),
        ("-H 'Accept: a<b'", "GET", Some("accept")),
        ("-H 'Accept-Language: en_US'", "GET", Some("accept-language")),
        ("-H 'Cache-Control: no-cache'", "GET", Some("cache-control")),
        ("-H 'Cache-Control: max-age=0'", "GET", None),
        ("-H 'X-B: 1' -H 'x-a;' -H 'X-b: 2' -H 'X-c:'", "GET", Some("x-a,x-b")),
        ("-H ':authority: x' -H 'authority: x' -H 'upgrade-insecure-requests: 1'", "GET", None),
        // The preflight itself.
        (
            "-X OPTIONS -H 'Access-Control-Request-Method: DELETE' -H 'Access-Control-Request-Headers: x-b,x-a'",
            "DELETE",
            Some("x-b,x-a"),
        ),
        ("-X OPTIONS", "OPTIONS", None),
    ] {
        let copied = Copied::read(&format!("curl {options} localhost:9000/b/k")).unwrap();
        assert_eq!((copied.method.as_str(), copied.request_headers.as_deref()), (method, headers), "{options}");
        assert_eq!((copied.host.as_str(), copied.path.as_str()), ("localhost:9000", "/b/k"));
    }
    let long = format!("curl http://a/ -H 'accept: {}'", "x".repeat(129));
    assert_eq!(Copied::read(&long).unwrap().request_headers.as_deref(), Some("accept"));
}

#[test]
fn what_cannot_be_read_is_said_without_values() {
    for (line, expected) in [
        ("", CurlError::NotCurl),
        ("wget http://a", CurlError::NotCurl),
        ("fetch(\"https://a\")", CurlError::NotCurl),
        ("curl 'http://a", CurlError::Quote),
        ("curl $'http://a", CurlError::Quote),
        ("curl -X PUT", CurlError::NoUrl),
        ("curl http://a http://b", CurlError::TwoUrls),
        ("curl http://a -H", CurlError::NoValue("-H".into())),
        ("curl http://a --5ECRET x", CurlError::Option("--5ECRET".into())),
        ("curl http://a --user=u:5ECRET", CurlError::Option("--user".into())),
        ("curl http://a -Z", CurlError::Option("-Z".into())),
        ("curl ftp://a", CurlError::Url("it has another scheme")),
        ("curl 'http://[5ECRET'", CurlError::Url("it cannot be read")),
        ("curl http://a -H 5ECRET", CurlError::Header),
    ] {
        assert_eq!(Copied::read(line).unwrap_err(), expected, "{line}");
    }
}

#[test]
fn two_signatures_are_noticed() {
    const V4: &str = "X-Amz-Signature=ab";
    let asks =
        "-X OPTIONS -H 'Access-Control-Request-Method: GET' -H 'Access-Control-Request-Headers: x-a, Authorization'";
    for (query, options, expected) in [
        (V4, "-H 'Authorization: Bearer x'", true),
        (V4, "-u user:x", true),
        (V4, asks, true),
        ("AWSAccessKeyId=AK&Signature=ab", "-H 'authorization: x'", true),
        (V4, "-H 'x-authorization: x'", false),
        (V4, "", false),
        ("x-id=GetObject", "-H 'Authorization: AWS4-HMAC-SHA256 x'", false),
    ] {
        let copied = Copied::read(&format!("curl 'http://localhost:9000/b/k?{query}' {options}")).unwrap();
        assert_eq!(copied.has_two_signatures, expected, "{query} {options}");
    }
}
