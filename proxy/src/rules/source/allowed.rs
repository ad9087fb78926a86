//! Rules without a file: one rule for every bucket, that origins from the command line may read and write.
//!
//! Decides: what a first try is allowed. It is a document like any other, so that it is served, shown and explained as one.

use super::{Changed, Changes, Found, Listing, NoChanges, Source, SourceError, Stored, Version};
use crate::config::AllowedOrigin;
use crate::rules::slot::Slot;
use crate::rules::write::{Write, WriteError};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The name of the document. It has no ending: it is no file.
const NAME: &str = "--allow";

/// What the AWS SDKs and pages read of a response. Fetch lets a page read `Content-Length`, `Content-Type`, `Cache-Control`, `Expires`
/// and `Last-Modified` anyway. S3 allows no wildcard here, so the names of a page's own metadata cannot be among them.
const EXPOSED: [&str; 22] = [
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Range",
    // The SDKs correct their clock by it.
    "Date",
    "ETag",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-type",
    "x-amz-delete-marker",
    "x-amz-expiration",
    "x-amz-id-2",
    "x-amz-missing-meta",
    "x-amz-mp-parts-count",
    "x-amz-request-id",
    "x-amz-restore",
    "x-amz-storage-class",
    "x-amz-tagging-count",
    "x-amz-version-id",
];

/// Chromium keeps a preflight for two hours at most, and a rule that changes should not wait for it.
const MAX_AGE_SECONDS: u32 = 600;

/// The rule of `--allow`.
#[derive(Debug)]
pub struct Allowed(Vec<u8>);

impl Allowed {
    /// Lets these origins GET, HEAD, PUT, POST and DELETE with any header.
    #[must_use]
    pub fn new(origins: &[AllowedOrigin]) -> Self {
        let origins: Vec<_> = origins.iter().map(|origin| origin.pattern().as_str()).collect();
        let rule = json!({
            "ID": NAME,
            "AllowedOrigins": origins,
            "AllowedMethods": ["GET", "HEAD", "PUT", "POST", "DELETE"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": EXPOSED,
            "MaxAgeSeconds": MAX_AGE_SECONDS,
        });
        Self(json!({ "CORSRules": [rule] }).to_string().into_bytes())
    }
}

impl Source for Allowed {
    fn path(&self) -> &Path {
        Path::new(NAME)
    }

    fn list(&self) -> Result<Listing, SourceError> {
        // It never changes, so it has one version.
        let only = Found { path: PathBuf::from(NAME), version: Some(Version::of(0)) };
        Ok(Listing { documents: BTreeMap::from([(Slot::Default, vec![only])]), ..Listing::default() })
    }

    fn read(&self, _: &Path) -> Result<Vec<u8>, SourceError> {
        Ok(self.0.clone())
    }

    fn write(&self, _: &Write<'_>) -> Result<Option<Stored>, WriteError> {
        Err(WriteError::read_only(Path::new(NAME), "the rules are on the command line"))
    }

    fn changes(&self, _: Changed) -> Box<dyn Changes> {
        Box::new(NoChanges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Store, check};
    use s3_cors::{CorsRequest, Credentials, evaluate};

    fn allowing(origins: &[&str]) -> Allowed {
        Allowed::new(&origins.iter().map(|origin| origin.parse().unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn the_origins_may_read_and_write_every_bucket_and_see_what_sdks_read() {
        let store =
            Store::of(Box::new(allowing(&["http://localhost:*", "https://app.example"])), Credentials::S3).unwrap();
        let live = store.live();
        for (origin, method, is_allowed) in [
            ("http://localhost:3000", "PUT", true),
            ("https://app.example", "DELETE", true),
            ("https://app.example", "PATCH", false),
            ("https://evil.example", "GET", false),
        ] {
            let mut asked = CorsRequest::new(b"OPTIONS");
            asked.add_line(b"origin", origin.as_bytes());
            asked.add_line(b"access-control-request-method", method.as_bytes());
            asked.add_line(b"access-control-request-headers", b"x-amz-meta-anything");
            let decision = evaluate(live.bucket(Some("any")).rules.as_ref(), &asked);
            assert_eq!(decision.grant().is_some(), is_allowed, "{method} from {origin}");
        }
        assert!(live.bucket(None).rules.is_none(), "the rule for every bucket is not one for ListBuckets");
        assert_eq!(store.look(), 1);
        assert_eq!(store.last_reload().map(|_| ()), None, "nothing changes");
    }

    #[test]
    fn what_is_allowed_is_a_document_without_a_fault() {
        let checked = check(&allowing(&["*"]), &[]);
        assert!(checked.errors.is_empty() && checked.warnings.is_empty(), "{checked:?}");
        assert_eq!(check(&allowing(&["http://page.example"]), &[]).warnings.len(), 1, "its origins are judged as any");
    }
}
