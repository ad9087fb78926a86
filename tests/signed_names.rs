//! The names that a URL may have been signed for: what an upstream refuses for its signature is asked again under the next one, and the
//! upstream stays the judge.

use crate::support::curl::curl;
use crate::support::http::{Response, request};
use crate::support::process::{ConfigFile, configured, listening, run};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::signer::Signer;
use crate::support::store::{SECRET_KEY, Store, client};
use crate::support::upstream::{Served, Upstream};
use std::sync::mpsc;

const APP: &str = "https://app.example";
const PUBLIC: &str = "files.example.com";
const INNER: &str = "minio.internal:9000";
const OTHER: &str = "backup.internal:9000";
const LIST: &str = "upstream: {host: [preserve, 'minio.internal:9000', 'backup.internal:9000', 'fourth.internal']}";
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AK/20260101/r/s3/aws4_request, SignedHeaders=host, Signature=ab";
const MISMATCH: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error>";
const GARAGE: &str = "<Error><Code>AccessDenied</Code><Message>Forbidden: Invalid signature</Message></Error>";
const POLICY: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

fn refusal(document: &str) -> String {
    let length = document.len();
    format!("HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n\r\n{document}")
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";

/// Answers a request that is signed for this host, and refuses every other with this document.
fn judging(host: &'static str, document: &'static str) -> Upstream {
    Upstream::scripted(move |served| {
        while let Some(request) = served.request() {
            let is_head = request.request_line().starts_with("HEAD ");
            let is_right = request.header("host").as_deref() == Some(host);
            let answer = if is_right { OK.to_owned() } else { refusal(document) };
            let answer =
                if is_head { answer.split("\r\n\r\n").next().unwrap().to_owned() + "\r\n\r\n" } else { answer };
            if !served.send(answer) {
                return;
            }
        }
    })
}

fn proxy(upstream: &Upstream, settings: &str) -> (Rules, Proxy) {
    let rules = Rules::empty();
    rules.write("bucket.xml", allowing(APP));
    let proxy = configured(rules.path(), upstream.address, settings);
    (rules, proxy)
}

fn ask(proxy: &Proxy, method: &str, headers: &[(&str, &str)]) -> Response {
    let headers = [&[("Host", PUBLIC), ("Origin", APP)], headers].concat();
    proxy.connect().send(request(method, "/bucket/key", &headers, "")).receive_to(method)
}

fn hosts(upstream: &Upstream) -> Vec<String> {
    upstream.received().iter().map(|request| request.header("host").unwrap()).collect()
}

fn heals(proxy: &Proxy, cause: &str, result: &str) -> f64 {
    proxy.metric(&format!("s3cors_signature_heals_total{{cause=\"{cause}\",result=\"{result}\"}}")).unwrap()
}

#[test]
fn a_refused_signature_is_asked_again_under_the_next_name_and_remembered() {
    for document in [MISMATCH, GARAGE] {
        let upstream = judging(INNER, document);
        let (_rules, proxy) = proxy(&upstream, LIST);
        let signed = ("Authorization", SIGNED);
        for _ in 0..2 {
            let response = ask(&proxy, "GET", &[signed]);
            assert_eq!((response.status, &*response.text()), (200, "body"), "{document}");
            assert_eq!(response.header("access-control-allow-origin"), Some(APP));
        }
        assert_eq!(hosts(&upstream), [PUBLIC, INNER, INNER], "what worked goes first");
        // Of another access key nothing is known.
        let other = SIGNED.replace("Credential=AK", "Credential=OTHER");
        assert_eq!(ask(&proxy, "GET", &[("Authorization", &other)]).status, 200);
        assert_eq!(hosts(&upstream)[3..], [PUBLIC, INNER]);
        assert_eq!((heals(&proxy, "host", "healed"), heals(&proxy, "host", "refused")), (2.0, 0.0));
    }
}

#[test]
fn a_forged_signature_is_asked_about_three_times_at_most() {
    for (method, questions) in [("GET", 3), ("HEAD", 3), ("DELETE", 3)] {
        let upstream = judging("nowhere", MISMATCH);
        let (_rules, proxy) = proxy(&upstream, LIST);
        let response = ask(&proxy, method, &[("Authorization", SIGNED)]);
        assert_eq!(response.status, 403);
        if method != "HEAD" {
            assert_eq!(response.text(), MISMATCH, "the last refusal is the client's");
        }
        assert_eq!(hosts(&upstream), [PUBLIC, INNER, OTHER][..questions], "{method}");
        assert_eq!((heals(&proxy, "host", "healed"), heals(&proxy, "host", "refused")), (0.0, 1.0));
        assert_eq!(proxy.metric("s3cors_signature_failures_total{cause=\"host_replaced\"}"), Some(0.0));
    }
}

#[test]
fn only_what_is_refused_for_its_signature_is_asked_again() {
    for (document, headers) in
        [(POLICY, &[("Authorization", SIGNED)][..]), (MISMATCH, &[]), (MISMATCH, &[("Authorization", "Bearer x")])]
    {
        let upstream = judging(INNER, document);
        let (_rules, proxy) = proxy(&upstream, LIST);
        assert_eq!(ask(&proxy, "GET", headers).status, 403, "{headers:?}");
        assert_eq!(hosts(&upstream), [PUBLIC], "{document} {headers:?}");
    }
}

/// The document is read however it comes, and what was read is not lost where it says something else.
#[test]
fn a_refusal_in_pieces_is_a_refusal() {
    let pieces = |document: &'static str| {
        Upstream::scripted(move |served: &mut Served| {
            while let Some(request) = served.request() {
                if request.header("host").as_deref() == Some(INNER) {
                    served.send(OK);
                    continue;
                }
                served.send("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n");
                for byte in document.chars() {
                    served.send(format!("1\r\n{byte}\r\n"));
                    served.wait_until_read();
                }
                served.send("0\r\n\r\n");
            }
        })
    };
    for (document, status, text) in [(MISMATCH, 200, "body"), (POLICY, 403, POLICY)] {
        let upstream = pieces(document);
        let (_rules, proxy) = proxy(&upstream, LIST);
        let response = ask(&proxy, "GET", &[("Authorization", SIGNED)]);
        assert_eq!((response.status, &*response.text()), (status, text));
    }
}

/// Under a name that is another bucket's the rules that were looked up would be wrong.
#[test]
fn a_name_of_another_bucket_is_never_asked() {
    let settings = "domains: s3.example.com\nhosts: {cdn.example.com: {bucket: bucket, upstream_host: \
                    [preserve, bucket.s3.example.com, other.s3.example.com, 'minio.internal:9000']}}";
    let upstream = judging("nowhere", MISMATCH);
    let (_rules, proxy) = proxy(&upstream, settings);
    let headers = [("Host", "cdn.example.com"), ("Authorization", SIGNED), ("Origin", APP)];
    let response = proxy.connect().send(request("GET", "/key", &headers, "")).receive();
    assert_eq!((response.status, response.header("access-control-allow-origin")), (403, Some(APP)));
    assert_eq!(hosts(&upstream), ["cdn.example.com", "bucket.s3.example.com"]);
}

#[test]
fn no_rule_grants_where_every_name_is_another_buckets() {
    let settings = "domains: s3.example.com\nhosts: {cdn.example.com: {bucket: bucket, upstream_host: [mail.s3.example.com, x.test]}}";
    let upstream = judging("mail.s3.example.com", MISMATCH);
    let (_rules, proxy) = proxy(&upstream, settings);
    let headers = [("Host", "cdn.example.com"), ("Authorization", SIGNED), ("Origin", APP)];
    let response = proxy.connect().send(request("GET", "/key", &headers, "")).receive();
    assert_eq!((response.status, response.cors()), (200, vec![]));
    assert_eq!(hosts(&upstream), ["mail.s3.example.com"]);
}

/// A server that judges a head before it has the body, as S3 does for clients that expect a 100.
fn judging_first(host: &'static str, silent: bool) -> Upstream {
    Upstream::scripted(move |served| {
        while let Some(head) = served.request_head() {
            if head.header("host").as_deref() != Some(host) {
                served.send(refusal(MISMATCH).replace("Content-Length", "Connection: close\r\nContent-Length"));
                return;
            }
            if head.header("expect").is_some() && !silent {
                served.send("HTTP/1.1 100 Continue\r\n\r\n");
            }
            let body = served.body(&head).unwrap();
            served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()));
            served.send(body);
        }
    })
}

#[test]
fn the_body_of_an_upload_waits_until_the_name_is_known() {
    let body = "x".repeat(100_000);
    for silent in [false, true] {
        let upstream = judging_first(INNER, silent);
        let (_rules, proxy) = proxy(&upstream, LIST);
        let headers = [("Host", PUBLIC), ("Authorization", SIGNED), ("Origin", APP)];
        for _ in 0..2 {
            let response = proxy.connect().send(request("PUT", "/bucket/key", &headers, &body)).receive();
            assert_eq!((response.status, response.body.len()), (200, body.len()), "silent: {silent}");
            assert!(response.headers.iter().all(|(name, _)| !name.eq_ignore_ascii_case("expect")));
        }
        let asked: Vec<_> =
            upstream.received().iter().map(|head| (head.header("host").unwrap(), head.header("expect"))).collect();
        let expects = Some("100-continue".to_owned());
        assert_eq!(
            asked,
            [(PUBLIC.to_owned(), expects.clone()), (INNER.to_owned(), expects), (INNER.to_owned(), None)]
        );
    }
}

#[test]
fn a_100_reaches_its_reader_after_the_choice() {
    let upstream = judging_first(INNER, false);
    let (_rules, proxy) = proxy(&upstream, LIST);
    let headers = [("Host", PUBLIC), ("Authorization", SIGNED), ("Expect", "100-continue"), ("Content-Length", "3")];
    let mut connection = proxy.connect();
    connection.send(request("PUT", "/bucket/key", &headers, ""));
    assert_eq!(connection.receive().status, 100);
    assert_eq!(upstream.received().len(), 2, "the first name was refused before");
    assert_eq!(connection.send("abc").receive().text(), "abc");
}

/// The bytes of a body that no upstream has read are never taken for the next request.
#[test]
fn an_upload_that_is_refused_while_its_body_waits_ends_its_connection() {
    let upstream =
        Upstream::scripted(|served| while served.request_head().is_some() && served.send(refusal(POLICY)) {});
    let (_rules, proxy) = proxy(&upstream, LIST);
    let smuggled = "GET /bucket/other HTTP/1.1\r\nHost: files.example.com\r\n\r\n";
    let headers = [("Host", PUBLIC), ("Authorization", SIGNED)];
    let mut connection = proxy.connect();
    let response = connection.send(request("PUT", "/bucket/key", &headers, smuggled)).receive();
    assert_eq!(
        (response.status, &*response.text()),
        (403, POLICY),
        "the server's word, which is no word on the signature"
    );
    assert_eq!(response.header("connection"), Some("close"));
    assert!(connection.rest().is_empty());
    assert_eq!(hosts(&upstream), [PUBLIC]);
    // Nor is the connection to the upstream used again, which may still wait for the body.
    assert_eq!(ask(&proxy, "GET", &[("Authorization", SIGNED)]).status, 403);
    let connections: Vec<_> = upstream.received().iter().map(|request| request.connection).collect();
    assert_ne!(connections[0], connections[1]);
}

#[test]
fn bodies_over_http2_wait_as_well() {
    let upstream = judging_first(INNER, false);
    let rules = Rules::empty();
    rules.write("bucket.xml", allowing(APP));
    let proxy =
        listening(rules.path(), upstream.address, &format!("listen: {{address: '127.0.0.1:0', http2: true}}\n{LIST}"));
    let url = format!("http://{PUBLIC}:{}/bucket/key", proxy.address.port());
    let to = format!("{PUBLIC}:{}:127.0.0.1", proxy.address.port());
    let signed = format!("Authorization: {SIGNED}");
    let common = ["--http2-prior-knowledge", "--resolve", &to, "-H", &signed];
    for body in ["abc", "def"] {
        let response = curl(&[&common[..], &["-X", "PUT", "--data-binary", body, &url]].concat(), "").response;
        assert_eq!((response.status, &*response.text()), (200, body));
    }
    assert_eq!(upstream.received().len(), 3);
}

#[test]
fn a_rewritten_accept_encoding_is_restored() {
    const SIGNS_ENCODING: &str = "AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=accept-encoding;host, Signature=ab";
    let judge = |wanted: &'static str| {
        Upstream::scripted(move |served| {
            while let Some(request) = served.request() {
                let is_right = request.header("accept-encoding").as_deref() == Some(wanted);
                if !served.send(if is_right { OK.to_owned() } else { refusal(MISMATCH) }) {
                    return;
                }
            }
        })
    };
    let encodings = |upstream: &Upstream| -> Vec<_> {
        upstream.received().iter().map(|request| request.header("accept-encoding").unwrap_or_default()).collect()
    };
    for (settings, wanted, asked) in [
        ("signatures: {heal: on}", "identity", &["gzip, br", "identity", "identity"][..]),
        ("signatures: {heal: on}", "gzip", &["gzip, br", "identity", "gzip", "gzip"]),
        ("signatures: {heal: on}\nupstream: {host: minio.internal}", "identity", &["gzip, br", "identity", "identity"]),
    ] {
        let upstream = judge(wanted);
        let (_rules, proxy) = proxy(&upstream, settings);
        for _ in 0..2 {
            let response = ask(&proxy, "GET", &[("Authorization", SIGNS_ENCODING), ("Accept-Encoding", "gzip, br")]);
            assert_eq!(response.status, 200, "{settings} {wanted}");
        }
        assert_eq!(encodings(&upstream), asked, "{settings}");
        assert_eq!(heals(&proxy, "accept_encoding", "healed"), 2.0);
    }
    for (settings, authorization, came) in [
        ("signatures: {heal: off}", SIGNS_ENCODING, "gzip, br"),
        ("signatures: {heal: on}", SIGNED, "gzip, br"),
        ("signatures: {heal: on}", SIGNS_ENCODING, "identity"),
    ] {
        let upstream = judge("none");
        let (_rules, proxy) = proxy(&upstream, settings);
        assert_eq!(ask(&proxy, "GET", &[("Authorization", authorization), ("Accept-Encoding", came)]).status, 403);
        assert_eq!(encodings(&upstream), [came], "{settings} {authorization}");
    }
}

/// URLs of both kinds on a server that checks them.
#[tokio::test(flavor = "multi_thread")]
async fn urls_of_both_kinds_open_and_forged_ones_do_not() {
    let (store, rules) = (Store::start(), Rules::usual());
    let proxy = configured(rules.path(), store.address, "upstream: {host: [preserve, 'minio.internal:9000']}");
    let direct = client(store.address);
    direct.create_bucket().bucket("bucket").send().await.unwrap();
    direct.put_object().bucket("bucket").key("key").body(b"object".to_vec().into()).send().await.unwrap();
    let (sender, receiver) = mpsc::channel();
    tokio::task::spawn_blocking(move || {
        let get = |host: &str, secret: &str, path: &str, sent: &str| {
            let target = Signer { secret, ..Signer::new("GET", host) }.presigned(path);
            let target = target.replacen(path, sent, 1);
            proxy.connect().send(request("GET", &target, &[("Host", PUBLIC)], "")).receive().status
        };
        for (host, secret, sent, status) in [
            (PUBLIC, SECRET_KEY, "/bucket/key", 200),
            (INNER, SECRET_KEY, "/bucket/key", 200),
            (OTHER, SECRET_KEY, "/bucket/key", 403),
            (INNER, "wrong", "/bucket/key", 403),
            (INNER, SECRET_KEY, "/bucket/other", 403),
            (PUBLIC, SECRET_KEY, "/bucket/key/", 403),
        ] {
            assert_eq!(get(host, secret, "/bucket/key", sent), status, "{host} {sent}");
        }
        for (host, secret, status) in [(PUBLIC, SECRET_KEY, 200), (INNER, SECRET_KEY, 200), (INNER, "wrong", 403)] {
            let lines = Signer { secret, ..Signer::new("PUT", host) }.signed("/bucket/put");
            let mut headers: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            headers.retain(|(name, _)| *name != "host");
            headers.push(("Host", PUBLIC));
            let response = proxy.connect().send(request("PUT", "/bucket/put", &headers, "content")).receive();
            assert_eq!(response.status, status, "PUT {host}: {}", response.text());
        }
        sender.send(()).unwrap();
    })
    .await
    .unwrap();
    receiver.recv().unwrap();
}

/// A page sees the same 403 whether CORS or a signature is why.
#[test]
fn a_refused_signature_is_explained_as_no_matter_of_cors() {
    let upstream = judging(INNER, MISMATCH);
    let (_rules, mut proxy) = proxy(&upstream, LIST);
    assert_eq!(proxy.ask("GET", "/api/explain?request_id=0").status, 404);
    assert!(!proxy.ask("GET", "/status").text().contains("Refused signatures"));
    assert_eq!(ask(&proxy, "GET", &[("Authorization", SIGNED)]).status, 200);
    let line = proxy.wait_for_log("request");
    let request_id = line["request_id"].as_str().unwrap().to_owned();
    let explained: serde_json::Value =
        serde_json::from_slice(&proxy.ask("GET", &format!("/api/explain?request_id={request_id}")).body).unwrap();
    let signature = &explained["signature"];
    assert_eq!(
        (signature["cause"].as_str(), signature["is_healed"].as_bool()),
        (Some("host"), Some(true)),
        "{explained}"
    );
    assert_eq!((signature["client_host"].as_str(), signature["sent_host"].as_str()), (Some(PUBLIC), Some(INNER)));
    let refused = Upstream::answering(refusal(MISMATCH));
    let (_rules, mut proxy) = self::proxy(&refused, LIST);
    assert_eq!(ask(&proxy, "GET", &[("Authorization", SIGNED)]).status, 403);
    let line = proxy.wait_for_log("request");
    let request_id = line["request_id"].as_str().unwrap();
    let text = proxy.ask("GET", &format!("/api/explain?request_id={request_id}&format=text")).text();
    for said in ["nothing to do with CORS", "refused its signature, asked as", OTHER, "To do: "] {
        assert!(text.contains(said), "{said}: {text}");
    }
    for (page, said) in
        [("/status", "Refused signatures"), (&*format!("/status?request_id={request_id}"), "nothing to do with CORS")]
    {
        assert!(proxy.ask("GET", page).text().contains(said), "{page}: {said}");
    }
    let secret = text + &proxy.ask("GET", "/status").text();
    assert!(!secret.contains("Signature=") && !secret.contains("Credential"), "{secret}");
}

#[test]
fn several_names_need_our_own_drivers() {
    for settings in [
        "upstream: {url: 'http://a:1', host: [preserve, b]}",
        "upstream: http://a:1\nhosts: {a.test: {upstream_host: [preserve, b]}}",
        "upstream: http://a:1\nsignatures: {heal: on}",
    ] {
        let config = ConfigFile::new(&format!("drivers: pingora\n{settings}\n"));
        let ended = run(&["check", "--config", &config.argument()]);
        let text = ended.stdout + &ended.stderr;
        assert!(ended.code != Some(0) && text.contains("drivers: pingora"), "{settings}: {text}");
    }
}

#[test]
fn a_list_of_names_has_each_once() {
    for (host, said) in
        [("[]", "an empty list"), ("[a, A]", "A is there twice"), ("[preserve, 'a b']", "a host is preserve")]
    {
        let config = ConfigFile::new(&format!("upstream: {{url: 'http://a:1', host: {host}}}\n"));
        let ended = run(&["check", "--config", &config.argument()]);
        let text = ended.stdout + &ended.stderr;
        assert!(ended.code != Some(0) && text.contains(said) && text.contains(":1:"), "{host}: {text}");
    }
}
