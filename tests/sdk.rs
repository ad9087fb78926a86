//! The AWS SDK through the proxy, to a store that checks every signature: what it gets is what it gets from the store itself.

use crate::support::bytes;
use crate::support::http::{Connection, Response, request};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::store::{Store, client};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Config, Credentials};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use std::net::SocketAddr;
use std::time::Duration;

const ORIGIN: &str = "https://app.example";
const MIB: usize = 1024 * 1024;

/// A store with a bucket, the proxy before it, and a client of each.
struct Scene {
    store: Store,
    proxy: Proxy,
    direct: Client,
    proxied: Client,
    _rules: Rules,
}

impl Scene {
    async fn new() -> Self {
        let rules = Rules::usual();
        let store = Store::start();
        let proxy = Proxy::start(rules.path(), store.address);
        let (direct, proxied) = (client(store.address), client(proxy.address));
        proxied.create_bucket().bucket("bucket").send().await.unwrap();
        Self { store, proxy, direct, proxied, _rules: rules }
    }

    async fn put(&self, client: &Client, key: &str, body: &[u8]) -> Option<String> {
        let put = client.put_object().bucket("bucket").key(key).content_type("text/x-test").metadata("note", "a b");
        put.body(ByteStream::from(body.to_vec())).send().await.unwrap().e_tag
    }
}

/// What a GET gives: bytes, length, type, tag, metadata, and the time of the last change.
async fn get(client: &Client, key: &str, range: Option<&str>) -> (Vec<u8>, String) {
    let get = client.get_object().bucket("bucket").key(key).set_range(range.map(Into::into)).send().await.unwrap();
    let about = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        get.content_length, get.content_range, get.content_type, get.e_tag, get.metadata, get.last_modified
    );
    (get.body.collect().await.unwrap().to_vec(), about)
}

async fn keys(client: &Client) -> Vec<(Option<String>, Option<i64>)> {
    let list = client.list_objects_v2().bucket("bucket").send().await.unwrap();
    list.contents().iter().map(|object| (object.key.clone(), object.size)).collect()
}

#[tokio::test]
async fn what_the_sdk_does_through_the_proxy_is_what_it_does_at_the_store() {
    let scene = Scene::new().await;
    let (direct, proxied) = (&scene.direct, &scene.proxied);
    let content = bytes(100_000);
    assert!(scene.put(proxied, "file", &content).await.is_some());

    for range in [None, Some("bytes=0-0"), Some("bytes=70000-"), Some("bytes=-7")] {
        let (seen, stored) = (get(proxied, "file", range).await, get(direct, "file", range).await);
        assert_eq!(seen, stored, "{range:?}");
    }
    assert_eq!(get(proxied, "file", None).await.0, content);

    let head = |client: &Client| client.head_object().bucket("bucket").key("file").send();
    let (seen, stored) = (head(proxied).await.unwrap(), head(direct).await.unwrap());
    assert_eq!(
        (seen.content_length, &seen.content_type, &seen.metadata, seen.last_modified),
        (stored.content_length, &stored.content_type, &stored.metadata, stored.last_modified)
    );
    assert_eq!((seen.content_length, seen.content_type.as_deref()), (Some(100_000), Some("text/x-test")));

    proxied.copy_object().bucket("bucket").key("copy").copy_source("bucket/file").send().await.unwrap();
    assert_eq!(get(direct, "copy", None).await.0, content);
    let both = [("copy", 100_000), ("file", 100_000)].map(|(key, size)| (Some(key.to_owned()), Some(size)));
    assert_eq!((keys(proxied).await, keys(direct).await), (both.to_vec(), both.to_vec()));

    proxied.delete_object().bucket("bucket").key("file").send().await.unwrap();
    let gone = direct.get_object().bucket("bucket").key("file").send().await.unwrap_err().into_service_error();
    assert!(gone.is_no_such_key(), "{gone:?}");
    let seen = proxied.get_object().bucket("bucket").key("file").send().await.unwrap_err().into_service_error();
    assert!(seen.is_no_such_key(), "{seen:?}");
}

#[tokio::test]
async fn keys_of_every_spelling_hold_their_signature() {
    let scene = Scene::new().await;
    let spellings =
        ["with space", "a+b", "a%2Bb", "ünï/çødé 日本", "a//b", "x=y&z?", "~'()*!;@,$:", "q\"<>#[]{}|^`", "dot./a"];
    for key in spellings {
        let content = key.as_bytes();
        // Both ways round: what one side puts under a name, the other side gets by it.
        for (putter, getter) in [(&scene.proxied, &scene.direct), (&scene.direct, &scene.proxied)] {
            scene.put(putter, key, content).await;
            assert_eq!(get(getter, key, None).await.0, content, "{key}");
            putter.delete_object().bucket("bucket").key(key).send().await.unwrap();
            let again = getter.get_object().bucket("bucket").key(key).send().await;
            assert!(again.is_err(), "{key} is still there");
        }
    }
}

#[tokio::test]
async fn a_multipart_upload_is_put_together_byte_for_byte() {
    let scene = Scene::new().await;
    let content = bytes(10 * MIB + 12_345);
    let upload = scene.proxied.create_multipart_upload().bucket("bucket").key("large").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, part) in (1..).zip(content.chunks(5 * MIB)) {
        let request = scene.proxied.upload_part().bucket("bucket").key("large").upload_id(id).part_number(number);
        let uploaded = request.body(ByteStream::from(part.to_vec())).send().await.unwrap();
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(uploaded.e_tag).build());
    }
    assert_eq!(parts.len(), 3);
    let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = scene.proxied.complete_multipart_upload().bucket("bucket").key("large").upload_id(id);
    complete.multipart_upload(whole).send().await.unwrap();
    for client in [&scene.proxied, &scene.direct] {
        let (got, _) = get(client, "large", None).await;
        assert!(got == content, "{} of {} bytes, or others", got.len(), content.len());
    }
}

/// Sends what was presigned, as a page would: with an Origin that is not part of the signature.
fn send(address: SocketAddr, presigned: &PresignedRequest, body: &str) -> Response {
    let target = presigned.uri().split_once("//").and_then(|(_, rest)| rest.split_once('/')).unwrap().1;
    let host = address.to_string();
    let mut headers = vec![("Host", host.as_str()), ("Origin", ORIGIN)];
    headers.extend(presigned.headers().filter(|(name, _)| !name.eq_ignore_ascii_case("host")));
    let mut connection = Connection::open(address);
    connection.send(request(presigned.method(), &format!("/{target}"), &headers, body)).receive()
}

#[tokio::test]
async fn presigned_urls_hold_and_carry_the_cors_headers_of_the_rules() {
    let scene = Scene::new().await;
    let address = scene.proxy.address;
    let lifetime = || PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let key = "presigned key+ü";
    let put = scene.proxied.put_object().bucket("bucket").key(key).presigned(lifetime()).await.unwrap();
    let answer = send(address, &put, "from a page");
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(ORIGIN)), "{answer:?}");
    assert_eq!(get(&scene.direct, key, None).await.0, b"from a page");

    let link = scene.proxied.get_object().bucket("bucket").key(key).presigned(lifetime()).await.unwrap();
    let answer = send(address, &link, "");
    assert_eq!((answer.status, answer.text().as_str()), (200, "from a page"));
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(answer.header("access-control-expose-headers"), Some("ETag"));

    // A link for the proxy's address is none for the store's: the host that was signed is the host that arrives.
    assert_eq!(send(scene.store.address, &link, "").status, 403);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_by_the_store_with_the_headers_of_the_rules() {
    let scene = Scene::new().await;
    scene.put(&scene.proxied, "file", b"secret").await;
    for (origin, granted) in [(ORIGIN, Some(ORIGIN)), ("https://evil.example", None)] {
        let mallory = Credentials::new(crate::support::store::ACCESS_KEY, "not-the-secret", None, None, "test");
        let get = scene.proxied.get_object().bucket("bucket").key("file").customize();
        let refused = get
            .config_override(Config::builder().credentials_provider(mallory))
            .mutate_request(move |request| {
                request.headers_mut().insert("origin", origin);
            })
            .send()
            .await
            .unwrap_err();
        let answer = refused.raw_response().unwrap();
        assert_eq!(answer.status().as_u16(), 403, "{answer:?}");
        assert_eq!(answer.headers().get("access-control-allow-origin"), granted);
        assert!(answer.headers().get("vary").unwrap().to_ascii_lowercase().contains("origin"));
        assert_eq!(refused.into_service_error().meta().code(), Some("SignatureDoesNotMatch"));
    }
}

#[tokio::test]
async fn buckets_are_listed_and_removed_as_at_the_store() {
    let scene = Scene::new().await;
    scene.proxied.create_bucket().bucket("second.bucket").send().await.unwrap();
    let names = |client: &Client| {
        let list = client.list_buckets().send();
        async move {
            let list = list.await.unwrap();
            list.buckets().iter().filter_map(|bucket| bucket.name.clone()).collect::<Vec<_>>()
        }
    };
    let (seen, stored) = (names(&scene.proxied).await, names(&scene.direct).await);
    assert_eq!(seen, stored);
    assert_eq!(seen.len(), 2);
    scene.proxied.delete_bucket().bucket("second.bucket").send().await.unwrap();
    assert_eq!(names(&scene.direct).await, ["bucket"]);
}
