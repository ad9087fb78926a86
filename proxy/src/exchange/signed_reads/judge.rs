//! The judgement whether a request is signed here: one for an object below a listed prefix, without a signature of its own.
//!
//! What is decided is decided on the path as every reader has it, and on what the upstream will see: the same bucket and the same bytes of the
//! key, without a query.

use super::claim::{Claim, Opening, Refused};
use super::foreign_query::may_be_of_s3;
use super::prefixes::{Below, ReadPrefix};
use super::read::{OpenFolder, SignedRead};
use super::reads::SignedReads;
use crate::config::UpstreamIndex;
use crate::exchange::grants::{GrantRefusal, HeldGrant, TokenPath, folder_of, opens_until};
use crate::exchange::head::RequestHead;
use crate::exchange::known::Known;
use crate::exchange::sandbox::is_of_aws;
use crate::s3::address::{Address, NamedBucket};
use crate::s3::key_readings::KeyReadings;
use crate::s3::presigned::is_presigned;
use http::HeaderValue;
use s3cors_http1::body_length::BodyLength;
use std::sync::Arc;
use std::time::SystemTime;

/// A request to a bucket with listed prefixes.
struct AskedRead<'r, H> {
    reads: &'r SignedReads,
    upstream: UpstreamIndex,
    head: &'r H,
    /// The path without what belongs to the host's name.
    path: &'r str,
    bucket: &'r str,
    is_in_host: bool,
    prefixes: &'r [Arc<ReadPrefix>],
}

/// Finds out what a request may do that it has no keys for.
pub(in crate::exchange) fn claim(
    reads: &SignedReads,
    head: &impl RequestHead,
    known: &Known,
    address: &Address<'_>,
) -> Claim {
    let path = known.host.inner(head.path());
    let is_signed = is_signed(head, known.lines.authorization.of(head));
    let bucket = match &address.bucket {
        NamedBucket::One(bucket) => &**bucket,
        NamedBucket::Ambiguous if !is_signed && is_read(head) && reads.prefixes.may_be_below(path) => {
            return Claim::Refused(Refused::TwoReadings);
        }
        NamedBucket::Ambiguous | NamedBucket::Service => return Claim::None,
    };
    let prefixes = reads.prefixes.of_bucket(bucket);
    if prefixes.is_empty() {
        return Claim::None;
    }
    let asked =
        AskedRead { reads, upstream: known.asked.index, head, path, bucket, is_in_host: address.is_in_host, prefixes };
    let has_grants = prefixes.iter().any(|prefix| prefix.is_granted);
    match TokenPath::of(path, address.is_in_host) {
        Some(token) if has_grants && !is_signed => asked.by_token(&token),
        _ if is_signed && has_grants && !known.lines.authorization.is_there() => asked.opening(),
        _ if is_signed || !is_read(head) => Claim::None,
        _ => asked.unsigned(),
    }
}

/// Returns true if a request says that its client has signed it, with any key.
pub(in crate::exchange) fn is_signed(head: &impl RequestHead, authorization: Option<&[u8]>) -> bool {
    authorization.is_some_and(is_of_aws) || is_presigned(head.query())
}

/// Returns true if a request does nothing but read.
fn is_read(head: &impl RequestHead) -> bool {
    matches!(head.method(), "GET" | "HEAD") && matches!(head.body(), BodyLength::None | BodyLength::Length(0))
}

impl<H: RequestHead> AskedRead<'_, H> {
    /// The text of the key; `None` where the path ends with the bucket.
    fn key(&self) -> Option<&str> {
        let rest = self.path.strip_prefix('/')?;
        if self.is_in_host { Some(rest) } else { rest.split_once('/').map(|(_, key)| key) }
    }

    fn unsigned(&self) -> Claim {
        let Some(key) = self.key() else { return self.without_key() };
        let readings = KeyReadings::of(key);
        let prefix = match Below::of(self.prefixes, key, &readings) {
            Below::One(prefix) if !prefix.is_granted => prefix,
            Below::One(_) | Below::None => return Claim::None,
            Below::Unclear => return Claim::Refused(Refused::TwoReadings),
        };
        let own_key = match Folder::of(&readings) {
            Folder::No => None,
            Folder::Yes => match &prefix.index {
                Some(index) => Some([key, index].concat().into_boxed_str()),
                // A folder is no object, and what its bucket shows of it is not listed.
                None => return Claim::None,
            },
            Folder::Unclear => return Claim::Refused(Refused::TwoReadings),
        };
        // A redirect goes to the text that came: to all readers it has to be a path.
        let may_move = matches!(readings, KeyReadings::One(_)) && own_key.is_none();
        self.read(prefix, key.len(), |read| {
            read.own_key = own_key;
            read.may_be_folder = may_move;
        })
    }

    /// A bucket that is shown as a site has relative links, for which its path ends in a slash.
    fn without_key(&self) -> Claim {
        let is_site = self.prefixes.iter().any(|prefix| prefix.prefix.is_empty() && prefix.index.is_some());
        match HeaderValue::try_from(format!("{}/", self.head.path())) {
            Ok(location) if is_site => Claim::Moved(location),
            _ => Claim::None,
        }
    }

    fn by_token(&self, token: &TokenPath<'_>) -> Claim {
        if !is_read(self.head) {
            return Claim::Refused(Refused::TokenMethod);
        }
        let key = token.raw_key();
        let readings = KeyReadings::of(key);
        let grant = match self.grant(token.token(), &readings) {
            Ok(grant) => grant,
            Err(why) => return Claim::Refused(why),
        };
        match (Below::of(self.prefixes, key, &readings), Folder::of(&readings)) {
            (Below::One(prefix), Folder::No) => self.read(prefix, key.len(), |read| read.grant = Some(grant)),
            (Below::One(_) | Below::None, Folder::No | Folder::Yes) => {
                Claim::Refused(Refused::Token(GrantRefusal::Outside))
            }
            (Below::Unclear, _) | (_, Folder::Unclear) => Claim::Refused(Refused::TokenReadings),
        }
    }

    /// The grant of a token, if it opens every reading of a key.
    fn grant(&self, token: &str, readings: &KeyReadings<'_>) -> Result<OpenFolder, Refused> {
        let (keys, now) = (self.reads.keys.load(), SystemTime::now());
        let mut grant = Err(Refused::TokenReadings);
        for reading in readings.each().unwrap_or_default() {
            let key = str::from_utf8(reading).map_err(|_| Refused::TokenReadings)?;
            let HeldGrant { folder, until } = keys.check(token, self.bucket, key, now).map_err(Refused::Token)?;
            grant = Ok(OpenFolder { folder: folder.as_str().into(), until });
        }
        grant
    }

    /// Signs a read for the key that the path ends with.
    fn read(&self, prefix: Arc<ReadPrefix>, key_length: usize, with: impl FnOnce(&mut SignedRead)) -> Claim {
        let query = self.head.query().unwrap_or_default();
        if !query.is_empty() && (!prefix.drops_query || may_be_of_s3(query)) {
            return Claim::Refused(Refused::Query);
        }
        let Some(signer) = self.reads.signers.get(self.upstream).get(SystemTime::now()) else {
            return Claim::Refused(Refused::NoCredentials);
        };
        let mut read = SignedRead::new(prefix, signer, key_length);
        with(&mut read);
        Claim::Read(Box::new(read))
    }

    /// The folder that a presigned request opens, besides the object that it asks for.
    fn opening(&self) -> Claim {
        self.opened().map_or(Claim::None, |opening| Claim::Opens(Box::new(opening)))
    }

    fn opened(&self) -> Option<Opening> {
        let (head, grants) = (self.head, &self.reads.grants);
        let until =
            opens_until(head.method(), head.query(), SystemTime::now(), grants.ttl).filter(|_| is_read(head))?;
        let raw = self.key()?;
        let readings = KeyReadings::of(raw);
        let KeyReadings::One(key) = &readings else { return None };
        let Below::One(prefix) = Below::of(self.prefixes, raw, &readings) else { return None };
        if !prefix.is_granted || !grants.patterns.iter().any(|pattern| pattern.matches(key)) {
            return None;
        }
        let folder = folder_of(key, &prefix.prefix, grants.up)?;
        let token = self.reads.keys.load().token(self.bucket, folder, until).into();
        Some(Opening { token, is_in_host: self.is_in_host, key_length: raw.len() })
    }
}

/// A key that is a folder's ends in a slash, or is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folder {
    Yes,
    No,
    /// To some readers.
    Unclear,
}

impl Folder {
    fn of(readings: &KeyReadings<'_>) -> Self {
        let is_folder = |key: &&[u8]| key.is_empty() || key.ends_with(b"/");
        let Some(readings) = readings.each() else { return Self::Unclear };
        match readings.iter().filter(|key| is_folder(key)).count() {
            0 => Self::No,
            folders if folders == readings.len() => Self::Yes,
            _ => Self::Unclear,
        }
    }
}
