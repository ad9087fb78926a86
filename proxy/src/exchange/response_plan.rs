//! The step after an upstream's response, and which response the client sees.

use super::head_retry::FullLength;
use http::StatusCode;

/// The step after the head of an upstream's final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponsePlan {
    /// The request is asked again, with other edits. This head is kept: it may be the one that is relayed in the end.
    Again,
    /// A response is relayed.
    Relay(Shown),
    /// The client gets a reply of ours (`Forward::in_place`), and nothing of the response.
    Reply,
}

/// The response that the client sees. Only the exchange makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The status in place of the one that came.
    pub(super) status: Option<StatusCode>,
    pub(super) full_length: Option<FullLength>,
    pub(super) is_retry: bool,
    pub(super) is_first: bool,
}

impl Shown {
    /// The response that came.
    pub(super) const fn as_it_came() -> Self {
        Self { status: None, full_length: None, is_retry: false, is_first: false }
    }

    /// Returns true if the head of the first response is shown, not that of the second.
    #[must_use]
    pub const fn is_first(self) -> bool {
        self.is_first
    }

    /// Returns true if the body that came is not for the client, who asked HEAD.
    #[must_use]
    pub const fn is_head_only(self) -> bool {
        self.is_retry
    }
}

/// The driver's part in the decision whether a request is asked again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resend<'d> {
    /// The beginning of the response's body, where the exchange wants to see it first.
    pub document: &'d [u8],
    /// Set if nothing of the request is lost: it has no body, or its body still waits.
    pub is_possible: bool,
}
