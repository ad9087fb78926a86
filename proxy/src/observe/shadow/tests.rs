use super::*;
use s3_cors::{Reason, RequestKind};
use std::collections::BTreeMap;
use std::time::Duration;

/// A preflight that the shadow rules would deny.
fn changed<'c>(label: &'c str, origin: &'c str) -> Changed<'c> {
    let request = GroupedRequest {
        at: SystemTime::UNIX_EPOCH,
        request_id: "6F1B3A0C9D2E4857",
        label,
        kind: RequestKind::Preflight,
        origin: origin.as_bytes(),
        method: b"PUT",
        reason: Reason::Origin,
        detail: Some(origin),
    };
    Changed { request, direction: Direction::AllowedToDenied, rule: "app" }
}

fn series(decisions: &ShadowDecisions) -> BTreeMap<String, ByDirection> {
    decisions.series().into_iter().collect()
}

#[test]
fn changes_are_told_apart_and_the_last_request_is_their_example() {
    let decisions = ShadowDecisions::new(10);
    let put = changed("b", "https://a");
    let request = put.request;
    let later = request.at + Duration::from_secs(9);
    let of = |request| Changed { request, ..put };
    let other = GroupedRequest { reason: Reason::None, detail: Some("access-control-max-age"), ..request };
    for changed in [
        put,
        of(GroupedRequest { kind: RequestKind::Actual, ..request }),
        of(GroupedRequest { method: b"GET", ..request }),
        Changed { direction: Direction::DeniedToAllowed, ..put },
        Changed { direction: Direction::OtherGrant, request: other, ..put },
        Changed { rule: "2", ..put },
        of(GroupedRequest { label: "c", ..request }),
        of(GroupedRequest { at: later, request_id: "00000000000000FF", ..request }),
    ] {
        decisions.count_compared();
        decisions.count(&changed);
    }
    let report = decisions.report();
    assert_eq!((report.compared, report.changes.len()), (8, 7));
    let heaviest = &report.changes[0].requests;
    assert_eq!((heaviest.count, heaviest.error, &*heaviest.request_id), (2, 0, "00000000000000FF"));
    assert_eq!((heaviest.first_seen, heaviest.last_seen), (request.at, later));
    assert_eq!(report.buckets, [("b".into(), [5, 1, 1]), ("c".into(), [1, 0, 0])]);
}

#[test]
fn other_rules_begin_again_and_no_series_shrinks() {
    let decisions = ShadowDecisions::new(2);
    decisions.begin_again(["a", "b", OTHER].into_iter());
    assert_eq!(series(&decisions), [(OTHER.to_owned(), [0; 3])].into(), "three have no room");
    decisions.begin_again(["a"].into_iter());
    assert_eq!(series(&decisions), [("a".to_owned(), [0; 3]), (OTHER.to_owned(), [0; 3])].into());
    for label in ["b", "c", "c", OTHER] {
        decisions.count(&changed(label, "https://a"));
    }
    let all = BTreeMap::from([("a", [0; 3]), ("b", [1, 0, 0]), (OTHER, [3, 0, 0])].map(|(b, n)| (b.to_owned(), n)));
    assert_eq!(series(&decisions), all);
    decisions.begin_again(["c"].into_iter());
    let report = decisions.report();
    assert!(report.changes.is_empty() && report.buckets.is_empty() && report.compared == 0, "{report:?}");
    assert_eq!(series(&decisions), all);
}

#[test]
fn whatever_is_sent_the_table_keeps_its_size_and_the_heaviest_change() {
    let decisions = ShadowDecisions::new(1);
    let long = "x".repeat(5_000);
    for number in 0..20_000 {
        decisions.count(&changed("b", &format!("https://{number}.test")));
        decisions.count(&changed("b", "https://real.test"));
    }
    let long = changed("b", &long);
    let request = GroupedRequest { method: long.request.origin, ..long.request };
    decisions.count(&Changed { request, ..long });
    let report = decisions.report();
    assert_eq!(report.changes.len(), PLACES);
    let heaviest = &report.changes[0].requests;
    assert_eq!((&*heaviest.origin, heaviest.count), ("https://real.test", 20_000));
    let bounded = |change: &ShadowChange| change.requests.method.len() <= 32 && change.requests.origin.len() <= 300;
    assert!(report.changes.iter().all(bounded));
}
