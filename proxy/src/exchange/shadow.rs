//! Shadow rules: their decision about a request is compared with that of the live rules.

use super::known::Known;
use crate::observe::{Changed, Direction, GroupedRequest, ShadowDecisions};
use crate::rules::{Bucket, ShadowRules};
use crate::s3::address::NamedBucket;
use s3_cors::{CorsRequest, Decision, RequestKind, evaluate};
use std::sync::Arc;
use std::time::SystemTime;

/// The candidate set, and the count of the differences.
pub(super) struct Shadow {
    pub(super) rules: Arc<ShadowRules>,
    pub(super) decisions: Arc<ShadowDecisions>,
}

impl Shadow {
    /// Compares what the shadow rules say to a request with what was decided. A request of the same origin as its page depends on no
    /// rule, nor does one that could be for several buckets; one without an Origin is not about CORS.
    pub(super) fn compare(&self, asked: &CorsRequest<'_>, named: &NamedBucket<'_>, live: &Bucket, known: &Known) {
        let depends_on_rules = match known.decision.kind {
            RequestKind::NoOrigin => false,
            RequestKind::Actual => !asked.is_same_origin(),
            _ => true,
        };
        if !depends_on_rules || *named == NamedBucket::Ambiguous {
            return;
        }
        let Some(candidate) = self.rules.bucket(named.name()) else { return };
        let decision = evaluate(candidate.rules.as_ref(), asked);
        self.decisions.count_compared();
        let Some(change) = Change::between(&known.decision, &decision) else { return };
        let request = GroupedRequest {
            at: SystemTime::now(),
            request_id: known.id.as_str(),
            label: the_more_specific(&live.label, &candidate.label),
            kind: known.decision.kind,
            origin: asked.origin().unwrap_or_default(),
            method: asked.method_in_question(),
            reason: change.denied.reason(),
            detail: change.other_header.as_ref().map(http::HeaderName::as_str).or_else(|| change.denied.detail()),
        };
        let rule = change.granted.rule().map_or("", |rule| rule.name());
        self.decisions.count(&Changed { request, direction: change.direction, rule });
    }
}

/// How two decisions about a request differ.
struct Change<'d> {
    direction: Direction,
    /// The decision that grants; the shadow rules' own, if both do.
    granted: &'d Decision,
    /// The one that denies, if there is one.
    denied: &'d Decision,
    other_header: Option<http::HeaderName>,
}

impl<'d> Change<'d> {
    /// Denied is denied: that a bucket has no rules, or another clause to blame, changes nothing for a page.
    fn between(live: &'d Decision, shadow: &'d Decision) -> Option<Self> {
        let (direction, granted, denied, other_header) = match (live.grant(), shadow.grant()) {
            (None, None) => return None,
            (Some(_), None) => (Direction::AllowedToDenied, live, shadow, None),
            (None, Some(_)) => (Direction::DeniedToAllowed, shadow, live, None),
            (Some(now), Some(then)) => (Direction::OtherGrant, shadow, shadow, Some(now.first_difference(then)?)),
        };
        Some(Self { direction, granted, denied, other_header })
    }
}

/// The label of the rules that are a bucket's own on one side, or at least some.
fn the_more_specific<'l>(live: &'l str, shadow: &'l str) -> &'l str {
    let specific = |label: &str| match label {
        "_other" => 0,
        _ if label.starts_with('_') => 1,
        _ => 2,
    };
    if specific(shadow) > specific(live) { shadow } else { live }
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3_cors::{Credentials, Document, Format, RuleTable};

    fn table(rules: &str) -> RuleTable {
        RuleTable::new(Document::parse(rules.as_bytes(), Format::Json).unwrap().configuration(), Credentials::S3)
    }

    #[test]
    fn a_decision_changes_when_a_page_can_tell() {
        let get = r#"[{"AllowedOrigins": ["https://a"], "AllowedMethods": ["GET"]}]"#;
        let get_and_put = r#"[{"AllowedOrigins": ["https://a"], "AllowedMethods": ["GET", "PUT"]}]"#;
        let other = r#"[{"AllowedOrigins": ["https://b"], "AllowedMethods": ["GET"]}]"#;
        let [get, get_and_put, other] = [get, get_and_put, other].map(table);
        let renamed = table(r#"[{"ID": "x", "AllowedOrigins": ["https://a*"], "AllowedMethods": ["GET"]}]"#);
        let denies = Some(Direction::AllowedToDenied);
        let allows = Some(Direction::DeniedToAllowed);
        for (live, shadow, direction, detail, rule) in [
            (Some(&get), Some(&get), None, None, ""),
            (Some(&get), Some(&renamed), None, None, ""),
            (Some(&get), Some(&other), denies, Some("https://a"), "1"),
            (Some(&get), None, denies, None, "1"),
            (Some(&other), Some(&renamed), allows, Some("https://a"), "x"),
            (None, Some(&get), allows, None, "1"),
            (Some(&other), None, None, None, ""),
            (None, None, None, None, ""),
            (Some(&get), Some(&get_and_put), Some(Direction::OtherGrant), Some("access-control-allow-methods"), "1"),
        ] {
            let mut request = CorsRequest::new(b"GET");
            request.add_line(b"origin", b"https://a");
            let (live, shadow) = (evaluate(live, &request), evaluate(shadow, &request));
            let change = Change::between(&live, &shadow);
            assert_eq!(change.as_ref().map(|change| change.direction), direction);
            let Some(change) = change else { continue };
            let header = change.other_header.as_ref().map(http::HeaderName::as_str);
            assert_eq!(
                (header.or_else(|| change.denied.detail()), change.granted.rule().unwrap().name()),
                (detail, rule)
            );
        }
    }

    #[test]
    fn a_change_is_counted_for_the_bucket_that_has_rules_of_its_own_on_one_side() {
        for (live, shadow, label) in [
            ("photos", "photos", "photos"),
            ("photos", "_default", "photos"),
            ("_default", "photos", "photos"),
            ("_other", "photos", "photos"),
            ("_other", "_default", "_default"),
            ("_default", "_other", "_default"),
            ("_service", "_other", "_service"),
        ] {
            assert_eq!(the_more_specific(live, shadow), label, "{live} {shadow}");
        }
    }
}
