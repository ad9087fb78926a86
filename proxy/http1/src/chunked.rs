//! The chunked transfer coding (RFC 9112 §7.1): one strict decoder, and what the encoder needs.
//!
//! Decides which bytes of a chunked body are data, which are framing, and where the body ends. It copies nothing and holds nothing
//! but its state, so a body may come in pieces of any size. It does not know whose body it is or where the bytes go.
//!
//! What is read leniently elsewhere is rejected here, since each tolerance was a smuggling hole somewhere: lines that end with LF
//! alone, whitespace or a sign or `0x` at a size, sizes that overflow, bytes between a chunk and its CRLF. Chunk extensions and
//! trailers are framing: bounded, checked and dropped (RFC 9112 §7.1.1 and §7.1.2 allow both).
//!
//! In a response, blanks may follow a size: old servers pad it, and before an extension the grammar has them (BWS, §7.1.1). They change
//! no size, and the proxy does not write them.

use crate::field_bytes::{is_text, is_token};
use std::num::NonZeroUsize;

#[cfg(test)]
mod tests;

/// How many digits a chunk size may have: those of 64 bits.
const MAX_DIGITS: u16 = 16;

/// How long the line with a chunk's size may be, without its CRLF.
pub const MAX_SIZE_LINE: u16 = 256;

/// How long all trailer lines together may be, with their CRLFs.
pub const MAX_TRAILERS: u16 = 8 * 1024;

/// The largest chunk that a signed 64-bit parser on the path reads as the same number.
const MAX_SIZE: u64 = i64::MAX as u64;

/// The last chunk, without trailers: it ends a chunked body.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// What the beginning of the input is. The counts are of input bytes, and the next call begins after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `framing` bytes to drop, then `data` bytes of the body, at least one.
    Data {
        /// Bytes to drop.
        framing: usize,
        /// Bytes of the body that follow them.
        data: usize,
    },
    /// All of the input was framing, and more is needed.
    More {
        /// Bytes to drop: the length of the input.
        framing: usize,
    },
    /// The body ends after `framing` bytes; what follows is not part of the message.
    End {
        /// Bytes to drop.
        framing: usize,
    },
}

/// Why bytes are not a chunked body. Nothing after them on the connection can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChunkError {
    /// A size without digits, or with a byte that is none, or with more than 16 of them.
    Size,
    /// A size above 2^63 - 1.
    SizeTooLarge,
    /// A byte in a chunk extension that is not visible ASCII, SP or HTAB.
    Extension,
    /// A size line of more than [`MAX_SIZE_LINE`] bytes.
    SizeLineTooLong,
    /// A CR without its LF, an LF without its CR, or neither after a chunk's data.
    LineEnd,
    /// A trailer that is not a header line.
    Trailer,
    /// More than [`MAX_TRAILERS`] bytes of trailers.
    TrailersTooLong,
}

impl ChunkError {
    /// The code for the log, of a response.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Size => "InvalidChunkSize",
            Self::SizeTooLarge => "ChunkTooLarge",
            Self::Extension => "InvalidChunkExtension",
            Self::SizeLineTooLong => "ChunkLineTooLong",
            Self::LineEnd => "InvalidChunkEnd",
            Self::Trailer => "InvalidTrailer",
            Self::TrailersTooLong => "TrailersTooLong",
        }
    }

    /// The reason in a few words.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Size => "a chunk size that is not 1 to 16 hexadecimal digits",
            Self::SizeTooLarge => "a chunk size above 2^63 - 1",
            Self::Extension => "an invalid byte in a chunk extension",
            Self::SizeLineTooLong => "a chunk size line of more than 256 bytes",
            Self::LineEnd => "a line of a chunked body that does not end with CRLF",
            Self::Trailer => "an invalid trailer line",
            Self::TrailersTooLong => "more than 8 KiB of trailers",
        }
    }
}

impl std::fmt::Display for ChunkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for ChunkError {}

/// Decodes one chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoder {
    state: State,
    /// Set if blanks may follow a size.
    is_padded: bool,
}

/// Where in the body the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a size of which so many digits were read.
    Size { size: u64, digits: u16 },
    /// In blanks after a size, on a line of so many bytes.
    Blank { size: u64, line: u16 },
    /// In an extension, on a line of so many bytes.
    Extension { size: u64, line: u16 },
    /// At the LF that ends a size line.
    SizeLf { size: u64 },
    /// Before so much data, at least one byte.
    Data { left: u64 },
    /// At the CR after data.
    DataCr,
    /// At the LF after data.
    DataLf,
    /// After the last chunk, so many bytes of trailers ago.
    Trailers { at: Trailer, read: u16 },
    /// After the body.
    Done,
    /// After a byte that cannot be in a body.
    Failed(ChunkError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trailer {
    /// At the first byte of a line.
    Start,
    /// In a name that is not empty.
    Name,
    /// After the colon.
    Value,
    /// At the LF of a line.
    Lf,
    /// At the LF of the empty line that ends the body.
    LastLf,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { state: State::Size { size: 0, digits: 0 }, is_padded: false }
    }
}

impl Decoder {
    /// Decodes the body of a response.
    #[must_use]
    pub fn of_response() -> Self {
        Self { is_padded: true, ..Self::default() }
    }

    /// Reads the beginning of `input`, which follows what earlier calls have consumed.
    ///
    /// After the end and after an error, each further call returns the same and consumes nothing.
    pub fn next(&mut self, input: &[u8]) -> Result<Step, ChunkError> {
        for (framing, byte) in input.iter().enumerate() {
            match self.state {
                State::Data { left } => {
                    let here = input.len() - framing;
                    let data = usize::try_from(left).map_or(here, |left| left.min(here));
                    let left = left - data as u64;
                    self.state = if left == 0 { State::DataCr } else { State::Data { left } };
                    return Ok(Step::Data { framing, data });
                }
                State::Done => return Ok(Step::End { framing }),
                State::Failed(error) => return Err(error),
                State::Size { size, digits: digits @ 1.. } if self.is_padded && is_blank(*byte) => {
                    self.state = State::Blank { size, line: digits + 1 };
                }
                state => self.state = state.after(*byte).unwrap_or_else(State::Failed),
            }
        }
        match self.state {
            State::Done => Ok(Step::End { framing: input.len() }),
            State::Failed(error) => Err(error),
            _ => Ok(Step::More { framing: input.len() }),
        }
    }

    /// Whether the body has ended.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }
}

impl State {
    /// The state after one more byte of framing.
    fn after(self, byte: u8) -> Result<Self, ChunkError> {
        match (self, byte) {
            (Self::Size { digits: 0, .. }, b'\r' | b';') => Err(ChunkError::Size),
            (Self::Size { size, .. } | Self::Blank { size, .. } | Self::Extension { size, .. }, b'\r') => {
                Ok(Self::SizeLf { size })
            }
            (Self::Size { size, digits }, b';') => Ok(Self::Extension { size, line: digits + 1 }),
            (Self::Size { size, digits }, _) => digit(size, digits, byte),
            (Self::Blank { line: MAX_SIZE_LINE, .. } | Self::Extension { line: MAX_SIZE_LINE, .. }, _) => {
                Err(ChunkError::SizeLineTooLong)
            }
            (Self::Blank { size, line }, b' ' | b'\t') => Ok(Self::Blank { size, line: line + 1 }),
            (Self::Blank { size, line }, b';') => Ok(Self::Extension { size, line: line + 1 }),
            (Self::Blank { .. }, _) => Err(ChunkError::Size),
            (Self::Extension { size, line }, b'\t' | b' '..=b'~') => Ok(Self::Extension { size, line: line + 1 }),
            (Self::Extension { .. }, _) => Err(ChunkError::Extension),
            (Self::SizeLf { size: 0 }, b'\n') => Ok(Self::Trailers { at: Trailer::Start, read: 0 }),
            (Self::SizeLf { size }, b'\n') => Ok(Self::Data { left: size }),
            (Self::DataCr, b'\r') => Ok(Self::DataLf),
            (Self::DataLf, b'\n') => Ok(Self::Size { size: 0, digits: 0 }),
            (Self::SizeLf { .. } | Self::DataCr | Self::DataLf, _) => Err(ChunkError::LineEnd),
            (Self::Trailers { at, read }, _) => trailer(at, read, byte),
            // `next` hands no byte to these.
            (Self::Data { .. } | Self::Done | Self::Failed(_), _) => Ok(self),
        }
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `chunk-size = 1*HEXDIG`, bounded so that no parser overflows on it.
fn digit(size: u64, digits: u16, byte: u8) -> Result<State, ChunkError> {
    let digit = char::from(byte).to_digit(16).ok_or(ChunkError::Size)?;
    if digits == MAX_DIGITS {
        return Err(ChunkError::Size);
    }
    // At most 16 digits of 4 bits fit 64 bits.
    let size = (size << 4) | u64::from(digit);
    if size > MAX_SIZE { Err(ChunkError::SizeTooLarge) } else { Ok(State::Size { size, digits: digits + 1 }) }
}

/// `trailer-section = *( field-line CRLF )`, and the empty line after it.
fn trailer(at: Trailer, read: u16, byte: u8) -> Result<State, ChunkError> {
    let at = match (at, byte) {
        (Trailer::LastLf, b'\n') => return Ok(State::Done),
        (Trailer::Start, b'\r') => return Ok(State::Trailers { at: Trailer::LastLf, read }),
        (Trailer::Start | Trailer::Name, byte) if is_token(byte) => Trailer::Name,
        (Trailer::Name, b':') => Trailer::Value,
        (Trailer::Value, b'\r') => Trailer::Lf,
        (Trailer::Value, byte) if is_text(byte) => Trailer::Value,
        (Trailer::Lf, b'\n') => Trailer::Start,
        (Trailer::Lf | Trailer::LastLf, _) => return Err(ChunkError::LineEnd),
        _ => return Err(ChunkError::Trailer),
    };
    if read == MAX_TRAILERS { Err(ChunkError::TrailersTooLong) } else { Ok(State::Trailers { at, read: read + 1 }) }
}

/// The line before a chunk of `size` bytes of data; CRLF follows the data.
///
/// A chunk of no bytes has no such line: it would end the body. [`LAST_CHUNK`] does.
pub fn chunk_head(size: NonZeroUsize, line: &mut [u8; 18]) -> &[u8] {
    let size = size.get() as u64;
    let digits = (64 - size.leading_zeros()).div_ceil(4);
    let mut used = 0;
    let nibbles = (0..digits).rev().map(|place| (size >> (4 * place)) as u8 & 0x0f);
    let bytes = nibbles.map(|nibble| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    for (slot, byte) in line.iter_mut().zip(bytes.chain(*b"\r\n")) {
        *slot = byte;
        used += 1;
    }
    line.get(..used).unwrap_or_default()
}
