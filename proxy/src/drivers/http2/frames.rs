//! The frames of a connection, followed before the `h2` crate reads them.
//!
//! The crate shows neither the `:path` as it came nor a head that it rejects, and takes frames that cost it work without end. Header blocks
//! are taken out of the stream here, and written anew; all other frames pass as they came, in place. Decides: which frames end a
//! connection. Must not know: exchanges.

use super::allowance::Allowance;
use super::blocks::{Block, Blocks, MAX_FRAME};
use super::frame_head::{CONTINUATION, DATA, END_HEADERS, FrameHead, HEADERS};
use super::rejected::{HeadFault, Note};
use bytes::{Buf, BytesMut};
use h2::Reason;
use tokio::time::Instant;

/// The first bytes of a connection (RFC 9113 §3.4), which are no frame.
const PREFACE: usize = 24;

/// Bytes that wait for the crate, and those of fields that wait beside it: a few of the client's may become as many as a head may have.
const MAX_OUT: usize = 64 * 1024;

/// The frames that a client sends.
pub(super) struct Frames {
    /// Bytes of a frame that is not looked at, which are yet to come.
    passing: usize,
    /// The beginning of a frame whose head is not whole.
    begun: BytesMut,
    /// A frame of a header block, and the payload that is here of it.
    frame: Option<(FrameHead, BytesMut)>,
    block: Option<Block>,
    blocks: Blocks,
    out: BytesMut,
    /// Read, and not looked at while so much waits for the crate.
    ahead: BytesMut,
    allowance: Allowance,
    received: u64,
    fault: Option<Reason>,
    is_shut: bool,
}

impl Frames {
    /// The frames of a client whose heads may have so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            passing: PREFACE,
            begun: BytesMut::new(),
            frame: None,
            block: None,
            blocks: Blocks::new(limit),
            out: BytesMut::new(),
            ahead: BytesMut::new(),
            allowance: Allowance::default(),
            received: 0,
            fault: None,
            is_shut: false,
        }
    }

    /// Follows what was read. Returns how many of the bytes pass as they are; the others are taken out of the stream, and come back by
    /// [`Self::out`] where they are for the crate.
    pub(super) fn follow(&mut self, read: &[u8]) -> usize {
        let mut at = 0;
        if self.begun.is_empty() && self.frame.is_none() {
            at = self.passing.min(read.len());
            self.passing -= at;
            while let Some(head) = read.get(at..).and_then(FrameHead::of) {
                if head.is_of_block() || !self.admit(head) {
                    break;
                }
                let here = (FrameHead::SIZE + head.length).min(read.len() - at);
                self.passing = FrameHead::SIZE + head.length - here;
                at += here;
            }
        }
        self.take(read.get(at..).unwrap_or_default());
        at
    }

    /// Bytes for the crate that were not in place. None are left when it is empty.
    pub(super) fn out(&mut self) -> &mut BytesMut {
        if self.out.is_empty() && !self.ahead.is_empty() && !self.is_held() {
            let ahead = std::mem::take(&mut self.ahead);
            self.take(&ahead);
        }
        &mut self.out
    }

    /// Returns true if nothing more is followed before the crate hands over requests that it has read.
    pub(super) const fn is_held(&self) -> bool {
        self.noted() > MAX_OUT
    }

    /// The memory of what waits beside the crate, in bytes.
    pub(super) const fn noted(&self) -> usize {
        self.blocks.noted()
    }

    /// Drops the notes about requests that the crate has read and rejected, which are all that are left once it has none to hand over. Returns
    /// true if reading waited for that.
    pub(super) fn drop_notes(&mut self) -> bool {
        let was_held = self.is_held();
        self.blocks.drop_notes();
        was_held
    }

    /// Returns true if nothing more is read: the connection ends.
    pub(super) const fn is_shut(&self) -> bool {
        self.is_shut
    }

    /// The error that ends the connection, once.
    pub(super) const fn take_fault(&mut self) -> Option<Reason> {
        self.fault.take()
    }

    /// Takes the note about a request, and drops those about earlier ones.
    pub(super) fn take_note(&mut self, stream: u32) -> Option<Note> {
        self.blocks.take_note(stream)
    }

    /// When the head that is still being read has begun, and the memory that it takes.
    pub(super) fn unfinished(&self) -> Option<(Instant, usize)> {
        let (since, mut size) = self.block.as_ref().map(|block| (block.since, block.size()))?;
        size += self.frame.as_ref().map_or(0, |(_, payload)| payload.capacity());
        Some((since, size))
    }

    /// Ends the head that is still being read, as one that is rejected. It is the connection's last: what would follow of it is not read.
    pub(super) fn give_up(&mut self, fault: HeadFault) {
        self.is_shut = true;
        let Some(mut block) = self.block.take() else { return };
        if let Some((head, payload)) = self.frame.take() {
            block.take(head, payload);
        }
        if let Err(reason) = self.blocks.give_up(&block, fault, &mut self.out) {
            self.end(reason);
        }
    }

    /// Bytes of bodies that came, as flow control counts them.
    pub(super) const fn received(&self) -> u64 {
        self.received
    }

    /// Notes that so many bytes went to the client, which acknowledges those of bodies by frames.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.allowance.earn(bytes);
    }

    fn end(&mut self, reason: Reason) {
        (self.fault, self.is_shut) = (Some(reason), true);
        (self.frame, self.block) = (None, None);
    }

    /// Takes bytes in pieces, whatever they are.
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_shut {
            if self.out.len() > MAX_OUT || self.is_held() {
                return self.ahead.extend_from_slice(bytes);
            }
            if self.passing > 0 {
                let here = self.passing.min(bytes.len());
                self.out.extend_from_slice(bytes.get(..here).unwrap_or_default());
                self.passing -= here;
                bytes.advance(here);
            } else if let Some((head, payload)) = &mut self.frame {
                let here = (head.length - payload.len()).min(bytes.len());
                payload.extend_from_slice(bytes.get(..here).unwrap_or_default());
                bytes.advance(here);
            } else {
                let here = (FrameHead::SIZE - self.begun.len()).min(bytes.len());
                self.begun.extend_from_slice(bytes.get(..here).unwrap_or_default());
                bytes.advance(here);
                self.begin();
            }
            if let Some((head, payload)) = self.frame.take_if(|(head, payload)| payload.len() == head.length) {
                self.block_frame(head, payload);
            }
        }
    }

    /// Begins a frame once its head is here.
    fn begin(&mut self) {
        let Some(head) = FrameHead::of(&self.begun) else { return };
        let bytes = self.begun.split();
        if !self.admit(head) {
            return;
        }
        if !head.is_of_block() {
            self.passing = head.length;
            self.out.extend_from_slice(&bytes);
            return;
        }
        if head.length > MAX_FRAME {
            return self.end(Reason::FRAME_SIZE_ERROR);
        }
        if head.kind == HEADERS {
            self.block = Some(Block::begun_by(head));
        }
        self.frame = Some((head, BytesMut::new()));
    }

    /// Returns true if a frame may come now.
    fn admit(&mut self, head: FrameHead) -> bool {
        // RFC 9113 §6.10: nothing comes between the frames of a block.
        let continues = self.block.as_ref().is_some_and(|block| block.stream == head.stream);
        if self.block.is_some() != (head.kind == CONTINUATION) || (head.kind == CONTINUATION && !continues) {
            self.end(Reason::PROTOCOL_ERROR);
        } else if !self.allowance.spend(head) {
            self.end(Reason::ENHANCE_YOUR_CALM);
        } else if head.kind == DATA {
            self.received += head.length as u64;
        }
        !self.is_shut
    }

    /// Takes a frame of a header block.
    fn block_frame(&mut self, head: FrameHead, payload: BytesMut) {
        let Some(mut block) = self.block.take() else { return };
        if !block.take(head, payload) {
            return self.end(Reason::PROTOCOL_ERROR);
        }
        if self.blocks.is_abuse(&block) {
            return self.end(Reason::ENHANCE_YOUR_CALM);
        }
        if !head.has(END_HEADERS) {
            self.block = Some(block);
        } else if let Err(reason) = self.blocks.end(&block, &mut self.out) {
            self.end(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame_head::{END_STREAM, PADDED, PRIORITY};
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 4096;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// The preface and these frames, as the crate gets them when they come in pieces of this size.
    fn passed(sent: &[u8], size: usize) -> (Vec<u8>, Option<Reason>) {
        let (mut frames, mut passed) = (Frames::new(LIMIT), Vec::new());
        for piece in [&[b'P'; PREFACE][..], sent].concat().chunks(size) {
            let passing = frames.follow(piece);
            passed.extend_from_slice(&piece[..passing]);
            while !frames.out().is_empty() {
                passed.extend_from_slice(&frames.out().split());
            }
            if frames.is_shut() {
                break;
            }
        }
        (passed.split_off(PREFACE), frames.take_fault())
    }

    /// GET of `/`, at `h`.
    const GET: &[u8] = b"\x82\x86\x84\x41\x01h";
    /// The same without a table.
    const PLAIN: &[u8] = b"\x82\x86\x84\x01\x01h";

    #[test]
    fn frames_are_followed_wherever_they_are_cut() {
        let padded = [&[3, 0, 0, 0, 0, 7][..], GET, &[0; 3]].concat();
        let sent = [
            frame(4, 0, 0, &[0; 6]),
            frame(HEADERS, END_HEADERS, 1, GET),
            frame(DATA, 0, 1, &[b'x'; 40]),
            frame(DATA, PADDED | END_STREAM, 1, &[1, b'x', 0]),
            frame(HEADERS, PADDED | PRIORITY | END_STREAM, 3, &padded),
            frame(CONTINUATION, 0, 3, b""),
            frame(CONTINUATION, END_HEADERS, 3, b"\0\x01a\x01b"),
            frame(6, 0, 0, &[0; 8]),
            frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\0\x05x-sum\x011"),
        ];
        let expected = [
            sent[0].clone(),
            frame(HEADERS, END_HEADERS, 1, PLAIN),
            sent[2].clone(),
            sent[3].clone(),
            frame(HEADERS, PRIORITY | END_HEADERS | END_STREAM, 3, &[&[0, 0, 0, 0, 7][..], PLAIN].concat()),
            sent[7].clone(),
            frame(HEADERS, END_HEADERS | END_STREAM, 1, b""),
        ];
        let (sent, expected) = (sent.concat(), expected.concat());
        for size in 1..=sent.len() + PREFACE {
            assert_eq!(passed(&sent, size), (expected.clone(), None), "{size}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_followed_alike_whole_and_one_by_one(
            pieces in proptest::collection::vec((0_u8..12, any::<u8>(), 0_u32..4, proptest::collection::vec(any::<u8>(), 0..40)), 0..12),
            rest in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut sent: Vec<u8> =
                pieces.iter().flat_map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload)).collect();
            sent.extend(rest);
            let (whole, fault) = passed(&sent, sent.len() + PREFACE);
            let (one_by_one, other) = passed(&sent, 1);
            prop_assert_eq!(fault, other);
            // What comes of a frame that is not whole has no end yet.
            prop_assert_eq!(whole, one_by_one);
        }
    }
}
