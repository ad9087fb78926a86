//! SigV4 for a GET or HEAD of one object, signed with keys of our own (S3 API, "Authenticating Requests: Using the Authorization Header").
//!
//! Decides: how such a request is signed, and whether its keys are still good. Must not know: where keys come from, or which requests
//! are signed.

use arc_swap::ArcSwapOption;
use ring::digest;
use ring::hmac::{self, HMAC_SHA256};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The two hexadecimal digits of each byte. A digest has 32 of them, twice a request.
const HEX: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let (mut left, mut byte) = (pairs.as_mut_slice(), 0_u8);
    while let Some((pair, rest)) = left.split_first_mut() {
        *pair = [digit(byte >> 4, b'a'), digit(byte & 15, b'a')];
        (left, byte) = (rest, byte.wrapping_add(1));
    }
    pairs
};
/// The lines of a request without a body. The zeros are where the time goes.
const LINES: &[u8; 118] = b"x-amz-date: 00000000T000000Z\r\n\
    x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n";
const DATE_IN_LINES: usize = "x-amz-date: ".len();
const EMPTY_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// The headers that are signed, in their order. A session token comes last.
const SIGNED_HEADERS: &str = "host;x-amz-content-sha256;x-amz-date";
const SIGNED_TOKEN: &str = ";x-amz-security-token";
/// The length of `20261201T045000Z`.
const DATE: usize = 16;
/// The length of `20261201T`.
const DAY: usize = 9;
const SECONDS_A_DAY: u64 = 86_400;
/// 31 December 9999: a year has four digits.
const LAST_DAY: u64 = 2_932_896;
/// Bytes that are hashed at a time. Most paths and hosts fit in, and the stack has room for it.
const PIECE: usize = 512;

/// Keys that a request can be signed with.
#[derive(Clone, Copy)]
pub struct AccessKeys<'k> {
    /// The access key id.
    pub id: &'k str,
    /// The secret access key.
    pub secret: &'k str,
    /// The session token of temporary keys.
    pub session_token: Option<&'k str>,
}

/// Keys that cannot be in a header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKeys {
    /// There is no access key id, or it has a character that separates.
    #[error("the access key id is empty or has a character that no access key id has")]
    Id,
    /// There is no secret.
    #[error("the secret access key is empty")]
    Secret,
    /// The session token breaks the line that it is in.
    #[error("the session token is empty or has a character that no header line may have")]
    SessionToken,
    /// The region breaks the line that it is in.
    #[error("the region is empty or has a character that no region has")]
    Region,
}

/// Signs reads with one set of keys, for one region.
pub struct ReadSigner {
    access_key: Box<str>,
    /// `AWS4` and the secret.
    secret: Box<[u8]>,
    region: Box<str>,
    end: Option<SystemTime>,
    /// The header line of the session token, empty without one.
    token_line: Box<[u8]>,
    /// The canonical request after its date.
    canonical_end: Box<[u8]>,
    signed_headers: Box<str>,
    today: ArcSwapOption<Day>,
}

/// Everything of a signature that is the same all day.
struct Day {
    /// Days since 1970.
    number: u64,
    /// `20261201T`.
    date: [u8; DAY],
    key: hmac::Key,
    /// The end of the string to sign's second line, and the third.
    scope: Box<[u8]>,
    /// The header line up to the signature.
    authorization: Box<[u8]>,
}

/// A read as the upstream gets it: `METHOD /BUCKET/KEY HTTP/1.1` without a query.
#[derive(Clone, Copy, Debug)]
pub struct SignedTarget<'r> {
    /// `GET` or `HEAD`.
    pub method: &'r str,
    /// The value of `Host`.
    pub authority: &'r str,
    /// The bucket.
    pub bucket: &'r str,
    /// The key as it is in the request line, percent-encoded in any way.
    pub raw_key: &'r str,
}

impl ReadSigner {
    /// Prepares a signer. `end` is when the keys expire.
    ///
    /// # Errors
    /// [`UnusableKeys`] if a value would break the header line that it is written in.
    pub fn new(keys: AccessKeys<'_>, region: &str, end: Option<SystemTime>) -> Result<Self, UnusableKeys> {
        let is_part = |text: &str| is_visible(text) && !text.contains(['/', ',']);
        let token = keys.session_token;
        let checked = [
            (is_part(keys.id), UnusableKeys::Id),
            (!keys.secret.is_empty(), UnusableKeys::Secret),
            (token.is_none_or(is_visible), UnusableKeys::SessionToken),
            (is_part(region), UnusableKeys::Region),
        ];
        if let Some((_, unusable)) = checked.into_iter().find(|(is_right, _)| !is_right) {
            return Err(unusable);
        }
        let signed_headers = format!("{SIGNED_HEADERS}{}", token.map_or("", |_| SIGNED_TOKEN));
        let canonical_token = token.map_or_else(String::new, |token| format!("x-amz-security-token:{token}\n"));
        Ok(Self {
            access_key: keys.id.into(),
            secret: [b"AWS4", keys.secret.as_bytes()].concat().into(),
            region: region.into(),
            end,
            token_line: token
                .map_or_else(Box::default, |token| format!("x-amz-security-token: {token}\r\n").into_bytes().into()),
            canonical_end: format!("\n{canonical_token}\n{signed_headers}\n{EMPTY_BODY}").into_bytes().into(),
            signed_headers: signed_headers.into(),
            today: ArcSwapOption::empty(),
        })
    }

    /// The access key id, which is no secret.
    #[must_use]
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// When the keys expire.
    #[must_use]
    pub const fn end(&self) -> Option<SystemTime> {
        self.end
    }

    /// Returns true if the keys have not expired.
    #[must_use]
    pub fn is_valid_at(&self, now: SystemTime) -> bool {
        self.end.is_none_or(|end| now < end)
    }

    /// Returns true if another signer signs as this one does, for as long.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let Self { access_key, secret, region, end, token_line, .. } = self;
        (access_key, secret, region) == (&other.access_key, &other.secret, &other.region)
            && (end, token_line) == (&other.end, &other.token_line)
    }

    /// Hands over the header lines that sign a read, in pieces. Nothing else of the request may be named `x-amz-*`: S3 wants each of
    /// those signed.
    pub fn sign(&self, read: &SignedTarget<'_>, now: SystemTime, mut take: impl FnMut(&[u8])) {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let today = self.today.load();
        let number = (seconds / SECONDS_A_DAY).min(LAST_DAY);
        let derived;
        let today = match today.as_ref() {
            Some(day) if day.number == number => day,
            // Threads that do this at the same time derive the same key, and one of them stays.
            _ => {
                derived = Arc::new(self.day(number));
                self.today.store(Some(Arc::clone(&derived)));
                &derived
            }
        };
        let date = today.date_at(seconds % SECONDS_A_DAY);
        let signature = today.signature(&date, &self.canonical_digest(read, &date));
        let mut lines = *LINES;
        put(&mut lines, DATE_IN_LINES, &date);
        take(&lines);
        if !self.token_line.is_empty() {
            take(&self.token_line);
        }
        take(&today.authorization);
        take(&signature);
    }

    /// The SHA-256 of the canonical request, as hexadecimal digits.
    fn canonical_digest(&self, read: &SignedTarget<'_>, date: &[u8; DATE]) -> [u8; 64] {
        let mut hashed = Pieces::new();
        hashed.push(read.method.as_bytes());
        hashed.push(b"\n/");
        hashed.push_path(read.bucket.as_bytes());
        hashed.push(b"/");
        hashed.push_path(read.raw_key.as_bytes());
        hashed.push(b"\n\nhost:");
        hashed.push(read.authority.as_bytes());
        hashed.push(b"\nx-amz-content-sha256:");
        hashed.push(EMPTY_BODY.as_bytes());
        hashed.push(b"\nx-amz-date:");
        hashed.push(date);
        hashed.push(&self.canonical_end);
        hex(hashed.finish().as_ref())
    }

    fn day(&self, number: u64) -> Day {
        let begin = UNIX_EPOCH + Duration::from_secs(number * SECONDS_A_DAY);
        // `2026-12-01T00:00:00Z`
        let text = humantime::format_rfc3339_seconds(begin).to_string().replace('-', "");
        let date = text.get(..DAY - 1).unwrap_or_default();
        let sign = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(HMAC_SHA256, key), text.as_bytes());
        let key = [date, &self.region, "s3", "aws4_request"].into_iter().fold(None, |key: Option<hmac::Tag>, text| {
            Some(sign(key.as_ref().map_or(&self.secret, hmac::Tag::as_ref), text))
        });
        let key = key.as_ref().map_or(&[][..], hmac::Tag::as_ref);
        let scope = format!("{date}/{}/s3/aws4_request", self.region);
        let authorization = format!(
            "authorization: AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature=",
            self.access_key, self.signed_headers
        );
        let mut day = [b'T'; DAY];
        put(&mut day, 0, date.as_bytes());
        Day {
            number,
            date: day,
            key: hmac::Key::new(HMAC_SHA256, key),
            scope: format!("\n{scope}\n").into_bytes().into(),
            authorization: authorization.into_bytes().into(),
        }
    }
}

impl fmt::Debug for ReadSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { access_key, region, end, .. } = self;
        f.debug_struct("ReadSigner")
            .field("access_key", access_key)
            .field("region", region)
            .field("end", end)
            .finish_non_exhaustive()
    }
}

impl Day {
    /// `20261201T045000Z` at a second of the day.
    fn date_at(&self, second: u64) -> [u8; DATE] {
        let mut date = [b'Z'; DATE];
        put(&mut date, 0, &self.date);
        for (at, number) in [(9, second / 3_600), (11, second / 60 % 60), (13, second % 60)] {
            put(&mut date, at, &[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
        }
        date
    }

    /// The signature as hexadecimal digits, with the end of its line.
    fn signature(&self, date: &[u8; DATE], canonical_digest: &[u8; 64]) -> [u8; 66] {
        let mut hashed = hmac::Context::with_key(&self.key);
        hashed.update(b"AWS4-HMAC-SHA256\n");
        hashed.update(date);
        hashed.update(&self.scope);
        hashed.update(canonical_digest);
        let mut line = [b'\n'; 66];
        put(&mut line, 0, &hex(hashed.sign().as_ref()));
        put(&mut line, 64, b"\r");
        line
    }
}

/// Text that is hashed while it is written.
struct Pieces {
    digest: digest::Context,
    piece: [u8; PIECE],
    length: usize,
}

impl Pieces {
    fn new() -> Self {
        Self { digest: digest::Context::new(&digest::SHA256), piece: [0; PIECE], length: 0 }
    }

    fn push(&mut self, text: &[u8]) {
        if text.len() > PIECE - self.length {
            self.flush();
        }
        if text.len() > PIECE {
            return self.digest.update(text);
        }
        put(&mut self.piece, self.length, text);
        self.length += text.len();
    }

    fn flush(&mut self) {
        self.digest.update(self.piece.get(..self.length).unwrap_or_default());
        self.length = 0;
    }

    /// Pushes a path as S3 signs it: decoded once and encoded again, so that it does not matter how the client spelled it. Slashes and
    /// dots stay, because S3 normalises no path. A `%` that begins no escape is itself.
    fn push_path(&mut self, mut path: &[u8]) {
        while let Some((&byte, rest)) = path.split_first() {
            let plain = path.iter().position(|&byte| !is_plain(byte)).unwrap_or(path.len());
            if plain > 0 {
                let (text, rest) = path.split_at(plain);
                self.push(text);
                path = rest;
                continue;
            }
            let escaped = if byte == b'%' { escaped(rest) } else { None };
            let (byte, rest) = escaped.unwrap_or((byte, rest));
            path = rest;
            if is_plain(byte) {
                self.push(&[byte]);
            } else {
                self.push(&[b'%', digit(byte >> 4, b'A'), digit(byte & 15, b'A')]);
            }
        }
    }

    fn finish(mut self) -> digest::Digest {
        self.flush();
        self.digest.finish()
    }
}

/// The byte that two hexadecimal digits stand for, and the rest.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = text.split_first_chunk()?;
    let value = |digit: u8| char::from(digit).to_digit(16);
    let byte = value(high)? << 4 | value(low)?;
    Some((u8::try_from(byte).ok()?, rest))
}

/// The characters that SigV4 encodes nowhere (RFC 3986 §2.3), and the slash, which it does not encode in a key.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/')
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn hex(bytes: &[u8]) -> [u8; 64] {
    let mut digits = [0; 64];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = HEX.get(usize::from(*byte)).copied().unwrap_or_default();
    }
    digits
}

/// The digit of a number below 16.
const fn digit(number: u8, ten: u8) -> u8 {
    if number < 10 { b'0' + number } else { ten + (number - 10) }
}

/// Writes a text into a buffer that has room for it.
fn put(buffer: &mut [u8], at: usize, text: &[u8]) {
    if let Some(room) = buffer.get_mut(at..at + text.len()) {
        room.copy_from_slice(text);
    }
}

/// The signer of the moment, which requests read and the owner of the keys replaces.
#[derive(Debug, Default)]
pub struct LiveSigner(ArcSwapOption<ReadSigner>);

impl LiveSigner {
    /// Returns the signer whose keys have not expired. It takes no lock.
    #[must_use]
    pub fn get(&self, now: SystemTime) -> Option<Arc<ReadSigner>> {
        self.0.load().as_ref().filter(|signer| signer.is_valid_at(now)).cloned()
    }

    /// Replaces the signer.
    pub fn set(&self, signer: Option<Arc<ReadSigner>>) {
        self.0.store(signer);
    }
}

#[cfg(test)]
mod tests;
