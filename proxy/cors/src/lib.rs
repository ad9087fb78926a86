#![doc = include_str!("../README.md")]

mod compile;
mod denial;
mod document;
mod error;
mod evaluate;
mod explain;
mod grant;
mod headers;
mod json;
mod lint;
mod method;
mod model;
mod origin;
mod raw;
mod write;
mod xml;

pub use compile::{CompiledRule, Credentials, RuleTable};
pub use denial::{Clause, Denial, Reason, Refusal, ResourceType};
pub use document::{Document, Format, MAX_DOCUMENT_LENGTH};
pub use error::{DocumentError, DocumentErrors, ErrorCode, MAX_LISTED_ERRORS, Position};
pub use evaluate::{RequestKind, Verdict, asked_method, classify, evaluate};
pub use explain::{ClauseFinding, Explanation, MAX_NAMED, RuleFinding, explain};
pub use grant::{Grant, VARY, merge_vary};
pub use headers::{ExposedHeader, HeaderPattern, InvalidHeaderName, MAX_REQUEST_HEADERS, MAX_REQUEST_HEADERS_LENGTH};
pub use lint::{Warning, WarningCode};
pub use method::AllowedMethod;
pub use model::{CorsConfiguration, CorsRule, InvalidConfiguration, MAX_RULES};
pub use origin::{OriginPattern, TooManyWildcards};
pub use write::WriteError;
pub use xml::NAMESPACE;
