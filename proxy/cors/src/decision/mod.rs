//! What S3's CORS says to a request.
//!
//! A [`CorsRequest`](request::CorsRequest) borrows the few parts of a head that CORS looks at. [`evaluate`](evaluate::evaluate)
//! reads it once and asks the bucket's [`RuleTable`](table::RuleTable). What comes out is a
//! [`Decision`](verdict::Decision): the headers of a grant, or a denial with its reason.

pub(crate) mod asked;
mod chains;
pub(crate) mod denial;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod grant;
mod origin_list;
mod origins;
pub(crate) mod request;
pub(crate) mod table;
pub(crate) mod terms;
pub(crate) mod vary;
pub(crate) mod verdict;
pub(crate) mod vocabulary;

pub use asked::{MAX_REQUEST_HEADERS, MAX_REQUEST_HEADERS_LENGTH};
