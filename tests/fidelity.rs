//! Objects through the proxy: the store gets the very bytes that the SDK sends, and the SDK those that the store has.

use crate::support::bytes;
use crate::support::http::{Connection, request};
use crate::support::process::{AS_IT_CAME, configured};
use crate::support::proxy::Proxy;
use crate::support::relay::Relay;
use crate::support::rules::Rules;
use crate::support::store::{Store, client};
use crate::support::upstream::Upstream;
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use sha2::{Digest, Sha256};
use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// Around what buffers hold, and beyond them.
const SIZES: [usize; 6] = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 5 * MIB];

/// The SDK, a relay, the proxy, another relay, and a store that checks signatures.
struct Scene {
    _rules: Rules,
    _proxy: Proxy,
    _store: Store,
    front: Relay,
    back: Relay,
    direct: Client,
    proxied: Client,
}

impl Scene {
    async fn new() -> Self {
        let (rules, store) = (Rules::usual(), Store::start());
        let back = Relay::to(store.address);
        let proxy = configured(rules.path(), back.address, AS_IT_CAME);
        let front = Relay::to(proxy.address);
        let (direct, proxied) = (client(store.address), client(front.address));
        direct.create_bucket().bucket("bucket").send().await.unwrap();
        Self { _rules: rules, _proxy: proxy, _store: store, front, back, direct, proxied }
    }

    /// Everything that was sent until now has arrived, byte for byte; gives the heads of it for a look.
    fn compare(&self) -> String {
        let (sent, arrived) = (self.front.requests(), self.back.requests());
        let same = sent.iter().zip(&arrived).take_while(|(one, other)| one == other).count();
        let around =
            |bytes: &[u8]| bytes[same.saturating_sub(200)..bytes.len().min(same + 200)].escape_ascii().to_string();
        assert!(sent == arrived, "{}, where the client sent {}", around(&arrived), around(&sent));
        String::from_utf8_lossy(&sent).into_owned()
    }
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

async fn get(client: &Client, key: &str) -> Vec<u8> {
    let object = client.get_object().bucket("bucket").key(key).send().await.unwrap();
    digest(&object.body.collect().await.unwrap().into_bytes())
}

#[tokio::test]
async fn an_object_of_any_size_is_the_same_on_both_sides() {
    let scene = Scene::new().await;
    let directory = tempfile::tempdir().unwrap();
    for size in SIZES {
        let content = bytes(size);
        let file = directory.path().join(size.to_string());
        std::fs::write(&file, &content).unwrap();
        for (key, body) in [
            // Of bytes in memory the checksum is known before, and signed; of a file it follows, in chunks of the SDK's own.
            (format!("signed-{size}"), ByteStream::from(content.clone())),
            (format!("streamed-{size}"), ByteStream::from_path(&file).await.unwrap()),
        ] {
            scene.proxied.put_object().bucket("bucket").key(&key).body(body).send().await.unwrap();
            assert_eq!(get(&scene.direct, &key).await, digest(&content), "up: {key}");
            assert_eq!(get(&scene.proxied, &key).await, digest(&content), "down: {key}");
            let head = scene.proxied.head_object().bucket("bucket").key(&key).send().await.unwrap();
            assert_eq!(head.content_length, Some(size as i64), "{key}");
        }
    }
    let sent = scene.compare();
    for way in ["aws-chunked", "x-amz-trailer: x-amz-checksum-crc32", "authorization: AWS4-HMAC-SHA256"] {
        assert!(sent.contains(way), "the SDK does not send {way}");
    }
}

#[tokio::test]
async fn every_operation_arrives_byte_for_byte() {
    let scene = Scene::new().await;
    let client = &scene.proxied;
    for key in ["a b+c", "a%2Fb%2fc", "a//b", "ünï/日本", "!\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~", "0123456789azAZ"] {
        let put = client.put_object().bucket("bucket").key(key).metadata("note", "a  b").content_type("text/x-test");
        put.body(ByteStream::from_static(b"content")).send().await.unwrap();
        assert_eq!(get(&scene.direct, key).await, digest(b"content"), "{key}");
        let range = client.get_object().bucket("bucket").key(key).range("bytes=1-3").send().await.unwrap();
        assert_eq!(range.body.collect().await.unwrap().to_vec(), b"ont", "{key}");
        let lifetime = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
        let link = client.get_object().bucket("bucket").key(key).presigned(lifetime).await.unwrap();
        let host = scene.front.address.to_string();
        let target = link.uri().split_once(&host).unwrap().1;
        let mut connection = Connection::open(scene.front.address);
        let answer = connection.send(request("GET", target, &[("Host", &host)], "")).receive();
        assert_eq!((answer.status, answer.text().as_str()), (200, "content"), "{key}");
        scene.compare();
    }
    client.copy_object().bucket("bucket").key("copy").copy_source("bucket/0123456789azAZ").send().await.unwrap();
    client.list_objects_v2().bucket("bucket").prefix("a/ +").send().await.unwrap();
    let copy = ObjectIdentifier::builder().key("copy").build().unwrap();
    let delete = Delete::builder().objects(copy).build().unwrap();
    client.delete_objects().bucket("bucket").delete(delete).send().await.unwrap();
    assert!(client.get_object().bucket("bucket").key("copy").send().await.is_err());
    client.delete_object().bucket("bucket").key("a b+c").send().await.unwrap();
    let sent = scene.compare();
    for part in
        ["\r\nhost: ", "X-Amz-Signature=", "DELETE /bucket/a%20b%2Bc", "POST /bucket/?delete", "PUT /bucket/copy"]
    {
        assert!(sent.contains(part), "the SDK does not send {part}");
    }
}

#[test]
fn a_key_of_any_bytes_arrives_as_it_was_written() {
    let (rules, upstream) = (Rules::usual(), Upstream::echo());
    let proxy = configured(rules.path(), upstream.address, AS_IT_CAME);
    let mut connection = proxy.connect();
    // Not `#`, which ends a target, and not what Pingora refuses: `<`, `>` and the backtick.
    let plain =
        (b'!'..=b'~').filter(|byte| !b"#<>`".contains(byte)).map(|byte| format!("/bucket/{}", char::from(byte)));
    let escaped = (0..=255_u8).flat_map(|byte| [format!("/bucket/a%{byte:02x}"), format!("/bucket/a%{byte:02X}b")]);
    let segments = [
        "/bucket//",
        "//bucket/a",
        "/bucket/./a",
        "/bucket/../a",
        "/bucket/a/..",
        "/bucket/%2e%2E/a",
        "/bucket/ü",
        "/bucket/日+本",
    ];
    let queries = ["?", "?a", "?a=b&a=c", "?prefix=a%2fb%2F+c", "?a=%", "?X-Amz-Signature=0&b=/?"]
        .map(|query| format!("/bucket/a{query}"));
    let targets: Vec<_> = plain.chain(escaped).chain(segments.map(Into::into)).chain(queries).collect();
    for (target, host) in targets.iter().zip(["h", "bucket.S3.example.test:80", "H.", "[::1]:1"].iter().cycle()) {
        let mark = upstream.wire().len();
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(connection.send(&bytes).receive().status, 200, "{target}");
        let arrived: Vec<u8> = upstream.wire().into_iter().skip(mark).flat_map(|(_, bytes)| bytes).collect();
        assert_eq!(arrived.escape_ascii().to_string(), bytes.as_bytes().escape_ascii().to_string());
    }
}
