//! `Connection` options that name a field: one that decides about the request, or that it signs, is refused. All else ends here as
//! RFC 9110 §7.6.1 says.

use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;

const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request, \
                      SignedHeaders=host;x-amz-date;x-own, Signature=ab\r\n";

#[test]
fn a_field_that_decides_cannot_be_hidden_from_the_upstream() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("ok"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for named in [
        "Host",
        "Origin",
        "Authorization",
        "Date",
        "Range",
        "x-amz-date",
        "X-AMZ-CONTENT-SHA256",
        "Content-MD5",
        "Content-Length",
        "Content-Type",
        "If-Match",
        "If-Modified-Since",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "Forwarded",
        "x-own",
    ] {
        for option in
            [named.to_owned(), format!("close, {named}"), format!("{}\r\nConnection: keep-alive", named.to_uppercase())]
        {
            for method in ["GET", "PUT", "OPTIONS"] {
                let before = upstream.received().len();
                let request = format!(
                    "{method} /bucket/key HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n\
                     Access-Control-Request-Method: GET\r\n{SIGNED}x-own: 1\r\nConnection: {option}\r\nContent-Length: 0\r\n\r\n"
                );
                let response = proxy.connect().send(request).receive();
                assert_eq!(response.status, 400, "{method} {option:?}: {response:?}");
                assert_eq!(upstream.received().len(), before, "{method} {option:?}");
            }
        }
    }
}

#[test]
fn other_options_end_here() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("ok"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for (lines, gone) in [
        ("Connection: close\r\n", "connection"),
        ("Connection: keep-alive\r\n", "connection"),
        ("Connection: TE\r\nTE: trailers\r\n", "te"),
        // Java's HTTP client, before every first request on a plain connection.
        (
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n",
            "http2-settings",
        ),
        ("Connection: x-private\r\nX-Private: 1\r\n", "x-private"),
    ] {
        let before = upstream.received().len();
        let request = format!("GET /bucket/key HTTP/1.1\r\nHost: h\r\n{SIGNED}x-own: 1\r\n{lines}\r\n");
        let response = proxy.connect().send(request).receive();
        assert_eq!(response.status, 200, "{lines:?}: {response:?}");
        let received = &upstream.received()[before];
        assert_eq!(received.header(gone), None, "{lines:?}");
        assert_eq!(received.header("x-own").as_deref(), Some("1"), "{lines:?}");
    }
}
