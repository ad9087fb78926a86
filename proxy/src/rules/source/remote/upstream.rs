//! Rules from the upstreams themselves, which keep the CORS of their buckets: asked for with each poll.
//!
//! Decides: which upstream is asked for a bucket's rules: the one that the bucket's route leads to. One that cannot be asked keeps the rules that
//! it had, and the others go on. Before each has answered once, the rules of all are unknown: those of the copy stay, if there is one.

use super::bucket_cors::{BucketCors, OneBucketCors};
use crate::config::{EachUpstream, NamedUpstream, Routes, UpstreamIndex, UpstreamUrl};
use crate::rules::slot::Slot;
use crate::rules::source::{Changed, Changes, Found, Listing, NoChanges, Source, SourceError, Stored, Version};
use crate::rules::write::{Write, WriteError};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The CORS of the upstreams' buckets.
pub(in crate::rules::source) struct UpstreamRules {
    servers: Vec<RulesServer>,
    routes: Routes,
    place: PathBuf,
}

/// An upstream that is asked.
struct RulesServer {
    index: UpstreamIndex,
    url: UpstreamUrl,
    ca_file: Option<PathBuf>,
    place: PathBuf,
    client: OnceLock<Result<BucketCors, String>>,
    /// The documents of the last reading, by path: a list of documents cannot be had without them. `None` before the first time.
    read: Mutex<Option<BTreeMap<PathBuf, ReadRules>>>,
}

/// A document as it was read.
#[derive(Clone)]
struct ReadRules {
    slot: Slot,
    text: Result<String, String>,
}

impl UpstreamRules {
    pub(in crate::rules::source) fn new(upstreams: &EachUpstream<NamedUpstream>, routes: Routes) -> Self {
        let server = |(index, upstream): (UpstreamIndex, &NamedUpstream)| {
            let url = upstream.settings.urls().first()?.clone();
            let (place, ca_file) = (PathBuf::from(url.to_string()), upstream.settings.tls.ca_file.clone());
            Some(RulesServer { index, url, ca_file, place, client: OnceLock::new(), read: Mutex::default() })
        };
        let servers: Vec<_> = upstreams.indexed().filter_map(server).collect();
        let place = servers.first().map(|server| server.place.clone()).unwrap_or_default();
        Self { servers, routes, place }
    }
}

impl RulesServer {
    fn ask(&self, routes: &Routes) -> Result<Vec<(String, OneBucketCors)>, String> {
        let client = self.client.get_or_init(|| BucketCors::new(&self.url, self.ca_file.as_deref()));
        let client = client.as_ref().map_err(Clone::clone)?;
        let mut buckets = client.buckets()?;
        buckets.retain(|bucket| routes.of(Some(bucket)).upstream == self.index);
        let cors = client.of(&buckets);
        Ok(buckets.into_iter().zip(cors).collect())
    }

    fn read(&self, routes: &Routes) -> Result<BTreeMap<PathBuf, ReadRules>, String> {
        let mut read = BTreeMap::new();
        for (bucket, cors) in self.ask(routes)? {
            // No bucket has a name with a slash: what a server says is no path for the copy to follow.
            let Some(slot) = Slot::of_bucket(&bucket) else { continue };
            let Some(text) = cors.transpose() else { continue };
            read.insert(self.place.join(format!("{bucket}.json")), ReadRules { slot, text });
        }
        Ok(read)
    }

    /// Asks for the rules of this upstream's buckets. One that does not say keeps those that it had, and there is no list where it had none.
    fn list(&self, routes: &Routes, listing: &mut Listing) -> Result<(), SourceError> {
        let read = self.read(routes);
        let mut known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(read) => *known = Some(read),
            Err(reason) if known.is_some() => listing.errors.push(unreadable(&self.place, reason)),
            Err(reason) => return Err(unreadable(&self.place, reason)),
        }
        for (path, ReadRules { slot, text }) in known.iter().flatten() {
            let version = text.as_ref().ok().map(|text| version(text));
            listing.documents.insert(slot.clone(), vec![Found { path: path.clone(), version }]);
        }
        Ok(())
    }
}

fn unreadable(path: &Path, reason: String) -> SourceError {
    SourceError::Unreadable { path: path.to_owned(), reason }
}

impl Source for UpstreamRules {
    fn path(&self) -> &Path {
        &self.place
    }

    fn list(&self) -> Result<Listing, SourceError> {
        let mut listing = Listing::default();
        self.servers.iter().try_for_each(|server| server.list(&self.routes, &mut listing))?;
        Ok(listing)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, SourceError> {
        for server in &self.servers {
            let read = server.read.lock().unwrap_or_else(PoisonError::into_inner);
            match read.as_ref().and_then(|read| read.get(path)) {
                Some(ReadRules { text: Ok(text), .. }) => return Ok(text.clone().into_bytes()),
                Some(ReadRules { text: Err(reason), .. }) => return Err(unreadable(path, reason.clone())),
                None => {}
            }
        }
        Err(unreadable(path, "not a bucket with CORS".into()))
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
