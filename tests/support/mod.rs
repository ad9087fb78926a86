//! What every test needs: the program under test, rules on disk, raw HTTP, and servers to stand behind it.

#[path = "../../proxy/cors/tests/corpus/mod.rs"]
pub mod corpus;
pub mod cors_writer;
pub mod curl;
pub mod frames;
pub mod h2;
pub mod http;
pub mod http2;
pub mod huffman;
pub mod manners;
pub mod messages;
pub mod policy;
pub mod private;
pub mod process;
pub mod proxied;
pub mod proxy;
pub mod queues;
pub mod readers;
pub mod relay;
pub mod rules;
pub mod signed;
pub mod signer;
pub mod store;
#[path = "../fuzz/src/strict.rs"]
#[allow(dead_code, reason = "the fuzz targets read the other parts")]
pub mod strict;
pub mod terminal;
pub mod tls;
pub mod twins;
pub mod two_stores;
pub mod upstream;
pub mod wire;

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Waits until something holds, and panics with `what` when it does not in time.
pub fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(started.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Bytes in which every mistake of order or length shows.
pub fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(31) ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}
