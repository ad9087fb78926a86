//! The upstream that a request is sent to, and the one after it where a bucket has a fallback.
//!
//! Decides: which requests have a second upstream, and which response makes them go on to it. A read goes on from what is missing; a DELETE goes
//! to the fallback first, so that an object is never gone from the one and readable at the other. Must not know: how a request is sent.

use super::head::RequestHead;
use crate::config::{BucketRoute, FallbackDelete, NamedUpstream, UpstreamIndex, UpstreamOrigin};
use crate::s3::operation::{COPY_SOURCE, Scope, operation};
use crate::telemetry::{Metrics, UpstreamResponses};
use http::StatusCode;
use std::sync::Arc;

/// S3's word for the newest version of an object that was deleted (S3 API, GetObject).
const DELETE_MARKER: &[u8] = b"x-amz-delete-marker";
const VERSION: &str = "versionId";

/// An upstream, as exchanges know it.
pub(super) struct KnownUpstream {
    /// The name, where there are several.
    pub(super) name: Option<Arc<str>>,
    pub(super) origin: UpstreamOrigin,
    /// Counts its responses, where it has a name.
    responses: Option<UpstreamResponses>,
}

impl KnownUpstream {
    pub(super) fn of(upstream: &NamedUpstream, metrics: &Metrics) -> Self {
        let NamedUpstream { name, settings } = upstream;
        let responses = name.as_deref().map(|name| metrics.upstreams.responses_of(name));
        Self { name: name.clone(), origin: settings.origin, responses }
    }

    /// Counts a response with this status; `None` where it failed.
    pub(super) fn responded(&self, status: Option<StatusCode>) {
        if let Some(responses) = &self.responses {
            responses.count(status.map(|status| status.as_u16()));
        }
    }
}

/// The upstream of a question, and what may come after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct AskedUpstream {
    pub(super) index: UpstreamIndex,
    next: NextUpstream,
}

/// The upstream after this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum NextUpstream {
    /// There is no other.
    #[default]
    None,
    /// The fallback, if the object is missing here.
    IfMissing(UpstreamIndex),
    /// The bucket's own, after this deletion.
    AlsoDelete(UpstreamIndex),
    /// This is the fallback. The bucket's own is asked first about everything else that the request leads to.
    WasMissing(UpstreamIndex),
}

impl AskedUpstream {
    /// The one upstream of a question of ours.
    pub(super) const fn only(index: UpstreamIndex) -> Self {
        Self { index, next: NextUpstream::None }
    }

    /// The first upstream of a request, for a bucket with this route.
    pub(super) fn first(route: BucketRoute, head: &impl RequestHead, scope: Option<Scope>) -> Self {
        let BucketRoute { upstream, fallback, fallback_delete } = route;
        let Some(fallback) = fallback else { return Self::only(upstream) };
        match operation_of(head, scope) {
            Some("GetObject" | "HeadObject") => Self { index: upstream, next: NextUpstream::IfMissing(fallback) },
            Some("DeleteObject" | "DeleteObjects" | "DeleteBucket") if fallback_delete == FallbackDelete::Both => {
                Self { index: fallback, next: NextUpstream::AlsoDelete(upstream) }
            }
            _ => Self::only(upstream),
        }
    }

    /// Returns true if the document of a response with this status decides whether the next upstream is asked.
    pub(super) fn wants_document(self, status: StatusCode) -> bool {
        matches!(self.next, NextUpstream::IfMissing(_)) && status == StatusCode::NOT_FOUND
    }

    /// The upstream that a deletion is sent to after this one.
    pub(super) const fn also_deletes_at(self) -> Option<UpstreamIndex> {
        if let NextUpstream::AlsoDelete(own) = self.next { Some(own) } else { None }
    }

    /// Returns true if this is the fallback of a read.
    pub(super) const fn is_fallback(self) -> bool {
        matches!(self.next, NextUpstream::WasMissing(_))
    }

    /// The first upstream again, for the next thing that a read leads to.
    pub(super) const fn begun_again(self) -> Self {
        match self.next {
            NextUpstream::WasMissing(own) => Self { index: own, next: NextUpstream::IfMissing(self.index) },
            _ => self,
        }
    }

    /// The upstream that comes after this response. `says_missing` is false where its document says something else.
    pub(super) fn after<'l>(
        self,
        (status, says_missing): (StatusCode, bool),
        mut lines: impl Iterator<Item = (&'l [u8], &'l [u8])>,
    ) -> Option<Self> {
        match self.next {
            NextUpstream::IfMissing(fallback) => {
                let is_missing = status == StatusCode::NOT_FOUND && says_missing;
                let mut is_deleted = || lines.any(|(name, value)| is_delete_marker(name, value));
                (is_missing && !is_deleted())
                    .then_some(Self { index: fallback, next: NextUpstream::WasMissing(self.index) })
            }
            NextUpstream::AlsoDelete(_) | NextUpstream::None | NextUpstream::WasMissing(_) => None,
        }
    }
}

fn operation_of(head: &impl RequestHead, scope: Option<Scope>) -> Option<&'static str> {
    let names_version = |query: &str| {
        let mut names = query.split('&').map(|parameter| parameter.split_once('=').map_or(parameter, |(name, _)| name));
        names.any(|name| name.eq_ignore_ascii_case(VERSION))
    };
    // A version is of one server alone.
    if head.query().is_some_and(names_version) {
        return None;
    }
    operation(head.method(), scope?, head.query(), || head.value(COPY_SOURCE).is_some())
}

fn is_delete_marker(name: &[u8], value: &[u8]) -> bool {
    name.eq_ignore_ascii_case(DELETE_MARKER) && value.eq_ignore_ascii_case(b"true")
}
