//! One exchange: a request and its response (RFC 9110 §3.4), and everything that is decided about it.
//!
//! Decides: which rules apply, whether the proxy replies itself, what the upstream and the client see of each other's heads, what
//! a failure looks like, what is counted and logged. Must not know: sockets, streams, or the library that moves the bytes.
//!
//! An [`Exchange`] is a value. [`Policy::begin`] makes it, [`Exchange::judge`] turns it into one of three stages, and each stage offers
//! only what can come next: [`Replying`] has a reply to send, [`Buffered`] wants its small body as a whole, [`Forward`] goes to an
//! upstream. Whichever stage it is in when it is dropped, it is counted and logged then, once.

mod asked_upstream;
mod bucket_cors;
mod buffered;
mod connection_options;
mod count;
mod deletion;
mod failure;
mod forwarding;
mod grants;
mod head;
mod head_retry;
mod healing_log;
mod health;
mod identity;
mod judge;
mod known;
mod location;
mod log_limiter;
mod missing_rules_log;
mod names;
mod next_upstream;
mod no_vary_search;
mod peer;
mod policy;
mod questions;
mod record;
mod refuse;
mod remembered;
mod reply;
mod reply_contents;
mod request_edits;
mod response_edits;
mod response_head;
mod response_notes;
mod response_plan;
mod sandbox;
mod shadow;
mod short_text;
mod shown_path;
mod signature_cause;
mod signature_mismatch;
mod signed_reads;
mod stages;
mod take_headers;
mod tally;
mod tls_fault;
mod uploads;
mod via;

pub use bucket_cors::{
    AfterConfirmation, AfterUpstream, AskedOperation, Confirmed, ConfirmedWrite, Response, SignatureCheck, Unconfirmed,
    WriteJob, Writing,
};
pub use buffered::Buffered;
pub use count::{Count, Counted};
pub use deletion::{AfterDeletion, Deletion};
pub use failure::{Failure, RequestFault, ResponseFault};
pub use grants::{GrantKeys, NoRandomBytes};
pub use head::RequestHead;
pub use health::WhyNotReady;
pub use identity::Identity;
pub use judge::Judged;
pub use peer::ClientPeer;
pub use policy::{Parts, Policy};
pub use reply::{Refusal, Reply};
pub use request_edits::RequestEdits;
pub use response_edits::{ResponseEdits, is_cors_header};
pub use response_plan::{Resend, ResponsePlan, Shown};
pub use signed_reads::{ReadEdits, SigningParts};
pub use stages::{Exchange, Forward, Replying};
pub use take_headers::TakeHeaders;
pub use tally::{CLIENT_GONE, Tally};
pub use tls_fault::TlsFault;
pub use uploads::{AfterForm, FormUpload};
