//! Clients that run in pages, and whether a document's rules let them work.
//!
//! Decides: what each client asks and reads, and what the rules lack for it. Every step has to get through from one origin at least:
//! a document may allow another origin less on purpose.

use super::super::profile::Profile;
use super::super::warning::{Concern, Missing, Warning};
use super::headers::{allows, allows_header, exposes};
use super::names::SDK_UPLOAD;
use super::origins::example;
use crate::{AllowedMethod, CorsRule, Document, OriginPattern};
use AllowedMethod::{Get, Head, Post, Put};

/// A request of a client, and what it reads of the response.
struct Step {
    /// Completes "the client cannot".
    what: &'static str,
    method: AllowedMethod,
    headers: &'static [&'static str],
    reads: &'static [&'static str],
}

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
const SDK_CREATE: &[&str] = &[
    "authorization",
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

const AWS_SDK_JS_V3: &[Step] = &[
    Step { what: "read an object", method: Get, headers: SDK_READ, reads: &[] },
    Step { what: "read an object's metadata", method: Head, headers: SDK, reads: &["etag"] },
    Step { what: "upload an object", method: Put, headers: SDK_UPLOAD, reads: &[] },
    Step { what: "begin an upload in parts", method: Post, headers: SDK_CREATE, reads: &[] },
    // lib-storage sends each part's ETag and checksum back (aws-sdk-js-v3#6818).
    Step { what: "upload a part", method: Put, headers: SDK_UPLOAD, reads: &["etag", "x-amz-checksum-crc32"] },
    Step { what: "finish an upload in parts", method: Post, headers: SDK_COMPLETE, reads: &[] },
];
const UPPY: &[Step] = &[
    Step { what: "upload a file", method: Put, headers: &["content-type"], reads: &["etag"] },
    Step { what: "upload a part", method: Put, headers: &[], reads: &["etag"] },
];
// (tus 1.0.0: creation, core protocol)
const TUS: &[Step] = &[
    Step {
        what: "begin an upload",
        method: Post,
        headers: &["tus-resumable", "upload-length", "upload-metadata"],
        reads: &["location"],
    },
    Step {
        what: "ask how far an upload is",
        method: Head,
        headers: &["tus-resumable"],
        reads: &["upload-offset", "upload-length"],
    },
    Step {
        what: "send a chunk",
        method: Post,
        headers: &["content-type", "tus-resumable", "upload-offset", "x-http-method-override"],
        reads: &["upload-offset"],
    },
];
// Only newer browsers send a Range without asking, and only one with a start (Fetch, CORS-safelisted request-header).
const DUCKDB_WASM: &[Step] = &[
    Step { what: "ask for a file's length", method: Head, headers: &["range"], reads: &[] },
    Step { what: "read a range", method: Get, headers: &["range"], reads: &["content-range"] },
];
const PDFJS: &[Step] = &[Step { what: "read a range", method: Get, headers: &["range"], reads: &["accept-ranges"] }];
const HLS: &[Step] = &[
    Step { what: "read a playlist", method: Get, headers: &[], reads: &[] },
    Step { what: "read a segment that is a range", method: Get, headers: &["range"], reads: &[] },
];
// (docs.protomaps.com, "Cloud storage")
const PMTILES: &[Step] =
    &[Step { what: "read a range", method: Get, headers: &["range", "if-match"], reads: &["etag"] }];

impl Profile {
    const fn steps(self) -> &'static [Step] {
        match self {
            Self::AwsSdkJsV3 => AWS_SDK_JS_V3,
            Self::Uppy => UPPY,
            Self::Tus => TUS,
            Self::DuckdbWasm => DUCKDB_WASM,
            Self::Pdfjs => PDFJS,
            Self::Hls => HLS,
            Self::Pmtiles => PMTILES,
        }
    }
}

impl Document {
    /// What this client could not do from the origin that can do most of it; empty when it would work.
    #[must_use]
    pub fn unserved(&self, profile: Profile) -> Vec<Warning> {
        let patterns = || self.configuration.rules().iter().flat_map(CorsRule::allowed_origins);
        let of_origins = patterns().filter_map(|pattern| {
            let origin = example(pattern)?;
            let lacking = profile.steps().iter().filter_map(|step| self.lacking(step, origin.as_bytes()));
            Some((pattern.as_str(), lacking.collect::<Vec<_>>()))
        });
        let (origin, lacking) = of_origins.min_by_key(|(_, lacking)| lacking.len()).unwrap_or_else(|| {
            let never = profile.steps().iter().map(|step| (0, step, Missing::Origin));
            (patterns().next().map_or("", OriginPattern::as_str), never.collect())
        });
        let warning = |(rule, step, missing): (usize, &Step, Missing)| Warning {
            concern: Concern::ProfileNotServed { profile, step: step.what, origin: origin.into(), missing },
            position: self.places.get(rule).map(|places| places.rule).unwrap_or_default(),
        };
        lacking.into_iter().map(warning).collect()
    }

    /// What a step lacks, and the rule (from 0) that would need the least for it.
    fn lacking<'s>(&self, step: &'s Step, origin: &[u8]) -> Option<(usize, &'s Step, Missing)> {
        let rules = self.configuration.rules().iter().enumerate();
        let of_origin: Vec<_> = rules.filter(|(_, rule)| allows_origin(rule, origin)).collect();
        let of_method = || of_origin.iter().filter(|(_, rule)| allows(rule, step.method));
        let Some((closest, rule)) = of_method().min_by_key(|(_, rule)| unallowed(rule, step).len()) else {
            let first = of_origin.first().map_or(0, |(index, _)| *index);
            return Some((first, step, Missing::Method(step.method)));
        };
        let unallowed = unallowed(rule, step);
        if !unallowed.is_empty() {
            return Some((*closest, step, Missing::AllowedHeaders(unallowed.into())));
        }
        // The request itself does not name its headers as its preflight does: the first rule for origin and method is its rule.
        let (first, rule) = of_method().next()?;
        let unread: Vec<_> = step.reads.iter().copied().filter(|header| !exposes(rule, header)).collect();
        (!unread.is_empty()).then(|| (*first, step, Missing::ExposeHeaders(unread.into())))
    }
}

fn allows_origin(rule: &CorsRule, origin: &[u8]) -> bool {
    rule.allowed_origins().iter().any(|pattern| pattern.matches(origin))
}

fn unallowed(rule: &CorsRule, step: &Step) -> Vec<&'static str> {
    step.headers.iter().copied().filter(|header| !allows_header(rule, header)).collect()
}
