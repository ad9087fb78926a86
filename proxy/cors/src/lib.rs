#![doc = include_str!("../README.md")]

mod decision;
mod document;
mod header_name;
mod header_set;
mod method;
mod origin;
mod position;
mod text;
mod wildcard;

pub use decision::denial::{Denial, MAX_REPEATED, Refusal, ResourceType};
pub use decision::evaluate::evaluate;
pub use decision::explain::{ClauseFinding, Explanation, MAX_NAMED, RuleFinding, explain};
pub use decision::grant::Grant;
pub use decision::request::CorsRequest;
pub use decision::table::{CompiledRule, Credentials, RuleTable};
pub use decision::terms::TermSet;
pub use decision::vary::{VARY, VaryMerge, merge_vary};
pub use decision::verdict::{Clause, Decision, Outcome, Reason, RequestKind, Verdict};
pub use decision::{MAX_REQUEST_HEADERS, MAX_REQUEST_HEADERS_LENGTH};
pub use document::error::{DocumentError, DocumentErrors, ErrorCode, MAX_LISTED_ERRORS};
pub use document::foreign::ForeignForm;
pub use document::lint::profiles::{Profile, UnknownProfile};
pub use document::model::{CorsConfiguration, CorsRule, InvalidConfiguration, InvalidRule, MAX_RULES};
pub use document::problem::{ElementNamespace, Problem};
pub use document::syntax::Mistake;
pub use document::warning::{Concern, Missing, NeverSent, TooWide, Warning, WarningCode};
pub use document::write::WriteError;
pub use document::xml::NAMESPACE;
pub use document::{Document, Format, MAX_DOCUMENT_LENGTH};
pub use header_name::{ExposedHeader, HeaderPattern, InvalidHeaderName};
pub use method::AllowedMethod;
pub use origin::OriginPattern;
pub use position::Position;
pub use wildcard::TooManyWildcards;
