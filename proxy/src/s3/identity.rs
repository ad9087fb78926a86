//! The names that S3 gives to a request and to the host that answered it: support asks for both.

use http::HeaderValue;

/// `x-amz-request-id`: 16 characters, as S3's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// A new identity.
    #[must_use]
    pub fn random() -> Self {
        Self(hexadecimal(fastrand::u64(..)))
    }

    /// The identity as text.
    #[must_use]
    #[expect(clippy::expect_used, reason = "`hexadecimal` makes ASCII digits only")]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("hexadecimal digits are UTF-8")
    }

    /// The identity as ASCII.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The identity as a header value.
    #[must_use]
    #[expect(clippy::expect_used, reason = "`hexadecimal` makes ASCII digits only")]
    pub fn value(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).expect("hexadecimal digits are a header value")
    }
}

/// `x-amz-id-2`: one for the process.
#[derive(Clone, Debug)]
pub struct HostId(HeaderValue);

impl HostId {
    /// A new identity.
    #[must_use]
    #[expect(clippy::expect_used, reason = "`hexadecimal` makes ASCII digits only")]
    pub fn random() -> Self {
        let text: Vec<u8> = (0..4).flat_map(|_| hexadecimal(fastrand::u64(..))).collect();
        Self(HeaderValue::from_bytes(&text).expect("hexadecimal digits are a header value"))
    }

    /// The identity as text.
    #[must_use]
    #[expect(clippy::expect_used, reason = "`hexadecimal` makes ASCII digits only")]
    pub fn as_str(&self) -> &str {
        self.0.to_str().expect("hexadecimal digits are ASCII")
    }

    /// The identity as a header value.
    #[must_use]
    pub const fn value(&self) -> &HeaderValue {
        &self.0
    }
}

/// The digits of a number, the highest first, in upper case as S3 writes them.
fn hexadecimal(number: u64) -> [u8; 16] {
    let mut rest = number;
    let mut digits = [b'0'; 16];
    for digit in digits.iter_mut().rev() {
        let nibble = (rest & 0xf) as u8;
        *digit = if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
        rest >>= 4;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_sixteen_upper_case_digits() {
        assert_eq!(&hexadecimal(0x0123_4567_89ab_cdef), b"0123456789ABCDEF");
        assert_eq!(&hexadecimal(0), b"0000000000000000");
        assert_eq!((RequestId::random().as_str().len(), HostId::random().as_str().len()), (16, 64));
    }
}
