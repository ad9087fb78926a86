//! The fields of a header block (RFC 7541), read with the table that its client builds up.
//!
//! A block that cannot be read ends its connection, since no later one could be (§4.1 of RFC 9113). An index repeats a field of
//! up to 4 KiB in one byte: the code that takes the fields bounds what it keeps of them.

use super::huffman;
use std::collections::VecDeque;

/// The largest table, in bytes as §4.1 counts them: the protocol's default, since the settings that are sent name no other.
const MOST: usize = 4096;
/// Beyond its text, what an entry counts (§4.1).
const OVERHEAD: usize = 32;
/// The most memory that is kept for the strings of the next block, in bytes.
const KEPT: usize = 4096;

/// Appendix A.
#[rustfmt::skip]
pub(super) const STATIC: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"), (":scheme", "http"),
    (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""), ("accept-encoding", "gzip, deflate"), ("accept-language", ""),
    ("accept-ranges", ""), ("accept", ""), ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""),
    ("cache-control", ""), ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""), ("expect", ""),
    ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
    ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""),
    ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""), ("retry-after", ""),
    ("server", ""), ("set-cookie", ""), ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""),
    ("via", ""), ("www-authenticate", ""),
];

/// A block that is not valid.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidBlock;

/// The state of a connection's header blocks.
pub(super) struct Decoder {
    table: VecDeque<Entry>,
    size: usize,
    most: usize,
    name: Vec<u8>,
    value: Vec<u8>,
}

/// A field in the table.
struct Entry {
    /// The name, then the value.
    text: Box<[u8]>,
    name: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { table: VecDeque::new(), size: 0, most: MOST, name: Vec::new(), value: Vec::new() }
    }
}

impl Decoder {
    /// Reads a whole block, and hands over the name and the value of each field.
    pub(super) fn decode(&mut self, block: &[u8], mut take: impl FnMut(&[u8], &[u8])) -> Result<(), InvalidBlock> {
        let (mut rest, mut may_resize) = (block, true);
        while let Some(first) = rest.first().copied() {
            if first & 0x80 != 0 {
                let (name, value) = field(&self.table, integer(&mut rest, 7)?)?;
                take(name, value);
            } else if first & 0xe0 == 0x20 {
                let most = integer(&mut rest, 5)?;
                if !may_resize || most > MOST {
                    return Err(InvalidBlock);
                }
                self.most = most;
                self.make_room(0);
                continue;
            } else {
                self.literal(&mut rest, first & 0x40 != 0, &mut take)?;
            }
            may_resize = false;
        }
        for memory in [&mut self.name, &mut self.value] {
            memory.clear();
            memory.shrink_to(KEPT);
        }
        Ok(())
    }

    /// Reads a field that is written out (§6.2).
    fn literal(
        &mut self,
        rest: &mut &[u8],
        is_indexed: bool,
        take: &mut impl FnMut(&[u8], &[u8]),
    ) -> Result<(), InvalidBlock> {
        let index = integer(rest, if is_indexed { 6 } else { 4 })?;
        let name = match index {
            0 => string(rest, &mut self.name)?,
            index => field(&self.table, index)?.0,
        };
        let value = string(rest, &mut self.value)?;
        take(name, value);
        let size = name.len() + value.len() + OVERHEAD;
        if is_indexed && size <= self.most {
            let entry = Entry { text: [name, value].concat().into_boxed_slice(), name: name.len() };
            self.make_room(size);
            self.table.push_front(entry);
            self.size += size;
        } else if is_indexed {
            // A field that is larger than the table empties it (§4.4).
            self.table.clear();
            self.size = 0;
        }
        Ok(())
    }

    /// Drops the oldest fields until there is room for one of this size.
    fn make_room(&mut self, size: usize) {
        while self.size + size > self.most
            && let Some(oldest) = self.table.pop_back()
        {
            self.size -= oldest.text.len() + OVERHEAD;
        }
    }
}

/// The field with this index (§2.3.3).
fn field(table: &VecDeque<Entry>, index: usize) -> Result<(&[u8], &[u8]), InvalidBlock> {
    let index = index.checked_sub(1).ok_or(InvalidBlock)?;
    if let Some((name, value)) = STATIC.get(index) {
        return Ok((name.as_bytes(), value.as_bytes()));
    }
    let entry = table.get(index - STATIC.len()).ok_or(InvalidBlock)?;
    entry.text.split_at_checked(entry.name).ok_or(InvalidBlock)
}

/// Reads an integer (§5.1) that begins in so many bits of the first byte.
fn integer(rest: &mut &[u8], bits: u32) -> Result<usize, InvalidBlock> {
    let (first, after) = rest.split_first().ok_or(InvalidBlock)?;
    let most = (1_usize << bits) - 1;
    let mut value = usize::from(*first) & most;
    *rest = after;
    if value < most {
        return Ok(value);
    }
    // Four bytes more are 256 MiB: no block is as long.
    for shift in [0, 7, 14, 21] {
        let (next, after) = rest.split_first().ok_or(InvalidBlock)?;
        *rest = after;
        value += (usize::from(*next) & 0x7f) << shift;
        if next & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(InvalidBlock)
}

/// Reads a string (§5.2): from the block, or decoded into this memory.
fn string<'s, 'b: 's>(rest: &mut &'b [u8], memory: &'s mut Vec<u8>) -> Result<&'s [u8], InvalidBlock> {
    let is_encoded = rest.first().ok_or(InvalidBlock)? & 0x80 != 0;
    let length = integer(rest, 7)?;
    let (text, after) = rest.split_at_checked(length).ok_or(InvalidBlock)?;
    *rest = after;
    if !is_encoded {
        return Ok(text);
    }
    memory.clear();
    huffman::decode(text, memory).map_err(|_| InvalidBlock)?;
    Ok(memory)
}

#[cfg(test)]
mod tests {
    use super::super::huffman::tests::encode;
    use super::super::written::put;
    use super::*;
    use bytes::BytesMut;

    fn read(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<(String, String)>, InvalidBlock> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut fields = Vec::new();
        decoder.decode(block, |name, value| fields.push((text(name), text(value)))).map(|()| fields)
    }

    fn expected(fields: &[(&str, &str)]) -> Result<Vec<(String, String)>, InvalidBlock> {
        Ok(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// RFC 7541 §C.3 and §C.4.
    #[test]
    fn the_requests_of_the_standard_are_read_one_after_the_other() {
        let host = b"www.example.com";
        let encoded = [&[0x80 | 12][..], &encode(host)].concat();
        for authority in [[&[15][..], host].concat(), encoded] {
            let mut decoder = Decoder::default();
            let first = [&[0x82, 0x86, 0x84, 0x41][..], &authority].concat();
            let base = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];
            assert_eq!(read(&mut decoder, &first), expected(&base));
            let second = [&[0x82, 0x86, 0x84, 0xbe, 0x58, 8][..], b"no-cache"].concat();
            let cached = [&base[..], &[("cache-control", "no-cache")]].concat();
            assert_eq!(read(&mut decoder, &second), expected(&cached));
            let third = [&[0x82, 0x87, 0x85, 0xbf, 0x40, 10][..], b"custom-key", &[12], b"custom-value"].concat();
            let custom = [
                (":method", "GET"),
                (":scheme", "https"),
                (":path", "/index.html"),
                (":authority", "www.example.com"),
                ("custom-key", "custom-value"),
            ];
            assert_eq!(read(&mut decoder, &third), expected(&custom));
            assert_eq!((decoder.table.len(), decoder.size), (3, 164));
        }
    }

    #[test]
    fn the_table_never_outgrows_its_size() {
        let mut decoder = Decoder::default();
        for number in 0..1000 {
            let (name, value) = (format!("x-{number}"), "v".repeat(number));
            let mut block = BytesMut::new();
            put(&mut block, name.as_bytes(), value.as_bytes());
            block[0] = 0x40;
            assert_eq!(read(&mut decoder, &block), expected(&[(&name, &value)]));
            let size: usize = decoder.table.iter().map(|entry| entry.text.len() + OVERHEAD).sum();
            assert!(size == decoder.size && size <= MOST, "{number}: {size}");
            // The newest is the first after the static ones, where there was room for it.
            assert_eq!(read(&mut decoder, &[0xbe]), expected(&[(&name, &value)]));
        }
        let mut large = BytesMut::new();
        put(&mut large, b"x", &[b'v'; MOST]);
        large[0] = 0x40;
        read(&mut decoder, &large).unwrap();
        assert_eq!((decoder.table.len(), decoder.size), (0, 0));
        assert_eq!(read(&mut decoder, &[0xbe]), Err(InvalidBlock));
    }

    #[test]
    fn a_table_is_resized_at_the_beginning_of_a_block() {
        let mut decoder = Decoder::default();
        read(&mut decoder, b"\x40\x01a\x01b").unwrap();
        assert_eq!(read(&mut decoder, &[0x20, 0x3f, 0xe1, 0x1f, 0x82]), expected(&[(":method", "GET")]));
        assert_eq!((decoder.table.len(), decoder.most), (0, MOST));
        for block in [&[0x82, 0x20][..], &[0x3f, 0xe2, 0x1f]] {
            assert_eq!(read(&mut Decoder::default(), block), Err(InvalidBlock), "{block:?}");
        }
    }

    #[test]
    fn a_block_that_cannot_be_read_is_an_error() {
        for block in [
            &[0x80][..],                              // index 0
            &[0xbe],                                  // an index after the last
            &[0x7f, 0x01],                            // a name after the last
            &[0xff],                                  // an integer without an end
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0], // one without bound
            &[0x00],                                  // no name
            &[0x00, 0x02, b'a'],                      // a name that is cut off
            &[0x00, 0x01, b'a'],                      // no value
            &[0x00, 0x01, b'a', 0x81, 0x00],          // a value that is not in the code
        ] {
            assert_eq!(read(&mut Decoder::default(), block), Err(InvalidBlock), "{block:?}");
        }
    }
}
