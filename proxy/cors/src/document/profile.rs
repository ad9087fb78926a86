//! The clients that a document can be checked for.

use crate::names::names;
use std::str::FromStr;

/// A client whose needs are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// The AWS SDK for JavaScript v3: it reads objects and uploads them, also in parts (lib-storage), with its own signatures.
    AwsSdkJsV3,
    /// Uppy's `@uppy/aws-s3`: uploads with presigned URLs, also in parts.
    Uppy,
    /// tus-js-client. A rule cannot allow its PATCH, so that `overridePatchMethod` has to be set.
    Tus,
    /// DuckDB in the browser: reads ranges of Parquet files.
    DuckdbWasm,
    /// PDF.js: reads ranges of a document, if it can see that the server has them.
    Pdfjs,
    /// hls.js: playlists and segments, also segments that are ranges of one file.
    Hls,
    /// `PMTiles`: reads ranges of a map, and sees by its `ETag` that it was replaced.
    Pmtiles,
}

names! {
    pub Profile: AwsSdkJsV3 = "aws-sdk-js-v3", Uppy = "uppy", Tus = "tus", DuckdbWasm = "duckdb-wasm",
    Pdfjs = "pdfjs", Hls = "hls", Pmtiles = "pmtiles",
}

/// No client of this name is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such profile")]
pub struct UnknownProfile;

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name).ok_or(UnknownProfile)
    }
}
