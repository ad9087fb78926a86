//! Bodies stream: memory does not grow with them.

use crate::support::http::request;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::io::Read;

const GIBIBYTE: usize = 1 << 30;
const CHUNK: usize = 1 << 20;
/// What the process may hold at its highest, in KiB.
const MOST_MEMORY: u64 = 64 * 1024;

/// Sends a gibibyte for GET, takes one for PUT.
fn store() -> Upstream {
    Upstream::scripted(|served| {
        while let Some(request) = served.request_head() {
            let zeros = vec![0; CHUNK];
            if request.request_line().starts_with("PUT") {
                let mut left = GIBIBYTE;
                while left > 0 {
                    left -= served.read(CHUNK.min(left)).len();
                }
                served.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            } else {
                served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {GIBIBYTE}\r\n\r\n"));
                for _ in 0..GIBIBYTE / CHUNK {
                    served.send(&zeros);
                }
            }
        }
    })
}

#[test]
fn a_gibibyte_each_way_leaves_memory_small() {
    let (rules, upstream) = (Rules::usual(), store());
    let proxy = Proxy::start(rules.path(), upstream.address);

    let mut download = proxy.connect();
    download.send(request("GET", "/bucket/large", &[("Connection", "close")], ""));
    let received = std::io::copy(&mut download.stream().take(u64::MAX), &mut std::io::sink()).unwrap();
    assert!(received as usize > GIBIBYTE, "{received} bytes");
    let (after_download, _) = proxy.memory();

    let mut upload = proxy.connect();
    upload.send(request("PUT", "/bucket/large", &[("Content-Length", &GIBIBYTE.to_string())], ""));
    let zeros = vec![0; CHUNK];
    for _ in 0..GIBIBYTE / CHUNK {
        upload.send(&zeros);
    }
    assert_eq!(upload.receive().status, 200);
    let (after_upload, highest) = proxy.memory();
    println!(
        "resident: {after_download} KiB after the download, {after_upload} KiB after the upload, {highest} KiB at most"
    );
    assert!(highest < MOST_MEMORY, "{highest} KiB");
}
