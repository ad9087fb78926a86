//! Advice about a signature that fails: for each cause, the setting to change.

use crate::config::PresignedHead;
use crate::telemetry::SignatureCause as Cause;

/// Returns what to set, and where.
pub(in crate::exchange) const fn advice(cause: Cause, presigned_head: PresignedHead) -> &'static str {
    match cause {
        Cause::HostReplaced => {
            "set upstream.host to preserve (for a name in hosts: upstream_host), or let clients sign for the host that is sent: the \
             upstream checks that one"
        }
        Cause::HostChangedBefore => {
            "a proxy in front of this one has changed Host (see X-Forwarded-Host): let it pass on the client's own, with its port \
             (nginx: proxy_set_header Host $http_host; Apache: ProxyPreserveHost On; Caddy and Traefik do by themselves), or put the \
             name that clients sign for into upstream.host"
        }
        Cause::PathChangedBefore => {
            "a proxy in front of this one has changed the path (the header says so): let it pass on the path as it came"
        }
        Cause::AcceptEncoding => {
            "Accept-Encoding is signed, and a CDN or proxy in front of this one rewrites it: set signatures.heal to on, or let it leave \
             the header alone for this host (nginx: proxy_set_header Accept-Encoding $http_accept_encoding; CloudFront: no compression \
             in the cache policy, and the header in the origin request policy), or set the SDK not to sign it"
        }
        Cause::TraceContext => {
            "a header of tracing is signed, and an agent or proxy on the way writes its own: let it leave the header alone for this host \
             (nginx: otel_trace_context extract; Envoy and Istio, Traefik: no tracing on this route), or let the SDK not sign it. No \
             proxy can restore it: each value is new"
        }
        Cause::QueryChanged => {
            "the query was changed after the URL was signed: a parameter was added (tracking, &amp; from a page) or a value was decoded. \
             Let mails, pages and proxies pass the URL on byte by byte"
        }
        Cause::HeaderMissing => {
            "a signed header did not arrive: let the client send it with the value that was signed, and let nothing in front of \
             this proxy remove it"
        }
        Cause::HeaderRepeated => {
            "a signed header came in several lines, which servers join in different ways: let the client send one line"
        }
        Cause::CookieLines => {
            "Cookie is signed and came in several lines, which are joined for the upstream: let clients not sign it"
        }
        Cause::HopByHop => {
            "a signed header is for one connection only, and proxies remove or rewrite it: let clients not sign it"
        }
        Cause::ClientClock => "the client's clock is wrong, see signed_seconds_ago: synchronize it (NTP)",
        Cause::UpstreamClock => {
            "the client's clock agrees with this machine's and the upstream's differs: synchronize the upstream's (NTP)"
        }
        Cause::Expired => {
            "the presigned URL is past its time: make it when it is used, or for longer (7 days at most). If it is new, the clock \
             of the program that made it is behind"
        }
        Cause::HeadByGet if matches!(presigned_head, PresignedHead::ByGet) => {
            "a presigned URL is for one method, and with Range, If-Range or partNumber a HEAD goes on as it came, although \
             presigned.head is by_get: let the client ask HEAD without them, or GET, or make a URL for HEAD"
        }
        Cause::HeadByGet => {
            "a presigned URL is for one method, and a HEAD cannot say why it fails: make a URL for HEAD, or set presigned.head to \
             by_get"
        }
        Cause::Unknown => {
            "nothing that this proxy sees explains it: check the client's secret key and region, and whether something before \
             this proxy changes the path, the query or signed headers"
        }
    }
}
