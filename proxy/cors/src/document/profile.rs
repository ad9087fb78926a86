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
    /// Readers that ask for the length with HEAD and then read ranges: hyparquet, unzipit, sql.js-httpvfs.
    RangeReader,
    /// zip.js: reads ranges of an archive, and fails unless it can see that the server has them.
    ZipJs,
    /// zarrita: chunks of Zarr arrays, and ranges of shards.
    Zarrita,
    /// aws4fetch: requests with a signature of its own.
    Aws4fetch,
    /// geotiff.js: reads ranges of a raster.
    Geotiff,
    /// Fonts, modules, images, videos, textures: what pages embed and readers only GET.
    Embed,
}

names! {
    pub Profile: AwsSdkJsV3 = "aws-sdk-js-v3", Uppy = "uppy", Tus = "tus", DuckdbWasm = "duckdb-wasm",
    Pdfjs = "pdfjs", Hls = "hls", Pmtiles = "pmtiles", RangeReader = "range-reader", ZipJs = "zip.js",
    Zarrita = "zarrita", Aws4fetch = "aws4fetch", Geotiff = "geotiff", Embed = "embed",
}

/// The source of what is known about a client's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The client and the versions that were looked at.
    pub client: &'static str,
    /// The text or recording that was looked at: its requests in a browser, its source, the specification of its protocol.
    pub source: &'static str,
}

impl Profile {
    /// Other names under which it is found.
    #[must_use]
    pub const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::AwsSdkJsV3 => &["aws-sdk"],
            Self::Tus => &["tus-js-client"],
            Self::Pdfjs => &["pdf.js"],
            Self::Hls => &["hls.js", "hlsjs"],
            Self::ZipJs => &["zipjs"],
            Self::Geotiff => &["geotiff.js"],
            _ => &[],
        }
    }

    /// Returns the source of its requests. "Recorded" is in Chromium 156 on 2026-11-30, through a proxy that kept every head.
    #[must_use]
    pub const fn evidence(self) -> Evidence {
        let (client, source) = match self {
            Self::AwsSdkJsV3 => ("@aws-sdk/client-s3 and lib-storage 3.1173", "recorded"),
            Self::Uppy => ("@uppy/aws-s3 6", "recorded; lib/s3-client/S3mini.js of 6.3.1"),
            Self::Tus => ("tus-js-client 4.3.1", "tus 1.0.0; lib.esm/upload.js"),
            Self::DuckdbWasm => ("@duckdb/duckdb-wasm 1.27, 1.28, 1.29 and 1.32", "recorded"),
            Self::Pdfjs => ("pdfjs-dist", "recorded"),
            Self::Hls => ("hls.js, dash.js, Shaka Player and video.js", "recorded"),
            Self::Pmtiles => ("pmtiles 2.11, 3.2.1 and 4.5.0", "recorded; src/index.ts, FetchSource"),
            Self::RangeReader => (
                "hyparquet 1.33.0, unzipit 2.1.1 and sql.js-httpvfs 0.8.12",
                "recorded; byteLengthFromUrl, HTTPRangeReader, checkServer",
            ),
            Self::ZipJs => ("@zip.js/zip.js 2.24.0", "recorded; lib/core/io.js, initHttpReader"),
            Self::Zarrita => ("zarrita 0.7.5 with @zarrita/storage 0.2.0", "recorded; src/fetch.js, fetchSuffix"),
            Self::Aws4fetch => ("aws4fetch 1.0.20", "recorded; AwsV4Signer"),
            Self::Geotiff => ("geotiff 3.0.5", "recorded; source/remote.js, fetchSlice"),
            Self::Embed => ("pages, OpenSeadragon and three.js", "recorded"),
        };
        Evidence { client, source }
    }
}

/// No client of this name is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such profile")]
pub struct UnknownProfile;

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        let is_named = |profile: &Self| profile.as_str() == name || profile.aliases().contains(&name);
        Self::ALL.into_iter().find(is_named).ok_or(UnknownProfile)
    }
}
