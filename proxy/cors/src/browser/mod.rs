//! What a browser does with the responses that S3's rules lead to.
//!
//! The rules are asked by the one [`evaluate`](crate::evaluate). This module models the browser alone, by the Fetch standard
//! (<https://fetch.spec.whatwg.org>), whose sections the code names, and where Chromium differs from it, as Chromium: a granted request can still fail, and a denied one can still have
//! been carried out.
//!
//! Decides: whether a preflight is sent and what it asks, whether the request is sent, whether the script gets the response, which
//! headers it may read, what a redirect changes. Must not know: the network, other security policies of a page, or documents.
//!
//! ```
//! use s3_cors::browser::{CredentialsMode, Ending, Fetch, Mode, PageOrigin, Target, predict};
//! # use s3_cors::{Credentials, Document, Format, RuleTable};
//! # let document = br#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]"#;
//! # let document = Document::parse(document, Format::Json)?;
//! let rules = RuleTable::new(document.configuration(), Credentials::S3);
//! let fetch = |credentials| {
//!     let page = PageOrigin::parse("https://app.example").unwrap();
//!     Fetch::new(page, "GET", [("Accept", Some("*/*"))], Mode::Cors, credentials).unwrap()
//! };
//! let target = Target { origin: None, rules: Some(&rules) };
//! let plain = predict(&fetch(CredentialsMode::SameOrigin), target, &[]);
//! assert!(matches!(plain.ending, Ending::Reads(visible) if visible.shows("Content-Length") && !visible.shows("ETag")));
//! // The same grant is no use to a request with credentials.
//! assert!(matches!(predict(&fetch(CredentialsMode::Include), target, &[]).ending, Ending::Blocked(_)));
//! # Ok::<(), s3_cors::DocumentErrors>(())
//! ```

mod answer;
mod chromium;
mod fetch;
mod note;
mod origin;
mod predict;
mod prediction;
mod safelist;
#[cfg(test)]
mod tests;

pub use fetch::{CredentialsMode, Fetch, Mode, Thrown, UnknownValue};
pub use note::Note;
pub use origin::{NoServerOrigin, PageOrigin, ServerOrigin};
pub use predict::{Prediction, Redirect, Target, predict};
pub use prediction::{Blocked, Cause, Ending, Preflight, Stage, Step, Visible};
