//! The head of an upstream's answer: what it said about CORS is removed, what the rules say is set.

use super::Gateway;
use super::answer::set;
use super::context::Context;
use crate::config::VaryPolicy;
use crate::telemetry::Decision;
use http::header::VARY;
use http::{HeaderMap, HeaderName, HeaderValue};
use pingora::http::ResponseHeader;
use s3_cors::{Verdict, merge_vary};

const DECISION: HeaderName = HeaderName::from_static("x-s3cors-decision");
/// Hop-by-hop (RFC 9110 §7.6.1), and yet Pingora passes them on.
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

impl Gateway {
    /// Makes an upstream's head ours.
    pub(super) fn rewrite(&self, head: &mut ResponseHeader, ctx: &Context) {
        remove_upstream_cors(head);
        head.remove_header(&KEEP_ALIVE);
        head.remove_header(&PROXY_CONNECTION);
        self.add_cors(head, ctx);
    }

    /// Sets what the verdict says, on whatever answer it is: the status never matters (recorded for 200, 400, 403, 404).
    pub(super) fn add_cors(&self, head: &mut ResponseHeader, ctx: &Context) {
        let granted = match &ctx.verdict {
            Verdict::Granted(grant) => {
                grant.for_each_header(|name, value| set(head, name, value));
                true
            }
            Verdict::Denied(_) | Verdict::NotCors => false,
        };
        let varies = match self.cors.vary {
            // S3 sends it with grants only, and a cache then keeps an answer without CORS headers for everybody.
            VaryPolicy::Always => ctx.has_rules(),
            VaryPolicy::Matched => granted,
        };
        if varies && let Some(merged) = merge_vary(head.headers.get_all(VARY)) {
            set(head, VARY, merged);
        }
        if self.cors.debug_header {
            set(head, DECISION, decision(ctx));
        }
    }
}

/// Removes every `Access-Control-*`: two of a kind and the browser refuses both (Fetch, CORS check), and one that we did not set
/// may say what the rules do not.
fn remove_upstream_cors(head: &mut ResponseHeader) {
    while let Some(name) = any_cors_header(&head.headers) {
        head.remove_header(&name);
    }
}

fn any_cors_header(headers: &HeaderMap) -> Option<HeaderName> {
    headers.keys().find(|name| name.as_str().starts_with("access-control-")).cloned()
}

fn decision(ctx: &Context) -> HeaderValue {
    let Some(decision) = Decision::of(&ctx.verdict) else { return HeaderValue::from_static("none") };
    let text = match &ctx.verdict {
        Verdict::Granted(grant) => format!("allowed; rule={}", grant.rule().number()),
        _ => format!("{}; reason={}", decision.outcome(), decision.reason()),
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cors_header_of_an_upstream_survives_in_any_spelling() {
        let mut head = ResponseHeader::build(200, None).unwrap();
        for (name, value) in [
            ("Access-Control-Allow-Origin", "*"),
            ("access-control-allow-origin", "https://a.example"),
            ("ACCESS-CONTROL-ALLOW-PRIVATE-NETWORK", "true"),
            ("Access-Control-Something-New", "x"),
            ("ETag", "\"e\""),
        ] {
            head.append_header(name, value).unwrap();
        }
        remove_upstream_cors(&mut head);
        assert_eq!(head.headers.len(), 1, "{:?}", head.headers);
    }
}
