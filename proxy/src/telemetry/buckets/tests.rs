use super::*;
use s3_cors::{CorsRequest, Credentials, Document, Format, evaluate};

/// A rule for `https://a` with each of these names.
fn table(names: &[&str]) -> RuleTable {
    let rule =
        |name: &&str| format!(r#"{{"ID": "{name}", "AllowedOrigins": ["https://a"], "AllowedMethods": ["GET"]}}"#);
    let rules: Vec<_> = names.iter().map(rule).collect();
    let document = Document::parse(format!("[{}]", rules.join(",")).as_bytes(), Format::Json).unwrap();
    RuleTable::new(document.configuration(), Credentials::S3)
}

/// Counts a request for a bucket, from an origin.
fn ask(buckets: &Buckets, label: &str, rules: Option<&RuleTable>, origin: &str) {
    let mut request = CorsRequest::new(b"GET");
    request.add_line(b"origin", origin.as_bytes());
    buckets.count(label, &evaluate(rules, &request));
}

/// The series that are not 0, as text.
fn seen(rows: &[Row]) -> Vec<String> {
    let mut seen: Vec<_> =
        rows.iter().filter(|row| row.1 > 0).map(|row| format!("{} {}", row.0.join(" "), row.1)).collect();
    seen.sort_unstable();
    seen
}

fn names(rows: Vec<Row>) -> Vec<String> {
    let mut names: Vec<_> = rows.into_iter().map(|row| row.0.join(" ")).collect();
    names.sort_unstable();
    names
}

#[test]
fn where_all_buckets_have_room_each_is_there_from_the_start() {
    let (buckets, rules) = (Buckets::new(2), table(&["r"]));
    buckets.prepare([("a", Some(&rules)), ("b", Some(&rules)), ("_other", None)].into_iter());
    assert_eq!(names(buckets.hit_rows()), ["a r", "b r"]);
    // Five reasons and two kinds for each and one of the same origin, and two reasons where there are no rules.
    assert_eq!(buckets.decision_rows().len(), 2 * (5 * 2 + 1) + 2 * 2);
    assert!(seen(&buckets.decision_rows()).is_empty());
    assert_eq!(names(buckets.signed_read_rows()), ["_other", "a", "b"]);
    assert!(seen(&buckets.signed_read_rows()).is_empty());
}

#[test]
fn with_more_buckets_the_first_that_are_asked_for_have_series_and_the_others_are_one() {
    let (buckets, rules) = (Buckets::new(2), table(&["r"]));
    let all = ["a", "b", "c", "d"].map(|label| (label, Some(&rules)));
    buckets.prepare(all.into_iter().chain([("_other", None)]));
    assert_eq!(names(buckets.hit_rows()), ["_other _other"]);
    for label in ["c", "a", "c", "b", "d", "gone"] {
        ask(&buckets, label, Some(&rules), "https://a");
    }
    ask(&buckets, "b", Some(&rules), "https://x");
    ask(&buckets, "_other", None, "https://x");
    let decisions = [
        "_other actual allowed none 3",
        "_other actual denied origin 1",
        "_other actual no_rules no_rules 1",
        "a actual allowed none 1",
        "c actual allowed none 2",
    ];
    assert_eq!(seen(&buckets.decision_rows()), decisions);
    assert_eq!(seen(&buckets.hit_rows()), ["_other _other 2", "a r 1", "c r 2"]);
    assert_eq!(["a", "b", "gone", "_other"].map(|label| buckets.shown_as(label)), ["a", OTHER, OTHER, OTHER]);
}

#[test]
fn no_count_is_lost_or_shrinks_when_rules_and_buckets_come_and_go() {
    let (buckets, old, new) = (Buckets::new(1), table(&["x", "y", "y"]), table(&["y", "z"]));
    buckets.prepare([("a", Some(&old)), ("b", Some(&old))].into_iter());
    ask(&buckets, "a", Some(&old), "https://a");
    ask(&buckets, "b", Some(&old), "https://a");
    assert_eq!(seen(&buckets.hit_rows()), ["_other _other 1", "a x 1"]);

    // The rule that granted is gone from both; a request that was on its way still counts.
    buckets.prepare([("a", Some(&new)), ("b", Some(&new))].into_iter());
    ask(&buckets, "b", Some(&old), "https://a");
    ask(&buckets, "b", Some(&new), "https://a");
    ask(&buckets, "a", Some(&new), "https://a");
    assert_eq!(seen(&buckets.hit_rows()), ["_other _other 2", "a y 1"]);
    assert_eq!(seen(&buckets.decision_rows()), ["_other actual allowed none 3", "a actual allowed none 2"]);

    // The bucket with series goes, and its place is free for the next new one.
    buckets.prepare([("c", Some(&new)), ("d", Some(&new)), ("_other", None)].into_iter());
    ask(&buckets, "d", Some(&new), "https://a");
    assert_eq!(seen(&buckets.hit_rows()), ["_other _other 2", "d y 1"]);
    assert_eq!(seen(&buckets.decision_rows()), ["_other actual allowed none 3", "d actual allowed none 1"]);
}

#[test]
fn rules_whose_names_look_the_same_are_one_series() {
    let long = "n".repeat(200);
    let (buckets, rules) = (Buckets::new(1), table(&[&format!("{long}1"), &format!("{long}2"), "s", "s"]));
    buckets.prepare([("a", Some(&rules))].into_iter());
    assert_eq!(names(buckets.hit_rows()), [format!("a {}", &long[..128]), "a s".to_owned()]);
}

#[test]
fn the_sum_by_outcome_has_every_bucket_and_never_shrinks() {
    let (buckets, rules) = (Buckets::new(1), table(&["r"]));
    let both = || ["a", "b"].map(|label| (label, Some(&rules))).into_iter().chain([("_other", None)]);
    buckets.prepare(both());
    for label in ["a", "b"] {
        ask(&buckets, label, Some(&rules), "https://a");
        ask(&buckets, label, Some(&rules), "https://x");
    }
    ask(&buckets, "_other", None, "https://x");
    assert_eq!(buckets.by_outcome(), [2, 2, 1, 0]);
    // One of them has a series and one has none; both go, and one comes back.
    buckets.prepare([("_other", None)].into_iter());
    assert_eq!(buckets.by_outcome(), [2, 2, 1, 0]);
    buckets.prepare(both());
    ask(&buckets, "a", Some(&rules), "https://a");
    assert_eq!(buckets.by_outcome(), [3, 2, 1, 0]);
}

#[test]
fn signed_reads_are_bounded_as_decisions_are_and_never_shrink() {
    let (buckets, old, new) = (Buckets::new(1), table(&["r"]), table(&["s"]));
    let both = |rules| ["a", "b"].map(|label| (label, Some(rules))).into_iter().chain([("_other", None)]);
    buckets.prepare(both(&old));
    for label in ["a", "a", "b", "_other", "gone"] {
        buckets.count_signed_read(label);
    }
    assert_eq!(seen(&buckets.signed_read_rows()), ["_other 3", "a 2"]);
    // The rules change, then one bucket goes that has a series, and one that has none.
    buckets.prepare(both(&new));
    buckets.count_signed_read("a");
    assert_eq!(seen(&buckets.signed_read_rows()), ["_other 3", "a 3"]);
    buckets.prepare([("a", Some(&new)), ("_other", None)].into_iter());
    assert_eq!(seen(&buckets.signed_read_rows()), ["_other 3", "a 3"]);
    buckets.prepare([("_other", None)].into_iter());
    assert_eq!(seen(&buckets.signed_read_rows()), ["_other 3"]);
}
