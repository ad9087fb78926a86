//! What is noted of the head of an upstream's response: the name that the upstream gave to the request, and what a failed signature is
//! diagnosed by.
//!
//! Decides: which responses are looked at. Must not know: what becomes of the notes.

use super::head::RequestHead;
use super::short_text::ShortText;
use super::{Context, Exchange};
use s3_cors::Outcome;

/// The upstream's `x-amz-request-id`. S3's has 16 characters, Ceph's about 50 with the name of its zone group; a longer one is not kept.
pub(super) type UpstreamId = ShortText<96>;

const REQUEST_ID: &[u8] = b"x-amz-request-id";
const DATE: &[u8] = b"date";
/// MinIO says in a header what the response to a HEAD cannot have a body for.
const MINIO_CODE: &[u8] = b"x-minio-error-code";

impl Exchange {
    /// Looks at the head of the upstream's response that the client gets.
    pub fn examine_head<'l>(
        &self,
        lines: impl IntoIterator<Item = (&'l [u8], &'l [u8])>,
        head: &impl RequestHead,
        ctx: &mut Context,
    ) {
        // The browser shows the upstream's id, not ours: anyone who asks about a denial has that one.
        let wants_id = self.access_log.is_some() || ctx.decision.outcome() == Some(Outcome::Denied);
        if !wants_id && !ctx.may_be_mismatch {
            return;
        }
        let mut minio_code = None;
        for (name, value) in lines {
            match name.len() {
                16 if wants_id && name.eq_ignore_ascii_case(REQUEST_ID) => {
                    ctx.upstream_id = UpstreamId::of_token(value);
                }
                4 if ctx.may_be_mismatch && name.eq_ignore_ascii_case(DATE) => ctx.note_clock(value),
                18 if ctx.may_be_mismatch && name.eq_ignore_ascii_case(MINIO_CODE) => minio_code = Some(value),
                _ => {}
            }
        }
        self.examine_code(minio_code, head, ctx);
    }
}
