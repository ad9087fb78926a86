//! Rules that a server never looks at, where it stops at the first one that has the origin.
//!
//! Decides: which origins, methods and headers such a server does not see. Must not know: which servers do so.

use s3_cors::{AllowedMethod, CorsRule, HeaderPattern, OriginPattern};

/// The part of a rule that an earlier one hides from a server that looks at the first one of an origin.
#[derive(Default)]
pub(super) struct Hidden {
    /// The origins that both rules have.
    pub(super) origins: Vec<String>,
    methods: Vec<String>,
    headers: Vec<String>,
}

impl Hidden {
    /// `None` where nothing is hidden.
    pub(super) fn of(rule: &CorsRule, earlier: &[CorsRule]) -> Option<Self> {
        let mut hidden = Self::default();
        let first = |origin: &OriginPattern| {
            earlier.iter().find(|other| other.allowed_origins().iter().any(|own| covers(own, origin)))
        };
        for own in rule.allowed_origins() {
            // A pattern is hidden as a whole, or where an earlier rule has some of its origins.
            let narrower = earlier.iter().flat_map(CorsRule::allowed_origins).filter(|other| covers(own, other));
            for origin in std::iter::once(own).chain(narrower) {
                if let Some(first) = first(origin) {
                    hidden.take(origin.as_str(), rule, first);
                }
            }
        }
        (!hidden.origins.is_empty()).then_some(hidden)
    }

    /// Takes what the first rule of an origin lacks.
    fn take(&mut self, origin: &str, rule: &CorsRule, first: &CorsRule) {
        let (shared, lacking): (Vec<&AllowedMethod>, Vec<_>) =
            rule.allowed_methods().iter().partition(|method| first.allowed_methods().contains(method));
        let has = |name: &str| {
            let mut patterns = first.allowed_headers().iter();
            patterns.any(|own| own.is_any() || own.as_str().eq_ignore_ascii_case(name) || own.matches(name))
        };
        let headers = rule.allowed_headers().iter().map(HeaderPattern::as_str).filter(|name| !has(name));
        let headers: Vec<_> = headers.filter(|_| !shared.is_empty()).map(str::to_owned).collect();
        if lacking.is_empty() && headers.is_empty() {
            return;
        }
        add_new(&mut self.origins, [origin.to_owned()]);
        add_new(&mut self.methods, lacking.iter().map(|method| method.as_str().to_owned()));
        add_new(&mut self.headers, headers);
    }

    /// The effect on pages of these origins.
    pub(super) fn consequence(&self) -> String {
        let methods = (!self.methods.is_empty()).then(|| format!("cannot {}", self.methods.join(", ")));
        let headers = (!self.headers.is_empty()).then(|| format!("cannot send {}", self.headers.join(", ")));
        let both: Vec<_> = methods.into_iter().chain(headers).collect();
        format!("pages of {} {}", self.origins.join(", "), both.join(", and "))
    }
}

fn add_new<T: PartialEq>(list: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for each in more {
        if !list.contains(&each) {
            list.push(each);
        }
    }
}

/// Returns true if one pattern matches what the other one does: two texts in place of its `*` are as good as any, where no one writes them.
fn covers(wide: &OriginPattern, narrow: &OriginPattern) -> bool {
    ["1x0z", "qj.7-w"].iter().all(|any| wide.matches(narrow.as_str().replace('*', any).as_bytes()))
}
