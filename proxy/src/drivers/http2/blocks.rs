//! Header blocks (RFC 9113 §4.3): read once, and written anew for the `h2` crate.
//!
//! The crate gets them without a table, so that no second reader of a client's HPACK is left that could disagree.

use super::fields::Fields;
use super::frame_head::{CONTINUATION, END_HEADERS, END_STREAM, FrameHead, HEADERS, PADDED, PRIORITY};
use super::hpack::Decoder;
use super::rejected::{HeadFault, Note};
use super::written::put;
use bytes::{Buf, BufMut, BytesMut};
use h2::Reason;
use std::collections::VecDeque;
use tokio::time::Instant;

/// The largest frame: the protocol's default, since the settings that are sent name no other.
pub(super) const MAX_FRAME: usize = 16 * 1024;
/// A block that is so many times as long as a head may be is no request of anyone's.
const ABUSE: usize = 4;

/// A header block that has begun and not ended.
pub(super) struct Block {
    pub(super) stream: u32,
    /// `END_STREAM` and `PRIORITY`, where they were set.
    flags: u8,
    priority: Option<[u8; 5]>,
    fragments: BytesMut,
    pub(super) since: Instant,
}

impl Block {
    /// The block that a HEADERS frame begins.
    pub(super) fn begun_by(head: FrameHead) -> Self {
        let flags = head.flags & (END_STREAM | PRIORITY);
        Self { stream: head.stream, flags, priority: None, fragments: BytesMut::new(), since: Instant::now() }
    }

    /// The memory that it takes.
    pub(super) fn size(&self) -> usize {
        self.fragments.capacity()
    }

    /// Takes a frame of the block (RFC 9113 §6.2, §6.10). Returns false if its padding is more than it has.
    pub(super) fn take(&mut self, head: FrameHead, mut payload: BytesMut) -> bool {
        if head.kind == HEADERS && !self.strip(head, &mut payload) {
            return false;
        }
        if self.fragments.is_empty() {
            self.fragments = payload;
        } else {
            self.fragments.unsplit(payload);
        }
        true
    }

    /// Takes padding and priority off a HEADERS frame.
    fn strip(&mut self, head: FrameHead, payload: &mut BytesMut) -> bool {
        let mut padding = 0;
        if head.has(PADDED) {
            let Some(first) = payload.first() else { return false };
            padding = usize::from(*first);
            payload.advance(1);
        }
        if head.has(PRIORITY) {
            let Some(priority) = payload.first_chunk() else { return false };
            self.priority = Some(*priority);
            payload.advance(5);
        }
        let Some(left) = payload.len().checked_sub(padding) else { return false };
        payload.truncate(left);
        true
    }

    /// Writes the block with these fields, in as many frames as it needs.
    fn write(&self, mut fields: &[u8], out: &mut BytesMut) {
        let (mut kind, mut flags) = (HEADERS, self.flags);
        let mut priority = self.priority.as_ref().map_or(&[][..], |priority| priority);
        loop {
            let here = fields.len().min(MAX_FRAME - priority.len());
            let (now, later) = fields.split_at_checked(here).unwrap_or((fields, &[]));
            if later.is_empty() {
                flags |= END_HEADERS;
            }
            out.reserve(FrameHead::SIZE + priority.len() + now.len());
            out.put_uint((priority.len() + now.len()) as u64, 3);
            out.put_u8(kind);
            out.put_u8(flags);
            out.put_u32(self.stream);
            out.put_slice(priority);
            out.put_slice(now);
            if later.is_empty() {
                return;
            }
            (kind, flags, priority, fields) = (CONTINUATION, 0, &[], later);
        }
    }
}

/// The blocks of a connection.
pub(super) struct Blocks {
    hpack: Decoder,
    limit: usize,
    highest: u32,
    /// The notes about the requests that the crate has yet to hand over.
    notes: VecDeque<(u32, Note)>,
    /// The memory that they take, in bytes.
    noted: usize,
}

impl Blocks {
    /// The blocks of a client whose heads may have so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { hpack: Decoder::default(), limit, highest: 0, notes: VecDeque::new(), noted: 0 }
    }

    /// Takes the note about a request, and drops those about earlier ones.
    pub(super) fn take_note(&mut self, stream: u32) -> Option<Note> {
        while let Some((noted, note)) = self.notes.pop_front_if(|(noted, _)| *noted <= stream) {
            self.noted -= note.size();
            if noted == stream {
                return Some(note);
            }
        }
        None
    }

    /// The memory that the notes take, in bytes.
    pub(super) const fn noted(&self) -> usize {
        self.noted
    }

    /// Drops the notes: the crate has rejected the requests that they are about.
    pub(super) fn drop_notes(&mut self) {
        self.notes.clear();
        self.noted = 0;
    }

    /// Returns true if a block is longer than anyone's is.
    pub(super) fn is_abuse(&self, block: &Block) -> bool {
        block.fragments.len() > self.limit.saturating_mul(ABUSE)
    }

    /// Ends a block and writes it for the crate. An error ends the connection.
    pub(super) fn end(&mut self, block: &Block, out: &mut BytesMut) -> Result<(), Reason> {
        if block.stream <= self.highest {
            return self.end_trailers(block, out);
        }
        let mut fields = Fields::new(self.limit);
        let read = self.hpack.decode(&block.fragments, |name, value| fields.take(name, value));
        read.map_err(|_| Reason::COMPRESSION_ERROR)?;
        self.pass(block, fields, out);
        Ok(())
    }

    /// Ends a block that is not whole, as a head that is rejected. No block can be read after it.
    pub(super) fn give_up(&mut self, block: &Block, fault: HeadFault, out: &mut BytesMut) -> Result<(), Reason> {
        if block.stream <= self.highest {
            return Err(Reason::ENHANCE_YOUR_CALM);
        }
        let mut fields = Fields::new(self.limit);
        fields.fail(fault);
        // What is not whole is left out.
        let _ = self.hpack.decode(&block.fragments, |name, value| fields.take(name, value));
        self.pass(block, fields, out);
        Ok(())
    }

    fn pass(&mut self, block: &Block, fields: Fields, out: &mut BytesMut) {
        self.highest = block.stream;
        let (fields, note) = fields.finish();
        self.noted += note.size();
        self.notes.push_back((block.stream, note));
        block.write(&fields, out);
    }

    /// The fields after a body end here: no upstream gets them. The crate still rejects what is malformed.
    fn end_trailers(&mut self, block: &Block, out: &mut BytesMut) -> Result<(), Reason> {
        let (mut is_valid, mut size) = (true, 0);
        let read = self.hpack.decode(&block.fragments, |name, _| {
            size += name.len();
            is_valid = is_valid && size < self.limit && is_trailer(name);
        });
        read.map_err(|_| Reason::COMPRESSION_ERROR)?;
        let mut fields = BytesMut::new();
        if !is_valid {
            // RFC 9113 §8.1: there is no pseudo-header field in them.
            put(&mut fields, b":path", b"/");
        }
        block.write(&fields, out);
        Ok(())
    }
}

fn is_trailer(name: &[u8]) -> bool {
    !name.is_empty() && !name.starts_with(b":") && !name.iter().any(u8::is_ascii_uppercase)
}
