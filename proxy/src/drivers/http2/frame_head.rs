//! The head of a frame (RFC 9113 §4.1).

use bytes::Buf;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
pub(super) const PRIORITY: u8 = 0x20;

/// The head of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHead {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    /// The size of the payload, in bytes.
    pub(super) length: usize,
}

impl FrameHead {
    /// In bytes.
    pub(super) const SIZE: usize = 9;

    /// The head that these bytes begin with, if it is whole.
    pub(super) fn of(mut bytes: &[u8]) -> Option<Self> {
        if bytes.len() < Self::SIZE {
            return None;
        }
        let length = usize::try_from(bytes.get_uint(3)).ok()?;
        let (kind, flags) = (bytes.get_u8(), bytes.get_u8());
        Some(Self { kind, flags, stream: bytes.get_u32() & 0x7fff_ffff, length })
    }

    pub(super) const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Returns true for a frame with a part of a header block.
    pub(super) const fn is_of_block(self) -> bool {
        matches!(self.kind, HEADERS | CONTINUATION)
    }
}
