//! A request whose signature the upstream refused, as it is told to people: that it is no matter of CORS, what the proxy sees of the cause,
//! and the name under which it would have opened.

use crate::observe::{RefusedSignature, SignatureGroup};
use serde::Serialize;
use std::fmt;

/// The explanation of a refused signature.
#[derive(Serialize)]
pub(super) struct SignatureExplained {
    signature: SignatureGroup,
}

impl From<SignatureGroup> for SignatureExplained {
    fn from(signature: SignatureGroup) -> Self {
        Self { signature }
    }
}

impl fmt::Display for SignatureExplained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SignatureGroup { latest: RefusedSignature { request_id, method, bucket, .. }, .. } = &self.signature;
        writeln!(
            f,
            "The {method} {request_id} (rules: {bucket}) has nothing to do with CORS: {}.",
            what_happened(&self.signature)
        )?;
        if let Some(name) = would_open(&self.signature) {
            writeln!(f, "{name}.")?;
        }
        writeln!(f, "To do: {}.", self.signature.latest.advice)
    }
}

/// Tells the fate of the request.
pub(super) fn what_happened(signature: &SignatureGroup) -> String {
    let RefusedSignature { cause, header, client_host, sent_host, is_healed, .. } = &signature.latest;
    let about = header.as_ref().map_or_else(String::new, |header| format!(", about the header {header}"));
    if *is_healed {
        return format!(
            "its signature was not for {client_host} as it came, and the upstream took it as {sent_host} ({cause}{about})"
        );
    }
    format!("the upstream refused its signature, asked as {sent_host} (cause: {cause}{about})")
}

/// Names the host under which a request for the same host was taken.
pub(super) fn would_open(signature: &SignatureGroup) -> Option<String> {
    let name = signature.worked_as.as_deref().filter(|_| !signature.latest.is_healed)?;
    Some(format!(
        "A signature for {} was taken as {name} since then: this request may open under that name",
        signature.latest.client_host
    ))
}
