//! What is proposed allows what was asked for, and nothing else.

use super::{configuration, method, request, rule};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use s3_cors::{
    AllowedMethod, CannotAllow, CorsConfiguration, CorsRequest, CorsRule, Credentials, Decision, Document, Format,
    MAX_RULES, OriginPattern, Place, RuleTable, Wanted, evaluate, inspect, smallest_change, smallest_rules,
};
use std::collections::BTreeSet;

const ORIGINS: [&str; 9] = [
    "https://a.example",
    "http://a.example",
    "https://b.a.example",
    "https://a.example:8443",
    "https://A.example",
    "https://b.example",
    "null",
    "aba",
    "https://",
];
const HEADERS: [&str; 6] = ["x-a", "x-b", "x-id", "x-a-id", "content-type", "authorization"];

/// A request of a page: origin, method, headers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    origin: String,
    method: AllowedMethodName,
    headers: BTreeSet<&'static str>,
}

type AllowedMethodName = &'static str;

impl Asked {
    fn wanted(&self) -> Wanted {
        Wanted::new(&self.origin, self.method, Some(&self.list())).unwrap()
    }

    fn list(&self) -> String {
        self.headers.iter().copied().collect::<Vec<_>>().join(", ")
    }

    /// Whether a request is one that asks for no more than another.
    fn is_part_of(&self, other: &Self) -> bool {
        (&self.origin, self.method) == (&other.origin, other.method) && self.headers.is_subset(&other.headers)
    }

    fn decide(&self, table: &RuleTable) -> Decision {
        let list = self.list();
        let mut request = CorsRequest::new(b"OPTIONS");
        request.add_line(b"origin", self.origin.as_bytes());
        request.add_line(b"access-control-request-method", self.method.as_bytes());
        request.add_line(b"access-control-request-headers", list.as_bytes());
        evaluate(Some(table), &request)
    }

    /// Requests that differ in one part, and those that ask for fewer headers.
    fn neighbours(&self) -> Vec<Self> {
        let origin = &self.origin;
        let origins = [
            format!("{origin}/"),
            format!("{origin}.evil"),
            origin.to_uppercase(),
            origin.replace("https", "http"),
            format!("{origin}:1"),
        ];
        let origins =
            origins.into_iter().chain(ORIGINS.map(str::to_owned)).map(|origin| Self { origin, ..self.clone() });
        let methods = AllowedMethod::ALL.into_iter().map(|method| Self { method: method.as_str(), ..self.clone() });
        let more = HEADERS
            .into_iter()
            .map(|header| Self { headers: self.headers.iter().copied().chain([header]).collect(), ..self.clone() });
        let fewer = self.headers.iter().map(|header| Self {
            headers: self.headers.iter().copied().filter(|other| other != header).collect(),
            ..self.clone()
        });
        let others = HEADERS.into_iter().map(|header| Self { headers: BTreeSet::from([header]), ..self.clone() });
        let all = origins.chain(methods).chain(more).chain(fewer).chain(others);
        all.filter(|neighbour| !neighbour.origin.is_empty()).collect()
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let methods = AllowedMethod::ALL.map(AllowedMethod::as_str).to_vec();
    (select(ORIGINS.to_vec()), select(methods), btree_set(select(HEADERS.to_vec()), 0..4))
        .prop_map(|(origin, method, headers)| Asked { origin: origin.to_owned(), method, headers })
}

/// Rules near the requests: with few values, so that a widened one is often exact.
fn narrow_rule() -> impl Strategy<Value = CorsRule> {
    let rule = (vec(asked(), 1..3), prop::option::of(0_i64..9)).prop_map(|(asked, max_age)| {
        let of = |asked: &Asked| OriginPattern::parse(&asked.origin).unwrap();
        let methods = asked.iter().map(|asked| AllowedMethod::from_name(asked.method.as_bytes()).unwrap());
        let wanted = asked.first().unwrap().wanted();
        let rule = CorsRule::new(asked.iter().map(of).collect(), methods.collect()).unwrap();
        rule.with_allowed_headers(wanted.headers().to_vec()).with_max_age_seconds(max_age)
    });
    prop_oneof![3 => asked().prop_map(|asked| {
        let wanted = asked.wanted();
        let rule = CorsRule::new(vec![wanted.origin().clone()], vec![wanted.method()]).unwrap();
        rule.with_allowed_headers(wanted.headers().to_vec())
    }), 2 => rule, 1 => super::rule()]
}

fn rules() -> impl Strategy<Value = CorsConfiguration> {
    prop_oneof![vec(narrow_rule(), 1..5).prop_map(|rules| CorsConfiguration::new(rules).unwrap()), configuration(),]
}

/// A document and a request that it does not always allow: often all but one of the request's parts are those of a rule.
fn case() -> impl Strategy<Value = (CorsConfiguration, Asked)> {
    let near = (vec(asked(), 1..4), asked(), 0..3_u8).prop_map(|(bases, other, part)| {
        let rule = |asked: &Asked| {
            let wanted = asked.wanted();
            let rule = CorsRule::new(vec![wanted.origin().clone()], vec![wanted.method()]).unwrap();
            rule.with_allowed_headers(wanted.headers().to_vec())
        };
        let mut asked = bases.first().unwrap().clone();
        match part {
            0 => asked.origin = other.origin,
            1 => asked.method = other.method,
            _ => asked.headers.extend(other.headers),
        }
        (CorsConfiguration::new(bases.iter().map(rule).collect()).unwrap(), asked)
    });
    prop_oneof![(rules(), asked()), near]
}

fn table(configuration: &CorsConfiguration) -> RuleTable {
    RuleTable::new(configuration, Credentials::S3)
}

/// The rule of a grant and its headers, but for the methods: a rule with a further method names it in every grant.
fn granted(decision: &Decision) -> Option<(usize, Vec<(String, String)>)> {
    let grant = decision.grant()?;
    let headers = grant.headers();
    let headers = headers.iter().filter(|(name, _)| *name != "access-control-allow-methods");
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    Some((grant.rule().number(), headers))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_change_allows_the_request_and_nothing_else_and_takes_no_grant_away(
        (before, wanted) in case(), others in vec(asked(), 12),
    ) {
        let old = table(&before);
        let change = match smallest_change(Some(&before), &wanted.wanted()) {
            Ok(change) => change,
            Err(CannotAllow::Allowed(rule)) => {
                let decision = wanted.decide(&old);
                prop_assert_eq!(decision.rule().map(s3_cors::CompiledRule::number), Some(rule));
                return Ok(());
            }
            Err(cannot) => return Err(TestCaseError::fail(cannot.to_string())),
        };
        let xml = Document::parse(change.xml.as_bytes(), Format::Xml);
        prop_assert_eq!(xml.as_ref().map(Document::configuration), Ok(&change.configuration));
        let json = Document::parse(change.json.as_bytes(), Format::Json);
        prop_assert_eq!(json.as_ref().map(Document::configuration), Ok(&change.configuration));
        prop_assert!(wanted.decide(&old).grant().is_none());
        let new = table(&change.configuration);
        let decision = wanted.decide(&new);
        prop_assert_eq!(decision.rule().map(s3_cors::CompiledRule::number), Some(change.rule));
        for other in others.into_iter().chain(wanted.neighbours()) {
            let (before, after) = (other.decide(&old), other.decide(&new));
            if before.grant().is_some() {
                prop_assert_eq!(granted(&after), granted(&before), "{:?}", other);
            } else if after.grant().is_some() {
                prop_assert!(other.is_part_of(&wanted), "{:?} is allowed too", other);
            }
        }
    }

    #[test]
    fn the_fewest_rules_allow_what_is_wanted_and_nothing_else(wanted in vec(asked(), 1..7), others in vec(asked(), 12)) {
        let rules = smallest_rules(&wanted.iter().map(Asked::wanted).collect::<Vec<_>>());
        prop_assert!(rules.len() <= wanted.iter().collect::<BTreeSet<_>>().len());
        let table = table(&CorsConfiguration::new(rules).unwrap());
        for one in &wanted {
            prop_assert!(one.decide(&table).grant().is_some(), "{:?}", one);
        }
        for other in others.into_iter().chain(wanted.iter().flat_map(Asked::neighbours)) {
            if other.decide(&table).grant().is_some() {
                prop_assert!(wanted.iter().any(|one| other.is_part_of(one)), "{:?} is allowed too", other);
            }
        }
    }

    #[test]
    fn an_inspection_agrees_with_the_explanation(configuration in configuration(), request in request(), more in rule()) {
        let rules = configuration.rules().iter().cloned().chain([more]).collect();
        let configuration = CorsConfiguration::new(rules).unwrap();
        let headers = request.headers();
        let request = CorsRequest::from((&request.method, &headers));
        let explanation = s3_cors::explain(Some(&table(&configuration)), &request);
        let inspected = inspect(&configuration, &request);
        let taken = explanation.rules.iter().find(|rule| rule.blamed().is_none()).map(|rule| rule.number);
        for (finding, rule) in explanation.rules.iter().zip(&inspected) {
            prop_assert_eq!(finding.number, rule.number);
            prop_assert_eq!(finding.origin.holds(), rule.origin.is_none());
            prop_assert_eq!(finding.method.holds(), rule.method.is_none());
            prop_assert_eq!(finding.headers.holds(), rule.headers.iter().all(|header| header.allowed_by.is_some()));
            let taken = taken.filter(|taken| finding.blamed().is_none() && *taken != rule.number);
            prop_assert_eq!(rule.taken_by.as_ref().map(|taken| taken.rule), taken);
            if !rule.never_reached.is_empty() {
                prop_assert!(taken.is_some() || finding.blamed().is_some());
            }
        }
    }

    #[test]
    fn what_no_rule_can_allow_is_never_proposed(before in rules(), method in method(), origin in select(ORIGINS.to_vec())) {
        if AllowedMethod::from_name(method.as_str().as_bytes()).is_none() {
            let wanted = Wanted::new(origin, method.as_str(), None);
            prop_assert!(matches!(wanted, Err(CannotAllow::Method(_) | CannotAllow::NotAMethod(_))));
        }
        prop_assert!(smallest_change(Some(&before), &Wanted::new(origin, "GET", None).unwrap()).is_ok() || before.rules().len() < MAX_RULES);
    }
}

/// The properties would also hold of an engine that only ever adds rules, or of requests that are always allowed.
#[test]
fn what_is_drawn_is_often_widened_and_often_added() {
    let mut runner = TestRunner::deterministic();
    let (mut widened, mut added, mut allowed) = (0, 0, 0);
    for _ in 0..1000 {
        let (before, asked) = case().new_tree(&mut runner).unwrap().current();
        match smallest_change(Some(&before), &asked.wanted()) {
            Ok(change) if change.place == Place::Rule => widened += 1,
            Ok(_) => added += 1,
            Err(_) => allowed += 1,
        }
    }
    assert!(widened > 60 && added > 300 && allowed > 50, "widened {widened}, added {added}, allowed {allowed}");
}
