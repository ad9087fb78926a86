//! The requests of clients that run in pages, as they were recorded or as the client's source has them.
//!
//! Decides: what each client asks for, with which headers, and what it reads of the response. Must not know: rules.

use super::profile::Profile;
use crate::AllowedMethod;
use AllowedMethod::{Delete, Get, Head, Post, Put};

/// A request of a client, and what it reads of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientRequest {
    task: &'static str,
    method: AllowedMethod,
    headers: &'static [&'static str],
    reads: &'static [&'static str],
    only_with: Option<&'static str>,
}

impl ClientRequest {
    const fn new(task: &'static str, method: AllowedMethod) -> Self {
        Self { task, method, headers: &[], reads: &[], only_with: None }
    }

    const fn sends(self, headers: &'static [&'static str]) -> Self {
        Self { headers, ..self }
    }

    const fn reads_of_response(self, reads: &'static [&'static str]) -> Self {
        Self { reads, ..self }
    }

    const fn only_with(self, option: &'static str) -> Self {
        Self { only_with: Some(option), ..self }
    }

    /// Completes "the client cannot".
    #[must_use]
    pub const fn task(&self) -> &'static str {
        self.task
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> AllowedMethod {
        self.method
    }

    /// The headers that a preflight asks for, in lower case.
    #[must_use]
    pub const fn headers(&self) -> &'static [&'static str] {
        self.headers
    }

    /// The response headers that the client reads and that have to be exposed.
    #[must_use]
    pub const fn reads(&self) -> &'static [&'static str] {
        self.reads
    }

    /// The option without which the client sends no such request, or works without the header; `None` for what it always needs.
    #[must_use]
    pub const fn option(&self) -> Option<&'static str> {
        self.only_with
    }
}

/// The headers of an upload that the AWS SDK for JavaScript v3 signs (seen with 3.1173 in Chromium).
pub(super) const SDK_UPLOAD: &[&str] = &[
    "authorization",
    "content-type",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "x-amz-checksum-crc32",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-user-agent",
];
const SDK: &[&str] = &[
    "authorization",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-user-agent",
];
const SDK_READ: &[&str] = &[
    "authorization",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "x-amz-checksum-mode",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-user-agent",
];
// (Content-Type: where the upload has a ContentType)
const SDK_CREATE: &[&str] = &[
    "authorization",
    "content-type",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "x-amz-checksum-algorithm",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-user-agent",
];
const SDK_COMPLETE: &[&str] = &[
    "authorization",
    "content-type",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-user-agent",
];
/// A request with a signature and nothing else (aws4fetch; DuckDB's httpfs with keys).
const SIGNED: &[&str] = &["authorization", "x-amz-content-sha256", "x-amz-date"];
pub(super) const SIGNED_UPLOAD: &[&str] = &["authorization", "content-type", "x-amz-content-sha256", "x-amz-date"];
const SIGNED_RANGE: &[&str] = &["authorization", "range", "x-amz-content-sha256", "x-amz-date"];

const AWS_SDK_JS_V3: &[ClientRequest] = &[
    ClientRequest::new("read an object", Get).sends(SDK_READ),
    ClientRequest::new("read an object's metadata", Head).sends(SDK).reads_of_response(&["etag"]),
    ClientRequest::new("upload an object", Put).sends(SDK_UPLOAD),
    ClientRequest::new("begin an upload in parts", Post).sends(SDK_CREATE),
    // lib-storage sends each part's ETag and checksum back (aws-sdk-js-v3#6818).
    ClientRequest::new("upload a part", Put).sends(SDK_UPLOAD).reads_of_response(&["etag", "x-amz-checksum-crc32"]),
    ClientRequest::new("finish an upload in parts", Post).sends(SDK_COMPLETE),
    // lib-storage does so by itself after a part that failed: refused, the parts stay on the server and cost.
    ClientRequest::new("cancel an upload in parts", Delete).sends(SDK),
];
// Version 5 has the server create, complete and cancel; version 6 (S3mini.js) does so from the page.
const UPPY: &[ClientRequest] = &[
    ClientRequest::new("upload a file", Put).sends(&["content-type"]).reads_of_response(&["etag"]),
    ClientRequest::new("begin an upload in parts", Post).sends(&["content-type"]),
    ClientRequest::new("upload a part", Put).reads_of_response(&["etag"]),
    ClientRequest::new("list the parts of an upload", Get),
    ClientRequest::new("finish an upload in parts", Post).sends(&["content-type"]),
    ClientRequest::new("cancel an upload in parts", Delete),
    ClientRequest::new("upload a file with a form", Post).reads_of_response(&["etag"]).only_with("a POST policy"),
];
// (tus 1.0.0: creation, core protocol)
const TUS: &[ClientRequest] = &[
    ClientRequest::new("begin an upload", Post)
        .sends(&["tus-resumable", "upload-length", "upload-metadata"])
        .reads_of_response(&["location"]),
    ClientRequest::new("ask how far an upload is", Head)
        .sends(&["tus-resumable"])
        .reads_of_response(&["upload-offset", "upload-length"]),
    ClientRequest::new("send a chunk", Post)
        .sends(&["content-type", "tus-resumable", "upload-offset", "x-http-method-override"])
        .reads_of_response(&["upload-offset"]),
];
/// Only newer browsers send a Range without asking, and only one with a start (Fetch, CORS-safelisted request-header).
const RANGE: &[&str] = &["range"];
const DUCKDB_WASM: &[ClientRequest] = &[
    ClientRequest::new("ask for a file's length", Head).sends(RANGE),
    ClientRequest::new("read a range", Get).sends(RANGE),
    ClientRequest::new("learn a presigned file's length", Get)
        .sends(RANGE)
        .reads_of_response(&["content-range"])
        .only_with("presigned URLs in version 1.29"),
    ClientRequest::new("ask for a file's length", Head).sends(SIGNED_RANGE).only_with("keys (s3://)"),
    ClientRequest::new("read a range", Get).sends(SIGNED_RANGE).only_with("keys (s3://)"),
    ClientRequest::new("write a file", Put).sends(SIGNED_UPLOAD).reads_of_response(&["etag"]).only_with("keys (s3://)"),
];
const PDFJS: &[ClientRequest] = &[
    ClientRequest::new("read a range", Get).sends(RANGE).reads_of_response(&["accept-ranges"]),
    ClientRequest::new("name a file as the server does", Get)
        .reads_of_response(&["content-disposition"])
        .only_with("a Content-Disposition"),
];
// CMCD (CTA-5004 §2): the URL has these values instead, unless `useHeaders` is set. The status came in no recording: it is sent after a stall.
const HLS: &[ClientRequest] = &[
    ClientRequest::new("read a playlist", Get),
    ClientRequest::new("read a segment that is a range, in older browsers,", Get).sends(RANGE),
    ClientRequest::new("report playback in headers", Get)
        .sends(&["cmcd-object", "cmcd-request", "cmcd-session", "cmcd-status"])
        .only_with("cmcd.useHeaders"),
];
// No version sends If-Match, on purpose: it would need a rule that few buckets have (pmtiles 4.5.0, src/index.ts).
const PMTILES: &[ClientRequest] = &[ClientRequest::new("read a range", Get).sends(RANGE).reads_of_response(&["etag"])];
const RANGE_READER: &[ClientRequest] = &[
    ClientRequest::new("ask for a file's length", Head),
    ClientRequest::new("read a range", Get).sends(RANGE),
    ClientRequest::new("see that the server has ranges", Head)
        .reads_of_response(&["accept-ranges"])
        .only_with("sql.js-httpvfs"),
    ClientRequest::new("learn a presigned file's length", Get)
        .sends(RANGE)
        .reads_of_response(&["content-range"])
        .only_with("hyparquet"),
];
const ZIP_JS: &[ClientRequest] = &[
    ClientRequest::new("read a range", Get).sends(RANGE).reads_of_response(&["accept-ranges", "content-range"]),
    ClientRequest::new("see that a file was replaced", Get)
        .sends(RANGE)
        .reads_of_response(&["etag"])
        .only_with("checkResourceChanges"),
];
const ZARRITA: &[ClientRequest] = &[
    ClientRequest::new("read a chunk", Get),
    ClientRequest::new("ask for a shard's length", Head),
    ClientRequest::new("read a range of a shard", Get).sends(RANGE),
];
const AWS4FETCH: &[ClientRequest] = &[
    ClientRequest::new("read an object", Get).sends(SIGNED),
    ClientRequest::new("upload an object", Put).sends(SIGNED_UPLOAD),
    ClientRequest::new("read an object", Get)
        .sends(&["authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"])
        .only_with("a session token"),
];
const GEOTIFF: &[ClientRequest] = &[
    ClientRequest::new("read a range", Get).sends(RANGE),
    ClientRequest::new("learn a file's length", Get)
        .sends(RANGE)
        .reads_of_response(&["content-range"])
        .only_with("Content-Range"),
];
const EMBED: &[ClientRequest] = &[ClientRequest::new("load a file", Get)];

impl Profile {
    /// The requests of this client.
    #[must_use]
    pub const fn requests(self) -> &'static [ClientRequest] {
        match self {
            Self::AwsSdkJsV3 => AWS_SDK_JS_V3,
            Self::Uppy => UPPY,
            Self::Tus => TUS,
            Self::DuckdbWasm => DUCKDB_WASM,
            Self::Pdfjs => PDFJS,
            Self::Hls => HLS,
            Self::Pmtiles => PMTILES,
            Self::RangeReader => RANGE_READER,
            Self::ZipJs => ZIP_JS,
            Self::Zarrita => ZARRITA,
            Self::Aws4fetch => AWS4FETCH,
            Self::Geotiff => GEOTIFF,
            Self::Embed => EMBED,
        }
    }
}
