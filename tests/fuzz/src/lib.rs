//! What the fuzz targets and property tests in `tests/` read with: the configuration of the proxy, and a second reading of the wire grammar.

/// The configuration, from its own files, without the proxy. Its unit tests need the proxy around it; the targets in `tests/` read this without them.
#[cfg(not(test))]
#[path = "../../../proxy/src/config/mod.rs"]
pub mod config;

/// What the configuration needs of S3 on the wire.
#[cfg(not(test))]
#[path = "../../../proxy/src/s3"]
pub mod s3 {
    pub mod as_written;
    pub mod bucket_name;
    pub mod domain;
    pub mod key_pattern;
}

#[cfg(not(test))]
pub mod configuration;
pub mod edits;
pub mod properties;
pub mod strict;

// A build for libFuzzer calls into its runtime everywhere, which only bolero links.
#[cfg(all(test, fuzzing))]
use bolero as _;
