//! Preflights: answered from the rules alone, with the upstream up or down.

use super::Gateway;
use super::answer::Answer;
use super::context::Context;
use http::StatusCode;
use pingora::http::RequestHeader;
use s3_cors::{Denial, Verdict, asked_method};

impl Gateway {
    pub(super) fn answer_preflight(&self, request: &RequestHeader, ctx: &Context) -> Answer {
        match &ctx.verdict {
            Verdict::Denied(denial) => self.refuse(request, ctx, denial),
            // 200 without a body, not 204 (recorded).
            Verdict::Granted(_) | Verdict::NotCors => self.answer(StatusCode::OK, None, ctx),
        }
    }

    /// What S3 answers to a denial.
    pub(super) fn refuse(&self, request: &RequestHeader, ctx: &Context, denial: &Denial) -> Answer {
        let refusal = denial.refusal(ctx.resource);
        let refused = refusal.resource.map(|resource| (asked_method(&request.headers), resource.as_str()));
        self.error_answer(refusal.status, refusal.code, &refusal.message, refused, ctx)
    }
}
