//! Where requests go: to the configured upstream and nowhere else, whatever they say about hosts.

use crate::support::proxy::is_own;
use crate::support::upstream::Upstream;
use crate::support::wire::Outcome::Refused;
use crate::support::wire::{Scene, arrives, arrives_last};

#[test]
fn a_host_that_a_request_names_is_not_where_it_goes() {
    let (scene, elsewhere) = (Scene::new(), Upstream::ok("elsewhere"));
    let other = elsewhere.address.to_string();
    for host in [&*other, "169.254.169.254", "localhost", "[::1]", "h:99999", "h:", "h:x", "", "h,i"] {
        let bytes = format!("GET /latest/meta-data HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: {other}\r\n\r\n");
        scene.check(&bytes, &arrives(&*bytes));
    }
    for host in [
        "u@h",
        "u:p@h",
        &format!("h@{other}"),
        "h h",
        "h\tx",
        "h\0",
        "h/path",
        "h?q",
        "h#f",
        "h\\x",
        "http://h",
        "<h>",
        "%68",
        "h\r\nHost: h",
        "h\r\nHost: i",
    ] {
        scene.check(format!("GET /bucket/key HTTP/1.1\r\nHost: {host}\r\n\r\n"), &Refused);
    }
    assert!(elsewhere.received().is_empty());
}

#[test]
fn a_host_in_the_target_is_not_where_a_request_goes() {
    let (scene, elsewhere) = (Scene::new(), Upstream::ok("elsewhere"));
    let other = elsewhere.address.to_string();
    for target in [
        format!("http://{other}/latest"),
        format!("HTTP://{other}/latest"),
        format!("https://{other}/latest"),
        format!("ftp://{other}/"),
        format!("http://{other}"),
        format!("http://{other}?x"),
        format!("http://{other}/../x"),
        other.clone(),
        format!("//{other}/latest"),
        format!("/\\{other}/latest"),
        format!("/http://{other}/"),
        "*".to_owned(),
        "bucket/key".to_owned(),
        "?a".to_owned(),
    ] {
        for method in ["GET", "TRACE", "connect", "PRI"] {
            let bytes = format!("{method} {target} HTTP/1.1\r\nHost: {other}\r\n\r\n");
            scene.check(&bytes, &arrives(&*bytes));
        }
    }
    let line = format!("GET http://{other}/latest HTTP/1.");
    // Of a client of HTTP/1.0, which need not send `Host`.
    let name = if is_own() { "host" } else { "Host" };
    scene.check(format!("{line}0\r\n\r\n"), &arrives_last(format!("{line}1\r\n{name}: {other}\r\n\r\n")));
    scene.check(format!("{line}1\r\n\r\n"), &Refused);
    for target in [
        format!("http://{other}/latest"),
        format!("http://h@{other}/"),
        format!("http://u:p@{other}/"),
        "http://u:p@h/".to_owned(),
        "http:/bucket/key".to_owned(),
        "http:bucket".to_owned(),
        "http:///bucket/key".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        scene.check(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"), &Refused);
    }
    assert!(elsewhere.received().is_empty());
}

#[test]
fn nothing_is_tunnelled() {
    let (scene, elsewhere) = (Scene::new(), Upstream::ok("elsewhere"));
    for target in [&*elsewhere.address.to_string(), "h:443", "/bucket/key", "http://h/", "*"] {
        scene.check(format!("CONNECT {target} HTTP/1.1\r\nHost: h\r\n\r\n\x16\x03\x01"), &Refused);
    }
    assert!(elsewhere.received().is_empty());
}
