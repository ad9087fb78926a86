//! Names under which strangers register names of their own, by the Public Suffix List.
//!
//! The list is code, and a lot of it: it is asked in this file alone, so that a program has it once.

/// The part of a host name that its owner has registered; `None` for a suffix itself.
#[inline(never)]
pub(super) fn registered(host: &str) -> Option<&str> {
    psl::domain_str(host)
}

/// Returns true for a name below which an owner, not a registry, lets strangers have names: `github.io`, or one of those.
#[inline(never)]
pub(super) fn is_shared(name: &str) -> bool {
    psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.typ() == Some(psl::Type::Private))
}
