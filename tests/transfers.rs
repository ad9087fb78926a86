//! Objects of every size and name, signed in every way, over every protocol, to a store that checks the signatures: what arrives
//! is what was sent.

use crate::support::proxied::{Protocol, Proxied};
use crate::support::signed::{Client, Content, Signing, digest, hex};
use crate::support::upstream::Upstream;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// Around what buffers hold, and beyond them.
const SIZES: [usize; 6] = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 5 * MIB];
const LARGE: usize = 256 * MIB;

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
