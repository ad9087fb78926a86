//! Private playlists: one presigned URL opens its folder to a player, for a time, and nothing else.

use crate::support::curl::curl;
use crate::support::eventually;
use crate::support::http::{Response, request};
use crate::support::private::{self, APP, GRANTED, HOST, KeyFile, Media, rules, serve, token};
use crate::support::process::free_address;
use crate::support::proxy::Proxy;
use crate::support::signer::Signer;
use crate::support::store::{ACCESS_KEY, client};
use crate::support::upstream::Upstream;
use aws_sdk_s3::presigning::PresigningConfig;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PLAYLIST: &str = "/media/video/7/master.m3u8";

fn ask(proxy: &Proxy, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    proxy.fetch(method, target, &[&[("Origin", APP)], headers].concat())
}

fn get(proxy: &Proxy, target: &str) -> Response {
    ask(proxy, "GET", target, &[])
}

fn presigned(path: &str) -> String {
    Signer::new("GET", HOST).presigned(path)
}

/// The target that a presigned URL redirects to, and that its relative URLs begin with.
fn opened(proxy: &Proxy, target: &str) -> String {
    let response = get(proxy, target);
    assert_eq!(response.status, 307, "{target}: {response:?}");
    response.header("location").unwrap().to_owned()
}

/// A URL relative to another.
fn beside(target: &str, name: &str) -> String {
    let (folder, _) = target.rsplit_once('/').unwrap();
    format!("{folder}/{name}")
}

fn token_of(location: &str) -> &str {
    location.split_once('~').unwrap().1.split('/').next().unwrap()
}

fn grants(proxy: &Proxy, result: &str) -> f64 {
    proxy.metric(&format!("s3cors_grants_total{{result=\"{result}\"}}")).unwrap()
}

/// Requests are counted after their response.
fn becomes(proxy: &Proxy, result: &str, expected: f64) {
    eventually(&format!("{result} becomes {expected}"), || (grants(proxy, result) == expected).then_some(()));
}

fn assert_is(response: &Response, path: &str) {
    assert_eq!((response.status, &*response.text()), (200, path), "{response:?}");
    assert_eq!(response.header("access-control-allow-origin"), Some(APP), "{path}");
    assert_eq!(response.header("referrer-policy"), Some("no-referrer"), "{path}");
}

fn in_a_minute() -> SystemTime {
    SystemTime::now() + Duration::from_secs(60)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presigned_playlist_opens_its_folder_to_a_player() {
    let media = Media::start(GRANTED).await;
    let object = client(media.proxy.address).get_object().bucket("media").key("video/7/master.m3u8");
    let lifetime = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let url = object.presigned(lifetime).await.unwrap().uri().to_owned();
    let host = media.proxy.address.to_string();
    let target = url.strip_prefix(&format!("http://{host}")).unwrap();
    let redirect = ask(&media.proxy, "GET", target, &[("Host", &host)]);
    assert_eq!(redirect.status, 307, "{redirect:?}");
    let location = redirect.header("location").unwrap();
    assert!(location.starts_with("/media/~") && location.ends_with("/video/7/master.m3u8"), "{location}");
    assert!(!location.contains('?'), "the signature stays behind: {location}");
    assert_eq!(redirect.header("cache-control"), Some("no-store"));
    assert_eq!(redirect.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(redirect.header("access-control-allow-origin"), Some(APP));
    assert!(!redirect.text().contains("/media/video"), "{redirect:?}");

    assert_is(&get(&media.proxy, location), PLAYLIST);
    for (name, path) in [
        ("1.m4s", "/media/video/7/1.m4s"),
        ("hd/list.m3u8", "/media/video/7/hd/list.m3u8"),
        ("hd/2.m4s", "/media/video/7/hd/2.m4s"),
    ] {
        assert_is(&get(&media.proxy, &beside(location, name)), path);
    }
    let segment = beside(location, "1.m4s");
    let part = ask(&media.proxy, "GET", &segment, &[("Range", "bytes=1-5")]);
    assert_eq!((part.status, &*part.text()), (206, "media"));
    let head = ask(&media.proxy, "HEAD", &segment, &[]);
    assert_eq!((head.status, head.header("content-length")), (200, Some("20")));
    assert_eq!(ask(&media.proxy, "GET", &beside(location, "2.m4s"), &[]).status, 404, "no such segment");
    assert_eq!(media.proxy.preflight(&segment, APP, "GET").status, 200);
    becomes(&media.proxy, "opened", 1.0);
    becomes(&media.proxy, "used", 7.0);
    assert_eq!(media.proxy.metric("s3cors_signed_reads_total{bucket=\"media\"}"), Some(7.0));
    for result in ["expired", "forged", "outside", "method", "unreadable"] {
        assert_eq!(grants(&media.proxy, result), 0.0, "{result}");
    }
    // Without the token nothing is open.
    assert_eq!(get(&media.proxy, "/media/video/7/1.m4s").status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_does_not_open_is_refused_and_never_asked_for() {
    let keys = KeyFile::new(&[1]);
    let settings =
        keys.settings().replace(GRANTED, &format!("sign: [{}, {{bucket: mail, when: granted}}]", &GRANTED[6..]));
    let media = Media::start(&settings).await;
    let proxy = &media.proxy;
    let opened = opened(proxy, &presigned(PLAYLIST));
    let own = token_of(&opened);
    let of_us = |key: u8, folder: &str, depth, until| token(&private::key(key), "media", folder, depth, until);
    let soon = in_a_minute();
    let ended = of_us(1, "video/7/", 2, SystemTime::now() - Duration::from_secs(1));
    let by_stranger = of_us(2, "video/7/", 2, soon);
    let whole_bucket = of_us(1, "", 0, soon);
    let of_folder_one = of_us(1, "video/7/", 1, soon);
    let of_unlisted = of_us(1, "secret/", 1, soon);
    let of_dots = of_us(1, "video/../", 2, soon);
    let mut changed = URL_SAFE_NO_PAD.decode(own).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    let changed = URL_SAFE_NO_PAD.encode(changed);
    let mut later = URL_SAFE_NO_PAD.decode(own).unwrap();
    later[4] += 1;
    let later = URL_SAFE_NO_PAD.encode(later);
    let at = |token: &str, key: &str| format!("/media/~{token}/{key}");
    let segment = |token: &str| at(token, "video/7/1.m4s");
    assert_is(&get(proxy, &segment(&of_us(1, "video/7/", 2, soon))), "/media/video/7/1.m4s");
    let denied = (403, "AccessDenied");
    let unreadable = (400, "InvalidURI");
    for (what, method, target, (status, code), result) in [
        ("a folder beside it", "GET", at(own, "video/8/1.m4s"), denied, "forged"),
        ("a folder above it", "GET", at(own, "other.txt"), denied, "outside"),
        ("the folder itself", "GET", at(own, "video/7"), denied, "outside"),
        ("the folder as a key", "GET", at(own, "video/7/"), denied, "outside"),
        ("the bucket", "GET", at(own, ""), denied, "outside"),
        ("no key", "GET", format!("/media/~{own}"), denied, "outside"),
        ("a cut token", "GET", segment(&own[..own.len() - 1]), denied, "forged"),
        ("a longer token", "GET", segment(&format!("{own}A")), denied, "forged"),
        ("no token", "GET", segment(""), denied, "forged"),
        ("an encoded mark", "GET", segment(own).replace('~', "%7E"), denied, "forged"),
        ("a changed tag", "GET", segment(&changed), denied, "forged"),
        ("a later end", "GET", segment(&later), denied, "forged"),
        ("another bucket", "GET", format!("/mail/~{own}/video/7/1.m4s"), denied, "forged"),
        ("a key of strangers", "GET", segment(&by_stranger), denied, "forged"),
        ("a folder of no segments", "GET", segment(&whole_bucket), denied, "forged"),
        ("a depth that the folder has not", "GET", segment(&of_folder_one), denied, "forged"),
        ("a folder that is not listed", "GET", at(&of_unlisted, "secret/1"), denied, "outside"),
        ("its end", "GET", segment(&ended), denied, "expired"),
        ("HEAD after its end", "HEAD", segment(&ended), denied, "expired"),
        ("PUT", "PUT", segment(own), denied, "method"),
        ("POST", "POST", segment(own), denied, "method"),
        ("DELETE", "DELETE", segment(own), denied, "method"),
        ("PATCH", "PATCH", segment(own), denied, "method"),
        ("an encoded slash after dots", "GET", at(own, "video/7/..%2f8/1.m4s"), unreadable, "unreadable"),
        ("dots", "GET", at(own, "video/7/../8/1.m4s"), unreadable, "unreadable"),
        ("encoded dots", "GET", at(own, "video/7/%2e%2E/8/1.m4s"), unreadable, "unreadable"),
        ("a backslash", "GET", at(own, "video/7/..%5c8/1.m4s"), unreadable, "unreadable"),
        ("a NUL", "GET", at(own, "video/7/1.m4s%00"), unreadable, "unreadable"),
        ("dots in a real folder", "GET", at(&of_dots, "video/../other.txt"), unreadable, "unreadable"),
    ] {
        let (before, counted) = (media.requests(), grants(proxy, result));
        let body = if method == "PUT" { "overwritten" } else { "" };
        let response = proxy.connect().send(request(method, &target, &[("Origin", APP)], body)).receive_to(method);
        assert_eq!(response.status, status, "{what}: {response:?}");
        if method != "HEAD" {
            assert_eq!(response.element("Code").as_deref(), Some(code), "{what}: {response:?}");
        }
        assert!(!response.text().contains(own), "{what}: {response:?}");
        assert_eq!(response.header("location"), None, "{what}");
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"), "{what}");
        // The rules of one bucket grant GET; the other has none.
        let is_granted = method == "GET" && target.starts_with("/media/");
        assert_eq!(response.header("access-control-allow-origin").is_some(), is_granted, "{what}");
        becomes(proxy, result, counted + 1.0);
        assert_eq!(media.requests(), before, "{what}: the store was asked");
    }
    // The token holds, but a query could ask for something else.
    for query in ["versionId=1", "acl", "v=3", "response-content-type=text/html", "uploads", "partNumber=1"] {
        let (before, used) = (media.requests(), grants(proxy, "used"));
        let response = get(proxy, &format!("{}?{query}", segment(own)));
        assert_eq!((response.status, response.header("location")), (403, None), "{query}: {response:?}");
        assert_eq!((media.requests(), grants(proxy, "used")), (before, used), "{query}");
    }
    let unchanged = std::fs::read_to_string(media.store.file("media", "video/7/1.m4s")).unwrap();
    assert_eq!(unchanged, "/media/video/7/1.m4s");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_opens_nothing_is_answered_as_it_is() {
    let media = Media::start("sign: {bucket: media, when: granted}").await;
    let signer = |method: &'static str| Signer::new(method, HOST);
    let ended = Signer { at: SystemTime::now() - Duration::from_secs(120), ..signer("GET") };
    let by_header = signer("GET").signed(PLAYLIST);
    let by_header: Vec<_> = by_header.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (what, method, target, headers, status) in [
        ("a playlist without a folder", "GET", presigned("/media/list.m3u8"), &[][..], 200),
        ("a segment", "GET", presigned("/media/video/7/1.m4s"), &[], 200),
        ("HEAD", "HEAD", signer("HEAD").presigned(PLAYLIST), &[], 200),
        ("PUT", "PUT", signer("PUT").presigned("/media/video/7/new.m3u8"), &[], 200),
        ("a signature in a header", "GET", PLAYLIST.to_owned(), &by_header, 200),
        ("a playlist that is not there", "GET", presigned("/media/video/7/none.m3u8"), &[], 404),
        ("a wrong secret", "GET", Signer { secret: "wrong", ..signer("GET") }.presigned(PLAYLIST), &[], 403),
        (
            "the key of a different URL",
            "GET",
            presigned("/media/list.m3u8").replace("/list", "/video/7/master"),
            &[],
            403,
        ),
        ("a URL that has ended", "GET", ended.presigned(PLAYLIST), &[], 403),
        ("a URL for HEAD", "GET", signer("HEAD").presigned(PLAYLIST), &[], 403),
        ("an added parameter", "GET", presigned(PLAYLIST) + "&x-id=GetObject", &[], 403),
        ("no signature", "GET", PLAYLIST.to_owned(), &[], 403),
        ("two readings", "GET", presigned("/media/video/7/..%2f8/list.m3u8"), &[], 0),
    ] {
        let response = ask(&media.proxy, method, &target, headers);
        assert!(response.status == status || status == 0, "{what}: {response:?}");
        assert!(response.status != 307 && response.header("location").is_none(), "{what}: {response:?}");
    }
    let lifetime = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let object = client(media.proxy.address).get_object().bucket("media").key("video/7/master.m3u8");
    let url = object.response_content_type("text/plain").presigned(lifetime).await.unwrap().uri().to_owned();
    let host = media.proxy.address.to_string();
    let response = ask(&media.proxy, "GET", url.strip_prefix(&format!("http://{host}")).unwrap(), &[("Host", &host)]);
    assert_eq!((response.status, &*response.text(), response.header("location")), (200, PLAYLIST, None));
    assert_eq!((grants(&media.proxy, "opened"), grants(&media.proxy, "used")), (0.0, 0.0));
    // The playlist is one, and would open its folder.
    opened(&media.proxy, &presigned(PLAYLIST));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playlist_opens_folders_above_its_own_as_far_as_it_may() {
    for (up, of_seven, of_eight) in [(0, 403, 403), (1, 200, 403), (2, 200, 200), (8, 200, 200)] {
        let media = Media::start(&format!("{GRANTED}\ngrants: {{up: {up}}}")).await;
        let location = opened(&media.proxy, &presigned("/media/video/7/hd/list.m3u8"));
        let beginning = location.strip_suffix("video/7/hd/list.m3u8").unwrap();
        for (key, status) in
            [("video/7/hd/2.m4s", 200), ("video/7/1.m4s", of_seven), ("video/8/1.m4s", of_eight), ("other.txt", 403)]
        {
            assert_eq!(get(&media.proxy, &format!("{beginning}{key}")).status, status, "{up} up: {key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_ends_with_its_url_or_after_its_time() {
    let media = Media::start(GRANTED).await;
    let short = serve(media.store.address, &media.rules, &format!("{GRANTED}\ngrants: {{ttl: 1s}}"));
    // Presigned URLs of the tests hold for a minute.
    let nearly_ended = Signer { at: SystemTime::now() - Duration::from_secs(57), ..Signer::new("GET", HOST) };
    for (proxy, target) in [(&media.proxy, nearly_ended.presigned(PLAYLIST)), (&short, presigned(PLAYLIST))] {
        let location = opened(proxy, &target);
        let refused =
            eventually("the grant ends", || Some(get(proxy, &location)).filter(|response| response.status != 200));
        assert_eq!((refused.status, refused.element("Code").as_deref()), (403, Some("AccessDenied")));
        assert!(refused.element("Message").unwrap().contains("expired"), "{refused:?}");
        becomes(proxy, "expired", 1.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_without_closing_what_is_open() {
    let (keys, others) = (KeyFile::new(&[1]), KeyFile::new(&[2, 1]));
    let media = Media::start(&keys.settings()).await;
    let old = opened(&media.proxy, &presigned(PLAYLIST));
    // Another process, which signs with a newer key.
    let mut next = serve(media.store.address, &media.rules, &others.settings());
    assert_is(&get(&next, &old), PLAYLIST);
    let new = opened(&next, &presigned(PLAYLIST));
    assert_eq!(get(&media.proxy, &new).status, 403, "it does not have that key yet");
    // The old key goes, without a restart.
    others.write(&[2]);
    next.wait_for_log("the keys of grants were read again");
    assert_eq!(get(&next, &old).status, 403);
    assert_is(&get(&next, &new), PLAYLIST);
    becomes(&next, "forged", 1.0);
    // Without a file each process has a key of its own.
    let [one, two] = [(), ()].map(|()| serve(media.store.address, &media.rules, GRANTED));
    let of_one = opened(&one, &presigned(PLAYLIST));
    assert_is(&get(&one, &of_one), PLAYLIST);
    assert_eq!([&two, &media.proxy, &next].map(|proxy| get(proxy, &of_one).status), [403; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_in_the_log_or_on_an_admin_page() {
    let keys = KeyFile::new(&[1]);
    let settings = format!("{}\nlog: {{level: debug}}", keys.settings());
    let media = Media::start(&settings).await;
    let proxy = &media.proxy;
    let location = opened(proxy, &presigned(PLAYLIST));
    let own = token_of(&location);
    let segment = beside(&location, "1.m4s");
    get(proxy, &segment);
    get(proxy, &segment.replace("/7/", "/8/"));
    ask(proxy, "PUT", &segment, &[]);
    get(proxy, &segment.replace('~', "%7E"));
    get(proxy, &segment.replace("/media/", "/media//"));
    get(proxy, &segment.replace("/media/", "/media/./"));
    get(proxy, &segment.replacen("/media/", "/none/", 1));
    // A client has resolved a relative URL to the wrong place.
    let elsewhere = segment.replacen("/media/", "/", 1);
    get(proxy, &elsewhere);
    // Operators see what no rule grants.
    proxy.fetch("GET", &segment, &[("Origin", "https://evil.example")]);
    proxy.preflight(&segment, "https://evil.example", "GET");
    proxy.preflight(&elsewhere, "https://evil.example", "GET");
    // The head is rejected.
    proxy.connect().send(format!("GET {segment} HTTP/1.1\r\nHost: {HOST}\r\nNo Field: x\r\n\r\n")).receive();
    // The upstream is away.
    let alone = serve(free_address(), &media.rules, &settings);
    assert!(get(&alone, &segment).status >= 500);
    let [lines, of_alone] = [(proxy, 13), (&alone, 1)].map(|(proxy, count)| {
        eventually("each request has its line", || {
            let log = proxy.log();
            (log.iter().filter(|line| line["message"] == "request").count() == count).then_some(log)
        })
    });
    for line in lines.iter().chain(&of_alone) {
        assert!(!line.to_string().contains(own), "{line}");
    }
    let requests: Vec<_> = lines.iter().filter(|line| line["message"] == "request").collect();
    let ids = requests.iter().map(|line| format!("/api/explain?request_id={}", line["request_id"].as_str().unwrap()));
    let pages =
        ["/metrics", "/status", "/api/rejections", "/api/rules", "/api/learn", "/api/shadow"].map(str::to_owned);
    for page in ids.chain(pages) {
        assert!(!proxy.ask("GET", &page).text().contains(own), "{page}");
    }
    let found = |method: &str, path: &str| {
        let line = requests.iter().find(|line| line["method"] == method && line["path"] == path);
        line.unwrap_or_else(|| panic!("{method} {path}: {requests:#?}"))
    };
    for (method, path, signer, prefix) in [
        ("GET", PLAYLIST, "client", None),
        ("GET", "/media/~/video/7/1.m4s", "grant", Some("video/7/")),
        ("GET", "/media/~/video/8/1.m4s", "none", None),
        ("PUT", "/media/~/video/7/1.m4s", "none", None),
    ] {
        let line = found(method, path);
        assert_eq!((line["signer"].as_str(), line["prefix"].as_str()), (Some(signer), prefix), "{line}");
        assert_eq!(line["until"].is_null(), signer != "grant", "{line}");
    }
    let until = found("GET", "/media/~/video/7/1.m4s")["until"].as_str().unwrap();
    let seconds = u32::from_be_bytes(URL_SAFE_NO_PAD.decode(own).unwrap()[4..8].try_into().unwrap());
    assert_eq!(humantime::parse_rfc3339(until).unwrap(), UNIX_EPOCH + Duration::from_secs(seconds.into()));
}

/// The store sees what it is asked in path style with its own name, whatever the client's host is.
#[test]
fn a_token_is_where_the_key_begins_under_each_name() {
    let hosts = "hosts: {cdn.example: {bucket: media}, app.example/storage: {}, one.example/s: {bucket: media}}";
    for (host, path, begins) in [
        (HOST, "/media/video/7/master.m3u8", "/media/~"),
        ("media.s3.example.test", "/video/7/master.m3u8", "/~"),
        ("cdn.example", "/video/7/master.m3u8", "/~"),
        ("app.example", "/storage/media/video/7/master.m3u8", "/storage/media/~"),
        ("one.example", "/s/video/7/master.m3u8", "/s/~"),
        ("elsewhere.example", "/%6dedia/video/7/master.m3u8", "/%6dedia/~"),
    ] {
        let (upstream, rules) = (Upstream::ok("body"), rules());
        let proxy = serve(upstream.address, &rules, &format!("{GRANTED}\n{hosts}"));
        let target = Signer::new("GET", host).presigned(path);
        let ask = |method: &str, target: &str| ask(&proxy, method, target, &[("Host", host)]);
        let redirect = ask("GET", &target);
        assert_eq!(redirect.status, 307, "{host}: {redirect:?}");
        let location = redirect.header("location").unwrap();
        let (beginning, rest) = location.split_once(token_of(location)).unwrap();
        assert_eq!((beginning, rest), (begins, "/video/7/master.m3u8"), "{host}");
        let headers =
            [("Host", host), ("Range", "bytes=0-"), ("X-Amz-Meta-A", "b"), ("Cookie", "c"), ("Referer", "http://r/")];
        let segment = proxy.fetch("GET", &beside(location, "a%20b.m4s"), &headers);
        assert_eq!((segment.status, &*segment.text()), (200, "body"), "{host}: {segment:?}");
        let asked = upstream.received();
        assert_eq!(asked.len(), 2, "{host}");
        assert_eq!(asked[1].request_line(), "GET /media/video/7/a%20b.m4s HTTP/1.1", "{host}");
        assert_eq!(asked[1].header("host"), Some(upstream.address.to_string()), "{host}");
        assert!(asked[1].header("authorization").unwrap().contains(ACCESS_KEY), "{host}");
        assert_eq!(asked[1].header("range").as_deref(), Some("bytes=0-"), "{host}");
        for name in ["x-amz-meta-a", "cookie", "referer", "origin"] {
            assert_eq!(asked[1].header(name), None, "{host}: {name}");
        }
        let outside = beside(location, "../8/1.m4s").replace("/7/../8", "/8");
        assert_eq!(ask("GET", &outside).status, 403, "{host}");
        assert_eq!(ask("DELETE", location).status, 403, "{host}");
        assert_eq!(upstream.received().len(), 2, "{host}");
    }
    // A token is for its bucket, under whatever name.
    let (upstream, rules) = (Upstream::ok("body"), rules());
    let settings = "sign: [{bucket: media, when: granted}, {bucket: mail, when: granted}]";
    let proxy = serve(upstream.address, &rules, settings);
    let location = opened(&proxy, &presigned(PLAYLIST));
    let at = |host, target: &str| ask(&proxy, "GET", target, &[("Host", host)]).status;
    let in_host = location.strip_prefix("/media").unwrap();
    assert_eq!(at("media.s3.example.test", in_host), 200);
    assert_eq!(at("mail.s3.example.test", in_host), 403);
}

#[test]
fn a_response_opens_the_folder_if_the_upstream_lets_the_client_read() {
    for (status, is_opened) in [
        ("200 OK", true),
        ("206 Partial Content", true),
        ("304 Not Modified", true),
        ("204 No Content", false),
        ("301 Moved Permanently", false),
        ("307 Temporary Redirect", false),
        ("400 Bad Request", false),
        ("403 Forbidden", false),
        ("404 Not Found", false),
        ("412 Precondition Failed", false),
        ("416 Range Not Satisfiable", false),
        ("500 Internal Server Error", false),
        ("503 Slow Down", false),
    ] {
        let length = if status.starts_with("304") || status.starts_with("204") { "" } else { "Content-Length: 0\r\n" };
        let upstream = Upstream::answering(format!("HTTP/1.1 {status}\r\n{length}ETag: \"e\"\r\n\r\n"));
        let rules = rules();
        let proxy = serve(upstream.address, &rules, GRANTED);
        let response = ask(&proxy, "GET", &presigned(PLAYLIST), &[("If-None-Match", "\"e\"")]);
        let has_token = response.header("location").is_some_and(|location| location.contains('~'));
        assert_eq!((response.status == 307 && has_token, has_token), (is_opened, is_opened), "{status}: {response:?}");
        becomes(&proxy, "opened", f64::from(u8::from(is_opened)));
    }
}

#[test]
fn the_playlists_are_those_that_the_configuration_names() {
    for (settings, playlists) in [
        ("", [true, true, false, false]),
        ("grants: {for: '*.mpd'}", [false, true, false, false]),
        ("grants: {for: ['*.m3u8', 'video/*/index.*']}", [true, false, false, true]),
    ] {
        let (upstream, rules) = (Upstream::ok("body"), rules());
        let proxy = serve(upstream.address, &rules, &format!("{GRANTED}\n{settings}"));
        let paths = ["a.m3u8", "a.mpd", "a.M3U8", "index.json"].map(|name| format!("/media/video/7/{name}"));
        assert_eq!(paths.map(|path| get(&proxy, &presigned(&path)).status == 307), playlists, "{settings}");
    }
    // Where everyone may read, no one needs a grant, and the mark has no meaning.
    let (upstream, rules) = (Upstream::ok("body"), rules());
    let proxy = serve(upstream.address, &rules, "sign: {bucket: media}");
    assert_eq!(get(&proxy, &presigned(PLAYLIST)).status, 200);
    assert_eq!(get(&proxy, "/media/~user/k").status, 200);
    assert_eq!(upstream.received()[1].request_line(), "GET /media/~user/k HTTP/1.1");
    assert_eq!(grants(&proxy, "forged"), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_are_the_same_over_http2() {
    let media = Media::start(GRANTED).await;
    let address = media.proxy.address;
    let fetch = |method: &str, target: &str| {
        let (url, origin) = (format!("http://{address}{target}"), format!("Origin: {APP}"));
        // The target goes out as it is.
        let common = ["--http2-prior-knowledge", "--path-as-is", "--globoff", "-H", &origin];
        let by_method: &[&str] = if method == "HEAD" { &["--head"] } else { &["-X", method] };
        let fetched = curl(&[&common[..], by_method, &[&url]].concat(), "");
        assert_eq!(fetched.protocol, "HTTP/2");
        fetched.response
    };
    let host = address.to_string();
    let redirect = fetch("GET", &Signer::new("GET", &host).presigned(PLAYLIST));
    assert_eq!(redirect.status, 307, "{redirect:?}");
    assert_eq!(redirect.header("cache-control"), Some("no-store"));
    assert_eq!(redirect.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(redirect.header("access-control-allow-origin"), Some(APP));
    let location = redirect.header("location").unwrap();
    assert_is(&fetch("GET", location), PLAYLIST);
    assert_is(&fetch("GET", &beside(location, "1.m4s")), "/media/video/7/1.m4s");
    assert_eq!(fetch("HEAD", &beside(location, "1.m4s")).status, 200);
    let before = media.requests();
    for (method, target, status) in [
        ("GET", location.replace("/7/", "/8/"), 403),
        ("GET", location.replace("/~", "/~A"), 403),
        ("GET", location.replacen("/media/", "/mail/", 1), 403),
        ("PUT", beside(location, "1.m4s"), 403),
        ("DELETE", beside(location, "1.m4s"), 403),
        ("GET", beside(location, "..%2f8/1.m4s"), 400),
        ("GET", beside(location, "../8/1.m4s"), 400),
        ("GET", beside(location, "1.m4s?acl"), 403),
    ] {
        let response = fetch(method, &target);
        assert_eq!(response.status, status, "{method} {target}: {response:?}");
    }
    let asked = media.store.asked_since(before);
    assert!(asked.iter().all(|asked| asked.line.starts_with("GET /mail/~")), "{asked:?}");
    let refused = fetch("GET", &Signer { secret: "wrong", ..Signer::new("GET", &host) }.presigned(PLAYLIST));
    assert_eq!((refused.status, refused.header("location")), (403, None));
}
