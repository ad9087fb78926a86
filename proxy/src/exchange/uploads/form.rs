//! A form upload (S3 API, POST Object): its key and its type are in the body, before the file.

use super::limits::allows_type;
use super::refusal::{UploadRefusal, refused_upload};
use crate::exchange::failure::Failure;
use crate::exchange::head::RequestHead;
use crate::exchange::reply::Reply;
use crate::exchange::stages::{Exchange, Forward, Replying};
use crate::s3::address::NamedBucket;
use crate::s3::form_fields::{FormFields, FormStart, MAX_BEFORE_FILE, boundary_of, read};
use s3cors_http1::body_length::BodyLength;

/// The text in a key that the file's name comes in place of.
const FILE_NAME: &str = "${filename}";
/// The bytes after the file beside the boundary: `\r\n--` before it, and `--\r\n` after it, as browsers write it.
const AROUND_BOUNDARY: usize = 8;

/// A form whose beginning is read before an upstream sees it.
pub struct FormUpload<H: RequestHead>(Box<Exchange<H>>);

/// The step after some of a form was read.
pub enum AfterForm<H: RequestHead> {
    /// More is needed.
    More(FormUpload<H>),
    /// The request is an upstream's.
    Forward(Forward<H>),
    /// The client gets this reply. The rest of the body has no reader.
    Reply(Replying<H>),
}

impl<H: RequestHead> FormUpload<H> {
    pub(in crate::exchange) const fn new(exchange: Box<Exchange<H>>) -> Self {
        Self(exchange)
    }

    /// The head of the request.
    pub const fn head(&self) -> &H {
        &self.0.head
    }

    /// The most bytes of the body that are read before it is judged.
    #[must_use]
    pub fn most(&self) -> usize {
        let length = match self.0.head.body() {
            BodyLength::Length(length) => usize::try_from(length).unwrap_or(usize::MAX),
            BodyLength::None | BodyLength::Chunked => 0,
        };
        length.min(MAX_BEFORE_FILE)
    }

    /// Counts and logs a failure, and makes the reply to it, if the client is still there.
    #[must_use]
    pub fn fail(self, failure: Failure) -> Option<Replying<H>> {
        Forward::new(self.0).fail(failure, false)
    }

    /// Takes the beginning of the body.
    #[must_use]
    pub fn read(mut self, bytes: &[u8]) -> AfterForm<H> {
        match self.judged(bytes) {
            Ok(true) => AfterForm::Forward(Forward::new(self.0)),
            Ok(false) if bytes.len() < self.most() => AfterForm::More(self),
            Ok(false) => self.refuse(UploadRefusal::FieldsTooLong),
            Err(why) => self.refuse(why),
        }
    }

    fn refuse(mut self, why: UploadRefusal) -> AfterForm<H> {
        let Exchange { policy, known, .. } = &mut *self.0;
        let reply = refused_upload(policy, why, known);
        AfterForm::Reply(Replying::new(self.0, Reply { ends_connection: true, ..reply }))
    }

    /// Returns true if nothing refuses the form, and false while it is not known.
    fn judged(&mut self, bytes: &[u8]) -> Result<bool, UploadRefusal> {
        let BodyLength::Length(length) = self.0.head.body() else { return Err(UploadRefusal::NoLength) };
        let boundary = self.boundary().ok_or(UploadRefusal::Form)?;
        match read(bytes, boundary) {
            FormStart::Incomplete => Ok(false),
            FormStart::Invalid => Err(UploadRefusal::Form),
            FormStart::File(fields) => {
                let after = (fields.file_at + boundary.len() + AROUND_BOUNDARY) as u64;
                self.judge(&fields, length.saturating_sub(after)).map(|()| true)
            }
        }
    }

    /// The boundary, if one line names it: of two lines, each server takes another one.
    fn boundary(&self) -> Option<&str> {
        let mut lines = self.0.head.lines().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
        let (Some((_, value)), None) = (lines.next(), lines.next()) else { return None };
        boundary_of(str::from_utf8(value).ok()?)
    }

    fn judge(&self, fields: &FormFields, file: u64) -> Result<(), UploadRefusal> {
        let Exchange { policy, head, known, .. } = &*self.0;
        let address = policy.address(head, &known.host);
        let NamedBucket::One(bucket) = &address.bucket else { return Err(UploadRefusal::TwoReadings) };
        // A name with steps up would lead out of the folder, to some servers.
        let beginning = fields.key.split(FILE_NAME).next().unwrap_or_default();
        if fields.key.split(['/', '\\']).any(|segment| matches!(segment, "." | "..")) {
            return Err(UploadRefusal::TwoReadings);
        }
        let whole = (beginning.len() == fields.key.len()).then_some(beginning);
        let Some(limits) = &policy.uploads else { return Ok(()) };
        let own = whole.map(|key| limits.of_bucket(bucket).find(|limit| key.starts_with(limit.prefix.as_str())));
        let possible = whole.is_none().then(|| limits.of_key_beginning(bucket, beginning));
        let mut limits = own.flatten().into_iter().chain(possible.into_iter().flatten());
        limits.try_for_each(|limit| {
            let has_type = allows_type(&limit.types, fields.content_type.as_deref())
                // A server may take the file's own line where the form has none.
                && (fields.content_type.is_some()
                    || fields.file_type.as_deref().is_none_or(|own| allows_type(&limit.types, Some(own))));
            match limit.max_size {
                Some(most) if file > most => Err(UploadRefusal::TooLarge(most)),
                _ if !has_type => Err(UploadRefusal::Type),
                _ => Ok(()),
            }
        })
    }
}
