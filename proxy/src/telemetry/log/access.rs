//! The access line: one for each request, with the fields that the documentation promises.

use super::Format;
use super::console::Colour;
use super::line::{Scratch, Syntax, name};
use super::queue::{Lane, Queue};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// The longest of the usual methods, OPTIONS.
const METHOD_WIDTH: usize = 7;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The side whose signature the upstream sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// The client has signed its request.
    Client,
    /// The proxy signs what anyone may read.
    Here,
    /// The proxy signs what a grant has opened.
    Grant,
    /// The request has no signature.
    None,
}

names!(SignedBy: Client = "client", Here = "here", Grant = "grant", None = "none");

/// One request, as the access line shows it. It has no place for a query or for a header other than Origin.
#[derive(Debug)]
pub struct Access<'a> {
    /// Names the request in answers and logs.
    pub request_id: &'a str,
    /// The client's address, where it is known; port 0 is one that is not.
    pub client: Option<SocketAddr>,
    /// The version of HTTP that the client spoke.
    pub protocol: Option<&'a str>,
    /// The version of TLS that the client spoke with this proxy.
    pub tls: Option<&'a str>,
    /// The method.
    pub method: &'a str,
    /// S3's name for what the request asks for.
    pub operation: Option<&'a str>,
    /// The bucket, fit for a log; `_service` for requests without one, `_other` where servers differ about it.
    pub bucket: &'a str,
    /// The path without the query.
    pub path: &'a str,
    /// The status that the client saw.
    pub status: u16,
    /// Body bytes to the client.
    pub bytes: usize,
    /// Seconds from the request's head to the end of the response.
    pub duration: f64,
    /// The upstream's address that was tried last.
    pub upstream: Option<SocketAddr>,
    /// The reason why it was refused here: a limit on uploads, or `cors`, with `cors.enforce`.
    pub refused: Option<&'a str>,
    /// The name of that upstream, where there are several.
    pub upstream_name: Option<&'a str>,
    /// Seconds to the head of the upstream's response.
    pub upstream_time: Option<f64>,
    /// What the upstream calls the request.
    pub upstream_request_id: Option<&'a str>,
    /// The side that signed.
    pub signer: SignedBy,
    /// The listed prefix, or the folder of the grant, below which the proxy signed; fit for a log.
    pub signed_prefix: Option<&'a str>,
    /// The time at which the grant ends.
    pub until: Option<SystemTime>,
    /// The Origin, fit for a log.
    pub origin: Option<&'a str>,
    /// What CORS decided.
    pub cors: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
    /// What was refused, fit for a log.
    pub detail: Option<&'a str>,
    /// The rule that granted.
    pub rule: Option<&'a str>,
}

/// Where access lines go. They bypass `tracing`: its formatter allocates for every field.
#[derive(Clone)]
pub struct AccessLog {
    queue: Arc<Queue>,
    format: Format,
}

impl AccessLog {
    pub(super) fn new(queue: Arc<Queue>, format: Format) -> Self {
        Self { queue, format }
    }

    /// Writes the line of a request. Does not block: it is dropped and counted if it does not fit into the queue.
    pub fn write(&self, access: &Access<'_>) {
        SCRATCH.with_borrow_mut(|scratch| {
            let line = match self.format {
                Format::Json => access.line(Syntax::Json, scratch),
                Format::Text => access.line(Syntax::Text, scratch),
                Format::Console { has_colour } => access.console_line(has_colour, scratch),
            };
            self.queue.push(line, Lane::Access);
        });
    }
}

impl Access<'_> {
    fn line<'s>(&self, syntax: Syntax, scratch: &'s mut Scratch) -> &'s [u8] {
        let mut line = scratch.line(syntax, "access", "request");
        line.text(name!("request_id"), self.request_id)
            .address(name!("client"), self.client)
            .optional_text(name!("protocol"), self.protocol)
            .optional_text(name!("tls"), self.tls)
            .text(name!("method"), self.method)
            .optional_text(name!("operation"), self.operation)
            .text(name!("bucket"), self.bucket)
            .text(name!("path"), self.path)
            .number(name!("status"), self.status.into())
            .number(name!("bytes"), self.bytes as u64)
            .float(name!("duration"), self.duration);
        if self.upstream.is_some() {
            line.address(name!("upstream"), self.upstream);
        }
        line.optional_text(name!("upstream_name"), self.upstream_name);
        line.optional_text(name!("refused"), self.refused);
        if let Some(upstream_time) = self.upstream_time {
            line.float(name!("upstream_time"), upstream_time);
        }
        line.optional_text(name!("upstream_request_id"), self.upstream_request_id)
            .text(name!("signer"), self.signer.as_str())
            .optional_text(name!("prefix"), self.signed_prefix);
        if let Some(until) = self.until {
            line.time(name!("until"), until);
        }
        line.optional_text(name!("origin"), self.origin)
            .optional_text(name!("cors"), self.cors)
            .optional_text(name!("reason"), self.reason)
            .optional_text(name!("detail"), self.detail)
            .optional_text(name!("rule"), self.rule);
        line.end()
    }

    /// The line for a person: the request, what CORS said to it, and how long it took.
    fn console_line<'s>(&self, has_colour: bool, scratch: &'s mut Scratch) -> &'s [u8] {
        let mut line = scratch.console_line(has_colour);
        line.coloured(Colour::of_status(self.status), |line| line.number(self.status.into()));
        line.word(" ").padded(self.method, METHOD_WIDTH).word(" ").foreign(self.path);
        if self.is_bucket_hidden() {
            line.word(" (bucket ").foreign(self.bucket).word(")");
        }
        if let Some(origin) = self.origin {
            line.word("  ").foreign(origin);
        }
        if let Some(cors) = self.cors {
            line.word(" -> ").coloured(Colour::of_outcome(cors), |line| line.words(cors));
            let reason = self.reason.filter(|reason| !["none", cors].contains(reason));
            if let Some(reason) = reason {
                line.word(" (").words(reason);
                // An origin that was refused is already there.
                if let Some(detail) = self.detail.filter(|detail| Some(*detail) != self.origin) {
                    line.word(" ").foreign(detail);
                }
                line.word(")");
            }
        }
        line.word("  ").coloured(Colour::Dim, |line| line.duration(self.duration));
        line.end()
    }

    /// Returns true where the path does not begin with the bucket: the host names it.
    fn is_bucket_hidden(&self) -> bool {
        let rest = self.path.strip_prefix('/').and_then(|path| path.strip_prefix(self.bucket));
        let is_shown = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        // `_service` and `_other` are no names.
        !is_shown && !self.bucket.is_empty() && !self.bucket.starts_with('_')
    }
}

#[cfg(test)]
mod tests;
