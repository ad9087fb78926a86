//! The live rules by bucket, with how often each has granted and what is likely a mistake in them.

use super::layout::{Rows, foreign, more, number, rows, several, table, visible};
use crate::admin::Admin;
use crate::rules::{Bucket, LiveWarnings};
use maud::{Markup, html};
use s3_cors::{AllowedMethod, CorsConfiguration, CorsRule, HeaderPattern, OriginPattern};
use std::cmp::Reverse;
use std::sync::Arc;

/// The most buckets that the page shows.
const MOST_BUCKETS: usize = 50;
/// The most rules, and the most warnings, of a bucket.
const MOST_OF_BUCKET: usize = 10;
/// The longest warning, in characters.
const MAX_WARNING: usize = 400;
/// The most values of a list in a rule.
const MOST_VALUES: usize = 4;

const COLUMNS: [&str; 5] = ["Rule", "Origins", "Methods", "Headers", "Granted#"];

/// A bucket, and how often each of its rules has granted.
struct Used<'l> {
    bucket: &'l Arc<Bucket>,
    hits: Vec<u64>,
}

pub(super) fn body(admin: &Admin) -> Markup {
    let live = admin.rules.live();
    let mut used: Vec<_> = live.with_rules().into_iter().map(|bucket| Used::new(bucket, admin)).collect();
    if used.is_empty() {
        return html! { p.panel.empty { "No bucket has rules." } };
    }
    // Stable: those that are used as often stay in the order of their names.
    used.sort_by_key(|used| Reverse(used.hits.iter().sum::<u64>()));
    let Rows { html, left_out } = rows(&used, MOST_BUCKETS, |used| used.rows(admin));
    html! {
        p.hint { (used.len()) @if used.len() == 1 { " bucket has" } @else { " buckets have" } " rules; the most used come first." }
        (table("live-rules", "Rules by bucket, and how many requests each has granted", &COLUMNS, &html))
        (more(left_out, "api/rules"))
    }
}

impl<'l> Used<'l> {
    fn new(bucket: &'l Arc<Bucket>, admin: &Admin) -> Self {
        Self { bucket, hits: admin.metrics.buckets.hits(&bucket.label) }
    }

    fn rows(&self, admin: &Admin) -> Markup {
        let Some(origin) = &self.bucket.origin else { return html! {} };
        let configuration = self.bucket.configuration();
        let rules = configuration.as_ref().map(CorsConfiguration::rules).unwrap_or_default();
        let rejected = admin.rejections.total(Some(&self.bucket.label));
        html! {
            tbody {
                tr.bucket {
                    th scope="rowgroup" colspan="5" {
                        div.kept {
                            (foreign(&self.bucket.label)) " from " (foreign(&origin.path.to_string_lossy()))
                            @if rejected > 0 { ", " (number(rejected)) " rejected" }
                        }
                    }
                }
                @for (place, rule) in rules.iter().take(MOST_OF_BUCKET).enumerate() {
                    (row(rule, place + 1, self.hits.get(place).copied()))
                }
                @if rules.len() > MOST_OF_BUCKET {
                    tr { td colspan="5" { "and " (rules.len() - MOST_OF_BUCKET) " more rules" } }
                }
                @if let Some(found) = admin.rules.warnings(self.bucket) { (warnings(found)) }
            }
        }
    }
}

fn row(rule: &CorsRule, place: usize, hits: Option<u64>) -> Markup {
    let origins: Vec<_> = rule.allowed_origins().iter().map(OriginPattern::as_str).collect();
    let methods: Vec<_> = rule.allowed_methods().iter().copied().map(AllowedMethod::as_str).collect();
    let headers: Vec<_> = rule.allowed_headers().iter().map(HeaderPattern::as_str).collect();
    html! {
        tr {
            th scope="row" { (place) @if let Some(id) = rule.id() { " " (foreign(id)) } }
            td { (several(&origins, MOST_VALUES)) }
            td { (methods.join(", ")) }
            td { @if headers.is_empty() { "none" } @else { (several(&headers, MOST_VALUES)) } }
            td.number { @if let Some(hits) = hits { (number(hits)) } @else { "not counted yet" } }
        }
    }
}

fn warnings(warnings: &LiveWarnings) -> Markup {
    html! {
        @for warning in warnings.lines().take(MOST_OF_BUCKET) {
            tr.warning { td colspan="5" { div.kept { strong { "Warning" } ": " (visible(&warning, MAX_WARNING)) } } }
        }
        @if warnings.len() > MOST_OF_BUCKET {
            tr.warning { td colspan="5" { "and " (warnings.len() - MOST_OF_BUCKET) " more warnings" } }
        }
    }
}
