//! One bucket from all readings: no grant comes from rules that a server or proxy behind would not give the request.

use crate::support::policy::Scene;
use crate::support::readers::{READERS, Read, Step, chain};
use crate::support::rules::Rules;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{TestCaseError, TestRunner};
use s3cors_proxy::exchange::{Forward, Judged};
use std::collections::BTreeMap;

/// The documents that a set of rules may have.
const DOCUMENTS: [&str; 5] = ["demo", "docs", "other", "_default", "_service"];
const ORIGINS: [&str; 3] = ["https://a.example", "https://b.example", "*"];

/// Rules by the names of their documents, and a policy that decides by them.
struct Named {
    names: Vec<&'static str>,
    scene: Scene,
}

impl Named {
    /// One set for each choice of documents, by the bits of a number. Each document has one rule, whose ID is its name.
    fn new(set: usize) -> Self {
        let rules = Rules::empty();
        let chosen = DOCUMENTS.iter().enumerate().filter(|(place, _)| set & (1 << place) != 0);
        let mut names = Vec::new();
        for (place, name) in chosen {
            let origin = ORIGINS[(set / 3 + place) % ORIGINS.len()];
            rules.write(
                &format!("{name}.json"),
                format!(r#"[{{"ID": "{name}", "AllowedOrigins": ["{origin}"], "AllowedMethods": ["GET"]}}]"#),
            );
            names.push(*name);
        }
        Self { names, scene: Scene::with(rules) }
    }

    fn all() -> Vec<Self> {
        (0..1 << DOCUMENTS.len()).map(Self::new).collect()
    }

    fn judged(&self, path: &str, origin: &str) -> Forward<http::request::Parts> {
        let request = http::Request::builder().method("GET").uri(path).header("origin", origin);
        let (head, ()) = request.body(()).unwrap().into_parts();
        let policy = &self.scene.policy;
        let Judged::Forward(forward) = policy.begin(head, policy.peer(None, false, || None)).judge() else {
            panic!("{path} is the upstream's")
        };
        forward
    }

    /// The document whose rule grants a request; `None` without a grant.
    fn granting(&self, path: &str, origin: &str) -> Option<String> {
        self.judged(path, origin).decision().rule().map(|rule| rule.name().to_owned())
    }

    /// The document that is for the bucket that a reader serves.
    fn document(&self, read: &Read) -> Option<&'static str> {
        let of = |wanted: &[u8]| self.names.iter().copied().find(|name| name.as_bytes() == wanted);
        match read {
            Read::Refused => None,
            Read::Service => of(b"_service"),
            Read::Bucket(name) => of(name).filter(|name| !name.starts_with('_')).or_else(|| of(b"_default")),
        }
    }
}

/// Paths of pieces of which readers make different things.
fn path() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "demo", "demo", "docs", "other", "d%65mo", "k", "a.txt", "/", "/", "/", "//", "%2F", "%2f", "\\", "%5C", "%5c",
        ".", "..", "/..", "/../", "%2e", "%2E%2e", "/.%2E/", "%00", "%20", "%25", "%252F", "%3F", "%23", ";", "%C3%BC",
        "%ff", "%",
    ]);
    let beginning = select(vec!["/", "/demo/", "/docs/", "/demo/k/", "//", "/k/"]);
    (beginning, vec(pieces, 0..8)).prop_map(|(beginning, pieces)| beginning.to_owned() + &pieces.concat())
}

/// Keys in which no dots climb above the folder that they are in.
fn key() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "k",
        "a.txt",
        "x..y",
        "/",
        "//",
        "%2F",
        "%2f",
        "\\",
        "%5C",
        "%00",
        "%20",
        "%25",
        "%252F",
        "%3F",
        ";",
        "%C3%BC",
        "%",
        "k/../k",
        "a%2F..%2Fb",
        "a/./b",
    ]);
    vec(pieces, 1..8).prop_map(|pieces| pieces.concat())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Step::{Backslashes, CutAtNul, Decode, Merge, RemoveDots};
    vec(select(vec![Decode, Backslashes, Merge, RemoveDots, CutAtNul]), 0..7)
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

#[test]
fn no_rule_grants_what_a_reader_would_find_in_another_bucket() {
    let scenes = Named::all();
    let granted = std::cell::RefCell::new(BTreeMap::<String, usize>::new());
    let strategy = (path(), 0..scenes.len(), 0..2_usize, vec(steps(), 8));
    let result = runner(6_000).run(&strategy, |(path, set, origin, chains)| {
        let scene = &scenes[set];
        let Some(document) = scene.granting(&path, ORIGINS[origin]) else { return Ok(()) };
        *granted.borrow_mut().entry(document.clone()).or_default() += 1;
        let fixed = READERS.iter().map(|(name, reader)| ((*name).to_owned(), reader(&path)));
        let chained = chains.iter().map(|steps| (format!("{steps:?}"), chain(&path, steps)));
        for (reader, read) in fixed.chain(chained).filter(|(_, read)| *read != Read::Refused) {
            prop_assert_eq!(scene.document(&read), Some(&*document), "{} reads {:?} in {}", reader, read, path);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let granted = granted.into_inner();
    let is_tried = ["demo", "docs", "_default", "_service"].iter().all(|name| granted.contains_key(*name));
    assert!(is_tried, "each kind of document has granted something: {granted:?}");
}

#[test]
fn what_is_in_a_key_changes_nothing() {
    let scenes = Named::all();
    let strategy = (key(), select(vec!["demo", "docs", "d%65mo", "none"]), 0..scenes.len(), 0..2_usize);
    let result = runner(2_000).run(&strategy, |(key, bucket, set, origin)| {
        let scene = &scenes[set];
        let plain = scene.granting(&format!("/{bucket}/key"), ORIGINS[origin]);
        let same = |key: &str| -> Result<(), TestCaseError> {
            let path = format!("/{bucket}/{key}");
            prop_assert_eq!(scene.granting(&path, ORIGINS[origin]), plain.clone(), "{}", path);
            Ok(())
        };
        same(&key)?;
        same(&format!("{key}%2F{key}"))?;
        same(&key.replace('/', "%2F"))
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// Every path of a few pieces, without chance.
#[test]
fn no_short_path_grants_what_a_reader_would_find_in_another_bucket() {
    const BEGINNINGS: [&str; 8] =
        ["/", "/demo/", "/k/", "/k/demo/", "/demo/a\\b", "/demo/a%2Fb", "/demo/a%5Cb", "/demo/a%2Fb\\c"];
    const PIECES: [&str; 14] =
        ["/", "demo", "k", "%2F", "\\", "%5C", "..", ".", "%00", "/..", "%2F..", "\\..", "%5C..", "/../"];
    let scene = Named::new(0b1_1001);
    let mut steps = vec![Vec::new()];
    for step in [Step::Backslashes, Step::Decode, Step::Backslashes, Step::Merge, Step::RemoveDots, Step::CutAtNul] {
        let with = steps.clone().into_iter().map(|mut steps: Vec<_>| {
            steps.push(step);
            steps
        });
        steps.extend(with.collect::<Vec<_>>());
    }
    for (number, beginning) in
        (0..PIECES.len().pow(3)).flat_map(|number| BEGINNINGS.map(|beginning| (number, beginning)))
    {
        let pieces = (0..3).map(|place| PIECES[number / PIECES.len().pow(place) % PIECES.len()]);
        let path = beginning.to_owned() + &pieces.collect::<String>();
        let Some(document) = ORIGINS[..2].iter().find_map(|origin| scene.granting(&path, origin)) else { continue };
        for steps in &steps {
            let read = chain(&path, steps);
            assert_eq!(scene.document(&read), Some(&*document), "{steps:?} reads {read:?} in {path}");
        }
    }
}

/// Everyone may read what is below `docs/` in the bucket `demo`, and all of the bucket `all`.
const SIGNED: &str = "sign: [{bucket: demo, prefix: docs/}, {bucket: all}]";

/// The key of what a request is signed for; `None` where it is not.
fn signed_target(scene: &Scene, path: &str) -> Option<String> {
    let (head, ()) = http::Request::get(path).body(()).unwrap().into_parts();
    let Judged::Forward(forward) = scene.policy.begin(head, scene.policy.peer(None, false, || None)).judge() else {
        return None;
    };
    forward.request().signed_read().map(|read| read.target().concat())
}

/// Each reader finds a signed request's bucket to be the listed one, and its key below the prefix: the key is read as a path of its own, whose
/// first segment would be the bucket.
#[test]
fn nothing_is_signed_that_a_reader_would_find_outside_its_prefix() {
    let scene = Scene::configured(Rules::empty(), SIGNED);
    let signed = std::cell::RefCell::new(BTreeMap::<&str, usize>::new());
    let beginning = select(vec!["/demo/docs/", "/demo/docs/k/", "/demo/", "/all/", "/d%65mo/docs/", "/demo/k/"]);
    let strategy = (beginning, path(), vec(steps(), 8));
    let result = runner(20_000).run(&strategy, |(beginning, rest, chains)| {
        let path = beginning.to_owned() + rest.trim_start_matches('/');
        let Some(target) = signed_target(&scene, &path) else { return Ok(()) };
        let (bucket, key) = target[1..].split_once('/').unwrap();
        let (bucket, expected) = if bucket == "demo" { ("demo", Some("docs")) } else { ("all", None) };
        *signed.borrow_mut().entry(bucket).or_default() += 1;
        prop_assert!(path.ends_with(&format!("/{key}")), "{} goes out as it came: {}", path, key);
        for (place, name) in [(target.clone(), Some(bucket)), (format!("/{key}"), expected)] {
            let Some(name) = name else { continue };
            let fixed = READERS.iter().map(|(reader, read)| ((*reader).to_owned(), read(&place)));
            let chained = chains.iter().map(|steps| (format!("{steps:?}"), chain(&place, steps)));
            for (reader, read) in fixed.chain(chained).filter(|(_, read)| *read != Read::Refused) {
                prop_assert_eq!(&read, &Read::Bucket(name.into()), "{} reads {:?} in {}", reader, read, place);
            }
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let signed = signed.into_inner();
    assert!(signed.len() == 2 && signed.values().all(|count| *count > 100), "both are signed for: {signed:?}");
}
