//! Rules in a bucket: each document is an object, and several proxies read and write the same ones.
//!
//! No update is lost: every write names the object that it replaces (`If-Match`, `If-None-Match`), and one that comes too late looks
//! again. A removed document stays as an object without a byte, which carries the time that its removal was signed: servers have no
//! removal with a condition.

use super::call::{Call, Endpoint, S3};
use super::call_error::CallError;
use super::client::Client;
use crate::config::RulesStore;
use crate::rules::slot::Slot;
use crate::rules::source::directory::rules_stem;
use crate::rules::source::document::text_of;
use crate::rules::source::{
    Changed, Changes, Found, Listing, NoChanges, Source, SourceError, Stored, Version, document_name,
};
use crate::rules::write::{Write, WriteError};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, Method, Response, StatusCode};
use s3_cors::MAX_DOCUMENT_LENGTH;
use serde::Deserialize;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

/// The metadata that says when a write was signed.
const SIGNED: HeaderName = HeaderName::from_static("x-amz-meta-s3cors-signed");
/// How often a write looks again when others write at the same time.
const TRIES: usize = 20;
/// The longest pause before that, in milliseconds: those who met must not meet again.
const LONGEST_PAUSE: u64 = 100;
/// What is never there and never named by a document, to ask whether the server looks at conditions.
const PROBE: &str = ".s3cors-probe";
const NO_ETAG: &str = "\"00000000000000000000000000000000\"";

/// The documents in a bucket.
pub(in crate::rules::source) struct Objects {
    settings: RulesStore,
    /// `s3://BUCKET/PREFIX`, below which the documents are named.
    place: PathBuf,
    client: OnceLock<Result<Client, String>>,
    /// Set once the server was seen to look at conditions.
    is_conditional: OnceLock<()>,
}

/// S3 API, ListObjectsV2.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ObjectList {
    contents: Vec<Object>,
    is_truncated: bool,
    next_continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Object {
    key: String,
    #[serde(rename = "ETag")]
    e_tag: Option<String>,
    size: Option<u64>,
}

/// What a write came to that names the object it replaces.
enum Put {
    Done(Option<String>),
    /// Another one was faster.
    Late,
}

/// An object as a write finds it.
#[derive(Default)]
struct Held {
    etag: Option<String>,
    signed_at: Option<SystemTime>,
    is_document: bool,
}

impl Objects {
    pub(in crate::rules::source) fn new(settings: RulesStore) -> Self {
        let place = PathBuf::from(format!("s3://{}/{}", settings.bucket, settings.prefix));
        Self { settings, place, client: OnceLock::new(), is_conditional: OnceLock::new() }
    }

    fn client(&self) -> Result<&Client, String> {
        let RulesStore { endpoint, region, .. } = &self.settings;
        let endpoint = Endpoint { url: endpoint.as_ref(), region, ca_file: None };
        self.client.get_or_init(|| Client::new(endpoint)).as_ref().map_err(Clone::clone)
    }

    fn key(&self, path: &Path) -> String {
        format!("{}{}", self.settings.prefix, path.file_name().unwrap_or_default().to_string_lossy())
    }

    async fn list_all(&self, s3: Arc<S3>) -> Result<Listing, CallError> {
        let RulesStore { bucket, prefix, .. } = &self.settings;
        let (mut listing, mut token) = (Listing::default(), String::new());
        loop {
            let query = [("list-type", "2"), ("prefix", prefix), ("delimiter", "/"), ("continuation-token", &token)];
            let query = query.get(..if token.is_empty() { 3 } else { 4 }).unwrap_or_default();
            let page = s3.call(Call { bucket, query, ..Call::default() }).await?;
            let page: ObjectList = quick_xml::de::from_reader(page.body().as_ref())?;
            page.contents.iter().for_each(|object| self.add(object, &mut listing));
            match page.next_continuation_token {
                Some(next) if page.is_truncated && next != token => token = next,
                _ => return Ok(listing),
            }
        }
    }

    /// Adds an object that is a document. One without a byte is a document that was removed.
    fn add(&self, object: &Object, listing: &mut Listing) {
        let name = object.key.strip_prefix(&self.settings.prefix).unwrap_or_default();
        if name.is_empty() || name.starts_with('.') || object.size == Some(0) {
            return;
        }
        let path = self.place.join(name);
        match rules_stem(Path::new(name)).map(Slot::from_stem) {
            Err(why) => listing.passed_over.push((path, why)),
            Ok(None) => listing.errors.push(SourceError::ReservedName { path }),
            Ok(Some(slot)) => {
                let found = Found { path, version: object.e_tag.as_deref().map(version) };
                listing.documents.entry(slot).or_default().push(found);
            }
        }
    }

    async fn held(&self, s3: &S3, path: &Path) -> Result<Held, WriteError> {
        let (bucket, key) = (&self.settings.bucket, &self.key(path));
        let head = s3.call(Call { method: Method::HEAD, bucket, key, ..Call::default() }).await;
        match head {
            Ok(head) => {
                let signed = text(&head, &SIGNED);
                Ok(Held {
                    signed_at: signed.and_then(|time| humantime::parse_rfc3339(time).ok()),
                    is_document: text(&head, &CONTENT_LENGTH) != Some("0"),
                    etag: text(&head, &ETAG).map(str::to_owned),
                })
            }
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(Held::default()),
            Err(error) => Err(failed(path, "HeadObject", &error)),
        }
    }

    /// Replaces an object, if it is still the one that was found.
    async fn put(
        &self,
        s3: &S3,
        path: &Path,
        held: &Held,
        document: &str,
        write: &Write<'_>,
    ) -> Result<Put, WriteError> {
        let (bucket, key) = (&self.settings.bucket, &self.key(path));
        let invalid = |error| failed(path, "PutObject", &CallError::Malformed(http::Error::from(error)));
        let value = |text: &str| HeaderValue::try_from(text).map_err(invalid);
        let (condition, etag) = held.etag.as_deref().map_or((IF_NONE_MATCH, "*"), |etag| (IF_MATCH, etag));
        let signed = humantime::format_rfc3339(write.signed.at).to_string();
        let headers = HeaderMap::from_iter([(condition, value(etag)?), (SIGNED, value(&signed)?)]);
        let body = Bytes::copy_from_slice(document.as_bytes());
        match s3.call(Call { method: Method::PUT, bucket, key, headers, body, ..Call::default() }).await {
            Ok(put) => Ok(Put::Done(text(&put, &ETAG).map(str::to_owned))),
            // The last for an object that is gone (S3 API, PutObject with If-Match).
            Err(error)
                if matches!(error.status().map(|status| status.as_u16()), Some(404 | 409 | 412))
                    && error.code() != Some("NoSuchBucket") =>
            {
                Ok(Put::Late)
            }
            Err(error) => Err(failed(path, "PutObject", &error)),
        }
    }

    /// Writes once, `None` when another write came between.
    async fn try_to_write(&self, s3: &S3, write: &Write<'_>) -> Result<Option<Option<Stored>>, WriteError> {
        let [xml, json] = ["xml", "json"].map(|form| self.place.join(format!("{}.{form}", write.bucket)));
        let (in_xml, in_json) = (self.held(s3, &xml).await?, self.held(s3, &json).await?);
        write.follows(in_xml.signed_at.max(in_json.signed_at))?;
        // A document keeps its form: two for one bucket are an error.
        let is_json = in_json.is_document && !in_xml.is_document;
        let [(path, held), other] =
            if is_json { [(json, in_json), (xml, in_xml)] } else { [(xml, in_xml), (json, in_json)] };
        let (text, document) = match write.document {
            Some(configuration) => text_of(&path, configuration).map(|(text, document)| (text, Some(document)))?,
            None => (String::new(), None),
        };
        let Put::Done(etag) = self.put(s3, &path, &held, &text, write).await? else { return Ok(None) };
        if other.1.is_document
            && let Put::Late = self.put(s3, &other.0, &other.1, "", write).await?
        {
            return Ok(None);
        }
        let found = Found { path, version: etag.as_deref().map(version) };
        Ok(Some(document.map(|document| Stored { found, document })))
    }

    /// A server that ignores conditions would lose updates without a word: nothing is written there.
    async fn check_conditions(&self, s3: &S3, write: &Write<'_>) -> Result<(), WriteError> {
        if self.is_conditional.get().is_some() {
            return Ok(());
        }
        let probe = Held { etag: Some(NO_ETAG.to_owned()), ..Held::default() };
        match self.put(s3, &self.place.join(PROBE), &probe, "", write).await? {
            Put::Done(_) => Err(WriteError::read_only(
                &self.place,
                "the server ignores conditions (If-Match), so updates could be lost",
            )),
            Put::Late => {
                let _ = self.is_conditional.set(());
                Ok(())
            }
        }
    }

    async fn write_until_done(&self, s3: Arc<S3>, write: &Write<'_>) -> Result<Option<Stored>, WriteError> {
        self.check_conditions(&s3, write).await?;
        for _ in 0..TRIES {
            if let Some(written) = self.try_to_write(&s3, write).await? {
                return Ok(written);
            }
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..LONGEST_PAUSE))).await;
        }
        let reason = "others write to this document all the time".to_owned();
        Err(WriteError::Failed { place: self.place.join(write.bucket), reason })
    }
}

impl Source for Objects {
    fn path(&self) -> &Path {
        &self.place
    }

    fn place_of(&self, slot: &Slot) -> Option<PathBuf> {
        document_name(slot).map(|name| self.place.join(name))
    }

    fn list(&self) -> Result<Listing, SourceError> {
        let list = |client: &Client| {
            let listed = client.wait(|s3| self.list_all(s3));
            listed.map_err(|error| format!("ListObjectsV2: {error}"))
        };
        self.client().and_then(list).map_err(|reason| SourceError::Unreadable { path: self.place.clone(), reason })
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, SourceError> {
        let unreadable = |reason| SourceError::Unreadable { path: path.to_owned(), reason };
        let client = self.client().map_err(unreadable)?;
        let (bucket, key) = (&self.settings.bucket, &self.key(path));
        // A range would be an error for an object without a byte: the length says whether to read on.
        let get = Call { bucket, key, most: Some(MAX_DOCUMENT_LENGTH), ..Call::default() };
        let object = client.wait(async |s3| s3.call(get).await);
        let object = object.map_err(|error| unreadable(format!("GetObject: {error}")))?;
        Ok(object.into_body().into())
    }

    fn read_again(&self, path: &Path) -> Result<Vec<u8>, SourceError> {
        Err(SourceError::Unreadable { path: path.to_owned(), reason: "it is in the store only".into() })
    }

    fn write(&self, write: &Write<'_>) -> Result<Option<Stored>, WriteError> {
        let failed = |reason| WriteError::Failed { place: self.place.clone(), reason };
        self.client().map_err(failed)?.wait(|s3| self.write_until_done(s3, write))
    }

    fn changes(&self, _: Changed) -> Box<dyn Changes> {
        Box::new(NoChanges)
    }
}

/// An equal tag is an equal content.
fn version(etag: &str) -> Version {
    let mut hasher = DefaultHasher::new();
    etag.trim_matches('"').hash(&mut hasher);
    Version::of(hasher.finish())
}

fn text<'r, B>(response: &'r Response<B>, name: &HeaderName) -> Option<&'r str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

fn failed(path: &Path, call: &str, error: &CallError) -> WriteError {
    let (place, reason) = (path.to_owned(), format!("{call}: {error}"));
    if error.status() == Some(StatusCode::FORBIDDEN) {
        WriteError::ReadOnly { place, reason }
    } else {
        WriteError::Failed { place, reason }
    }
}
