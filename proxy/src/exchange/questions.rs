//! The questions of one request: under which name, and with which value of a signed header, an upstream is asked.
//!
//! A signature covers the name that its client was told. Where several were configured, or something on the way replaced a signed header, the
//! proxy cannot know which form was signed, and the upstream can: what it refuses for its signature is asked again in the next form. Decides:
//! which forms there are, in which order, and how many are asked. Must not know: how a refusal is recognised.

use super::head::RequestHead;
use super::names::NameSet;
use super::remembered::{Form, Remembered, RememberedForm, SignedKind};
use crate::config::{Config, UpstreamIndex};
use crate::s3::signature::{Signer, signs};
use http::StatusCode;

/// The most questions of one request: so many times, at most, are forged signatures multiplied.
const MOST: usize = 3;

/// The values of `Accept-Encoding` that SDKs sign, and CDNs replace: those of AWS, then Go's, Python's, Node's and browsers'. A form has their
/// index, from 1.
const ENCODINGS: [&str; 4] = ["identity", "gzip", "gzip, deflate", "gzip, deflate, br"];
const LAST_ENCODING: u8 = 4;

/// The configuration of further questions, and the memory of what was accepted.
pub(super) struct Healing {
    remembered: Remembered,
    heals_encoding: bool,
}

impl Healing {
    pub(super) fn of(config: &Config) -> Option<Self> {
        let heals_encoding = config.signatures.heal.is_on();
        let has_lists = || {
            let of_hosts = config.hosts.iter().filter_map(|(_, _, host)| host.upstream_host.as_ref());
            of_hosts
                .chain(config.all_upstreams().map(|settings| &settings.host))
                .any(|hosts| hosts.as_slice().len() > 1)
        };
        (heals_encoding || has_lists()).then(|| Self { remembered: Remembered::new(), heals_encoding })
    }
}

/// The questions of one request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Questions {
    names: NameSet,
    /// The form of this question.
    form: Form,
    /// The forms that were asked before it.
    before: [Form; MOST - 1],
    count: u8,
    /// `None` for a request that has one question only.
    kind: Option<SignedKind>,
    /// Set if requests of this kind were accepted in this form.
    is_confirmed: bool,
    signs_encoding: bool,
    /// Set once the refusal is put down to a replaced `Accept-Encoding`.
    is_encoding_replaced: bool,
}

impl Questions {
    /// The first question of an upstream. `names` are those under which the request has the same address; `prefix` belongs to its host's name.
    pub(super) fn begin(
        names: NameSet,
        healing: Option<&Healing>,
        head: &impl RequestHead,
        (prefix, upstream): (usize, UpstreamIndex),
    ) -> Self {
        let form = Form { name: names.indices().next().unwrap_or_default(), encoding: 0 };
        let mut questions = Self { names, form, ..Self::default() };
        if let Some(healing) = healing.filter(|healing| names.has_several() || healing.heals_encoding) {
            questions.recall(healing, head, (prefix, upstream));
        }
        questions
    }

    /// Begins with the form in which requests of this kind were last accepted.
    fn recall(&mut self, healing: &Healing, head: &impl RequestHead, of: (usize, UpstreamIndex)) {
        let (authorization, query) = (head.text("authorization"), head.query());
        let Some(signer) = Signer::of(authorization, query) else { return };
        self.signs_encoding = healing.heals_encoding && signs(head.value("authorization"), query, "accept-encoding");
        let encoding = if self.signs_encoding { head.value("accept-encoding") } else { None };
        let kind = healing.remembered.kind((head.host(), of, signer, encoding));
        self.kind = Some(kind);
        let remembered = healing.remembered.form(kind).filter(|remembered| self.has(remembered.form));
        if let Some(RememberedForm { form, is_confirmed, is_mixed }) = remembered {
            (self.form, self.is_confirmed) = (form, is_confirmed && !is_mixed);
        }
    }

    fn has(&self, form: Form) -> bool {
        self.names.has(form.name) && (form.encoding == 0 || self.signs_encoding)
    }

    /// Leaves the request the question that it has now.
    pub(super) const fn end(&mut self) {
        self.kind = None;
    }

    /// The index of the name that is asked for.
    pub(super) const fn name(&self) -> u8 {
        self.form.name
    }

    /// The `Accept-Encoding` in place of the client's own.
    pub(super) fn encoding(&self) -> Option<&'static str> {
        let index = usize::from(self.form.encoding).checked_sub(1)?;
        ENCODINGS.get(index).copied()
    }

    /// Returns true if the request may be asked once more.
    pub(super) fn may_go_on(&self) -> bool {
        self.kind.is_some() && usize::from(self.count) + 1 < MOST && (self.names.has_several() || self.signs_encoding)
    }

    /// Returns true if a body should wait until the upstream has judged the head: no request of the kind was accepted in this form yet.
    pub(super) fn holds_body(&self) -> bool {
        !self.is_confirmed && self.may_go_on()
    }

    /// Returns true if another form was asked before, or a header was restored.
    pub(super) fn is_healing(&self) -> bool {
        self.is_further() || self.restores_encoding()
    }

    /// Returns true if a header was restored.
    pub(super) const fn restores_encoding(&self) -> bool {
        self.form.encoding != 0
    }

    /// Returns true if another form was asked before.
    pub(super) fn is_further(&self) -> bool {
        self.asked().iter().any(|form| *form != self.form)
    }

    /// The forms of the questions before this one.
    fn asked(&self) -> &[Form] {
        self.before.get(..usize::from(self.count)).unwrap_or(&self.before)
    }

    /// Returns true for a request that may have several questions.
    pub(super) const fn is_of_a_kind(&self) -> bool {
        self.kind.is_some()
    }

    /// Counts a further question in the same form, which differs in something else.
    pub(super) fn count_other(&mut self) {
        self.count_form();
    }

    fn count_form(&mut self) {
        if let Some(place) = self.before.get_mut(usize::from(self.count)) {
            *place = self.form;
        }
        self.count = self.count.saturating_add(1);
    }

    /// Notes that the last refusal is put down to a replaced `Accept-Encoding`.
    pub(super) const fn encoding_is_replaced(&mut self) {
        self.is_encoding_replaced = self.signs_encoding;
    }

    /// Goes on to the next form, after a refusal. Returns false if every form was asked, or enough of them.
    pub(super) fn go_on(&mut self, head: &impl RequestHead) -> bool {
        let Some(next) = self.next(head).filter(|_| self.may_go_on()) else { return false };
        self.count_form();
        (self.form, self.is_confirmed) = (next, false);
        true
    }

    /// The next form that was not asked yet.
    fn next(&self, head: &impl RequestHead) -> Option<Form> {
        let came = head.value("accept-encoding");
        let is_other = |index: &u8| {
            let value = usize::from(*index).checked_sub(1).and_then(|index| ENCODINGS.get(index));
            value.is_none_or(|value| came != Some(value.as_bytes()))
        };
        // Nothing that came can be what was signed, where it was replaced.
        let encodings = if self.is_encoding_replaced { 1..=LAST_ENCODING } else { 0..=0 };
        let names = || [self.form.name].into_iter().chain(self.names.indices());
        let forms = encodings.filter(is_other).flat_map(|encoding| names().map(move |name| Form { name, encoding }));
        forms.into_iter().find(|form| *form != self.form && !self.asked().contains(form))
    }

    /// Notes a response that is no refusal. What a server says before it has judged the signature proves nothing.
    pub(super) fn accepted(&self, healing: &Healing, status: StatusCode) {
        let is_judged = status.is_success() || matches!(status.as_u16(), 304 | 404 | 412 | 416);
        let Some(kind) = self.kind.filter(|_| is_judged && !self.is_confirmed) else { return };
        let before = healing.remembered.form(kind);
        let is_mixed =
            before.is_some_and(|before| before.is_mixed || (before.is_confirmed && before.form != self.form));
        healing.remembered.remember(kind, RememberedForm { form: self.form, is_confirmed: true, is_mixed });
    }

    /// Notes a refusal that cannot be asked again, since the body is gone: the bodies of the kind wait from now on. Anyone can have a signature
    /// refused, and so the form that was accepted stays the first.
    pub(super) fn refused(&self, healing: &Healing, head: &impl RequestHead) {
        let Some(kind) = self.kind else { return };
        let first = || Form { name: self.names.indices().next().unwrap_or_default(), encoding: 0 };
        let next = if self.is_confirmed { self.form } else { self.next(head).unwrap_or_else(first) };
        let is_mixed = self.is_confirmed || healing.remembered.form(kind).is_some_and(|before| before.is_mixed);
        healing.remembered.remember(kind, RememberedForm { form: next, is_confirmed: false, is_mixed });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigFile, Flags};

    const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=accept-encoding;host, Signature=ab";

    fn healing(settings: &str) -> Healing {
        let file = ConfigFile::parse(&format!("upstream: {{url: 'http://u:1'}}\n{settings}"), "f".as_ref()).unwrap();
        Healing::of(&Config::merge(Flags::default(), file).0).unwrap()
    }

    fn head(authorization: &str, encoding: &str) -> http::request::Parts {
        let request = http::Request::get("/b/k").header("host", "h").header("accept-encoding", encoding);
        request.header("authorization", authorization).body(()).unwrap().into_parts().0
    }

    /// The names and encodings that are asked when each is refused. `is_replaced`: refusals are put down to the encoding.
    fn asked(
        healing: &Healing,
        names: NameSet,
        head: &http::request::Parts,
        is_replaced: bool,
    ) -> Vec<(u8, Option<&'static str>)> {
        let mut questions = Questions::begin(names, Some(healing), head, Default::default());
        let mut asked = vec![(questions.name(), questions.encoding())];
        if is_replaced {
            questions.encoding_is_replaced();
        }
        while questions.go_on(head) {
            asked.push((questions.name(), questions.encoding()));
        }
        asked
    }

    #[test]
    fn a_request_is_asked_under_each_name_and_at_most_three_times() {
        let healing = healing("hosts: {h: {upstream_host: [preserve, a, b, c]}}");
        let head = head(SIGNED, "gzip");
        for (names, expected) in [
            (&[0][..], &[0][..]),
            (&[2], &[2]),
            (&[0, 1], &[0, 1]),
            (&[0, 1, 3], &[0, 1, 3]),
            (&[0, 1, 2, 3], &[0, 1, 2]),
            (&[], &[0]),
        ] {
            let forms = asked(&healing, NameSet::of(names), &head, true);
            assert_eq!(forms, expected.iter().map(|name| (*name, None)).collect::<Vec<_>>(), "{names:?}");
        }
    }

    #[test]
    fn a_replaced_encoding_is_restored_as_the_sdks_sign_it() {
        let healing = healing("signatures: {heal: on}");
        for (names, came, expected) in [
            (&[0][..], "br", &[(0, None), (0, Some("identity")), (0, Some("gzip"))][..]),
            (&[0], "gzip", &[(0, None), (0, Some("identity")), (0, Some("gzip, deflate"))]),
            (&[0, 1], "gzip", &[(0, None), (0, Some("identity")), (1, Some("identity"))]),
        ] {
            assert_eq!(asked(&healing, NameSet::of(names), &head(SIGNED, came), true), expected, "{came}");
        }
        let unsigned = SIGNED.replace("accept-encoding;", "");
        for (authorization, is_replaced) in [(SIGNED, false), (&unsigned, true), ("Bearer x", true)] {
            let forms = asked(&healing, NameSet::of(&[0]), &head(authorization, "gzip"), is_replaced);
            assert_eq!(forms, [(0, None)], "{authorization}");
        }
    }

    #[test]
    fn a_further_question_in_the_same_form_heals_no_signature() {
        let healing = healing("hosts: {h: {upstream_host: [preserve, a]}}");
        let mine = head(SIGNED, "gzip");
        let mut questions = Questions::begin(NameSet::of(&[0, 1]), Some(&healing), &mine, Default::default());
        questions.count_other();
        assert!(!questions.is_healing() && questions.may_go_on());
        assert!(questions.go_on(&mine) && questions.is_healing() && !questions.may_go_on());
    }

    #[test]
    fn what_was_accepted_goes_first_for_its_kind() {
        let healing = healing("hosts: {h: {upstream_host: [preserve, a]}}");
        let names = NameSet::of(&[0, 1]);
        let mine = head(SIGNED, "gzip");
        let mut questions = Questions::begin(names, Some(&healing), &mine, Default::default());
        assert!(questions.holds_body() && questions.go_on(&mine) && questions.holds_body());
        questions.accepted(&healing, StatusCode::FORBIDDEN);
        assert_eq!(asked(&healing, names, &mine, false), [(0, None), (1, None)], "a 403 proves nothing");
        questions.accepted(&healing, StatusCode::OK);
        assert_eq!(asked(&healing, names, &mine, false), [(1, None), (0, None)]);
        assert!(!Questions::begin(names, Some(&healing), &mine, Default::default()).holds_body());
        let other = head(&SIGNED.replace("AK", "BK"), "gzip");
        assert_eq!(asked(&healing, names, &other, false), [(0, None), (1, None)]);
        assert_eq!(
            asked(&healing, NameSet::of(&[0]), &mine, false),
            [(0, None)],
            "a remembered name that may not be asked here"
        );
    }

    #[test]
    fn a_refused_upload_cannot_change_what_was_accepted() {
        let healing = healing("hosts: {h: {upstream_host: [preserve, a]}}");
        let (names, mine) = (NameSet::of(&[0, 1]), head(SIGNED, "gzip"));
        let begun = || Questions::begin(names, Some(&healing), &mine, Default::default());
        begun().refused(&healing, &mine);
        assert_eq!((begun().name(), begun().holds_body()), (1, true), "the other name is guessed");
        begun().accepted(&healing, StatusCode::OK);
        begun().refused(&healing, &mine);
        assert_eq!((begun().name(), begun().holds_body()), (1, true), "the name stays, and the body waits again");
    }

    /// Else each switch between the names would cost an upload.
    #[test]
    fn bodies_of_a_kind_that_comes_in_several_forms_always_wait() {
        let healing = healing("hosts: {h: {upstream_host: [preserve, a]}}");
        let (names, mine) = (NameSet::of(&[0, 1]), head(SIGNED, "gzip"));
        let begun = || Questions::begin(names, Some(&healing), &mine, Default::default());
        begun().accepted(&healing, StatusCode::OK);
        assert!(!begun().holds_body());
        for _ in 0..3 {
            let mut other = begun();
            assert!(other.go_on(&mine));
            other.accepted(&healing, StatusCode::OK);
            assert!(begun().holds_body());
        }
    }
}
