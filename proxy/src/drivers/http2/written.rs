//! A field as it is written for the `h2` crate: without a table of the connection's own (RFC 7541 §6).
//!
//! Decides: in how few bytes, and for the crate in how few steps.

use bytes::{BufMut, BytesMut};

/// Writes a field that no table keeps (§6.2.2), or the place of one that is in the static table (§6.1).
pub(super) fn put(block: &mut BytesMut, name: &[u8], value: &[u8]) {
    block.reserve(name.len() + value.len() + 11);
    let place = place(name, value);
    match place {
        Some(TablePlace::Field(index)) => return block.put_u8(0x80 | index),
        // §6.2.2: a name's place has four bits, or they are full and the rest follows.
        Some(TablePlace::Name(index @ ..15)) => block.put_u8(index),
        Some(TablePlace::Name(index)) => block.put_slice(&[15, index - 15]),
        None => block.put_u8(0),
    }
    for text in [name, value].into_iter().skip(usize::from(place.is_some())) {
        if text.len() < 127 {
            block.put_u8(u8::try_from(text.len()).unwrap_or_default());
        } else {
            block.put_u8(127);
            let mut left = text.len() - 127;
            while left >= 128 {
                block.put_u8(u8::try_from(left % 128 + 128).unwrap_or_default());
                left /= 128;
            }
            block.put_u8(u8::try_from(left).unwrap_or_default());
        }
        block.put_slice(text);
    }
}

/// A place in the static table.
enum TablePlace {
    /// A name and its value.
    Field(u8),
    /// A name.
    Name(u8),
}

/// The place of a usual field in the static table (Appendix A): its reader has the name ready.
fn place(name: &[u8], value: &[u8]) -> Option<TablePlace> {
    let name = match name {
        b":method" if value == b"GET" => return Some(TablePlace::Field(2)),
        b":method" if value == b"POST" => return Some(TablePlace::Field(3)),
        b":path" if value == b"/" => return Some(TablePlace::Field(4)),
        b":scheme" if value == b"http" => return Some(TablePlace::Field(6)),
        b":scheme" if value == b"https" => return Some(TablePlace::Field(7)),
        b":authority" => 1,
        b":method" => 2,
        b":path" => 4,
        b"accept-encoding" => 16,
        b"accept-language" => 17,
        b"accept" => 19,
        b"authorization" => 23,
        b"content-length" => 28,
        b"content-type" => 31,
        b"range" => 50,
        b"referer" => 51,
        b"user-agent" => 58,
        _ => return None,
    };
    Some(TablePlace::Name(name))
}

#[cfg(test)]
mod tests {
    use super::super::hpack::{Decoder, STATIC};
    use super::*;

    fn read(block: &[u8]) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut fields = Vec::new();
        Decoder::default().decode(block, |name, value| fields.push((text(name), text(value)))).unwrap();
        fields
    }

    #[test]
    fn what_is_written_is_read_again() {
        for length in [0, 1, 126, 127, 128, 254, 255, 300, 70_000] {
            let (mut block, value) = (BytesMut::new(), "v".repeat(length));
            put(&mut block, b"name", value.as_bytes());
            assert_eq!(read(&block), [("name".to_owned(), value)], "{length}");
        }
        // A name that is known takes no more than two bytes, and a field one.
        for (name, known_value) in STATIC {
            for value in [known_value, "other"] {
                let mut block = BytesMut::new();
                put(&mut block, name.as_bytes(), value.as_bytes());
                assert_eq!(read(&block), [(name.to_owned(), value.to_owned())], "{name} {value}");
                let is_known = block[0] != 0;
                assert!(!is_known || block.len() <= 3 + value.len(), "{name} {value}");
            }
        }
        let usual = [(":method", "GET", 1), (":method", "PUT", 5), ("user-agent", "x", 4), ("x-amz-date", "x", 14)];
        for (name, value, length) in usual {
            let mut block = BytesMut::new();
            put(&mut block, name.as_bytes(), value.as_bytes());
            assert_eq!(block.len(), length, "{name} {value}");
        }
    }
}
