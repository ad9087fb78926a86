//! The names that S3 gives to a request and to the host that answered it: support asks for both.

use http::HeaderValue;

/// `x-amz-request-id`: 16 characters, as S3's own.
pub(super) struct RequestId([u8; 16]);

impl RequestId {
    pub(super) fn random() -> Self {
        Self(hexadecimal(fastrand::u64(..)))
    }

    pub(super) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(super) fn value(&self) -> Option<HeaderValue> {
        HeaderValue::from_bytes(&self.0).ok()
    }
}

/// `x-amz-id-2`: one for the process.
#[derive(Clone)]
pub(super) struct HostId {
    text: String,
    value: Option<HeaderValue>,
}

impl HostId {
    pub(super) fn random() -> Self {
        let text: String = (0..4).flat_map(|_| hexadecimal(fastrand::u64(..))).map(char::from).collect();
        Self { value: HeaderValue::from_str(&text).ok(), text }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn value(&self) -> Option<HeaderValue> {
        self.value.clone()
    }
}

fn hexadecimal(number: u64) -> [u8; 16] {
    let digit = |index: u32| {
        let nibble = (number >> (60 - 4 * index)) & 0xf;
        char::from_digit(u32::try_from(nibble).unwrap_or(0), 16).map_or(b'0', |digit| digit.to_ascii_uppercase() as u8)
    };
    let mut index = 0;
    [(); 16].map(|()| {
        let byte = digit(index);
        index += 1;
        byte
    })
}

#[cfg(test)]
mod tests {
    use super::hexadecimal;

    #[test]
    fn an_identity_is_sixteen_upper_case_digits() {
        assert_eq!(&hexadecimal(0x0123_4567_89ab_cdef), b"0123456789ABCDEF");
        assert_eq!(&hexadecimal(0), b"0000000000000000");
    }
}
