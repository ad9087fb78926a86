//! What the fuzz targets and property tests in `tests/` read with: the wire grammar and the configuration of the proxy, and a second
//! reading of the grammar.

/// The grammar of the HTTP/1.1 driver. It is compiled from its own files, without the proxy, so that a fuzzer builds in seconds
/// and every byte that it instruments is a byte of the grammar.
#[path = "../../../proxy/src/drivers/http1"]
#[allow(unfulfilled_lint_expectations, reason = "what the proxy does not ask is public here")]
pub mod http1 {
    #[path = "../../exchange/body_length.rs"]
    pub mod body_length;
    pub mod chunked;
    pub mod header_line;
    pub mod request_head;
    pub mod response_head;
}

/// The configuration, from its own files as well. Its unit tests need the proxy around it; the targets in `tests/` read this without them.
#[cfg(not(test))]
#[path = "../../../proxy/src/config/mod.rs"]
pub mod config;

/// What the configuration needs of S3 on the wire.
#[cfg(not(test))]
#[path = "../../../proxy/src/s3"]
pub mod s3 {
    pub mod domain;
}

#[cfg(not(test))]
pub mod configuration;
pub mod edits;
pub mod properties;
pub mod strict;

// A build for libFuzzer calls into its runtime everywhere, which only bolero links.
#[cfg(all(test, fuzzing))]
use bolero as _;
