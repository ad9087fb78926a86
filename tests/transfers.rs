//! Objects of every size and name, signed in every way, over every protocol, to a store that checks the signatures: what arrives
//! is what was sent.

use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::{RULES, Rules};
use crate::support::signed::{Client, Content, Protocol, Signing, digest, hex};
use crate::support::store::{self, Asked, Store};
use crate::support::tls::Authority;
use crate::support::upstream::Upstream;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, MetadataDirective, ObjectIdentifier};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use sha2::{Digest, Sha256};
use std::fmt::Debug;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// Around what buffers hold, and beyond them.
const SIZES: [usize; 6] = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 5 * MIB];
const LARGE: usize = 256 * MIB;

/// A proxy with a listener for each protocol.
struct Proxied {
    _rules: Rules,
    _proxy: Proxy,
    authority: Authority,
    addresses: Vec<SocketAddr>,
}

impl Proxied {
    fn before(upstream: SocketAddr) -> Self {
        let (rules, authority) = (Rules::empty(), Authority::new());
        rules.write("_default.xml", RULES);
        authority.install(&authority.issue("127.0.0.1"));
        let (plain, tls) = ("127.0.0.1:0", authority.listener());
        let only_http1 = tls.replace("tls:", "http2: false, tls:");
        let listen = format!("[{plain}, {only_http1}, {tls}, {{address: '{plain}', http2: true}}]");
        let file = ConfigFile::new(&format!("listen: {listen}\nadmin: {plain}\n"));
        let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
        command.arg(rules.path()).args(["--upstream", &format!("http://{upstream}")]);
        let mut proxy = Proxy::spawn(command);
        let ready = proxy.wait_for_log("s3cors is ready");
        let listen = ready["listen"].as_str().unwrap().trim_matches(['[', ']']).split(", ");
        let addresses = listen.map(|address| address.parse().unwrap()).collect();
        Self { _rules: rules, _proxy: proxy, authority, addresses }
    }

    /// The same before a store with the bucket `bucket`.
    async fn before_a_store() -> (Self, Store) {
        let store = Store::start();
        store::client(store.address).create_bucket().bucket("bucket").send().await.unwrap();
        (Self::before(store.address), store)
    }

    fn address(&self, protocol: Protocol) -> SocketAddr {
        self.addresses[Protocol::ALL.iter().position(|one| *one == protocol).unwrap()]
    }

    async fn client(&self, protocol: Protocol) -> Client {
        Client::connect(protocol, self.address(protocol), &self.authority).await
    }

    /// The SDK, and what it asks for. It speaks HTTP/2 where TLS offers it.
    fn sdk(&self, protocol: Protocol) -> (aws_sdk_s3::Client, Asking) {
        let builder = aws_smithy_http_client::Builder::new();
        let http = if protocol.is_tls() {
            let roots = TrustStore::empty().with_pem_certificate(std::fs::read(self.authority.file()).unwrap());
            let context = TlsContext::builder().with_trust_store(roots).build().unwrap();
            builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https()
        } else {
            builder.build_http()
        };
        let scheme = if protocol.is_tls() { "https" } else { "http" };
        let asking = Asking::default();
        let config = store::config(&format!("{scheme}://{}", self.address(protocol)));
        let config = config.http_client(http).interceptor(asking.clone()).build();
        (aws_sdk_s3::Client::from_conf(config), asking)
    }
}

/// Keeps what the SDK asks for.
#[derive(Debug, Clone, Default)]
struct Asking(Arc<Mutex<Vec<Asked>>>);

impl Intercept for Asking {
    fn name(&self) -> &'static str {
        "asking"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let request = context.request();
        let (_, rest) = request.uri().split_once("://").unwrap();
        let (host, target) = rest.split_at(rest.find('/').unwrap());
        let line = format!("{} {target}", request.method());
        self.0.lock().unwrap().push(Asked { line, host: host.to_owned() });
        Ok(())
    }
}

fn digest_of_file(path: &Path) -> String {
    let mut file = std::fs::File::open(path).unwrap();
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; MIB]);
    loop {
        let length = file.read(&mut buffer).unwrap();
        if length == 0 {
            return hex(&hash.finalize());
        }
        hash.update(&buffer[..length]);
    }
}

#[tokio::test]
async fn an_object_of_any_size_signed_in_any_way_is_the_same_on_both_sides_over_every_protocol() {
    let (scene, store) = Proxied::before_a_store().await;
    for protocol in Protocol::ALL {
        let mark = store.asked_since(0).len();
        let mut client = scene.client(protocol).await;
        for size in SIZES {
            let content = Content::of_length(size);
            let expected = content.digest();
            for signing in [Signing::Headers, Signing::HeadersOnly, Signing::Presigned, Signing::Streaming] {
                let case = format!("{protocol:?} {signing:?} {size}");
                let key = format!("{protocol:?}-{signing:?}-{size}");
                let target = format!("/bucket/{key}");
                let put = client.send("PUT", &target, signing, content.clone()).await;
                assert_eq!(put.status(), 200, "{case}: {put:?}");
                digest(put).await;
                assert_eq!(digest_of_file(&store.file("bucket", &key)), expected, "up: {case}");
                let signing = if signing == Signing::Presigned { signing } else { Signing::Headers };
                let got = client.send("GET", &target, signing, Content::of_length(0)).await;
                assert_eq!(got.status(), 200, "{case}: {got:?}");
                assert_eq!(got.headers()["access-control-allow-origin"], "https://app.example", "{case}");
                assert_eq!(digest(got).await, (expected.clone(), size), "down: {case}");
            }
        }
        assert_eq!(client.asked(), store.asked_since(mark), "{protocol:?}");
    }
}

#[tokio::test]
async fn a_quarter_of_a_gibibyte_is_the_same_on_both_sides_over_every_protocol() {
    let (scene, store) = Proxied::before_a_store().await;
    let content = Content::of_length(LARGE);
    let expected = content.digest();
    for protocol in [Protocol::Http1, Protocol::Http1OverTls, Protocol::Http2OverTls] {
        let mut client = scene.client(protocol).await;
        let put = client.send("PUT", "/bucket/large", Signing::HeadersOnly, content.clone()).await;
        assert_eq!(put.status(), 200, "{protocol:?}: {put:?}");
        digest(put).await;
        assert_eq!(digest_of_file(&store.file("bucket", "large")), expected, "up: {protocol:?}");
        let got = client.send("GET", "/bucket/large", Signing::Headers, Content::of_length(0)).await;
        assert_eq!(digest(got).await, (expected.clone(), LARGE), "down: {protocol:?}");
    }
}

/// Spellings of keys: every printable ASCII byte by itself where a target may hold it, and escaped in both cases; and what
/// servers and proxies like to tidy up.
fn targets() -> Vec<String> {
    let in_a_target = |byte: &u8| !b"#<>`^\\|?".contains(byte);
    let plain = (b'!'..=b'~').filter(in_a_target).map(|byte| format!("/bucket/a{}b", char::from(byte)));
    let escaped = (b' '..=b'~').flat_map(|byte| [format!("/bucket/a%{byte:02X}b"), format!("/bucket/a%{byte:02x}b")]);
    let other = [
        "/bucket//a",
        "/bucket/a//b",
        "/bucket/a///b//",
        "/bucket/a/",
        "//bucket/a",
        "/bucket/a%2fb",
        "/bucket/a%2F%2fb",
        "/bucket/a%252Fb",
        "/bucket/a+b",
        "/bucket/a%2Bb+c%2bd",
        "/bucket/a%20b",
        "/bucket/%C3%BC%c3%bc",
        "/bucket/%E6%97%A5%e6%9c%ac",
        "/bucket/%F0%9F%AA%A3",
        "/bucket/ü/日本/🪣",
        "/bucket/%FF",
        "/bucket/%",
        "/bucket/%zz",
        "/%62ucket/q",
        "/bucket/q;b=c",
        "/bucket/q?x-id=PutObject",
        "/bucket/q?",
        "/bucket/q?b=c&b=%2F&b=+",
    ];
    plain.chain(escaped).chain(other.map(Into::into)).collect()
}

#[tokio::test]
async fn a_key_of_any_spelling_is_the_same_on_both_sides_over_every_protocol() {
    let (scene, store) = Proxied::before_a_store().await;
    let mut direct = Client::connect(Protocol::Http1, store.address, &scene.authority).await;
    for protocol in Protocol::ALL {
        let mut client = scene.client(protocol).await;
        let mut stored = 0;
        for target in targets() {
            let case = format!("{protocol:?} {target}");
            let mark = store.asked_since(0).len();
            let put = client.send("PUT", &target, Signing::Headers, Content::text(&case)).await;
            let got = client.send("GET", &target, Signing::Presigned, Content::of_length(0)).await;
            let asked = client.asked();
            assert_eq!(asked[asked.len() - 2..], store.asked_since(mark), "{case}");
            let (was_put, status) = (put.status() == 200, got.status());
            let body = digest(got).await;
            let same = direct.send("GET", &target, Signing::Presigned, Content::of_length(0)).await;
            assert_eq!(status, same.status(), "{case}");
            let same = digest(same).await;
            if was_put {
                assert_eq!((status.as_u16(), &body.0), (200, &Content::text(&case).digest()), "{case}");
                assert_eq!(same, body, "{case}");
                stored += 1;
            } else {
                // Its document has an id of its own.
                println!("{case}: the store refuses it, {status}");
            }
        }
        assert!(stored > 280, "{protocol:?}: {stored}");
    }
}

#[tokio::test]
async fn a_path_with_dots_in_it_arrives_as_it_was_written_over_every_protocol() {
    // A store on a file system would look elsewhere, or fall over.
    let upstream = Upstream::ok("");
    let scene = Proxied::before(upstream.address);
    for protocol in Protocol::ALL {
        let mut client = scene.client(protocol).await;
        for target in [
            "/bucket/.",
            "/bucket/./a",
            "/bucket/a/.",
            "/bucket/a/./b",
            "/bucket/..",
            "/bucket/../a",
            "/bucket/a/..",
            "/bucket/a/../b",
            "/bucket/a/../../../b",
            "/bucket/...",
            "/bucket/%2e/a",
            "/bucket/%2E%2e/a",
            "/bucket/..%2Fa",
            "/bucket/..%2f..%2fa",
            "/..",
            "/.",
            "//",
            "//..//",
            "/bucket//../a?b=/../c",
        ] {
            let answer = client.send("GET", target, Signing::Presigned, Content::of_length(0)).await;
            assert_eq!(answer.status(), 200, "{protocol:?} {target}");
            let (asked, arrived) = (client.asked().last().unwrap(), upstream.received().pop().unwrap());
            assert!(asked.line.starts_with(&format!("GET {target}")), "{asked:?}");
            assert_eq!(arrived.request_line(), format!("{} HTTP/1.1", asked.line), "{protocol:?}");
            assert_eq!(arrived.header("host").as_ref(), Some(&asked.host), "{protocol:?}");
        }
    }
}

/// What came of an operation: what it gave, or the code of the store's refusal.
fn outcome<T, E: ProvideErrorMetadata + Debug, R: Debug>(
    result: Result<T, SdkError<E, R>>,
    show: impl FnOnce(T) -> String,
) -> String {
    match result {
        Ok(output) => show(output),
        Err(SdkError::ServiceError(error)) => error.err().code().unwrap_or("an error without a code").to_owned(),
        Err(error) => panic!("not answered: {error:?}"),
    }
}

/// Everything that the SDK does with objects, one after the other, and what came of it.
async fn operations(client: &aws_sdk_s3::Client, bucket: &str) -> Vec<String> {
    let mut all = Vec::new();
    let content = |size| ByteStream::from(bytes(size));
    let mut done = |name: &str, outcome: String| all.push(format!("{name}: {outcome}"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes(200_000)).unwrap();

    let put = client.put_object().bucket(bucket).key("a b+c/ü").metadata("note", "a b").content_type("text/x-test");
    done("put", outcome(put.body(content(100_000)).send().await, |put| format!("{:?}", put.e_tag)));
    let streamed = ByteStream::from_path(file.path()).await.unwrap();
    let put = client.put_object().bucket(bucket).key("streamed").body(streamed);
    done("put of a file", outcome(put.send().await, |put| format!("{:?}", put.e_tag)));
    let absent = client.get_object().bucket(bucket).key("absent").send().await;
    done("get of what is not there", outcome(absent, |_| "there".into()));
    for range in [None, Some("bytes=0-0"), Some("bytes=70000-"), Some("bytes=-7"), Some("bytes=200000-")] {
        let get = client.get_object().bucket(bucket).key("a b+c/ü").set_range(range.map(Into::into)).send().await;
        let shown = match get {
            Ok(get) => {
                let about = format!("{:?} {:?} {:?}", get.content_range, get.content_type, get.metadata);
                let body = get.body.collect().await.unwrap().to_vec();
                format!("{about} {} {}", body.len(), hex(&Sha256::digest(&body)))
            }
            Err(error) => outcome(Err::<(), _>(error), |()| String::new()),
        };
        done(&format!("get {range:?}"), shown);
    }
    let head = client.head_object().bucket(bucket).key("a b+c/ü").send().await;
    done("head", outcome(head, |head| format!("{:?} {:?} {:?}", head.content_length, head.e_tag, head.metadata)));
    let copy = client.copy_object().bucket(bucket).key("copy").copy_source(format!("{bucket}/streamed"));
    done("copy", outcome(copy.metadata_directive(MetadataDirective::Copy).send().await, |_| "copied".into()));
    let attributes = client.get_object_attributes().bucket(bucket).key("copy");
    let attributes = attributes.object_attributes(aws_sdk_s3::types::ObjectAttributes::ObjectSize).send().await;
    done("attributes", outcome(attributes, |output| format!("{:?}", output.object_size)));
    done("acl", outcome(client.get_object_acl().bucket(bucket).key("copy").send().await, |_| "there".into()));
    done("tags", outcome(client.get_object_tagging().bucket(bucket).key("copy").send().await, |_| "there".into()));

    let create = client.create_multipart_upload().bucket(bucket).key("parts").send().await.unwrap();
    let id = create.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, size) in [(1, 5 * MIB), (2, 12_345)] {
        let part = client.upload_part().bucket(bucket).key("parts").upload_id(id).part_number(number);
        let e_tag = part.body(content(size)).send().await.unwrap().e_tag;
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(e_tag).build());
    }
    let source = format!("{bucket}/streamed");
    let copied = client.upload_part_copy().bucket(bucket).key("parts").upload_id(id).part_number(3).copy_source(source);
    done("copied part", outcome(copied.send().await, |_| "copied".into()));
    let list = client.list_parts().bucket(bucket).key("parts").upload_id(id).send().await;
    let sizes = |mut sizes: Vec<_>| {
        // In no order: that is the store's.
        sizes.sort();
        format!("{sizes:?}")
    };
    done("parts", outcome(list, |list| sizes(list.parts().iter().map(|part| part.size).collect())));
    let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = client.complete_multipart_upload().bucket(bucket).key("parts").upload_id(id).multipart_upload(whole);
    done("complete", outcome(complete.send().await, |output| format!("{:?}", output.e_tag)));
    let create = client.create_multipart_upload().bucket(bucket).key("given up").send().await.unwrap();
    let abort = client.abort_multipart_upload().bucket(bucket).key("given up").set_upload_id(create.upload_id);
    done("abort", outcome(abort.send().await, |_| "aborted".into()));

    let list = client.list_objects().bucket(bucket).prefix("a b+").send().await;
    done("list", outcome(list, |list| format!("{:?}", list.contents().iter().map(|o| &o.key).collect::<Vec<_>>())));
    let list = client.list_objects_v2().bucket(bucket).delimiter("/").start_after("a").send().await;
    let shown = |object: &aws_sdk_s3::types::Object| format!("{:?} {:?}", object.key, object.size);
    done("list v2", outcome(list, |list| format!("{:?}", list.contents().iter().map(shown).collect::<Vec<_>>())));
    done("delete", outcome(client.delete_object().bucket(bucket).key("copy").send().await, |_| "gone".into()));
    let objects = ["streamed", "absent"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(objects.to_vec())).build().unwrap();
    let deleted = client.delete_objects().bucket(bucket).delete(delete).send().await;
    done("delete several", outcome(deleted, |output| format!("{}", output.deleted().len())));
    let head = client.head_object().bucket(bucket).key("streamed").send().await;
    done("head of what is gone", outcome(head, |_| "there".into()));
    all
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(31) ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

#[tokio::test]
async fn whatever_the_sdk_does_with_objects_it_does_over_every_protocol_as_at_the_store() {
    let (scene, store) = Proxied::before_a_store().await;
    let direct = store::client(store.address);
    direct.create_bucket().bucket("direct").send().await.unwrap();
    let expected = operations(&direct, "direct").await;
    assert_eq!(expected.len(), 22, "{expected:#?}");
    for protocol in [Protocol::Http1, Protocol::Http1OverTls, Protocol::Http2OverTls] {
        let (sdk, asking) = scene.sdk(protocol);
        let bucket = format!("through-{protocol:?}").to_ascii_lowercase();
        direct.create_bucket().bucket(&bucket).send().await.unwrap();
        let mark = store.asked_since(0).len();
        let found = operations(&sdk, &bucket).await;
        assert_eq!(found, expected, "{protocol:?}");
        assert_eq!(*asking.0.lock().unwrap(), store.asked_since(mark), "{protocol:?}");
    }
}
