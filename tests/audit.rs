//! The lines that say who changed what: nothing that a client can do makes one of them disappear.

use crate::support::cors_writer::CorsWriter;
use crate::support::eventually;
use crate::support::http::request;
use crate::support::process::{ConfigFile, free_address, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::store::{ACCESS_KEY, Store, client};
use std::time::{Duration, SystemTime};

const DROPPED: &str = "s3cors_log_lines_dropped_total";

/// The reader of the log stalls, an attacker fills the queue with access lines, and someone changes rules.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_access_lines_costs_no_audit_line() {
    let (rules, store) = (Rules::empty(), Store::start());
    client(store.address).create_bucket().bucket("bucket").send().await.unwrap();
    let (address, admin) = (free_address(), free_address());
    let config = ConfigFile::new(&format!("listen: '{address}'\nadmin: '{admin}'\nrules: {{api: on}}\n"));
    let mut command = s3cors(&["serve", "--config", &config.argument(), "--rules"]);
    command.arg(rules.path()).args(["--upstream", &format!("http://{}", store.address)]);
    let (proxy, output) = Proxy::spawn_unread(command, address, admin);
    eventually("writes are served", || (proxy.metric("s3cors_rules_api_writable") == Some(1.0)).then_some(()));
    // Long lines fill the pipe and the queue sooner.
    let (target, origin) = (format!("/bucket/{}", "k".repeat(240)), "o".repeat(240));
    let headers = [("Origin", &*origin), ("Access-Control-Request-Method", "GET")];
    let mut flood = proxy.connect();
    let mut sent = 0;
    while proxy.metric(DROPPED) == Some(0.0) {
        assert!(sent < 10_000, "no line is dropped");
        for _ in 0..100 {
            assert_eq!(flood.send(request("OPTIONS", &target, &headers, "")).receive().status, 403);
            sent += 1;
        }
    }
    let put = CorsWriter::put(proxy.address, "/bucket?cors", &allowing("https://app.example"));
    assert_eq!(put.send(proxy.address).status, 200);
    // One that was signed before it is refused, which is a line too.
    let stale = CorsWriter { at: SystemTime::now() - Duration::from_secs(60), ..put };
    assert_eq!(stale.send(proxy.address).element("Code").as_deref(), Some("OperationAborted"));
    proxy.read_log(output);
    for message in ["bucket CORS changed", "bucket CORS not changed"] {
        let line = eventually(message, || proxy.log().into_iter().find(|line| line["message"] == message));
        assert_eq!(line["access_key"].as_str(), Some(ACCESS_KEY), "{line}");
    }
}
