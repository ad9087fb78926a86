//! Limits on uploads: what is too large, in too many parts or of a type that is not listed never becomes an object.

use crate::support::bytes;
use crate::support::h2::Http2;
use crate::support::http::{Response, request};
use crate::support::process::{ConfigFile, run, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::signer::Signer;
use crate::support::store::{Store, client};
use crate::support::upstream::Upstream;
use aws_sdk_s3::error::ProvideErrorMetadata;

const PAGE: &str = "https://app.example";
const LIMITS: &str = "uploads: [{bucket: photos, max_size: 1000B, types: [image/*, text/plain]}, \
    {bucket: photos, prefix: large/, max_size: 6MiB, max_parts: 2}]";

fn proxy(upstream: &str, settings: &str) -> (Proxy, Rules) {
    let rules = Rules::empty();
    let document = allowing(PAGE).replace(
        "<AllowedMethod>GET</AllowedMethod>",
        "<AllowedMethod>PUT</AllowedMethod><AllowedMethod>POST</AllowedMethod>",
    );
    rules.write("_default.xml", document);
    let file = ConfigFile::new(&format!("listen: {{address: '127.0.0.1:0', http2: true}}\n{settings}\n"));
    let mut command =
        s3cors(&["serve", "--admin", "127.0.0.1:0", "--upstream", upstream, "--config", &file.argument()]);
    command.arg("--rules").arg(rules.path());
    (Proxy::spawn(command), rules)
}

/// A scripted server that says 200 to each request that comes whole.
fn taking() -> Upstream {
    Upstream::scripted(|served| {
        while served.request().is_some() {
            served.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    })
}

fn is_refused(answer: &Response, status: u16, code: &str) {
    assert_eq!((answer.status, answer.element("Code").as_deref()), (status, Some(code)), "{}", answer.text());
    assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE), "a page can read why");
}

/// Lines of a head beside the usual ones, a body, and what becomes of the request.
type Case = (&'static str, &'static [(&'static str, &'static str)], usize, Option<(u16, &'static str)>);

const PNG: (&str, &str) = ("Content-Type", "image/png");
const SIZE: Option<(u16, &str)> = Some((400, "EntityTooLarge"));
const TYPE: Option<(u16, &str)> = Some((415, "UnsupportedMediaType"));
const FORM: (&str, &str) = ("Content-Type", "Multipart/Form-Data; boundary=a");
const NO_FORM: Option<(u16, &str)> = Some((400, "MalformedPOSTRequest"));

#[rustfmt::skip]
const BY_HEAD: &[Case] = &[
    ("PUT /photos/key", &[PNG], 1000, None),
    ("PUT /photos/key", &[PNG], 1001, SIZE),
    ("PUT /photos/key", &[("content-type", "IMAGE/PNG; charset=x")], 10, None),
    ("PUT /photos/key", &[("Content-Type", "text/html")], 10, TYPE),
    ("PUT /photos/key", &[], 10, TYPE),
    ("PUT /photos/key", &[PNG, ("Content-Type", "text/html")], 10, TYPE),
    ("PUT /photos/key", &[("Content-Type", "")], 10, TYPE),
    // Of several types, browsers take the last; in what is no type, they look for one.
    ("PUT /photos/key", &[("Content-Type", "image/png, text/html")], 10, TYPE),
    ("PUT /photos/key", &[("Content-Type", "text/plain; a=b, text/html")], 10, TYPE),
    ("PUT /photos/key", &[("Content-Type", "image/png text/html")], 10, TYPE),
    ("PUT /other/key", &[], 5000, None),
    ("PUT /photos/large/key", &[], 5000, None),
    ("PUT /photos/%6Carge/key", &[], 5000, None),
    ("PUT /photos/large%2Fkey", &[PNG], 10, Some((400, "InvalidURI"))),
    ("PUT /photos/x/../large/key", &[PNG], 10, Some((400, "InvalidURI"))),
    ("PUT //photos/key", &[PNG], 10, Some((400, "InvalidURI"))),
    ("PUT /photos%2Fkey", &[PNG], 10, Some((400, "InvalidURI"))),
    // A copy, and what looks like one.
    ("PUT /photos/key", &[("x-amz-copy-source", "/photos/other")], 0, None),
    ("PUT /photos/key", &[("x-amz-copy-source", "photos%2Fother")], 0, None),
    ("PUT /photos/key", &[("x-amz-copy-source", "")], 0, TYPE),
    ("PUT /photos/key", &[("x-amz-copy-source", "photos")], 0, TYPE),
    ("PUT /photos/key", &[("x-amz-copy-source", "/photos/other")], 10, TYPE),
    // Parts.
    ("PUT /photos/key?partNumber=1&uploadId=u", &[], 10, None),
    ("PUT /photos/key?partNumber=1&uploadId=u", &[], 1001, SIZE),
    ("PUT /photos/key?partNumber=2&uploadId=u", &[], 10, SIZE),
    ("PUT /photos/key?uploadId=u&partNumber=1&partNumber=2", &[], 10, SIZE),
    ("PUT /photos/large/key?partNumber=2&uploadId=u", &[], 5000, None),
    ("PUT /photos/large/key?partNumber=3&uploadId=u", &[], 10, SIZE),
    ("PUT /photos/key?uploadId=u", &[], 10, TYPE),
    ("PUT /photos/key?partNumber=1", &[], 10, TYPE),
    ("PUT /photos/key?partNumber=%32&uploadId=u", &[], 10, SIZE),
    ("PUT /photos/key?%70artNumber=2&uploadId=u", &[], 10, SIZE),
    ("PUT /photos/key?partNumber=1;partNumber=2&uploadId=u", &[], 10, SIZE),
    ("PUT /photos/key?partNumber=99999999999999999999&uploadId=u", &[], 10, SIZE),
    ("POST /photos/key?uploads", &[PNG], 0, None),
    ("POST /photos/key?uploads", &[], 0, TYPE),
    ("POST /photos/key?uploadId=u", &[], 5000, None),
    ("POST /photos/key?restore", &[], 5000, None),
    // Of two operations, each server takes one.
    ("POST /photos/key?select&uploads", &[], 0, TYPE),
    ("POST /photos/key?restore&%75ploads", &[], 0, TYPE),
    ("PUT /photos/key?tagging&annotation", &[], 10, TYPE),
    // Documents about an object, and names that some server ignores.
    ("PUT /photos/key?tagging", &[], 10, None),
    ("PUT /photos/key?acl", &[], 1001, SIZE),
    ("PUT /photos/key?annotation", &[], 10, TYPE),
    ("PUT /photos/key?ACL", &[], 10, TYPE),
    ("PUT /photos/key?%61cl", &[], 10, TYPE),
    ("PUT /photos/key?x=y", &[], 10, TYPE),
    // Not uploads.
    ("GET /photos/key", &[], 0, None),
    ("DELETE /photos/key", &[], 0, None),
    ("PUT /photos", &[], 5000, None),
    ("POST /photos?delete", &[], 5000, None),
    // Forms, whatever the query or the path says.
    ("POST /photos?delete", &[FORM], 10, NO_FORM),
    ("POST /photos?delete&x", &[("Content-Type", "text/xml"), FORM], 10, NO_FORM),
    ("POST /photos/large/key", &[FORM], 10, NO_FORM),
    ("POST /photos/key?restore", &[FORM], 10, NO_FORM),
    ("POST /photos", &[FORM, ("Content-Type", "multipart/form-data; boundary=b")], 10, NO_FORM),
    ("POST /other?delete", &[FORM], 10, None),
    // Stated lengths of what is coded.
    ("PUT /photos/key", &[PNG, ("x-amz-decoded-content-length", "1001"), ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")], 1100, SIZE),
    ("PUT /photos/key", &[PNG, ("x-amz-decoded-content-length", "1000"), ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")], 1100, None),
    ("PUT /photos/key", &[PNG, ("x-amz-decoded-content-length", "10"), ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")], 70_000, SIZE),
    ("PUT /photos/key", &[PNG, ("x-amz-decoded-content-length", "10")], 1001, SIZE),
    ("PUT /photos/key", &[PNG, ("x-amz-decoded-content-length", "1001")], 10, SIZE),
    ("PUT /photos/key", &[PNG, ("x-amz-decoded-content-length", "10"), ("X-Amz-Decoded-Content-Length", "11")], 10, Some((400, "InvalidArgument"))),
    ("PUT /photos/key", &[PNG, ("x-amz-decoded-content-length", "-1")], 10, Some((400, "InvalidArgument"))),
];

#[test]
fn an_upload_is_judged_by_its_head_before_a_byte_goes_on() {
    let upstream = taking();
    let (proxy, _rules) = proxy(&format!("http://{}", upstream.address), LIMITS);
    for (line, lines, length, refusal) in BY_HEAD {
        let (method, target) = line.split_once(' ').unwrap();
        let lines = [lines, &[("Origin", PAGE)][..]].concat();
        let before = upstream.received().len();
        let answer = proxy.connect().send(request(method, target, &lines, &"x".repeat(*length))).receive();
        let forwarded = upstream.received().len() - before;
        match refusal {
            Some((status, code)) => {
                assert_eq!(
                    (answer.status, answer.element("Code").as_deref()),
                    (*status, Some(*code)),
                    "{line} {lines:?} {length}"
                );
                assert_eq!(forwarded, 0, "{line} {lines:?} {length}");
            }
            None => assert_eq!((answer.status, forwarded), (200, 1), "{line} {lines:?} {length}: {}", answer.text()),
        }
    }
    assert!(proxy.metric("s3cors_uploads_refused_total{reason=\"type\"}").unwrap() > 5.0);
    assert!(proxy.log().iter().any(|line| line["refused"] == "size"));
}

/// A body without a length, of which the last chunk must never reach the storage: neither at once nor later.
#[test]
fn a_body_without_a_length_is_cut_where_it_is_too_large() {
    let upstream = taking();
    let (proxy, _rules) = proxy(&format!("http://{}", upstream.address), LIMITS);
    let head = format!(
        "PUT /photos/key HTTP/1.1\r\nHost: s3.example\r\nOrigin: {PAGE}\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let chunk = |length: usize| format!("{length:x}\r\n{}\r\n", "x".repeat(length));
    let whole = proxy.connect().send(format!("{head}{}{}0\r\n\r\n", chunk(400), chunk(600))).receive();
    assert_eq!((whole.status, upstream.received().len()), (200, 1));
    is_refused(&proxy.connect().send(format!("{head}{}0\r\n\r\n", chunk(1001))).receive(), 400, "EntityTooLarge");
    let mut slowly = proxy.connect();
    slowly.send(format!("{head}{}", chunk(1000)));
    is_refused(&slowly.send(format!("{}0\r\n\r\n", chunk(1))).receive(), 400, "EntityTooLarge");
    assert_eq!(upstream.received().len(), 1, "no other request came whole");
}

#[test]
fn over_http2_a_body_without_a_length_is_cut_too() {
    let upstream = taking();
    let (proxy, _rules) = proxy(&format!("http://{}", upstream.address), LIMITS);
    for (length, status) in [(1000, 200), (1001, 400)] {
        let mut client = Http2::open(proxy.address);
        let head = [
            (":method", "PUT"),
            (":scheme", "http"),
            (":authority", "s3.example"),
            (":path", "/photos/key"),
            ("content-type", "image/png"),
            ("origin", PAGE),
        ];
        let stream = client.begin(&head, false);
        client.upload(stream, &bytes(length), true);
        let answer = client.answer(stream);
        assert_eq!(answer.status, status, "{length}: {}", answer.text());
    }
    assert_eq!(upstream.received().len(), 1, "one request came whole");
}

/// A form with these fields before its file.
fn form(fields: &[(&str, &str)], file: &str) -> String {
    let field = |(name, value): &(&str, &str)| {
        format!("--bound\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let fields: String = fields.iter().map(field).collect();
    format!(
        "{fields}--bound\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../large/x.png\"\r\nContent-Type: image/png\r\n\r\n{file}\r\n--bound--\r\n"
    )
}

#[test]
fn a_form_is_judged_by_its_fields_and_its_file() {
    let upstream = taking();
    let (proxy, _rules) = proxy(&format!("http://{}", upstream.address), LIMITS);
    let (png, long) = (("Content-Type", "image/png"), "y".repeat(40_000));
    let lines = [("Content-Type", "multipart/form-data; boundary=bound"), ("Origin", PAGE)];
    for (fields, size, refusal) in [
        (&[("key", "a"), png][..], 1000, None),
        (&[("key", "a"), png], 1001, SIZE),
        (&[("key", "large/a")], 5000, None),
        (&[("key", "large/../a"), png], 10, Some((400, "InvalidURI"))),
        (&[("key", "${filename}"), png], 1001, SIZE),
        (&[("key", "large/${filename}"), png], 5000, None),
        (&[("key", "a")], 10, TYPE),
        (&[("key", "a"), ("content-type", "text/html")], 10, TYPE),
        (&[("key", "a"), ("key", "large/a"), png], 10, Some((400, "MalformedPOSTRequest"))),
        (&[png], 10, Some((400, "MalformedPOSTRequest"))),
        (&[("key", "a"), png, ("x", &long)], 10, Some((400, "MaxPostPreDataLengthExceededError"))),
    ] {
        for is_split in [false, true] {
            let body = form(fields, &"x".repeat(size));
            let before = upstream.received().len();
            let whole = request("POST", "/photos", &lines, &body);
            let mut client = proxy.connect();
            let answer = if is_split {
                let (first, second) = whole.split_at(whole.find("name=\"key\"").unwrap_or(200).min(whole.len() / 2));
                client.send(first).send(second).receive()
            } else {
                client.send(whole).receive()
            };
            let received = upstream.received();
            match refusal {
                Some((status, code)) => {
                    is_refused(&answer, status, code);
                    assert_eq!(received.len(), before, "{fields:?}");
                }
                None => {
                    assert_eq!((answer.status, received.len()), (200, before + 1), "{fields:?}: {}", answer.text());
                    assert_eq!(received.last().unwrap().body, body.as_bytes(), "the form goes on as it came");
                    // The connection's next request is its own.
                    assert_eq!(client.send(request("GET", "/photos/a", &[], "")).receive().status, 200);
                }
            }
        }
    }
    let chunked = format!(
        "POST /photos HTTP/1.1\r\nHost: a\r\nOrigin: {PAGE}\r\nContent-Type: multipart/form-data; boundary=bound\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    );
    is_refused(&proxy.connect().send(chunked).receive(), 411, "MissingContentLength");
    let next = form(&[("key", "a"), png], "x") + "GET /photos/a HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = form(&[("key", "a"), png], "x").len().to_string();
    let lines = [lines[0], lines[1], ("Content-Length", &length)];
    let mut client = proxy.connect();
    let answers = [client.send(request("POST", "/photos", &lines, &next)).receive(), client.receive()];
    assert_eq!(answers.map(|answer| answer.status), [200, 200], "a request behind the form is served after it");
}

#[test]
fn over_http2_a_form_is_judged_and_goes_on_as_it_came() {
    let upstream = taking();
    let (proxy, _rules) = proxy(&format!("http://{}", upstream.address), LIMITS);
    let png = ("Content-Type", "image/png");
    for (size, status) in [(1000, 200), (1001, 400)] {
        let body = form(&[("key", "a"), png], &"x".repeat(size));
        let mut client = Http2::open(proxy.address);
        let length = body.len().to_string();
        let head = [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "s3.example"),
            (":path", "/photos"),
            ("content-type", "multipart/form-data; boundary=bound"),
            ("content-length", &length),
        ];
        let stream = client.begin(&head, false);
        let (first, second) = body.as_bytes().split_at(100);
        client.upload(stream, first, false);
        client.upload(stream, second, true);
        assert_eq!(client.answer(stream).status, status, "{size}");
        if status == 200 {
            assert_eq!(upstream.only_request().body, body.as_bytes());
        }
    }
    assert_eq!(upstream.received().len(), 1);
}

#[tokio::test]
async fn the_sdk_meets_limits_as_errors_of_s3() {
    let store = Store::start();
    let (proxy, _rules) = proxy(&format!("http://{}", store.address), LIMITS);
    let sdk = client(proxy.address);
    sdk.create_bucket().bucket("photos").send().await.unwrap();
    let put = |key: &str, length: usize| {
        let put = sdk.put_object().bucket("photos").key(key).content_type("image/png");
        put.body(bytes(length).into()).send()
    };
    put("small", 1000).await.unwrap();
    assert_eq!(put("big", 1001).await.unwrap_err().code(), Some("EntityTooLarge"));
    put("large/big", 1001).await.unwrap();
    let begun = sdk.create_multipart_upload().bucket("photos").key("large/parts").send().await.unwrap();
    let part = |number: i32| {
        let part = sdk.upload_part().bucket("photos").key("large/parts").upload_id(begun.upload_id().unwrap());
        part.part_number(number).body(bytes(5 << 20).into()).send()
    };
    part(1).await.unwrap();
    part(2).await.unwrap();
    assert_eq!(part(3).await.unwrap_err().code(), Some("EntityTooLarge"));
    let host = proxy.address.to_string();
    let shared = Signer::new("PUT", &host).presigned("/photos/shared");
    for (length, status) in [(1000, 200), (1001, 400)] {
        let lines = [("Host", host.as_str()), ("Content-Type", "image/png")];
        let answer = proxy.connect().send(request("PUT", &shared, &lines, &"x".repeat(length))).receive();
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[test]
fn an_explanation_of_an_upload_names_its_limit() {
    let (proxy, rules) = proxy("http://127.0.0.1:1", &format!("{LIMITS}\ncors: {{enforce: on}}"));
    let asked = proxy.ask("GET", "/api/explain?bucket=photos&origin=https://app.example&method=PUT").text();
    assert!(asked.contains("below large/ has at most 6291456 bytes"), "{asked}");
    let asked = proxy.ask("GET", "/api/explain?bucket=photos&origin=https://evil.example&method=GET").text();
    assert!(asked.contains("(cors.enforce)") && !asked.contains("(uploads)"), "{asked}");
    let file = rules.config(&format!("upstream: http://127.0.0.1:1\n{LIMITS}\n"));
    let rules = rules.path().to_str().unwrap();
    let question = ["--rules", rules, "--bucket", "photos", "--origin", PAGE, "--method", "PUT"];
    let ended = run(&[&["explain", "--config", &file][..], &question].concat());
    assert!(ended.stdout.contains("has one of the types image/*, text/plain"), "{ended:?}");
}
