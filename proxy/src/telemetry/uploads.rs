//! Uploads that a limit refuses.

use super::registry::register;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

/// The limit, or the form, for which an upload is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadRefusedBy {
    /// The size of the object or the part.
    Size,
    /// The number of parts.
    Parts,
    /// The type.
    Type,
    /// The request can be read in two ways, or lacks what is judged.
    Form,
}

names!(UploadRefusedBy: Size = "size", Parts = "parts", Type = "type", Form = "form");

/// The counters.
pub struct UploadCounters([IntCounter; UploadRefusedBy::ALL.len()]);

impl UploadCounters {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let options = Opts::new("s3cors_uploads_refused_total", "Uploads that a limit refuses, by the limit.");
        let family = register(registry, IntCounterVec::new(options, &["reason"])?)?;
        Ok(Self(UploadRefusedBy::ALL.map(|refused| family.with_label_values(&[refused.as_str()]))))
    }

    /// Counts an upload.
    pub fn count(&self, refused: UploadRefusedBy) {
        if let Some(counter) = self.0.get(refused as usize) {
            counter.inc();
        }
    }
}
