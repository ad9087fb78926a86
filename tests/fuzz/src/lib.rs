//! What the fuzz targets and property tests in `tests/` read with: the wire grammar of the proxy, and a second reading of it.

/// The grammar of the HTTP/1.1 driver. It is compiled from its own files, without the proxy, so that a fuzzer builds in seconds
/// and every byte that it instruments is a byte of the grammar.
#[path = "../../../proxy/src/drivers/http1"]
pub mod http1 {
    #[path = "../../exchange/body_length.rs"]
    pub mod body_length;
    pub mod chunked;
    pub mod header_line;
    pub mod request_head;
    pub mod response_head;
}

pub mod edits;
pub mod properties;
pub mod strict;

// A build for libFuzzer calls into its runtime everywhere, which only bolero links.
#[cfg(all(test, fuzzing))]
use bolero as _;
