//! Request heads: targets, methods, lengths, header lines, and what is no head.

use super::{Case, Intended, OK, Twins};

const ORIGIN: &str = "Origin: https://app.example\r\n";
const HIDDEN: &str = "GET /bucket/hidden HTTP/1.1\r\nHost: x\r\n\r\n";

fn get(headers: &str) -> String {
    format!("GET /bucket/key HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n")
}

fn put(headers: &str, body: &str) -> String {
    format!("PUT /bucket/key HTTP/1.1\r\nHost: h\r\n{headers}\r\n{body}")
}

#[test]
fn targets_methods_and_hosts() {
    let mut twins = Twins::new();
    let plain = (b'!'..=b'~').map(|byte| format!("/bucket/{}", char::from(byte)));
    let escaped = (0..=255_u8).step_by(5).map(|byte| format!("/bucket/a%{byte:02x}%{byte:02X}"));
    let segments =
        ["/", "//", "/bucket", "/bucket//", "//bucket/a", "/bucket/./a", "/bucket/../a", "/bucket/ü", "/bucket/a#b"];
    let queries = ["?", "?a", "?a=b&a=c", "?prefix=a%2fb%2F+c", "?a=%", "?X-Amz-Signature=0&b=/?", "?a?b"];
    let queries = queries.map(|query| format!("/bucket/a{query}"));
    let others = ["*", "http://h/bucket/key", "http://h", "bucket/key", "/bucket/a b", "/bucket/a\tb", "/bucket/a\0b"];
    let targets = plain.chain(escaped).chain(segments.map(Into::into)).chain(queries).chain(others.map(Into::into));
    for (target, host) in targets.zip(["h", "bucket.S3.example.test:80", "H.", "[::1]:1"].iter().cycle()) {
        twins.check(&Case::new(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{ORIGIN}\r\n")));
    }
    for method in
        ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "get", "TRACE", "CONNECT", "PRI", "A!"]
    {
        for version in ["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "http/1.1"] {
            let head = format!("{method} /bucket/key?uploads {version}\r\n");
            twins.check(&Case::new(format!("{head}Host: h\r\n{ORIGIN}\r\n")));
            twins.check(&Case::new(format!("{head}Host: h\r\nConnection: keep-alive\r\n\r\n")));
            twins.check(&Case::new(format!("{head}Host: h\r\nConnection: close\r\n\r\n")));
        }
    }
    for host in [
        "",
        "Host: \r\n",
        "Host: h\r\nHost: h\r\n",
        "Host: a b\r\n",
        "Host: a/b\r\n",
        "Host: a,b\r\n",
        "Host: h%20\r\n",
    ] {
        for version in ["HTTP/1.1", "HTTP/1.0"] {
            let case = Case::new(format!("GET /bucket/key {version}\r\n{host}{ORIGIN}\r\n"));
            let differs = (host.is_empty() && version == "HTTP/1.0").then_some(Intended::HostOfUpstream);
            twins.check(&Case { differs, ..case });
        }
    }
    twins.finish(300, 200, 250);
}

#[test]
fn lengths_that_are_stated_in_any_way() {
    let mut twins = Twins::new();
    let codings = [
        "chunked",
        " chunked",
        "\tCHUNKED",
        "chunked\t",
        "",
        "identity",
        "xchunked",
        "\"chunked\"",
        "chunked;q=1",
        "chunked,",
        ",chunked",
        "chunked, identity",
        "gzip, chunked",
        "chunked, chunked",
        "\x0bchunked",
        "chunked\0",
        "\r\n chunked",
        "chunked\r\nTransfer-Encoding: chunked",
        "identity\r\nTransfer-Encoding: chunked",
    ];
    for value in codings {
        for length in ["", "Content-Length: 3\r\n"] {
            for version in ["HTTP/1.1", "HTTP/1.0"] {
                let body = "5\r\nhello\r\n0\r\n\r\n";
                let sent = put(&format!("{length}Transfer-Encoding:{value}\r\n"), body);
                twins.check(&Case::new(sent.replacen("HTTP/1.1", version, 1)));
            }
        }
    }
    let lengths = [
        "3",
        "3 ",
        "\t3\t",
        "003",
        "",
        "+3",
        "-1",
        "0x3",
        "3.0",
        "3 4",
        "1e1",
        "3;",
        "3, 3",
        "3,3",
        "\r\n 3",
        "3\0",
        "99999999999999999999",
        "18446744073709551616",
        "3\r\nContent-Length: 3",
        "3\r\ncontent-length: 4",
        "0, 0",
    ];
    for value in lengths {
        twins.check(&Case::new(put(&format!("Content-Length:{value}\r\n"), "abc")));
    }
    for method in ["GET", "HEAD", "DELETE", "POST", "PROPFIND"] {
        let head = format!("{method} /bucket/key HTTP/1.1\r\nHost: h\r\n{ORIGIN}");
        twins.check(&Case::new(format!("{head}Content-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len())));
        let chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
        twins.check(&Case::new(format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}")));
    }
    twins.finish(100, 40, 50);
}

#[test]
fn header_lines_of_any_kind() {
    let mut twins = Twins::new();
    let many = |count: usize| (0..count).map(|number| format!("a{number}: b")).collect::<Vec<_>>().join("\r\n");
    let lines = [
        "A",
        ": b",
        "A : b",
        " A: b",
        "A b: c",
        "A(b): c",
        "A\0: b",
        "A\x7f: b",
        "A: b\0c",
        "A: b\x01c",
        "A: b\x7fc",
        "A: b\rC: d",
        "A: b\r\r",
        "A: b\r\n c",
        "A: b\r\n\tc",
        "Host: i",
        "Transfer-Encoding : chunked",
        "Content-Length : 3",
        "A:",
        "A: \"b",
        "A: b\nC: d",
        "Transfer_Encoding: chunked",
        "A: caf\u{e9}",
        "A:   b  c  ",
        "a: 1\r\nA: 2\r\na: 3",
        "x-id: 1\r\nx-id: 2",
        "Origin: https://app.example\r\nOrigin: https://evil.example",
        "Origin: https://app.example\r\nOrigin: https://app.example",
        "Origin: https://a.preview.example",
        "Origin: null",
        "Origin:",
        "Connection: host",
        "Connection: x-a\r\nx-a: b",
        "Connection: keep-alive, x-a\r\nx-a: b",
        "Connection: Content-Length",
        "Connection: upgrade\r\nUpgrade: h2c",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA",
        "Upgrade: websocket",
        "TE: trailers",
        "TE: gzip",
        "Trailer: x-a",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: close",
        "Proxy-Authorization: x",
        "Expect: x",
        "Connection: close, keep-alive",
        "Connection: CLOSE",
        "Connection: ,close",
        "Connection:",
        "Cookie: a=1\r\nCookie: b=2",
        "Authorization: AWS4-HMAC-SHA256 x",
        "x-amz-date: 1\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD",
        "Accept-Encoding: gzip",
        "Range: bytes=0-3",
        "If-None-Match: \"e\"",
        "Date: x",
        "Via: 1.1 a",
        "X-Forwarded-For: 1.2.3.4",
    ];
    for line in lines.iter().map(|line| (*line).to_owned()).chain([many(98), many(99), many(120), many(200), many(300)])
    {
        twins.check(&Case::new(get(&line)));
    }
    for sent in [
        "GET /bucket/key HTTP/1.1\nHost: h\n\n".to_owned(),
        "\r\nGET /bucket/key HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
        "GET  /bucket/key HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
        "GET /bucket/key  HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
        "GET /bucket/key HTTP/1.1 \r\nHost: h\r\n\r\n".to_owned(),
        "G\0T /bucket/key HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
        format!("GET /bucket/{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(20_000)),
    ] {
        twins.check(&Case::new(sent));
    }
    twins.finish(70, 30, 40);
}

#[test]
fn operations_of_s3() {
    let mut twins = Twins::new();
    let signed = "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/r/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\
        x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\r\nx-amz-decoded-content-length: 5\r\n";
    for (line, body) in [
        ("GET /", ""),
        ("PUT /new", ""),
        ("DELETE /bucket", ""),
        ("HEAD /bucket", ""),
        ("GET /bucket?list-type=2&prefix=a%2F", ""),
        ("PUT /bucket/key", "content"),
        ("GET /bucket/key", ""),
        ("HEAD /bucket/key", ""),
        ("DELETE /bucket/key", ""),
        ("POST /bucket/key?uploads", ""),
        ("PUT /bucket/key?partNumber=1&uploadId=x", "part"),
        ("POST /bucket/key?uploadId=x", "<C/>"),
        ("DELETE /bucket/key?uploadId=x", ""),
        ("POST /bucket?delete", "<Delete/>"),
        ("GET /bucket/key?acl", ""),
        ("PUT /bucket?cors", "<CORSConfiguration/>"),
        ("GET /bucket?cors", ""),
        ("GET /bucket?location", ""),
        (
            "PUT /bucket/a%20b%2Bc",
            "5;chunk-signature=0\r\nhello\r\n0;chunk-signature=1\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
        ),
        ("GET /bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0", ""),
        ("POST /other/key?select", "<S/>"),
    ] {
        for origin in ["", ORIGIN, "Origin: https://evil.example\r\n"] {
            let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
            twins.check(&Case::new(format!("{line} HTTP/1.1\r\nHost: h\r\n{origin}{signed}{length}\r\n{body}")));
        }
    }
    twins.finish(60, 60, 60);
}

#[test]
fn what_follows_a_request_on_its_connection() {
    let mut twins = Twins::new();
    let second = "GET /bucket/second HTTP/1.1\r\nHost: h\r\nx-id: 2\r\n\r\n";
    for first in [
        get("x-id: 1"),
        put("x-id: 1\r\nContent-Length: 3\r\n", "abc"),
        put("x-id: 1\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
        put("x-id: 1\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nx-trailer: 1\r\n\r\n"),
    ] {
        let mut case = Case::new(format!("{first}{second}")).answered(OK);
        case.script.methods = vec!["GET", "GET"];
        twins.check(&case);
    }
    let preflight =
        format!("OPTIONS /bucket/key HTTP/1.1\r\nHost: h\r\n{ORIGIN}Access-Control-Request-Method: GET\r\n");
    for (headers, body, differs) in [
        ("", "", None),
        ("Content-Length: 3\r\n", "abc", Some(Intended::SkippedBody)),
        ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", None),
        ("Content-Length: 3\r\nExpect: 100-continue\r\n", "", None),
        ("Content-Length: 3, 3\r\n", "abc", None),
    ] {
        let case = Case::new(format!("{preflight}{headers}\r\n{body}"));
        twins.check(&Case { differs, ..case });
    }
    twins.finish(9, 4, 8);
}
