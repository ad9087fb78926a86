//! The Huffman code of HPACK (RFC 7541 §5.2, Appendix B).
//!
//! The code is canonical: codes of one length are consecutive, in the order of their symbols. So the lengths are the whole code.

/// A string that is not valid in the code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidCode;

/// The symbols: all bytes, and the end of the string.
const SYMBOLS: usize = 257;
const SHORTEST: usize = 5;
const LONGEST: usize = 30;
/// Codes of up to this length are found in one step: those of nearly all characters in a URL or a header.
const QUICK: usize = 8;

/// The length of each symbol's code, in bits.
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// The codes of one length.
#[derive(Clone, Copy)]
struct Row {
    /// The first of them.
    first: u64,
    count: u64,
    /// The number of symbols with shorter codes.
    before: usize,
}

/// The code, in the form in which it is read.
struct Code {
    rows: [Row; LONGEST + 1],
    /// The symbols in the order of their codes.
    symbols: [u16; SYMBOLS],
    /// For each byte that a string may go on with, the symbol and the length of its code; 0 where that is a longer one.
    quick: [(u8, u8); 1 << QUICK],
}

const CODE: Code = code();

#[expect(clippy::indexing_slicing, reason = "the compiler runs it: an index out of bounds does not compile")]
const fn code() -> Code {
    let mut rows = [Row { first: 0, count: 0, before: 0 }; LONGEST + 1];
    let (mut symbols, mut quick) = ([0; SYMBOLS], [(0, 0); 1 << QUICK]);
    let (mut next, mut found, mut length) = (0_u64, 0, SHORTEST);
    while length <= LONGEST {
        rows[length] = Row { first: next, count: 0, before: found };
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == length {
                symbols[found] = symbol as u16;
                if length <= QUICK {
                    let mut at = (next << (QUICK - length)) as usize;
                    while at < ((next + 1) << (QUICK - length)) as usize {
                        quick[at] = (symbol as u8, length as u8);
                        at += 1;
                    }
                }
                (found, next) = (found + 1, next + 1);
                rows[length].count += 1;
            }
            symbol += 1;
        }
        (next, length) = (next << 1, length + 1);
    }
    Code { rows, symbols, quick }
}

/// Appends the text of an encoded string.
pub(super) fn decode(encoded: &[u8], text: &mut Vec<u8>) -> Result<(), InvalidCode> {
    static TABLE: Code = CODE;
    let (mut bytes, mut window, mut bits) = (encoded.iter(), 0_u64, 0_u32);
    loop {
        while bits <= u64::BITS - 8
            && let Some(byte) = bytes.next()
        {
            window |= u64::from(*byte) << (u64::BITS - 8 - bits);
            bits += 8;
        }
        // The last byte is filled up with the beginning of the code for the end, which is all ones.
        if bits < 8 && window.leading_ones() >= bits {
            return Ok(());
        }
        let (symbol, length) = next(&TABLE, window).ok_or(InvalidCode)?;
        if length > bits {
            return Err(InvalidCode);
        }
        text.push(symbol);
        window <<= length;
        bits -= length;
    }
}

/// The symbol that the window begins with, and the length of its code. The end of the string is no symbol of one (RFC 7541 §5.2).
fn next(table: &Code, window: u64) -> Option<(u8, u32)> {
    let quick = usize::try_from(window >> (u64::BITS as usize - QUICK)).ok().and_then(|at| table.quick.get(at));
    if let Some((symbol, length)) = quick.filter(|(_, length)| *length > 0) {
        return Some((*symbol, u32::from(*length)));
    }
    for (length, row) in (0_u32..).zip(&table.rows).skip(QUICK + 1) {
        let Some(at) = (window >> (u64::BITS - length)).checked_sub(row.first).filter(|at| *at < row.count) else {
            continue;
        };
        let symbol = table.symbols.get(row.before + usize::try_from(at).ok()?)?;
        return Some((u8::try_from(*symbol).ok()?, length));
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Encodes a string.
    pub(in crate::drivers::http2) fn encode(text: &[u8]) -> Vec<u8> {
        let mut bits = String::new();
        for byte in text {
            let length = usize::from(LENGTHS[usize::from(*byte)]);
            let row = CODE.rows[length];
            let at = CODE.symbols[row.before..].iter().position(|symbol| *symbol == u16::from(*byte)).unwrap();
            bits.push_str(&format!("{:0length$b}", row.first + at as u64));
        }
        while !bits.len().is_multiple_of(8) {
            bits.push('1');
        }
        bits.as_bytes().chunks(8).map(|bits| u8::from_str_radix(str::from_utf8(bits).unwrap(), 2).unwrap()).collect()
    }

    fn decoded(bytes: &[u8]) -> Result<Vec<u8>, InvalidCode> {
        let mut text = Vec::new();
        decode(bytes, &mut text).map(|()| text)
    }

    /// RFC 7541 Appendix C.
    #[test]
    fn the_examples_of_the_standard_are_read() {
        for (bytes, text) in [
            (&[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff][..], "www.example.com"),
            (&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf], "no-cache"),
            (&[0x25, 0xa8, 0x49, 0xe9, 0x5b, 0xb8, 0xe8, 0xb4, 0xbf], "custom-value"),
            (&[0x64, 0x02], "302"),
            (&[], ""),
        ] {
            assert_eq!(decoded(bytes), Ok(text.as_bytes().to_vec()), "{text}");
        }
    }

    #[test]
    fn each_byte_has_a_code() {
        let all: Vec<_> = (0..=255).collect();
        assert_eq!(decoded(&encode(&all)), Ok(all));
        for byte in 0..=255 {
            assert_eq!(decoded(&encode(&[byte, b'a'])), Ok(vec![byte, b'a']), "{byte}");
        }
    }

    #[test]
    fn a_string_is_filled_up_with_fewer_than_eight_ones() {
        // "0" is five zeroes.
        for (bytes, is_valid) in [
            (&[0b0000_0111][..], true),
            (&[0b0000_0110], false),
            (&[0b0000_0000], false),
            (&[0b0000_0111, 0xff], false),
            (&[0xff], false),
            (&[0xff, 0xff, 0xff, 0xff], false),
            (&[0xff, 0xff, 0xff, 0xfc], false),
        ] {
            assert_eq!(decoded(bytes).is_ok(), is_valid, "{bytes:?}");
        }
    }
}
