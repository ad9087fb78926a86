//! The merged `Vary`.

use http::HeaderValue;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use s3_cors::{VARY, VaryMerge, merge_vary};

fn merge<'a>(lines: impl IntoIterator<Item = &'a HeaderValue>) -> VaryMerge {
    merge_vary(lines.into_iter().map(HeaderValue::as_bytes))
}

/// The tokens of all lines, in lower case: names of headers are compared without regard to case.
fn tokens<'a>(lines: impl IntoIterator<Item = &'a HeaderValue>) -> Vec<String> {
    let text = |line: &HeaderValue| String::from_utf8_lossy(line.as_bytes()).to_lowercase();
    let lines: Vec<_> = lines.into_iter().map(text).collect();
    lines.join(",").split(',').map(str::trim).filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

fn line() -> impl Strategy<Value = HeaderValue> {
    let token = select(vec![
        "Origin",
        "origin",
        " ACCESS-CONTROL-REQUEST-HEADERS",
        "Access-Control-Request-Method ",
        "Accept-Encoding",
        "Cookie",
        "",
        " ",
        "x",
    ]);
    let token = prop_oneof![12 => token, 1 => Just("*")];
    vec(token, 0..4).prop_map(|tokens| HeaderValue::try_from(tokens.join(",")).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_merged_vary_has_all_that_was_there_and_our_tokens_once(lines in vec(line(), 0..3)) {
        let before = tokens(&lines);
        let ours = tokens([&VARY]);
        let VaryMerge::Set(merged) = merge(&lines) else {
            // Nothing to change: everything is said already.
            prop_assert!(before.contains(&"*".to_owned()) || ours.iter().all(|token| before.contains(token)));
            return Ok(());
        };
        prop_assert_eq!(merge([&merged]), VaryMerge::Complete, "merging again changes nothing");
        prop_assert!(!before.contains(&"*".to_owned()), "a star says everything already");
        let after = tokens([&merged]);
        prop_assert!(before.iter().all(|token| after.contains(token)), "{merged:?} lost one");
        for token in &after {
            let count = |list: &[String]| list.iter().filter(|other| *other == token).count();
            let most = if ours.contains(token) { 1 } else { count(&before) };
            prop_assert_eq!(count(&after), most, "{} in {:?}", token, merged);
        }
        prop_assert!(ours.iter().all(|token| after.contains(token)), "{merged:?} lacks one of ours");
    }
    #[test]
    fn no_bytes_of_an_upstream_lose_our_tokens(lines in vec(vec(any::<u8>(), 0..12), 0..3)) {
        let VaryMerge::Set(merged) = merge_vary(lines.iter().map(Vec::as_slice)) else {
            // Our names do not fit into 12 bytes all three, so a star is there.
            prop_assert!(lines.iter().flatten().any(|byte| *byte == b'*'));
            return Ok(());
        };
        let after = tokens([&merged]);
        prop_assert!(tokens([&VARY]).iter().all(|token| after.contains(token)), "{merged:?} lacks one of ours");
    }
}
