//! A move from one store to another: what is missing at the new one is read from the old one, and what is deleted is gone at both.

use crate::support::eventually;
use crate::support::http2;
use crate::support::signer::Signer;
use crate::support::two_stores::{PAGE, TwoStores, get, put};
use crate::support::upstream::Upstream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

const MOVE: &str =
    "upstreams: {new: 'http://NEW', old: 'http://OLD'}\nroutes: {bucket: '*', upstream: new, fallback: old}";

async fn moving(settings: &str) -> TwoStores {
    let stores = TwoStores::start(settings);
    stores.bucket("photos").await;
    let [_, new, old] = stores.clients();
    put(&old, "photos", "moved", "old").await;
    put(&old, "photos", "kept", "not moved").await;
    put(&new, "photos", "moved", "new").await;
    stores
}

fn fallbacks(stores: &TwoStores, result: &str) -> f64 {
    stores.proxy.metric(&format!("s3cors_fallback_total{{result=\"{result}\"}}")).unwrap()
}

#[tokio::test]
async fn what_is_missing_is_read_from_the_old_store_and_nothing_else() {
    let stores = moving(MOVE).await;
    let [proxied, ..] = stores.clients();
    assert_eq!(get(&proxied, "photos", "moved").await, "new");
    assert_eq!(get(&proxied, "photos", "kept").await, "not moved");
    assert_eq!(get(&proxied, "photos", "nowhere").await, "NoSuchKey");
    let ranged = proxied.get_object().bucket("photos").key("kept").range("bytes=4-").send().await.unwrap();
    assert_eq!(ranged.content_range(), Some("bytes 4-8/9"));
    let head = proxied.head_object().bucket("photos").key("kept").send().await.unwrap();
    assert_eq!(head.content_length(), Some(9));
    assert!(proxied.head_object().bucket("photos").key("nowhere").send().await.is_err());
    let shared = stores.presigned("GET", "/photos/kept");
    assert_eq!((shared.status, shared.body.as_slice()), (200, &b"not moved"[..]));
    assert_eq!(shared.all("access-control-allow-origin").collect::<Vec<_>>(), [PAGE]);
    let counts = || ["found", "missing", "refused", "failed"].map(|result| fallbacks(&stores, result));
    eventually("each is counted", || (counts() == [4.0, 2.0, 0.0, 0.0]).then_some(()));
    let page = stores.proxy.ask("GET", "/status").text();
    assert!(page.contains("<strong>4</strong> objects were read from a fallback"), "{page}");
}

#[tokio::test]
async fn over_http2_it_is_the_same() {
    let stores = moving(MOVE).await;
    for (method, path, status, body) in [
        ("GET", "/photos/kept", 200, "not moved"),
        ("HEAD", "/photos/kept", 200, ""),
        ("GET", "/photos/moved", 200, "new"),
        ("GET", "/photos/nowhere", 404, "<Code>NoSuchKey</Code>"),
    ] {
        let (address, target) = (stores.proxy.address, Signer::new(method, "s3.example.test").presigned(path));
        // The client has a runtime of its own.
        let fetched = std::thread::spawn(move || http2::fetch(address, method, &target, &[("Origin", PAGE)]));
        let answer = fetched.join().unwrap();
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(answer.text().contains(body), "{method} {path}: {}", answer.text());
        let granted = (method == "GET").then_some(PAGE);
        assert_eq!(answer.header("access-control-allow-origin"), granted, "the rules allow GET alone: {method} {path}");
    }
    let (address, mark) = (stores.proxy.address, stores.marks());
    let target = Signer::new("DELETE", "s3.example.test").presigned("/photos/moved");
    let deleted = std::thread::spawn(move || http2::fetch(address, "DELETE", &target, &[])).join().unwrap();
    let (new, old) = stores.lines_since(mark);
    assert_eq!((deleted.status, new.len(), old.len()), (204, 1, 1), "a deletion goes to both");
}

/// Requests that the old store must never see, though the new one says 404 to each.
#[tokio::test]
async fn what_is_no_read_of_an_object_stays_at_the_new_store() {
    let stores = moving(MOVE).await;
    let mark = stores.marks();
    for (method, path) in [
        ("GET", "/photos/kept?tagging"),
        ("GET", "/photos/kept?acl"),
        ("GET", "/photos/kept?versionId=1"),
        ("GET", "/photos/kept?VERSIONID=1"),
        ("GET", "/photos/kept?uploadId=1"),
        ("GET", "/photos/?list-type=2"),
        ("GET", "/nowhere/?list-type=2"),
        ("HEAD", "/nowhere"),
        ("GET", "/"),
        ("POST", "/photos/kept?uploads"),
        ("DELETE", "/photos/kept?uploadId=1"),
        ("DELETE", "/photos/kept?tagging"),
        ("GET", "//photos/kept"),
        ("GET", "/photos/../photos/kept"),
    ] {
        stores.proxy.fetch(method, path, &[]);
        let (_, old) = stores.lines_since(mark);
        assert!(old.is_empty(), "{method} {path}: {old:?}");
    }
    let [proxied, ..] = stores.clients();
    put(&proxied, "photos", "written", "here").await;
    assert_eq!(stores.lines_since(mark).1, [""; 0], "a PUT is the new store's alone");
}

#[tokio::test]
async fn what_is_deleted_is_gone_at_both_stores() {
    let stores = moving(MOVE).await;
    let [proxied, new, old] = stores.clients();
    proxied.delete_object().bucket("photos").key("moved").send().await.unwrap();
    assert_eq!(get(&proxied, "photos", "moved").await, "NoSuchKey", "the old one does not bring it back");
    let many: Vec<_> = (0..900).map(|number| format!("{}/{number}", "long".repeat(20))).collect();
    for key in many.iter().take(30) {
        put(&old, "photos", key, "old").await;
        put(&new, "photos", key, "new").await;
    }
    let keys = many.iter().map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(keys.collect())).build().unwrap();
    let deleted = proxied.delete_objects().bucket("photos").delete(delete).send().await.unwrap();
    assert_eq!((deleted.errors().len(), deleted.deleted().len()), (0, 900));
    for key in many.iter().take(30) {
        assert_eq!(get(&proxied, "photos", key).await, "NoSuchKey");
    }
    proxied.delete_bucket().bucket("photos").send().await.unwrap();
    for store in [&new, &old] {
        assert!(store.head_bucket().bucket("photos").send().await.is_err());
    }
}

#[tokio::test]
async fn a_deletion_that_the_old_store_does_not_take_deletes_nothing() {
    let stores = moving(MOVE).await;
    let [proxied, new, _] = stores.clients();
    stores.old_wire.cut();
    assert!((502..=504).contains(&stores.presigned("DELETE", "/photos/moved").status));
    assert_eq!(get(&new, "photos", "moved").await, "new");
    stores.old_wire.restore();
    proxied.delete_object().bucket("photos").key("moved").send().await.unwrap();
    assert_eq!(get(&proxied, "photos", "moved").await, "NoSuchKey");
}

#[tokio::test]
async fn with_fallback_delete_first_the_old_store_keeps_everything() {
    let stores = moving(&MOVE.replace("fallback: old", "fallback: old, fallback_delete: first")).await;
    let [proxied, ..] = stores.clients();
    proxied.delete_object().bucket("photos").key("moved").send().await.unwrap();
    assert_eq!(get(&proxied, "photos", "moved").await, "old");
}

#[tokio::test]
async fn what_the_old_store_cannot_say_is_an_error_and_no_404() {
    let stores = moving(MOVE).await;
    stores.old_wire.cut();
    let answer = stores.presigned("GET", "/photos/kept");
    assert!((502..=504).contains(&answer.status), "{}", answer.status);
    assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
    // Counted once the exchange has ended, which may be after its response.
    eventually("the failure is counted", || (fallbacks(&stores, "failed") == 1.0).then_some(()));
    assert_eq!(stores.presigned("GET", "/photos/moved").body, b"new");
}

/// The signature is one for GET: the first store refuses the HEAD, has no such object to a GET, and the second store has it.
#[tokio::test]
async fn a_presigned_head_that_is_asked_as_get_goes_on_too() {
    let stores = moving(&format!("{MOVE}\npresigned: {{head: by_get}}")).await;
    let host = stores.proxy.address.to_string();
    for (key, status, length) in [("kept", 200, Some("9")), ("moved", 200, Some("3")), ("nowhere", 404, None)] {
        let target = Signer::new("GET", &host).presigned(&format!("/photos/{key}"));
        let answer = stores.proxy.fetch("HEAD", &target, &[("Host", &host)]);
        assert_eq!(answer.status, status, "{key}");
        assert!(length.is_none() || answer.header("content-length") == length, "{key}: {:?}", answer.headers);
    }
}

/// A body that is gone cannot be sent to the second store: the first one's response is the client's.
#[test]
fn a_read_with_a_body_is_the_first_stores_alone() {
    let error = "<Error><Code>NoSuchKey</Code></Error>";
    let first = Upstream::scripted(move |served| {
        while served.request().is_some() {
            served.send(format!("HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n{error}", error.len()));
        }
    });
    let second = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
    let settings = MOVE.replace("NEW", &first.address.to_string()).replace("OLD", &second.address.to_string());
    let stores = TwoStores::start(&settings);
    let mut client = stores.proxy.connect();
    client.send("GET /bucket/key HTTP/1.1\r\nHost: s3.example\r\nTransfer-Encoding: chunked\r\n\r\n");
    let answer = client.send(format!("{:x}\r\n{}\r\n0\r\n\r\n", 200_000, "x".repeat(200_000))).receive();
    assert_eq!((answer.status, second.received().len()), (404, 0));
}

/// The second store sees the name that its own settings say, and the same line of the request otherwise.
#[test]
fn the_second_store_has_a_host_of_its_own() {
    let error = "<Error><Code>NoSuchKey</Code></Error>";
    let first =
        Upstream::answering(format!("HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n{error}", error.len()));
    let second = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
    let settings = format!(
        "upstreams: {{new: 'http://{}', old: {{url: 'http://{}', host: old.example}}}}\n\
         routes: {{bucket: '*', upstream: new, fallback: old}}",
        first.address, second.address
    );
    let stores = TwoStores::start(&settings);
    let answer = stores.proxy.fetch("GET", "/bucket/key?response-content-type=a%2Fb", &[("Host", "s3.example")]);
    assert_eq!(answer.status, 200);
    let [first, second] = [first, second].map(|upstream| upstream.only_request());
    assert_eq!([first.header("host"), second.header("host")].map(Option::unwrap), ["s3.example", "old.example"]);
    assert_eq!(first.request_line(), second.request_line());
}

/// Responses of the first store, as a script sends them: only the 404 of what is missing makes the second one be asked.
#[test]
fn only_a_404_that_says_missing_leads_to_the_fallback() {
    let document = |code: &str| format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code></Error>");
    for (method, status, lines, body, is_asked) in [
        ("GET", "404 Not Found", "", document("NoSuchKey"), true),
        ("GET", "404 Not Found", "", document("NoSuchBucket"), true),
        ("GET", "404 Not Found", "x-amz-delete-marker: false\r\n", document("NoSuchKey"), true),
        ("GET", "404 Not Found", "X-Amz-Delete-Marker: true\r\n", document("NoSuchKey"), false),
        ("GET", "404 Not Found", "", document("NoSuchVersion"), false),
        ("GET", "404 Not Found", "", "<html>no such page</html>".to_owned(), false),
        ("GET", "403 Forbidden", "", document("AccessDenied"), false),
        ("GET", "410 Gone", "", document("NoSuchKey"), false),
        ("GET", "500 Internal Server Error", "", document("NoSuchKey"), false),
        ("HEAD", "404 Not Found", "", String::new(), true),
        ("HEAD", "404 Not Found", "x-amz-delete-marker: true\r\n", String::new(), false),
        ("PUT", "404 Not Found", "", document("NoSuchBucket"), false),
    ] {
        let reply = format!("HTTP/1.1 {status}\r\n{lines}Content-Length: {}\r\n\r\n{body}", body.len());
        let first = Upstream::answering(reply);
        let second = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
        let settings = MOVE.replace("NEW", &first.address.to_string()).replace("OLD", &second.address.to_string());
        let stores = TwoStores::start(&settings);
        let answer = stores.proxy.fetch(method, "/bucket/key", &[]);
        let expected = if is_asked { "200" } else { &status[..3] };
        assert_eq!(answer.status.to_string(), expected, "{method} {status} {lines}{body}");
        assert_eq!(second.received().len(), usize::from(is_asked), "{method} {status} {lines}{body}");
    }
}

/// The body of the first response is here only in part when the second store is asked; the client must not see any of it.
#[test]
fn nothing_of_the_first_response_reaches_the_client() {
    let document = "<Error><Code>NoSuchKey</Code>";
    let long = format!("{document}{}</Error>", "x".repeat(100_000));
    for reply in [
        format!("HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n{long}", long.len()),
        format!("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{long}\r\n0\r\n\r\n", long.len()),
        format!("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{long}"),
    ] {
        let first = Upstream::answering(reply);
        let second = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-From: second\r\n\r\nold");
        let settings = MOVE.replace("NEW", &first.address.to_string()).replace("OLD", &second.address.to_string());
        let stores = TwoStores::start(&settings);
        let mut client = stores.proxy.connect();
        for _ in 0..3 {
            let answer = client.send("GET /b/k HTTP/1.1\r\nHost: s3.example\r\n\r\n").receive();
            assert_eq!(
                (answer.status, answer.body.as_slice(), answer.header("x-from")),
                (200, &b"old"[..], Some("second"))
            );
        }
    }
}

/// A read that is signed here is signed for each store with its own name; the page for a missing object comes from either.
#[tokio::test]
async fn a_read_that_is_signed_here_goes_on_to_the_old_store_too() {
    let settings = format!("{MOVE}\nsign: {{bucket: photos, prefix: site/, index: index.html, error: 404.html}}");
    let stores = moving(&settings).await;
    let [_, new, old] = stores.clients();
    put(&old, "photos", "site/index.html", "old page").await;
    put(&old, "photos", "site/docs/index.html", "old folder").await;
    put(&new, "photos", "site/404.html", "new error page").await;
    put(&old, "photos", "site/404.html", "old error page").await;
    for (path, status, body) in [
        ("/photos/site/", 200, "old page"),
        ("/photos/site/docs/", 200, "old folder"),
        ("/photos/site/nowhere", 404, "new error page"),
    ] {
        let answer = stores.proxy.fetch("GET", path, &[]);
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{path}");
    }
}
