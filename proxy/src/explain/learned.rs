//! The fewest rules that allow what was denied, and nothing else: the JSON of `/api/learn`, which `s3cors learn` reads.
//!
//! Decides: which requests get a rule, and why others do not. Must not know: where denials are kept.

use s3_cors::{CorsConfiguration, Document, Format, MAX_DOCUMENT_LENGTH, MAX_RULES, Wanted, smallest_rules};
use serde::{Deserialize, Serialize};

/// A request that was denied, as often as it is known to have come.
#[derive(Debug, Serialize, Deserialize)]
pub struct RepeatedRequest {
    /// The page's origin.
    pub origin: Box<str>,
    /// The method that the page wants to use.
    pub method: Box<str>,
    /// The headers that the page wants to send.
    pub request_headers: Option<Box<str>>,
    /// How often it came.
    pub count: u64,
    /// Why no rule can allow just it; empty while one may.
    pub why: String,
}

/// The rules for one document.
#[derive(Debug, Serialize, Deserialize)]
pub struct LearnedDocument {
    /// The bucket, or the label of its rules.
    pub bucket: String,
    /// How many different requests the rules allow.
    pub requests: usize,
    /// The document as the JSON of the AWS CLI; a reader has it in `xml`.
    #[serde(skip_deserializing)]
    pub configuration: Option<CorsConfiguration>,
    /// The document; `None` if no request can be allowed.
    pub xml: Option<String>,
    /// The warnings about the document.
    pub warnings: Vec<String>,
    /// The requests that it does not allow.
    pub skipped: Vec<RepeatedRequest>,
}

/// The rules for each bucket.
#[derive(Debug, Serialize, Deserialize)]
pub struct LearnedDocuments {
    /// Ordered by bucket.
    pub buckets: Vec<LearnedDocument>,
}

impl RepeatedRequest {
    /// The request to allow; or the request with the reason why it cannot be.
    fn wanted(self) -> Result<(Self, Wanted), Self> {
        if !self.why.is_empty() {
            return Err(self);
        }
        match Wanted::new(&self.origin, &self.method, self.request_headers.as_deref()) {
            Ok(wanted) => Ok((self, wanted)),
            Err(error) => Err(self.skipped(&error)),
        }
    }

    fn skipped(self, why: &impl ToString) -> Self {
        Self { why: why.to_string(), ..self }
    }
}

impl LearnedDocument {
    /// The rules for these requests, the most frequent ones first: those that have no room in a document are skipped.
    #[must_use]
    pub fn new(bucket: String, requests: Vec<RepeatedRequest>) -> Self {
        let (mut allowed, mut wanted, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for request in requests {
            match request.wanted() {
                Ok((request, wants)) => {
                    allowed.push(request);
                    wanted.push(wants);
                }
                Err(request) => skipped.push(request),
            }
        }
        let mut document = None;
        while document.is_none() && !wanted.is_empty() {
            document = written(&wanted);
            if document.is_none() {
                wanted.truncate(wanted.len() * 3 / 4);
            }
        }
        let no_room = format!("no room: a document has at most {MAX_RULES} rules and {MAX_DOCUMENT_LENGTH} bytes");
        skipped.extend(allowed.drain(wanted.len()..).map(|request| request.skipped(&no_room)));
        let (xml, document) = document.unzip();
        Self {
            bucket,
            requests: allowed.len(),
            warnings: document.iter().flat_map(Document::warnings).map(|warning| warning.to_string()).collect(),
            configuration: document.map(Document::into_configuration),
            xml,
            skipped,
        }
    }
}

/// The document for these requests, read again, so that S3 accepts it; `None` if it does not.
fn written(wanted: &[Wanted]) -> Option<(String, Document)> {
    let xml = CorsConfiguration::new(smallest_rules(wanted)).ok()?.to_xml().ok()?;
    let document = Document::parse(xml.as_bytes(), Format::Xml).ok()?;
    Some((xml, document))
}
