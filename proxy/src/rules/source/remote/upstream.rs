//! Rules from the upstream itself, which keeps the CORS of its buckets: asked for with each poll.

use super::bucket_cors::{BucketCors, OneBucketCors};
use crate::config::UpstreamUrl;
use crate::rules::slot::Slot;
use crate::rules::source::{Changed, Changes, Found, Listing, NoChanges, Source, SourceError, Stored, Version};
use crate::rules::write::{Write, WriteError};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The CORS of an upstream's buckets.
pub(in crate::rules::source) struct Upstream {
    url: UpstreamUrl,
    ca_file: Option<PathBuf>,
    place: PathBuf,
    server: OnceLock<Result<BucketCors, String>>,
    /// What the last listing read: a list of documents cannot be had without them.
    read: Mutex<BTreeMap<PathBuf, Result<String, String>>>,
}

impl Upstream {
    pub(in crate::rules::source) fn new(url: UpstreamUrl, ca_file: Option<PathBuf>) -> Self {
        let place = PathBuf::from(url.to_string());
        Self { url, ca_file, place, server: OnceLock::new(), read: Mutex::default() }
    }

    fn ask(&self) -> Result<Vec<(String, OneBucketCors)>, String> {
        let server = self.server.get_or_init(|| BucketCors::new(&self.url, self.ca_file.as_deref()));
        let server = server.as_ref().map_err(Clone::clone)?;
        let buckets = server.buckets()?;
        let cors = server.of(&buckets);
        Ok(buckets.into_iter().zip(cors).collect())
    }

    fn unreadable(path: &Path, reason: String) -> SourceError {
        SourceError::Unreadable { path: path.to_owned(), reason }
    }
}

impl Source for Upstream {
    fn path(&self) -> &Path {
        &self.place
    }

    fn list(&self) -> Result<Listing, SourceError> {
        let buckets = self.ask().map_err(|reason| Self::unreadable(&self.place, reason))?;
        let (mut listing, mut read) = (Listing::default(), BTreeMap::new());
        for (bucket, cors) in buckets {
            // No bucket has a name with a slash: what a server says is no path for the copy to follow.
            let Some(slot) = Slot::of_bucket(&bucket) else { continue };
            let Some(cors) = cors.transpose() else { continue };
            let path = self.place.join(format!("{bucket}.json"));
            let version = cors.as_ref().ok().map(|text| version(text));
            listing.documents.insert(slot, vec![Found { path: path.clone(), version }]);
            read.insert(path, cors);
        }
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(listing)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, SourceError> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match read.get(path) {
            Some(Ok(text)) => Ok(text.clone().into_bytes()),
            Some(Err(reason)) => Err(Self::unreadable(path, reason.clone())),
            None => Err(Self::unreadable(path, "not a bucket with CORS".into())),
        }
    }

    fn write(&self, _: &Write<'_>) -> Result<Option<Stored>, WriteError> {
        Err(WriteError::read_only(&self.place, "the upstream keeps the CORS of its buckets; write it there"))
    }

    fn changes(&self, _: Changed) -> Box<dyn Changes> {
        Box::new(NoChanges)
    }
}

fn version(text: &str) -> Version {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    Version::of(hasher.finish())
}
