//! The latest denials by request id, so that a page's developer can ask about the response that the browser shows.

use super::denial::{Denial, Denied, MAX_BUCKET, MAX_DETAIL, MAX_METHOD, MAX_ORIGIN, bounded};
use super::group::RequestGroup;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// The most that is kept of a path or a list of headers, in bytes.
const MAX_TEXT: usize = 1024;
/// The most headers of several requests that are put together.
const MAX_NAMES: usize = 64;

/// The headers that the kept requests of a group ask for, together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedTogether {
    /// Their names in lower case, sorted, separated by commas.
    pub request_headers: String,
    /// True if the requests ask for different headers.
    pub differ: bool,
    /// False if there are more names than are kept.
    pub is_whole: bool,
}

/// The latest denials, at most a fixed number of them.
#[derive(Debug)]
pub struct RecentDenials {
    places: usize,
    latest: Mutex<VecDeque<Denial>>,
}

impl RecentDenials {
    /// Keeps so many; 0 keeps none.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places, latest: Mutex::default() }
    }

    /// How many denials are kept, at most.
    #[must_use]
    pub const fn places(&self) -> usize {
        self.places
    }

    /// Keeps a denial, in place of the oldest one if all places are taken.
    pub fn keep(&self, denied: &Denied<'_>) {
        if self.places == 0 {
            return;
        }
        let denial = Denial::new(denied);
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = if latest.len() < self.places { None } else { latest.pop_front() };
        latest.push_back(denial);
        drop(latest);
        // Freed without the lock.
        drop(oldest);
    }

    /// The denial with this request id, the proxy's or the upstream's, if it is still kept.
    #[must_use]
    pub fn find(&self, request_id: &str) -> Option<Denial> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.iter().rev().find(|denial| denial.is_called(request_id)).cloned()
    }

    /// Puts together the headers that the requests of a group ask for, as far as they are still kept.
    #[must_use]
    pub fn asked_together(&self, group: &RequestGroup) -> AskedTogether {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut lists, mut names, mut is_whole) = (BTreeSet::new(), BTreeSet::new(), true);
        for denial in latest.iter().filter(|denial| denial.is_of(group)) {
            is_whole &= denial.is_whole;
            let list = denial.request_headers.as_deref().unwrap_or_default();
            if names.len() <= MAX_NAMES && lists.insert(list) {
                let asked = list.split(',').map(|name| name.trim().to_ascii_lowercase());
                names.extend(asked.filter(|name| !name.is_empty()));
            }
        }
        is_whole &= names.len() <= MAX_NAMES;
        let differ = lists.len() > 1;
        let request_headers = names.into_iter().take(MAX_NAMES).collect::<Vec<_>>().join(",");
        AskedTogether { request_headers, differ, is_whole }
    }

    /// The different requests among the denials that are meant, each with its latest denial and how often it came.
    pub fn different(&self, is_meant: impl Fn(&Denial) -> bool) -> Vec<(Denial, u64)> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut different = HashMap::new();
        for denial in latest.iter().filter(|denial| is_meant(denial)) {
            let Denial { origin, method, request_headers, is_whole, .. } = denial;
            let request = (denial.group(), origin, method, request_headers, is_whole);
            let (last, count) = different.entry(request).or_insert((denial, 0));
            (*last, *count) = (denial, *count + 1);
        }
        different.into_values().map(|(denial, count)| (denial.clone(), count)).collect()
    }
}

impl Denial {
    fn is_called(&self, request_id: &str) -> bool {
        let mut ids = [Some(&self.request_id), self.upstream_request_id.as_ref()].into_iter().flatten();
        ids.any(|id| id.eq_ignore_ascii_case(request_id))
    }

    fn is_of(&self, group: &RequestGroup) -> bool {
        (self.group(), &*self.origin, &*self.method) == (&*group.bucket, &*group.origin, &*group.method)
            && (self.kind, self.reason) == (group.kind, group.reason)
            && self.detail == group.detail
    }

    fn new(denied: &Denied<'_>) -> Self {
        let names = denied.request_headers.map(whole_names);
        let mut is_whole = names.map(<[u8]>::len) == denied.request_headers.map(<[u8]>::len);
        let mut kept = |bytes, most| {
            let (text, is_all) = bounded(bytes, most);
            is_whole &= is_all;
            Box::from(text)
        };
        Self {
            at: denied.at,
            request_id: denied.request_id.into(),
            upstream_request_id: denied.upstream_request_id.map(Into::into),
            label: denied.label.into(),
            bucket: denied.bucket.map(|name| kept(name.as_bytes(), MAX_BUCKET)),
            is_ambiguous: denied.is_ambiguous,
            kind: denied.kind,
            path: kept(denied.path.as_bytes(), MAX_TEXT),
            origin: kept(denied.origin, MAX_ORIGIN),
            method: kept(denied.method, MAX_METHOD),
            request_headers: names.map(|names| kept(names, MAX_TEXT)),
            is_whole,
            reason: denied.reason,
            detail: denied.detail.map(|detail| bounded(detail.as_bytes(), MAX_DETAIL).0.into()),
            status: denied.status,
            was_answered: denied.was_answered,
        }
    }
}

/// The names that are kept of a list. Half a name is another name.
fn whole_names(names: &[u8]) -> &[u8] {
    if names.len() <= MAX_TEXT {
        return names;
    }
    let kept = names.get(..MAX_TEXT).unwrap_or_default();
    let end = kept.iter().rposition(|byte| *byte == b',').unwrap_or(0);
    kept.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Rejections;
    use crate::observe::denial::tests::denied;

    #[test]
    fn the_latest_are_found_and_older_ones_are_gone() {
        let recent = RecentDenials::new(3);
        for id in ["A1", "B2", "C3", "D4"] {
            recent.keep(&Denied { request_id: id, ..denied("https://a") });
        }
        assert_eq!(recent.find("A1"), None);
        for id in ["B2", "C3", "D4", "d4"] {
            assert!(recent.find(id).is_some_and(|denial| denial.request_id.eq_ignore_ascii_case(id)), "{id}");
        }
        recent.keep(&Denied { request_id: "E5", upstream_request_id: Some("tx0-f6"), ..denied("https://a") });
        for id in ["E5", "tx0-f6", "TX0-F6"] {
            assert!(recent.find(id).is_some_and(|denial| &*denial.request_id == "E5"), "{id}");
        }
        let none = RecentDenials::new(0);
        none.keep(&denied("https://a"));
        assert_eq!(none.find(denied("").request_id), None);
    }

    #[test]
    fn denials_of_the_same_request_are_counted_together() {
        let recent = RecentDenials::new(10);
        let (get, put) = (Denied { method: b"GET", ..denied("https://a") }, denied("https://a"));
        let with_headers = Denied { request_headers: Some(b"x-a"), ..put };
        let later = Denied { request_id: "00000000000000FF", path: "/b/other", ..put };
        for denied in [put, get, with_headers, Denied { label: "c", ..put }, later] {
            recent.keep(&denied);
        }
        let different = recent.different(|denial| &*denial.label == "b");
        assert_eq!(different.len(), 3);
        let (last, count) = different.iter().max_by_key(|(_, count)| count).unwrap();
        assert_eq!((&*last.method, &*last.request_id, *count), ("PUT", "00000000000000FF", 2));
    }

    #[test]
    fn the_headers_of_a_group_are_put_together() {
        let (recent, rejections) = (RecentDenials::new(200), Rejections::new(1));
        let put = denied("https://a");
        let other = Denied { method: b"GET", request_headers: Some(b"x-other"), ..put };
        for denied in [Denied { request_headers: Some(b"X-B, x-a"), ..put }, other, put] {
            recent.keep(&denied);
            rejections.count(&denied);
        }
        let group = &rejections.top()[0];
        let together = recent.asked_together(group);
        assert_eq!(together, AskedTogether { request_headers: "x-a,x-b".into(), differ: true, is_whole: true });
        for number in 0..100 {
            recent.keep(&Denied { request_headers: Some(format!("x-{number}").as_bytes()), ..put });
        }
        let together = recent.asked_together(group);
        assert_eq!((together.request_headers.split(',').count(), together.is_whole), (MAX_NAMES, false));
    }

    #[test]
    fn what_is_kept_is_bounded_and_ends_with_a_whole_name() {
        let recent = RecentDenials::new(1);
        let (long, names) = ("ü".repeat(5_000), "x-amz-name,".repeat(1_000));
        recent.keep(&Denied {
            bucket: Some(&long),
            path: &long,
            method: long.as_bytes(),
            origin: long.as_bytes(),
            request_headers: Some(names.as_bytes()),
            ..denied("")
        });
        let kept = recent.find(denied("").request_id).unwrap();
        assert!(!kept.is_whole);
        let lengths = [&kept.path, &kept.origin, &kept.method, kept.bucket.as_ref().unwrap()].map(|text| text.len());
        assert_eq!(lengths, [1024, 300, 32, 254]);
        let names = kept.request_headers.unwrap();
        assert!(names.len() <= 1024 && names.split(',').all(|name| name == "x-amz-name"), "{names}");
        recent.keep(&denied("https://a"));
        assert!(recent.find(denied("").request_id).unwrap().is_whole);
    }
}
