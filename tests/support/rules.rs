//! Rules on disk.

use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory of rules that goes when the test does.
pub struct Rules {
    directory: TempDir,
}

/// A rule set that most tests can use: one origin by name, subdomains of another by pattern.
pub const RULES: &str = "<CORSConfiguration>\
    <CORSRule><ID>app</ID><AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
    <AllowedMethod>HEAD</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader>\
    <AllowedHeader>content-type</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>\
    <CORSRule><AllowedOrigin>https://*.preview.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>\
    </CORSConfiguration>";

/// A document with one rule that allows GET to one origin.
pub fn allowing(origin: &str) -> String {
    format!(
        "<CORSConfiguration><CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"
    )
}

impl Rules {
    pub fn empty() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// [`RULES`] for the bucket `bucket`.
    pub fn usual() -> Self {
        let rules = Self::empty();
        rules.write("bucket.xml", RULES);
        rules
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.file(name), text).unwrap();
    }

    /// Writes a configuration file beside the rules, which is not one of them, and gives its path.
    pub fn config(&self, yaml: &str) -> String {
        self.write("s3cors.yaml", yaml);
        self.file("s3cors.yaml").into_os_string().into_string().unwrap()
    }
}
