//! Names of buckets: hosts that are one, and the aliases of AWS, which are ordinary names.

use crate::support::http::request;
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;

const APP: &str = "https://app.example";

/// Which host arrives at the upstream, and whether the page is granted access, with only `photos` having rules.
fn asked(settings: &str, host: &str, target: &str) -> (String, String, bool) {
    let rules = Rules::empty();
    rules.write("photos.xml", allowing(APP));
    let upstream = Upstream::ok("body");
    let config = ConfigFile::new(&format!("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\n{settings}"));
    let mut command =
        s3cors(&["serve", "--upstream", &format!("http://{}", upstream.address), "--config", &config.argument()]);
    command.arg("--rules").arg(rules.path());
    let proxy = Proxy::spawn(command);
    let answer = proxy.connect().send(request("GET", target, &[("Host", host), ("Origin", APP)], "")).receive();
    assert_eq!(answer.status, 200);
    let arrived = upstream.only_request();
    (arrived.header("host").unwrap(), arrived.request_line(), !answer.cors().is_empty())
}

#[test]
fn a_host_can_be_the_name_of_a_bucket() {
    let with_host = "hosts: {photos.example.com: {bucket: photos, upstream_host: 'photos.s3.example.com:9000'}}\n";
    let without = "hosts: {Photos.Example.com: {bucket: photos}}\n";
    let renamed = "hosts: {photos.example.com: {bucket: photos}}\nupstream: {host: minio}\n";
    for (settings, host, target, arrives, is_granted) in [
        (with_host, "photos.example.com", "/a/key", "photos.s3.example.com:9000", true),
        (with_host, "PHOTOS.example.com:8080", "/photos/key", "photos.s3.example.com:9000", true),
        (with_host, "other.example.com", "/photos/key", "other.example.com", true),
        (with_host, "other.example.com", "/other/key", "other.example.com", false),
        (without, "photos.example.com", "/other/key", "photos.example.com", true),
        (renamed, "photos.example.com", "/other/key", "minio", true),
    ] {
        let (sent, line, granted) = asked(settings, host, target);
        assert_eq!((sent.as_str(), granted), (arrives, is_granted), "{settings} {host} {target}");
        assert_eq!(line, format!("GET {target} HTTP/1.1"), "the path is a part of the signature");
    }
}

/// RFC 9112 §3.2.2: the authority of such a target would count more than the configured host.
#[test]
fn a_target_in_absolute_form_loses_its_authority_to_a_configured_host() {
    let renamed = "hosts: {photos.example.com: {bucket: photos}}\nupstream: {host: minio}\n";
    for driver in ["own", "pingora"] {
        for (target, arrives) in [
            ("http://photos.example.com/a/key?b=http://c", "GET /a/key?b=http://c HTTP/1.1"),
            ("HTTPS://photos.example.com", "GET / HTTP/1.1"),
            ("/http://photos.example.com/a", "GET /http://photos.example.com/a HTTP/1.1"),
        ] {
            let (host, line, is_granted) =
                asked(&format!("drivers: {driver}\n{renamed}"), "photos.example.com", target);
            assert_eq!((&*host, &*line, is_granted), ("minio", arrives, true), "{driver} {target}");
        }
    }
}

#[test]
fn aliases_and_dualstack_names_are_ordinary() {
    // Access points: userguide/access-points-naming.html; dual stack: dev/dual-stack-endpoints.html.
    let domains = "domains: [s3.dualstack.eu-west-1.amazonaws.com, s3.eu-west-1.amazonaws.com]\n";
    let alias = "photos-ap-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias";
    for (host, target, is_granted) in [
        ("photos.s3.dualstack.eu-west-1.amazonaws.com", "/key", true),
        ("photos.s3.eu-west-1.amazonaws.com", "/key", true),
        ("s3.dualstack.eu-west-1.amazonaws.com", "/photos/key", true),
        (&format!("{alias}.s3.eu-west-1.amazonaws.com"), "/key", false),
        ("s3.eu-west-1.amazonaws.com", &format!("/{alias}/key"), false),
    ] {
        assert_eq!(asked(domains, host, target).2, is_granted, "{host} {target}");
    }
}
