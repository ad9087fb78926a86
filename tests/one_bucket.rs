//! One bucket from all readings: a request that servers could take for different buckets is forwarded, and no rule grants it.

use crate::support::eventually;
use crate::support::http::{Response, request};
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::{Rules, allowing};
use crate::support::store::{Store, client};
use crate::support::upstream::Upstream;
use aws_sdk_s3::presigning::PresigningConfig;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

const EVIL: &str = "https://evil.example";
const HOST: &str = "s3.example.test";

/// Hosts and targets with more than one reading, of an object that `demo` has as `k`.
const AMBIGUOUS: [(&str, &str); 18] = [
    (HOST, "/demo%2Fk"),
    (HOST, "/demo%2fk?versionId=1"),
    (HOST, "/demo%5Ck"),
    (HOST, "/demo\\k"),
    (HOST, "/demo%00"),
    (HOST, "/demo%00/k"),
    (HOST, "//demo/k"),
    (HOST, "/%2Fdemo/k"),
    (HOST, "/./demo/k"),
    (HOST, "/x/../demo/k"),
    (HOST, "/x/%2e%2e/demo/k"),
    (HOST, "/x/..%2Fdemo/k"),
    (HOST, "/x/a%2Fb/../..%2F..%2Fdemo/k"),
    (HOST, "/demo/.."),
    (HOST, "/demo%252Fk"),
    ("s3.example.test.", "/demo/k"),
    ("demo.s3.example.test.", "/k"),
    ("demo.s3.example.test.:8080", "/demo/k"),
];

/// The same object, and others of `demo`, in ways that all servers read alike.
const PLAIN: [(&str, &str); 6] = [
    (HOST, "/demo/k"),
    (HOST, "/d%65mo/k"),
    (HOST, "/demo/a%2Fb%5Cc%00"),
    (HOST, "/demo//a/../k"),
    ("demo.s3.example.test", "/other%2F../../k"),
    ("demo.s3.example.test:8080", "//k"),
];

/// A bucket that allows one page, and documents for everything else that allow every page.
fn rules() -> Rules {
    let rules = Rules::empty();
    rules.write("demo.xml", allowing("https://app.example"));
    for name in ["_default.xml", "_service.xml"] {
        rules.write(name, allowing("*"));
    }
    rules
}

/// A proxy with this driver, on an address for HTTP/1.1 and HTTP/2.
fn serving(driver: &str, rules: &[&str], upstream: SocketAddr, settings: &str) -> Proxy {
    let listen = "listen: {address: '127.0.0.1:0', http2: true}\nadmin: 127.0.0.1:0\ndomains: s3.example.test";
    let file = ConfigFile::new(&format!("{listen}\ndrivers: {driver}\n{settings}\n"));
    let mut command = s3cors(&["serve", "--config", &file.argument(), "--upstream", &format!("http://{upstream}")]);
    command.args(rules);
    Proxy::spawn(command)
}

fn drivers() -> &'static [&'static str] {
    if is_own() { &["own", "pingora"] } else { &["pingora"] }
}

/// One request by both protocols, as it stands here: most clients would remove dot segments.
async fn by_both(proxy: &Proxy, method: &str, (host, target): (&str, &str), lines: &[(&str, &str)]) -> [Response; 2] {
    let all = [&[("Host", host)], lines].concat();
    let over_http1 = proxy.connect().send(request(method, target, &all, "")).receive_to(method);
    [over_http1, over_http2(proxy.address, method, (host, target), lines).await]
}

async fn over_http2(
    address: SocketAddr,
    method: &str,
    (host, target): (&str, &str),
    lines: &[(&str, &str)],
) -> Response {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let mut request = hyper::Request::builder().method(method).uri(format!("http://{host}{target}"));
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    let (head, body) = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap().into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Response {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

const PREFLIGHT: [(&str, &str); 2] = [("Origin", EVIL), ("Access-Control-Request-Method", "GET")];

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_two_readings_is_forwarded_as_it_came_and_gets_no_grant() {
    for driver in drivers() {
        let (rules, upstream) = (rules(), Upstream::echo());
        let proxy = serving(driver, &["--rules", rules.path().to_str().unwrap()], upstream.address, "");
        for (place, asked) in AMBIGUOUS.into_iter().enumerate() {
            for (version, response) in by_both(&proxy, "GET", asked, &[("Origin", EVIL)]).await.iter().enumerate() {
                let case = format!("{driver} {asked:?} {response:?}");
                assert_eq!((response.status, response.cors()), (200, vec![]), "{case}");
                assert_eq!(response.text(), format!("GET {} HTTP/1.1", asked.1), "{case}");
                let arrived = &upstream.received()[2 * place + version];
                assert_eq!(arrived.header("host").as_deref(), Some(asked.0), "{case}");
            }
        }
        let mark = upstream.received().len();
        for asked in AMBIGUOUS {
            for response in by_both(&proxy, "OPTIONS", asked, &PREFLIGHT).await {
                let case = format!("{driver} {asked:?} {response:?}");
                assert_eq!((response.status, response.cors()), (403, vec![]), "{case}");
                assert!(response.text().contains("CORS is not enabled for this bucket"), "{case}");
            }
        }
        assert_eq!(upstream.received().len(), mark, "no preflight goes on");
        let twice = 2.0 * AMBIGUOUS.len() as f64;
        for kind in ["actual", "preflight"] {
            let labels = format!("bucket=\"_other\",kind=\"{kind}\",outcome=\"no_rules\",reason=\"no_rules\"");
            let series = format!("s3cors_decisions_total{{{labels}}}");
            eventually("each is counted", || proxy.metric(&series).filter(|count| *count == twice));
        }
        let lines: Vec<_> = proxy.log().into_iter().filter(|line| line["method"] == "GET").collect();
        assert!(!lines.is_empty() && lines.iter().all(|line| line["bucket"] == "_other"), "{lines:#?}");
        assert!(lines.iter().all(|line| line["operation"].is_null()), "no one knows which: {lines:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_one_reading_gets_what_its_bucket_grants() {
    for driver in drivers() {
        let (rules, upstream) = (rules(), Upstream::ok("body"));
        let proxy = serving(driver, &["--rules", rules.path().to_str().unwrap()], upstream.address, "");
        for asked in PLAIN {
            for (origin, granted) in [("https://app.example", Some("https://app.example")), (EVIL, None)] {
                for response in by_both(&proxy, "GET", asked, &[("Origin", origin)]).await {
                    let allowed = response.header("access-control-allow-origin");
                    assert_eq!((response.status, allowed), (200, granted), "{driver} {asked:?} {response:?}");
                }
            }
        }
        for (target, is_granted) in [("/none/a%2Fb", true), ("/", true), ("/none%2Fa", false), ("//none", false)] {
            for response in by_both(&proxy, "GET", (HOST, target), &[("Origin", EVIL)]).await {
                assert_eq!(!response.cors().is_empty(), is_granted, "{driver} {target} {response:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_rule_for_every_bucket_does_not_grant_it_either() {
    let (rules, upstream) = (rules(), Upstream::ok("body"));
    let file = rules.file("_default.xml");
    for driver in drivers() {
        for arguments in [["--allow", "*"], ["--rules", file.to_str().unwrap()]] {
            let proxy = serving(driver, &arguments, upstream.address, "");
            for asked in AMBIGUOUS {
                for response in by_both(&proxy, "GET", asked, &[("Origin", EVIL)]).await {
                    assert_eq!((response.status, response.cors()), (200, vec![]), "{arguments:?} {asked:?}");
                }
            }
            for response in by_both(&proxy, "GET", PLAIN[0], &[("Origin", EVIL)]).await {
                assert_eq!(response.header("access-control-allow-origin"), Some("*"), "{arguments:?}");
            }
        }
    }
}

/// s3s decodes a path before it splits it, and signs a path in one spelling, however it came.
#[tokio::test(flavor = "multi_thread")]
async fn no_page_reads_an_object_by_another_spelling_of_its_presigned_url() {
    let (rules, store) = (rules(), Store::start());
    let direct = client(store.address);
    direct.create_bucket().bucket("demo").send().await.unwrap();
    direct.put_object().bucket("demo").key("k").body(b"secret".to_vec().into()).send().await.unwrap();
    for driver in drivers() {
        let proxy = serving(driver, &["--rules", rules.path().to_str().unwrap()], store.address, "");
        let lifetime = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
        let presigned = client(proxy.address).get_object().bucket("demo").key("k").presigned(lifetime).await.unwrap();
        let host = proxy.address.to_string();
        let (_, query) = presigned.uri().split_once('?').unwrap();
        let get = async |path: &str, origin| {
            by_both(&proxy, "GET", (&host, &format!("{path}?{query}")), &[("Origin", origin)]).await
        };
        for path in ["/demo/k", "/demo%2Fk", "/d%65mo%2fk"] {
            for response in get(path, EVIL).await {
                assert_eq!((response.status, response.text().as_str()), (200, "secret"), "{driver} {path}");
                assert_eq!(response.cors(), [], "{driver} {path}");
            }
        }
        for (_, target) in AMBIGUOUS.into_iter().filter(|(host, _)| *host == HOST) {
            for response in get(target.split('?').next().unwrap(), EVIL).await {
                assert_eq!(response.cors(), [], "{driver} {target} {response:?}");
            }
        }
        for response in get("/demo/k", "https://app.example").await {
            assert_eq!(response.header("access-control-allow-origin"), Some("https://app.example"), "{driver}");
        }
    }
}

#[test]
fn a_refusal_before_a_driver_has_the_request_grants_nothing_either() {
    let (rules, upstream) = (rules(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for (host, target, is_granted) in [
        (HOST, "/none/k", true),
        (HOST, "/none%2Fk", false),
        (HOST, "//none/k", false),
        (HOST, "/x/../none/k", false),
        ("s3.example.test.", "/none/k", false),
    ] {
        let lines = [("Host", host), ("Origin", EVIL), ("Content-Length", "1, 2"), ("A B", "c")];
        let response = proxy.connect().send(request("GET", target, &lines, "")).receive();
        assert_eq!((response.status, !response.cors().is_empty()), (400, is_granted), "{target} {response:?}");
    }
    assert!(upstream.received().is_empty());
}

#[test]
fn shadow_rules_are_not_asked_about_it() {
    let (live, candidate, upstream) = (rules(), Rules::empty(), Upstream::ok("body"));
    let settings = format!("rules: {{shadow: {}}}", candidate.path().display());
    let proxy = serving("own", &["--rules", live.path().to_str().unwrap()], upstream.address, &settings);
    proxy.fetch("GET", "/none%2Fk", &[("Origin", EVIL)]);
    proxy.fetch("GET", "/none/k", &[("Origin", EVIL)]);
    let page: serde_json::Value = serde_json::from_str(&proxy.ask("GET", "/api/shadow").text()).unwrap();
    assert_eq!(page["compared"], 1, "{page:#}");
}

#[test]
fn a_preflight_with_two_readings_is_explained_as_one() {
    let (rules, upstream) = (rules(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let denied = proxy.preflight("/demo%2Fk", EVIL, "GET");
    assert_eq!(denied.status, 403);
    let id = denied.header("x-amz-request-id").unwrap();
    let ask = |more: &str| {
        let path = format!("/api/explain?request_id={id}{more}");
        eventually("it is kept", || Some(proxy.ask("GET", &path)).filter(|page| page.status == 200)).text()
    };
    let explained: serde_json::Value = serde_json::from_str(&ask("")).unwrap();
    assert_eq!((&explained["allowed"], &explained["denial"]["is_ambiguous"]), (&false.into(), &true.into()));
    assert_eq!((&explained["proposal"], &explained["denial"]["path"]), (&serde_json::Value::Null, &"/demo%2Fk".into()));
    assert!(explained["cannot"].as_str().unwrap().contains("as different buckets"), "{explained:#}");
    let text = ask("&format=text");
    assert!(text.contains("DENIED: GET") && text.contains("as different buckets"), "{text}");
}
