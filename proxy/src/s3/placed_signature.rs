//! A signature, and the place in the request that it was read from.
//!
//! Decides the form of a signature, and which byte changes to break it. A request whose signature is broken must differ from the
//! original in that one digit: if anything else could change, the client could choose what the upstream refuses.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;
use std::ops::Range;

/// Accepts any value of the two bits of the last digit that carry nothing, as most servers do.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// The part of a request that has the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignaturePlace {
    /// The value of the `Authorization` line.
    Authorization,
    /// The query.
    Query,
}

/// A signature that has the form of its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedSignature {
    place: SignaturePlace,
    range: Range<usize>,
    bytes: Box<[u8]>,
}

impl PlacedSignature {
    /// Reads a signature of version 4: an HMAC-SHA-256 as 64 hexadecimal digits. `at` is where it begins.
    pub(super) fn version4(place: SignaturePlace, at: usize, text: &str) -> Option<Self> {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        let bytes: Option<Box<[u8]>> =
            pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
        Self::new(place, at, text, bytes.filter(|bytes| bytes.len() == 32)?)
    }

    /// Reads a signature of version 2: an HMAC-SHA-1 as 28 characters of base64. `at` is where it begins.
    pub(super) fn version2(at: usize, text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text).ok().filter(|bytes| bytes.len() == 20)?;
        Self::new(SignaturePlace::Authorization, at, text, bytes.into())
    }

    fn new(place: SignaturePlace, at: usize, text: &str, bytes: Box<[u8]>) -> Option<Self> {
        Some(Self { place, range: at..at.checked_add(text.len())?, bytes })
    }

    /// The value, however it is spelled: hexadecimal digits have two cases, and the last digit of base64 has bits without a meaning.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns a text of the request with another first digit in the signature, if that is the signature's place.
    #[must_use]
    pub fn broken<'t>(&self, place: SignaturePlace, text: &'t [u8]) -> Cow<'t, [u8]> {
        if place != self.place || text.get(self.range.clone()).is_none() {
            return text.into();
        }
        let mut text = text.to_vec();
        if let Some(first) = text.get_mut(self.range.start) {
            // Another digit of a hexadecimal number, and another of base64.
            *first = if *first == b'0' { b'1' } else { b'0' };
        }
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SignaturePlace::{Authorization, Query};

    #[test]
    fn a_signature_has_the_form_of_its_version() {
        let hex = "0123456789abcdefABCDEF00112233445566778899aabbccddeeff0011223344";
        for (text, is_one) in [
            (hex, true),
            (&hex[1..], false),
            (&*format!("{hex}00"), false),
            (&*hex.replace('4', "g"), false),
            (&*hex.replace("01", "+1"), false),
            ("cors", false),
            ("", false),
        ] {
            assert_eq!(PlacedSignature::version4(Query, 0, text).is_some(), is_one, "{text}");
        }
        for (text, is_one) in [
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ0=", true),
            ("abcdefghijklmnopqrstuvwxyz+/", false),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ0", false),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ-=", false),
            ("cors", false),
            ("", false),
        ] {
            assert_eq!(PlacedSignature::version2(0, text).is_some(), is_one, "{text}");
        }
    }

    #[test]
    fn one_signature_is_the_same_in_every_spelling() {
        let version4 = |text: &str| PlacedSignature::version4(Query, 0, text).unwrap().bytes;
        assert_eq!(version4(&"aB".repeat(32)), version4(&"Ab".repeat(32)));
        let version2 = |last: &str| PlacedSignature::version2(0, &format!("{}{last}=", "A".repeat(26))).unwrap().bytes;
        assert_eq!(version2("A"), version2("D"), "the same 160 bits");
        assert_ne!(version2("A"), version2("E"));
    }

    #[test]
    fn one_digit_changes_and_only_in_its_place() {
        let digits = "0".repeat(64);
        let text = format!("{digits}&X-Amz-Signature={digits}&{digits}");
        let signature = PlacedSignature::version4(Query, 81, &digits).unwrap();
        let broken = signature.broken(Query, text.as_bytes());
        let changed: Vec<_> = (0..text.len()).filter(|at| broken[*at] != text.as_bytes()[*at]).collect();
        assert_eq!((changed, broken.len()), (vec![81], text.len()));
        assert_eq!(&*signature.broken(Authorization, text.as_bytes()), text.as_bytes());
        assert_eq!(&*signature.broken(Query, b"cors"), b"cors", "too short to have it");
    }
}
