//! Bodies stream: memory does not grow with them.

use crate::support::http::request;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::io::Read;
use std::time::Duration;

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

const TRANSFERS: usize = 20;
const PIECE: usize = 64 << 10;
/// A reader's rest after each piece: a fast one never lets anything pile up.
const REST: Duration = Duration::from_millis(2);
/// By how much the highest use may differ, in KiB, when all the transfers together are 400 MiB larger.
const NOISE: u64 = 16 * 1024;

/// Reads as much, but takes its time.
fn read_slowly(size: usize, mut read: impl FnMut(usize) -> usize) {
    let mut left = size;
    while left > 0 {
        let length = read(left.min(PIECE));
        assert!(length > 0, "cut off");
        left -= length;
        // It is the reader that is slow; nothing is waited for.
        std::thread::sleep(REST);
    }
}

/// What the process held at most while so many uploads of this size to a slow upstream and downloads by slow clients went on at
/// the same time, in KiB.
fn highest_while_slow(size: usize) -> u64 {
    let rules = Rules::usual();
    let upstream = Upstream::scripted(move |served| {
        let Some(request) = served.request_head() else { return };
        if request.request_line().starts_with("PUT") {
            read_slowly(size, |most| served.read(most).len());
            served.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        } else {
            served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n"));
            (0..size / PIECE).all(|_| served.send([b'x'; PIECE]));
        }
    });
    let proxy = Proxy::start(rules.path(), upstream.address);
    let upload = || {
        let mut upload = proxy.connect();
        upload.send(request("PUT", "/bucket/large", &[("Content-Length", &size.to_string())], ""));
        for _ in 0..size / PIECE {
            upload.send([b'x'; PIECE]);
        }
        assert_eq!(upload.receive().status, 200);
    };
    let download = || {
        let mut download = proxy.connect();
        assert_eq!(download.send(request("GET", "/bucket/large", &[], "")).receive_head(), 200);
        let mut piece = vec![0; PIECE];
        read_slowly(size, |most| download.unread().read(&mut piece[..most]).unwrap());
    };
    std::thread::scope(|scope| {
        for _ in 0..TRANSFERS / 2 {
            scope.spawn(upload);
            scope.spawn(download);
        }
    });
    proxy.memory().1
}

#[test]
fn slow_transfers_take_no_more_memory_when_they_are_larger() {
    let [small, large] = [4, 24].map(|mebibytes| highest_while_slow(mebibytes << 20));
    println!("{TRANSFERS} slow transfers: at most {small} KiB with 4 MiB each, {large} KiB with 24 MiB each");
    assert!(large < small + NOISE, "{small} KiB, then {large} KiB");
}
