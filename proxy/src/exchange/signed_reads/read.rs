//! A read that is signed here: what the upstream is asked for, and what of the client's request goes along.

use super::prefixes::ReadPrefix;
use crate::s3::read_signer::{ReadSigner, SignedTarget};
use http::StatusCode;
use std::sync::Arc;
use std::time::SystemTime;

/// The lines of a stranger that go along: the part and the form that are asked for, and the conditions (RFC 9110 §12.5, §13.1, §14.2). Nothing
/// that S3 would do something else for.
const GO_ALONG: [&str; 8] = [
    "accept",
    "accept-encoding",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
];
/// The number of those, at the beginning, that are about the form.
const OF_THE_FORM: usize = 2;

/// The question that an upstream is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadStep {
    /// The object.
    Object,
    /// The first byte of the object's index, to see whether the object is a folder.
    Folder,
    /// The object that an error is shown as.
    Error,
}

/// A read that is signed here.
#[derive(Debug)]
pub(in crate::exchange) struct SignedRead {
    pub(in crate::exchange) prefix: Arc<ReadPrefix>,
    signer: Arc<ReadSigner>,
    /// The length of the key's text, with which the path ends.
    key_length: usize,
    /// The key in place of it.
    pub(super) own_key: Option<Box<str>>,
    /// Set if the client may be sent to the same path with a slash.
    pub(super) may_be_folder: bool,
    pub(super) step: ReadStep,
    /// The status of the object itself, once it has one.
    pub(super) status: StatusCode,
    /// The grant that opened it; `None` where everyone may read it.
    pub(in crate::exchange) grant: Option<OpenFolder>,
}

/// A folder that is open for a time.
#[derive(Debug)]
pub(in crate::exchange) struct OpenFolder {
    pub(in crate::exchange) folder: Box<str>,
    pub(in crate::exchange) until: SystemTime,
}

impl SignedRead {
    pub(super) const fn new(prefix: Arc<ReadPrefix>, signer: Arc<ReadSigner>, key_length: usize) -> Self {
        let (step, status) = (ReadStep::Object, StatusCode::OK);
        Self { prefix, signer, key_length, own_key: None, may_be_folder: false, step, status, grant: None }
    }

    /// The key, as a path has it. `path` is the client's.
    fn key<'r>(&'r self, path: &'r str) -> &'r str {
        let asked = || path.len().checked_sub(self.key_length).and_then(|at| path.get(at..)).unwrap_or_default();
        self.own_key.as_deref().unwrap_or_else(asked)
    }

    /// The request for the upstream. `path` and `method` are the client's.
    pub(in crate::exchange) fn edits<'r>(&'r self, method: &'r str, path: &'r str) -> ReadEdits<'r> {
        ReadEdits { read: self, method, key: self.key(path) }
    }

    /// Signs with other credentials from now on.
    pub(in crate::exchange) fn sign_with(&mut self, signer: Arc<ReadSigner>) {
        self.signer = signer;
    }

    /// Goes on to ask for the index of a folder. `path` is the client's.
    pub(super) fn ask_for_index(&mut self, path: &str, index: &str) {
        self.own_key = Some([self.key(path), "/", index].concat().into());
        self.step = ReadStep::Folder;
    }

    /// Goes on to ask for the object that an error is shown as.
    pub(super) fn ask_for_error(&mut self, key: &str) {
        (self.own_key, self.step) = (Some(key.into()), ReadStep::Error);
    }
}

/// The request for an upstream, in place of the client's: path style, with the upstream's own authority.
#[derive(Clone, Copy, Debug)]
pub struct ReadEdits<'r> {
    read: &'r SignedRead,
    method: &'r str,
    key: &'r str,
}

impl ReadEdits<'_> {
    /// The target, in parts.
    #[must_use]
    pub fn target(&self) -> [&str; 4] {
        ["/", &self.read.prefix.bucket, "/", self.key]
    }

    /// Returns true if a line of the client goes along, by its name in any case.
    #[must_use]
    pub fn takes(&self, name: &[u8]) -> bool {
        let names = if self.read.step == ReadStep::Object { &GO_ALONG[..] } else { GO_ALONG.split_at(OF_THE_FORM).0 };
        names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    }

    /// Hands over the lines of the signature and what it covers, in pieces. `authority` is the `Host` that is sent.
    pub fn sign(&self, authority: &str, mut take: impl FnMut(&[u8])) {
        if self.read.step == ReadStep::Folder {
            take(b"range: bytes=0-0\r\n");
        }
        let target =
            SignedTarget { method: self.method, authority, bucket: &self.read.prefix.bucket, raw_key: self.key };
        self.read.signer.sign(&target, SystemTime::now(), take);
    }
}
