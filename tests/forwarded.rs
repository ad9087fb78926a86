//! What the upstream is told about the client, and whose word about it counts.

use crate::support::curl::curl;
use crate::support::eventually;
use crate::support::process::{ConfigFile, configured, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;

const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-forwarded-for, Signature=0";
const PRESIGNED: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A&X-Amz-SignedHeaders=host%3Bx-forwarded-proto&X-Amz-Signature=0";

struct Scene {
    upstream: Upstream,
    proxy: Proxy,
    _rules: Rules,
}

impl Scene {
    fn new(settings: &str) -> Self {
        let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
        let proxy = configured(rules.path(), upstream.address, settings);
        Self { upstream, proxy, _rules: rules }
    }

    /// A proxy that speaks HTTP/1.1 and HTTP/2 without TLS.
    fn of_both_protocols(settings: &str) -> Self {
        let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
        let listen = "listen: {address: '127.0.0.1:0', http2: true}\nadmin: 127.0.0.1:0\n";
        let file = ConfigFile::new(&format!("{listen}{settings}"));
        let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
        command.arg(rules.path()).args(["--upstream", &format!("http://{}", upstream.address)]);
        Self { upstream, proxy: Proxy::spawn(command), _rules: rules }
    }

    /// What arrived of a request, without the lines that every request has.
    fn told(&self, target: &str, lines: &str) -> Vec<(String, String)> {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: s3.example.test\r\n{lines}\r\n");
        assert_eq!(self.proxy.connect().send(bytes).receive().status, 200);
        self.arrived()
    }

    fn arrived(&self) -> Vec<(String, String)> {
        let arrived = self.upstream.received().pop().unwrap().headers();
        let about = arrived.into_iter().filter(|(name, _)| !["Host", "Authorization", "Via"].contains(&name.as_str()));
        about.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
    }

    fn client(&self) -> String {
        let count = self.upstream.received().len();
        let lines = eventually("the request is logged", || {
            let lines: Vec<_> = self.proxy.log().into_iter().filter(|line| line["target"] == "access").collect();
            (lines.len() == count).then_some(lines)
        });
        lines.last().unwrap()["client"].as_str().unwrap().to_owned()
    }
}

fn lines(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const OURS: [(&str, &str); 3] =
    [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "http"), ("x-forwarded-host", "s3.example.test")];

/// A server that judges a signature by `X-Forwarded-Host` has to see no other name than the one that was signed.
#[test]
fn the_clients_host_is_told_to_no_upstream_that_sees_another_one() {
    for mode in ["append", "off"] {
        let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
        let settings = format!("forwarded: {{mode: {mode}, trusted: [127.0.0.0/8]}}\nupstream: {{host: 'minio:9000'}}");
        let proxy = configured(rules.path(), upstream.address, &settings);
        proxy.fetch("GET", "/bucket/key", &[("Host", "public.example"), ("X-Forwarded-Host", "front.example")]);
        let received = upstream.only_request();
        assert_eq!(
            (received.header("host").as_deref(), received.header("x-forwarded-host")),
            (Some("minio:9000"), None)
        );
    }
}

#[test]
fn a_strangers_own_lines_end_here() {
    let scene = Scene::new("");
    for sent in [
        "",
        "X-Forwarded-For: 192.0.2.1\r\n",
        "x-forwarded-for: 192.0.2.1\r\nX-FORWARDED-FOR: 192.0.2.2\r\n",
        "X_Forwarded_For: 192.0.2.1\r\n",
        "X-Real-IP: 192.0.2.1\r\n",
        "Forwarded: for=192.0.2.1;proto=https\r\n",
        "X-Forwarded-Proto: https\r\nX-Forwarded-Scheme: https\r\nX-Forwarded-Ssl: on\r\n",
        "X-Forwarded-Host: other.example\r\nX-Forwarded-Port: 443\r\n",
    ] {
        assert_eq!(scene.told("/bucket/key", sent), lines(&OURS), "{sent}");
        assert!(scene.client().starts_with("127.0.0.1:"), "{sent}");
    }
    let claimed = "X-Forwarded-For: 192.0.2.1\r\n";
    let target = "/bucket/key?X-Amz-SignedHeaders=x-forwarded-for";
    assert_eq!(scene.told(target, claimed), lines(&OURS), "a signature that no one checks covers nothing");
    let other = format!("/bucket/key?{}", PRESIGNED.replace("HMAC-SHA256", "NONE").replace("-proto", "-for"));
    assert_eq!(scene.told(&other, claimed), lines(&OURS), "nor does one of a kind that servers do not know");
    let bearer = "Authorization: Bearer SignedHeaders=x-forwarded-for\r\nX-Forwarded-For: 192.0.2.1\r\n";
    assert_eq!(scene.told("/bucket/key", bearer), lines(&OURS), "nor does another kind of authorization");
}

#[test]
fn a_signed_line_stays_as_it_came() {
    let scene = Scene::new("");
    let sent = format!("Authorization: {SIGNED}\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n");
    let mut told = scene.told("/bucket/key", &sent);
    told.sort();
    let expected =
        [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-host", "s3.example.test"), ("x-forwarded-proto", "http")];
    assert_eq!(told, lines(&expected));
    assert!(scene.client().starts_with("127.0.0.1:"), "and it is no one's word but the client's");

    let told =
        scene.told(&format!("/bucket/key?{PRESIGNED}"), "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n");
    let proto: Vec<_> = told.iter().filter(|(name, _)| name == "x-forwarded-proto").collect();
    assert_eq!(proto, [&("x-forwarded-proto".to_owned(), "https".to_owned())]);
}

#[test]
fn a_trusted_proxy_is_believed_about_what_it_wrote() {
    let scene = Scene::new("forwarded: {trusted: [127.0.0.0/8, '2001:db8::/32']}\n");
    for (sent, expected, client) in [
        ("192.0.2.1", "192.0.2.1, 127.0.0.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1:4711, 127.0.0.1", "192.0.2.1:4711"),
        ("6.6.6.6, 192.0.2.1", "192.0.2.1, 127.0.0.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1, 127.0.0.9", "192.0.2.1, 127.0.0.9, 127.0.0.1", "192.0.2.1"),
        ("192.0.2.1, 2001:db8::7", "192.0.2.1, 2001:db8::7, 127.0.0.1", "192.0.2.1"),
        ("127.0.0.8, 127.0.0.9", "127.0.0.8, 127.0.0.9, 127.0.0.1", "127.0.0.8"),
        ("6.6.6.6, unknown", "127.0.0.1", ""),
        ("", "127.0.0.1", ""),
    ] {
        let told = scene.told("/bucket/key", &format!("X-Forwarded-For: {sent}\r\n"));
        assert_eq!(told[0], ("x-forwarded-for".to_owned(), expected.to_owned()), "{sent}");
        let logged = scene.client();
        assert!(
            if client.is_empty() { logged.starts_with("127.0.0.1:") } else { logged == client },
            "{sent}: {logged}"
        );
    }
    let sent = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n\
                X-Forwarded-Host: public.example\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n";
    let expected = [
        ("x-forwarded-for", "192.0.2.1, 127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "public.example"),
    ];
    assert_eq!(scene.told("/bucket/key", sent), lines(&expected));
}

#[test]
fn of_a_trusted_proxy_the_last_line_counts() {
    let scene = Scene::new("forwarded: {trusted: 127.0.0.1}\n");
    for (sent, proto, host) in [
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", "http", "s3.example.test"),
        ("X-Forwarded-Proto: http\r\nx-forwarded-proto: http, https\r\n", "https", "s3.example.test"),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: none\r\n", "http", "s3.example.test"),
        ("X-Forwarded-Host: evil.example\r\nX-Forwarded-Host: public.example\r\n", "http", "public.example"),
        ("X-Forwarded-Host: evil.example, public.example\r\n", "http", "public.example"),
        ("X_Forwarded_Proto: https\r\nX_Forwarded_Host: evil.example\r\n", "http", "s3.example.test"),
        ("X-Forwarded-Proto: http\r\nX-Forwarded_Proto: https\r\n", "http", "s3.example.test"),
    ] {
        let expected = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", proto), ("x-forwarded-host", host)];
        assert_eq!(scene.told("/bucket/key", sent), lines(&expected), "{sent}");
    }
}

/// Servers authenticate the upload of a form by its policy alone: nothing that its head says is signed.
#[test]
fn a_form_signs_no_header() {
    const CLAIMED: &str = "192.0.2.1";
    let presigned = PRESIGNED.replace("-proto", "-for");
    let both = format!("AWSAccessKeyId=A&Expires=1&Signature=0&{presigned}");
    let form = "multipart/form-data; boundary=x";
    for driver in ["", "drivers: pingora\n"] {
        let scene = Scene::of_both_protocols(driver);
        for (method, query, is_by_header, content_type, stays) in [
            ("POST", "", true, form, false),
            ("POST", "", true, "text/plain", false),
            ("POST", "", true, "", false),
            ("POST", &*presigned, false, form, false),
            ("POST", &*presigned, false, "", false),
            ("POST", "delete", true, form, false),
            ("POST", "delete", true, "Multipart/FORM-DATA", false),
            ("POST", "x-id=delete", true, "application/xml", false),
            ("POST", "delete", true, "application/xml", true),
            ("POST", "uploads", true, "", true),
            ("GET", "", true, form, true),
            // MinIO checks the signature of version 2 alone, which covers no such line.
            ("GET", "AWSAccessKeyId=A&Expires=1&Signature=0", true, "", false),
            ("GET", &both, false, "", false),
        ] {
            for version in ["--http1.1", "--http2-prior-knowledge"] {
                let url = format!("http://{}/bucket/key?{query}", scene.proxy.address);
                let (signed, kind) = (format!("Authorization: {SIGNED}"), format!("Content-Type: {content_type}"));
                let claimed = format!("X-Forwarded-For: {CLAIMED}");
                let mut arguments = vec![version, "-X", method, &url, "-H", &claimed, "-H", &kind];
                arguments.extend(is_by_header.then_some(["-H", &signed]).into_iter().flatten());
                assert_eq!(curl(&arguments, "").response.status, 200, "{arguments:?}");
                let told = scene.arrived();
                let told: Vec<_> = told.iter().filter(|(name, _)| name == "x-forwarded-for").collect();
                let expected = ("x-forwarded-for".to_owned(), if stays { CLAIMED } else { "127.0.0.1" }.to_owned());
                assert_eq!(told, [&expected], "{driver}: {arguments:?}");
            }
        }
    }
}

#[test]
fn off_lets_every_line_pass() {
    let scene = Scene::new("forwarded: {mode: off}\n");
    let sent = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n";
    assert_eq!(
        scene.told("/bucket/key", sent),
        lines(&[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https")])
    );
    assert_eq!(scene.told("/bucket/key", ""), []);
}

#[test]
fn a_connection_cannot_name_the_lines_as_its_own_to_be_rid_of_them() {
    let scene = Scene::new("");
    let mut connection = scene.proxy.connect();
    connection.send("GET /bucket/key HTTP/1.1\r\nHost: x\r\nConnection: close, X-Forwarded-For\r\n\r\n");
    assert_eq!(connection.receive().status, 400);
    assert!(scene.upstream.received().is_empty());
}
