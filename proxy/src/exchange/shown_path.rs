//! The path and the bucket of a request, as operators see them: a token in a path is a key to a folder, and ends up nowhere.

use super::grants::shown;
use super::head::RequestHead;
use super::known::Known;
use super::policy::Policy;
use std::borrow::Cow;

/// The path, with `~` in place of a token.
pub(super) fn shown_path<'r>(policy: &Policy, head: &'r impl RequestHead, known: &Known) -> Cow<'r, str> {
    let path = head.path();
    if policy.reads.is_none() || !path.contains(['~', '%']) {
        return path.into();
    }
    let (prefix, inner) = path.split_at_checked(known.host.prefix).unwrap_or(("", path));
    match shown(inner, policy.address(head, &known.host).is_in_host) {
        Cow::Borrowed(_) => path.into(),
        Cow::Owned(inner) => [prefix, &inner].concat().into(),
    }
}

/// The name of a bucket. A path without its bucket has the token in that place.
pub(super) fn shown_bucket<'r>(policy: &Policy, name: &'r str) -> &'r str {
    if policy.reads.is_some() && name.starts_with('~') { "~" } else { name }
}
