//! PutBucketCors, GetBucketCors and DeleteBucketCors in front of a server that has none, and that judges every request first.

use crate::support::cors_writer::{CorsWriter, SignedRequest, content_md5};
use crate::support::eventually;
use crate::support::http::{Connection, Response};
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::store::{ACCESS_KEY, Store, client};
use crate::support::upstream::Upstream;
use aws_sdk_s3::types::{CorsConfiguration, CorsRule};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

mod confirmation;
mod judge;

const ORIGIN: &str = "https://app.example";
const OTHER: &str = "https://other.example";
const WRITABLE: &str = "s3cors_rules_api_writable";

/// A store with a bucket, and a proxy before it that serves the operations.
struct Scene {
    proxy: Proxy,
    rules: Rules,
    store: Store,
}

impl Scene {
    async fn new(more: &str) -> Self {
        let (rules, store) = (Rules::empty(), Store::start());
        for bucket in ["bucket", "second"] {
            client(store.address).create_bucket().bucket(bucket).send().await.unwrap();
        }
        let proxy = proxy_before(&rules, store.address, more);
        eventually("writes are served", || (proxy.metric(WRITABLE) == Some(1.0)).then_some(()));
        Self { proxy, rules, store }
    }

    fn put(&self, document: &str) -> CorsWriter<'static> {
        CorsWriter::put(self.proxy.address, "/bucket?cors", document)
    }

    fn allows(&self, origin: &str) -> bool {
        self.proxy.preflight("/bucket/key", origin, "GET").status == 200
    }

    /// The document of the bucket on disk.
    fn document(&self) -> Option<String> {
        std::fs::read_to_string(self.rules.file("bucket.xml")).ok()
    }
}

fn proxy_before(rules: &Rules, upstream: SocketAddr, more: &str) -> Proxy {
    let config = format!("admin: 127.0.0.1:0\nrules: {{api: on}}\n{more}").replace("}\nrules: {", ", ");
    let listen = if more.contains("listen:") { "" } else { "listen: 127.0.0.1:0\n" };
    let config = ConfigFile::new(&format!("{listen}{config}"));
    let mut command = s3cors(&["serve", "--domain", "s3.example.test", "--config", &config.argument(), "--rules"]);
    command.arg(rules.path()).args(["--upstream", &format!("http://{upstream}")]);
    Proxy::spawn(command)
}

fn code(response: &Response) -> Option<String> {
    response.element("Code")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_puts_gets_and_deletes_and_a_preflight_obeys_at_once() {
    let mut scene = Scene::new("").await;
    let sdk = client(scene.proxy.address);
    let rule = CorsRule::builder().id("mine").allowed_origins(ORIGIN).allowed_methods("GET").allowed_methods("PUT");
    let rule = rule.allowed_headers("x-AMZ-*").expose_headers("ETag").max_age_seconds(60).build().unwrap();
    let configuration = CorsConfiguration::builder().cors_rules(rule.clone()).build().unwrap();
    assert!(!scene.allows(ORIGIN));
    for _ in 0..2 {
        let put = sdk.put_bucket_cors().bucket("bucket").cors_configuration(configuration.clone());
        put.send().await.unwrap();
        assert!(scene.allows(ORIGIN) && !scene.allows(OTHER));
    }
    let got = sdk.get_bucket_cors().bucket("bucket").send().await.unwrap();
    assert_eq!(got.cors_rules(), [rule]);
    let line = scene.proxy.wait_for_log("bucket CORS changed");
    assert_eq!((line["access_key"].as_str(), line["bucket"].as_str()), (Some(ACCESS_KEY), Some("bucket")), "{line}");
    assert_eq!((line["before"].as_str(), line["after"].as_str().map(str::len)), (Some("none"), Some(64)), "{line}");
    for _ in 0..2 {
        sdk.delete_bucket_cors().bucket("bucket").send().await.unwrap();
        assert!(!scene.allows(ORIGIN));
    }
    let missing = sdk.get_bucket_cors().bucket("bucket").send().await.unwrap_err();
    assert!(format!("{missing:?}").contains("NoSuchCORSConfiguration"), "{missing:?}");
    let served = r#"s3cors_bucket_cors_requests_total{operation="PutBucketCors",result="served"}"#;
    assert_eq!(scene.proxy.metric(served), Some(2.0));
}

/// An attempt: what it is called, what is sent, and the code that it gets.
type Attempt = (&'static str, SignedRequest, &'static [&'static str]);

fn attempts(scene: &Scene) -> Vec<Attempt> {
    let document = allowing(OTHER);
    let put = || scene.put(&document);
    let edited = |edit: &dyn Fn(&mut SignedRequest)| {
        let mut request = put().sign();
        edit(&mut request);
        request
    };
    let without = |name: &'static str| edited(&|request| request.lines.retain(|(line, _)| *line != *name));
    let to = |target: &'static str| CorsWriter { target, ..put() }.sign();
    let mut rewritten = CorsWriter { target: "/second?cors", ..put() }.sign();
    rewritten.target = "/bucket?cors".to_owned();
    let mut expired = CorsWriter { at: SystemTime::now() - Duration::from_secs(120), is_presigned: true, ..put() };
    expired.lines.clear();
    let long = format!("<!--{}-->", "x".repeat(70_000));
    vec![
        ("a wrong secret", CorsWriter { secret: "wrong", ..put() }.sign(), &["SignatureDoesNotMatch"][..]),
        (
            "an unknown key",
            CorsWriter { key: "UNKNOWN", ..put() }.sign(),
            &["InvalidAccessKeyId", "NotSignedUp", "AccessDenied"],
        ),
        ("anonymous", without("authorization"), &["AccessDenied"]),
        (
            "two signatures",
            edited(&|request| {
                request.lines.push(request.lines.iter().find(|(name, _)| name == "authorization").unwrap().clone());
            }),
            &["AccessDenied"],
        ),
        (
            "another scheme",
            edited(&|request| {
                let mut lines = request.lines.iter_mut();
                lines.find(|(name, _)| name == "authorization").unwrap().1 = "Bearer x".to_owned();
            }),
            &["AccessDenied"],
        ),
        (
            "a swapped body",
            edited(&|request| request.body = allowing("https://evil.example")),
            &["XAmzContentSHA256Mismatch", "InternalError"],
        ),
        ("another bucket's signature", rewritten, &["SignatureDoesNotMatch"]),
        (
            "another method's signature",
            edited(&|request| request.method = "DELETE".to_owned()),
            &["SignatureDoesNotMatch"],
        ),
        ("an expired URL", expired.sign(), &["AccessDenied", "ExpiredToken", "RequestTimeTooSkewed"]),
        (
            "an old signature",
            CorsWriter { at: SystemTime::now() - Duration::from_secs(3600), ..put() }.sign(),
            &["RequestTimeTooSkewed", "OperationAborted", "AccessDenied"],
        ),
        ("no date", without("x-amz-date"), &["AccessDenied", "SignatureDoesNotMatch", "InvalidRequest"]),
        ("beside another subresource", to("/bucket?cors&acl"), &[]),
        ("the subresource twice", to("/bucket?cors&cors"), &[]),
        ("in odd case", to("/bucket?CORS"), &[]),
        ("the subresource with escapes", to("/bucket?c%6Frs"), &["NotImplemented", "SignatureDoesNotMatch"]),
        ("the bucket with escapes", to("/bu%63ket?cors"), &["NotImplemented", "SignatureDoesNotMatch"]),
        ("a value", to("/bucket?cors=1"), &[]),
        (
            "an unsigned payload without TLS",
            CorsWriter { payload: Some("UNSIGNED-PAYLOAD"), lines: Vec::new(), ..put() }.sign(),
            &["InvalidRequest", "AccessDenied"],
        ),
        (
            "no document",
            CorsWriter { lines: Vec::new(), ..scene.put("") }.sign(),
            &["MissingRequestBodyError", "InvalidRequest", "MalformedXML", "MissingContentLength"],
        ),
        ("no XML", scene.put("hello").sign(), &["MalformedXML"]),
        (
            "a method that S3 has not",
            scene.put(&document.replace("GET", "PATCH")).sign(),
            &["InvalidRequest", "MalformedXML"],
        ),
        (
            "a document too long",
            scene.put(&document.replace("<CORSRule>", &(long + "<CORSRule>"))).sign(),
            &["MaxMessageLengthExceeded", "InvalidRequest", "MalformedXML"],
        ),
        (
            "the wrong checksum",
            CorsWriter { lines: vec![("x-amz-checksum-sha256".to_owned(), "A".repeat(43) + "=")], ..put() }.sign(),
            &["BadDigest", "InvalidRequest"],
        ),
        ("a bucket that does not exist", to("/missing-bucket/?cors&x-id=a&x-id=b"), &[]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_may_not_changes_nothing() {
    for has_te in [false, true] {
        let scene = Scene::new("").await;
        let first = scene.put(&allowing(ORIGIN));
        assert_eq!(first.send(scene.proxy.address).status, 200);
        let before = scene.document();
        let mut counted = std::collections::BTreeMap::new();
        for (name, request, codes) in attempts(&scene) {
            let asked = scene.store.asked_since(0).len();
            let response = request.with_te_if(has_te).send(scene.proxy.address);
            let by = if scene.store.asked_since(0).len() > asked { "asked" } else { "not asked" };
            *counted.entry(by).or_insert(0) += 1;
            let code = code(&response);
            println!("{name} (TE: {has_te}): {} {code:?}, the store was {by}", response.status);
            // An empty list: it is another operation of the store's, whatever that says to it.
            if !codes.is_empty() {
                assert!(codes.contains(&code.as_deref().unwrap_or_default()), "{name}: {response:?}");
            }
            assert!(scene.allows(ORIGIN) && !scene.allows(OTHER), "{name}");
            assert_eq!(scene.document(), before, "{name}");
        }
        assert!(counted["asked"] > counted["not asked"], "{counted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_brings_no_old_document_back_and_a_retry_succeeds() {
    let scene = Scene::new("").await;
    let old = CorsWriter { at: SystemTime::now() - Duration::from_secs(5), ..scene.put(&allowing(OTHER)) }.sign();
    let (one, two) = (scene.put(&allowing(OTHER)).sign(), scene.put(&allowing(ORIGIN)).sign());
    let address = scene.proxy.address;
    for (name, request, status, origin) in [
        ("an old one", &old, 200, OTHER),
        ("a newer one", &one, 200, OTHER),
        ("one of the same second", &two, 200, ORIGIN),
        ("its retry", &two, 200, ORIGIN),
        ("a replay of the same second", &one, 409, ORIGIN),
        ("a replay of the old one", &old, 409, ORIGIN),
    ] {
        let response = request.send(address);
        assert_eq!(response.status, status, "{name}: {response:?}");
        assert!(scene.allows(origin), "{name}");
    }
    let delete = CorsWriter { method: "DELETE", ..scene.put("") }.send(address);
    assert_eq!((delete.status, delete.body.len(), delete.header("content-length")), (204, 0, None));
    assert_eq!(old.send(address).status, 409, "after a removal, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_comes_in_every_framing_and_the_connection_goes_on() {
    for has_te in [false, true] {
        let scene = Scene::new("").await;
        let mut connection = Connection::open(scene.proxy.address);
        let document = allowing(ORIGIN);
        let signed = || scene.put(&document).sign().with_te_if(has_te);
        let origin = |request: &SignedRequest, more: &str| request.head(&format!("origin: {ORIGIN}\r\n{more}"));
        let in_chunks = signed().chunked();
        let length = format!("content-length: {}\r\n", document.len());
        let whole = origin(&signed(), &length) + &document;
        assert_eq!(connection.send(in_chunks).receive().status, 200, "TE: {has_te}");
        let response = connection.send(whole).receive();
        assert_eq!(response.status, 200, "TE: {has_te}");
        assert_eq!(response.header("access-control-allow-origin"), None, "PUT is not allowed: {response:?}");
        let expecting = signed().head(&(length + "expect: 100-continue\r\n"));
        assert_eq!(connection.send(expecting).receive_head(), 100, "TE: {has_te}");
        assert_eq!(connection.send(&document).receive().status, 200, "TE: {has_te}");
        let got = CorsWriter { method: "GET", ..scene.put("") }.sign().with_te_if(has_te);
        let response = connection.send(origin(&got, "")).receive();
        assert_eq!(response.status, 200, "TE: {has_te}: {response:?}");
        assert_eq!(response.header("access-control-allow-origin"), Some(ORIGIN));
        assert_eq!(response.header("content-type"), Some("application/xml"));
        assert!(response.text().contains(ORIGIN), "{response:?}");
        assert!(response.header("x-amz-request-id").is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operations_are_served_over_http_2() {
    let scene = Scene::new("listen: {address: '127.0.0.1:0', http2: true}\n").await;
    let address = scene.proxy.address;
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.unwrap();
    tokio::spawn(connection);
    let mut swapped = scene.put(&allowing(ORIGIN)).sign();
    swapped.body = allowing(OTHER);
    let delete = CorsWriter { method: "DELETE", ..scene.put("") };
    for (name, request, status, allowed) in [
        ("a put", scene.put(&allowing(ORIGIN)).sign(), 200, true),
        ("a swapped body, which this store finds itself", swapped, 500, true),
        ("a get", CorsWriter { method: "GET", ..scene.put("") }.sign(), 200, true),
        ("a delete", delete.sign(), 204, false),
    ] {
        let target = format!("http://{address}{}", request.target);
        let mut built = Request::builder().method(&*request.method).uri(target);
        for (name, value) in request.lines.iter().filter(|(name, _)| name != "host") {
            built = built.header(name, value);
        }
        let response = sender.send_request(built.body(Full::new(Bytes::from(request.body))).unwrap()).await.unwrap();
        let found = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(found, status, "{name}: {body:?}");
        assert_eq!(scene.allows(ORIGIN), allowed, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_with_a_refused_warning_is_not_taken() {
    let scene = Scene::new("rules: {refuse: OriginTooWide}\n").await;
    let response = scene.put(&allowing("https://*")).send(scene.proxy.address);
    assert_eq!((response.status, code(&response).as_deref()), (400, Some("InvalidRequest")), "{response:?}");
    assert!(response.element("Message").unwrap().contains("OriginTooWide"), "{response:?}");
    assert_eq!(scene.document(), None);
    assert_eq!(scene.put(&allowing(ORIGIN)).send(scene.proxy.address).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_no_signature_covers_is_taken_where_that_is_configured() {
    for (config, status) in [("", 403), ("rules: {unsigned_payload: any}\n", 200)] {
        let scene = Scene::new(config).await;
        let document = allowing(ORIGIN);
        let crc = CorsWriter { payload: Some("UNSIGNED-PAYLOAD"), lines: Vec::new(), ..scene.put(&document) };
        let mut request = crc.sign();
        request.lines.push(("content-md5".to_owned(), content_md5(&document)));
        let response = request.send(scene.proxy.address);
        assert_eq!(response.status, status, "{config}: {response:?}");
    }
}

#[test]
fn the_operations_need_a_directory_and_known_warnings() {
    let rules = Rules::usual();
    let file = rules.file("bucket.xml");
    for (config, words) in [
        (format!("rules: {{api: on, path: '{}'}}", file.display()), "one document for every bucket"),
        (format!("rules: {{refuse: [Nonsense], path: '{}'}}", rules.path().display()), "no such warning"),
    ] {
        let config = ConfigFile::new(&format!("upstream: http://127.0.0.1:1\n{config}\n"));
        for command in ["check", "serve"] {
            let output = s3cors(&[command, "--config", &config.argument()]).output().unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert_eq!(output.status.code(), Some(1), "{command}: {said}");
            assert!(said.contains(words), "{command}: {said}");
        }
    }
}
