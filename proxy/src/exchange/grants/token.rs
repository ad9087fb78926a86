//! The token of a grant: what it says, and whether it holds.
//!
//! Decides: the text of a token, and whether one opens a key at a time. Must not know: where a path has the token.
//!
//! A token has the name of its signing key, the time of its end, the depth of the folder and a tag, in base64url without padding
//! (RFC 4648 §5). It does not have the bucket and the folder: they come from the request, and the tag proves that they were opened.

use super::folder::OpenedFolder;
use super::keys::{GrantKeys, ID_LENGTH, KeyId};
use crate::telemetry::GrantResult;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The beginning of the bytes that are signed. A change of their form needs a new number.
const LABEL: &[u8] = b"s3cors grant v1\0";

const TAG_LENGTH: usize = 32;

const LENGTH: usize = ID_LENGTH + size_of::<u32>() + size_of::<u8>() + TAG_LENGTH;

/// A token that opens nothing for a request, and why. The text is for the client, in the style of S3's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefusal {
    /// Not the text of a token.
    #[error("The path has no valid token.")]
    Malformed,
    /// Made with a key that is not, or no longer, one of ours.
    #[error("The key of the token is unknown.")]
    UnknownKey,
    /// Not made with the key that it names, or for a different bucket or folder.
    #[error("The token is not one for this folder.")]
    Forged,
    /// Made for a folder deeper than any that the key is in.
    #[error("The token is not one for this folder.")]
    Outside,
    /// Its time is over.
    #[error("The token has expired.")]
    Expired,
}

impl GrantRefusal {
    /// The label under which it is counted.
    #[must_use]
    pub const fn result(self) -> GrantResult {
        match self {
            Self::Malformed | Self::UnknownKey | Self::Forged => GrantResult::Forged,
            Self::Outside => GrantResult::Outside,
            Self::Expired => GrantResult::Expired,
        }
    }
}

/// A token that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldGrant<'k> {
    /// The folder that it opens.
    pub folder: OpenedFolder<'k>,
    /// The time of its end.
    pub until: SystemTime,
}

/// The parts of a token.
struct GrantToken {
    key: KeyId,
    /// Seconds since 1970.
    expiry: u32,
    /// The number of the key's segments that are the folder.
    depth: u8,
    tag: [u8; TAG_LENGTH],
}

impl GrantToken {
    /// Reads a token's text. Each token has exactly one: the decoder takes no padding and no trailing bits.
    fn read(text: &str) -> Option<Self> {
        let bytes: [u8; LENGTH] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (key, rest) = bytes.split_first_chunk()?;
        let (expiry, rest) = rest.split_first_chunk()?;
        let (depth, tag) = rest.split_first()?;
        // A folder of no segments would be the whole bucket.
        (*depth > 0).then_some(())?;
        Some(Self { key: *key, expiry: u32::from_be_bytes(*expiry), depth: *depth, tag: tag.try_into().ok()? })
    }

    fn text(&self) -> String {
        let expiry = self.expiry.to_be_bytes();
        URL_SAFE_NO_PAD.encode([&self.key[..], &expiry, &[self.depth], &self.tag].concat())
    }

    fn until(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.expiry.into())
    }
}

impl GrantKeys {
    /// Makes a token for what is below a folder of a bucket. It ends with a whole second: not later than `until`.
    #[must_use]
    pub fn token(&self, bucket: &str, folder: OpenedFolder<'_>, until: SystemTime) -> String {
        let key = self.signing();
        let expiry = until.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let expiry = u32::try_from(expiry).unwrap_or(u32::MAX);
        let signature = hmac::sign(key.hmac(), &signed(key.id(), expiry, bucket, folder));
        let mut tag = [0; TAG_LENGTH];
        tag.iter_mut().zip(signature.as_ref()).for_each(|(to, from)| *to = *from);
        GrantToken { key: key.id(), expiry, depth: folder.depth(), tag }.text()
    }

    /// Checks a token for a key of a bucket. `key` is decoded, and no server takes it for a different one.
    ///
    /// # Errors
    /// `GrantRefusal` where the token does not open this key now.
    pub fn check<'k>(
        &self,
        token: &str,
        bucket: &str,
        key: &'k str,
        now: SystemTime,
    ) -> Result<HeldGrant<'k>, GrantRefusal> {
        let token = GrantToken::read(token).ok_or(GrantRefusal::Malformed)?;
        let mut named = self.named(token.key).peekable();
        named.peek().ok_or(GrantRefusal::UnknownKey)?;
        let folder = OpenedFolder::of_key(key, token.depth).ok_or(GrantRefusal::Outside)?;
        let signed = signed(token.key, token.expiry, bucket, folder);
        // In constant time, so that the time does not show how much of a guessed tag is right.
        if !named.any(|key| hmac::verify(key.hmac(), &signed, &token.tag).is_ok()) {
            return Err(GrantRefusal::Forged);
        }
        // Last, so that only a real token is ever called expired.
        let until = token.until();
        if now < until { Ok(HeldGrant { folder, until }) } else { Err(GrantRefusal::Expired) }
    }
}

/// The bytes that the tag is over. Each text follows its length, so that no end of a bucket can be read as the beginning of a folder.
fn signed(key: KeyId, expiry: u32, bucket: &str, folder: OpenedFolder<'_>) -> Vec<u8> {
    let length = |text: &str| (text.len() as u64).to_be_bytes();
    let path = folder.as_str();
    let (bucket_length, path_length) = (length(bucket), length(path));
    let expiry = expiry.to_be_bytes();
    let depth = [folder.depth()];
    let parts = [LABEL, &key, &expiry, &depth, &bucket_length, bucket.as_bytes(), &path_length, path.as_bytes()];
    parts.concat()
}

#[cfg(test)]
mod tests;
