//! Limits on uploads: how large an object may be, in how many parts, and of which types.
//!
//! A limit restricts and never allows: the upstream judges the signature of what is left. What is judged is the head as the upstream sees it, and
//! every byte of a body is counted on its way.

mod form;
mod judge;
mod limits;
mod refusal;

pub use form::{AfterForm, FormUpload};
pub(in crate::exchange) use judge::{UploadJudgement, judge};
pub(in crate::exchange) use limits::UploadLimits;
pub(in crate::exchange) use refusal::refused_upload;
