//! `s3cors_declines_total`: how many heads the own driver passes to Pingora, and why.

use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;

#[test]
fn a_declined_head_is_counted_by_its_reason() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("ok"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let count = |reason: &str| proxy.metric(&format!("s3cors_declines_total{{reason=\"{reason}\"}}"));
    let get = |lines: &str| format!("GET /bucket/key HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
    for (reason, request) in [
        ("too_many_lines", get(&"a: b\r\n".repeat(120))),
        ("framing", get("").replace("\r\n", "\n")),
        ("method", get("").replace("GET", "TRACE")),
        ("target", get("").replace(" /bucket/key", " *")),
        ("host", get("").replace(": h", ":")),
        ("upgrade", get("Upgrade: h2c\r\n")),
        ("connection", get("Connection: x-private\r\n")),
        ("expect", get("Expect: x\r\n")),
        ("hop_by_hop", get("TE: trailers\r\n")),
    ] {
        assert_eq!(count(reason), Some(0.0), "{reason}: there from the start");
        assert_eq!(proxy.connect().send(request).receive().status, 200, "{reason}");
        assert_eq!(count(reason), Some(if is_own() { 1.0 } else { 0.0 }), "{reason}");
    }
    let before = count("malformed");
    assert_eq!(proxy.connect().send(get("")).receive().status, 200);
    assert_eq!(count("malformed"), before, "the usual head is not declined");
}
