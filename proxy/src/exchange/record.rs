//! The end of an exchange: it is counted and logged, once.

use super::head::RequestHead;
use super::known::Known;
use super::policy::Policy;
use super::short_text::ShortText;
use super::shown_path::{shown_bucket, shown_path};
use super::signed_reads::judge::is_signed;
use super::signed_reads::read::{OpenFolder, SignedRead};
use super::stages::Exchange;
use super::tally::Tally;
use crate::observe::Denied;
use crate::rules::Slot;
use crate::s3;
use crate::s3::address::NamedBucket;
use crate::telemetry::{Access, AccessLog, GrantResult, Served, SignedBy, printable};
use http::Version;
use s3_cors::{Outcome, Reason, RequestKind};
use std::borrow::Cow;
use std::time::{Duration, SystemTime};

static SERVICE: Slot = Slot::Service;

/// The record is written here, whatever stage the exchange was in: no path can leave it out.
impl<H: RequestHead> Drop for Exchange<H> {
    fn drop(&mut self) {
        let Self { policy, head, peer, known, tally } = self;
        if known.is_unrecorded {
            return;
        }
        let served = count(policy, head.method(), known, tally);
        // A head that could not be read names no request: there is nothing to log.
        if head.method().is_empty() {
            return;
        }
        policy.metrics.buckets.count(known.label(), &known.decision);
        known.fallback.iter().for_each(|result| policy.metrics.upstreams.fallbacks.count(*result));
        if let Some(read) = known.signed_read() {
            policy.metrics.buckets.count_signed_read(known.label());
            read.grant.iter().for_each(|_| policy.metrics.grants.count(GrantResult::Used));
        }
        if is_denial(known) {
            record_denial(policy, &*head, known, served.code);
        }
        if let Some(log) = &policy.access_log {
            log_access(log, policy, &*head, peer.tls, known, &served);
        }
    }
}

fn record_denial(policy: &Policy, head: &impl RequestHead, known: &Known, status: u16) {
    let address = policy.address(head, &known.host);
    let denied = Denied {
        at: SystemTime::now(),
        request_id: known.id.as_str(),
        upstream_request_id: known.upstream_id.as_ref().map(ShortText::as_str),
        label: known.label(),
        bucket: address.bucket.name().map(|name| shown_bucket(policy, name)),
        is_ambiguous: address.bucket == NamedBucket::Ambiguous,
        kind: known.decision.kind,
        path: &shown_path(policy, head, known),
        origin: known.lines.origin.of(head).unwrap_or_default(),
        method: known.lines.asked_method.of(head).unwrap_or(head.method().as_bytes()),
        request_headers: known.lines.asked_headers.of(head),
        is_whole: true,
        reason: known.decision.reason(),
        detail: known.decision.detail(),
        status,
        was_answered: known.upstream_time.is_some(),
    };
    policy.rejections.count(&denied);
    if let Some(recent) = &policy.recent_denials {
        recent.keep(&denied);
    }
    if denied.reason == Reason::NoRules && !denied.is_ambiguous {
        policy.missing_rules_log.write(&policy.rules, &denied);
    }
}

fn count<'r>(policy: &Policy, method: &'r str, known: &Known, tally: &Tally) -> Served<'r> {
    let bytes = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let served = Served {
        method,
        code: tally.status,
        duration: known.started.elapsed(),
        request_bytes: bytes(tally.request_bytes),
        response_bytes: bytes(tally.response_bytes),
        upstream: known.upstream_time,
    };
    policy.metrics.http.served(&served);
    if let Some(result) = known.by_get {
        policy.metrics.http.presigned_head(result);
    }
    if known.decision.kind == RequestKind::Preflight {
        policy.metrics.http.preflight.observe(seconds(served.duration));
    }
    served
}

/// Returns true if the page sees a CORS error, so that someone can ask why. A bucket without rules grants nothing, but for its own origin,
/// where CORS has no part.
fn is_denial(known: &Known) -> bool {
    match known.decision.outcome() {
        Some(Outcome::Denied) => true,
        Some(Outcome::NoRules) => known.decision.kind == RequestKind::Preflight || !known.lines.is_same_origin,
        _ => false,
    }
}

/// The bucket itself: what has no rules of its own shares its label with others.
fn bucket<'r>(policy: &Policy, head: &'r impl RequestHead, known: &'r Known) -> Cow<'r, str> {
    let label = known.label();
    if known.bucket.is_none() || (known.has_rules() && !label.starts_with('_')) {
        return label.into();
    }
    match policy.address(head, &known.host).bucket {
        NamedBucket::One(Cow::Borrowed(name)) => printable(shown_bucket(policy, name).as_bytes()),
        NamedBucket::One(Cow::Owned(name)) => printable(shown_bucket(policy, &name).as_bytes()).into_owned().into(),
        NamedBucket::Service => SERVICE.label().into(),
        NamedBucket::Ambiguous => label.into(),
    }
}

fn log_access(
    log: &AccessLog,
    policy: &Policy,
    head: &impl RequestHead,
    tls: Option<&'static str>,
    known: &Known,
    served: &Served<'_>,
) {
    let outcome = known.decision.outcome();
    let (signer, signed_prefix, until) = signer(head, known);
    log.write(&Access {
        request_id: known.id.as_str(),
        client: known.client,
        protocol: protocol(head.version()),
        tls,
        method: &printable(served.method.as_bytes()),
        operation: operation(head, known),
        bucket: &bucket(policy, head, known),
        path: &printable(shown_path(policy, head, known).as_bytes()),
        status: served.code,
        bytes: served.response_bytes,
        duration: seconds(served.duration),
        upstream: known.upstream,
        refused: known.refused_by,
        upstream_name: known.upstream.and(policy.upstreams.get(known.asked.index).name.as_deref()),
        upstream_time: served.upstream.map(seconds),
        upstream_request_id: known.upstream_id.as_ref().map(ShortText::as_str),
        signer,
        signed_prefix: signed_prefix.as_deref(),
        until,
        origin: known.lines.origin.of(head).map(printable).as_deref(),
        cors: outcome.map(Outcome::as_str),
        // A request that is refused is so whatever the rules say of it.
        reason: match known.fault {
            Some(_) => Some(Reason::Malformed.as_str()),
            None => outcome.map(|_| known.decision.reason()).map(Reason::as_str),
        },
        detail: match known.fault {
            Some(fault) => Some(Cow::Borrowed(fault)),
            None => known.decision.detail().map(|detail| printable(detail.as_bytes())),
        }
        .as_deref(),
        rule: known.decision.rule().map(|rule| printable(rule.name().as_bytes())).as_deref(),
    });
}

/// The side that signed, the prefix or the folder for which it may, and the end of that.
fn signer<'k>(head: &impl RequestHead, known: &'k Known) -> (SignedBy, Option<Cow<'k, str>>, Option<SystemTime>) {
    match known.signed_read() {
        Some(SignedRead { grant: Some(OpenFolder { folder, until }), .. }) => {
            (SignedBy::Grant, Some(printable(folder.as_bytes())), Some(*until))
        }
        Some(SignedRead { prefix, grant: None, .. }) => {
            (SignedBy::Here, Some(printable(prefix.prefix.as_bytes())), None)
        }
        None if is_signed(head, known.lines.authorization.of(head)) => (SignedBy::Client, None, None),
        None => (SignedBy::None, None, None),
    }
}

/// The protocol, as nginx writes it.
fn protocol(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("HTTP/1.0"),
        Version::HTTP_11 => Some("HTTP/1.1"),
        Version::HTTP_2 => Some("HTTP/2.0"),
        _ => None,
    }
}

fn operation(head: &impl RequestHead, known: &Known) -> Option<&'static str> {
    s3::operation::operation(head.method(), known.scope?, head.query(), || known.lines.has_copy_source)
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
