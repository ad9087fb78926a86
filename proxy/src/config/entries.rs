//! The entries of a YAML text with their places: what an error is about, and the text without it.
//!
//! The parser that reads settings stops at its first error. The text is read again without the entry that was wrong, until nothing is:
//! so all errors are known at once.

use granit_parser::{Event, Parser, Span, StrInput, StructureStyle};
use std::ops::Range;

/// The line and the column of a character, from 1.
pub(super) type Place = (u64, u64);

/// The longest part of a path that is shown.
const LONGEST_KEY: usize = 64;

/// A value of a text, with its key or as an item of a list.
#[derive(Debug)]
struct Entry {
    /// `upstream.url`, `domains[1]`.
    path: String,
    parent: Option<usize>,
    /// The place of the key, or of the value of an item.
    place: Place,
    /// The place of the value.
    value: Place,
    /// The place of the first byte, which may be the dash of an item.
    first: Place,
    /// The bytes of both.
    bytes: Range<usize>,
    /// The entry after this one and all that is in it.
    next: usize,
    is_collection: bool,
}

/// The entry that an error is about, by what kind of an error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// A key that should not be there.
    Key,
    /// The mapping that lacks a key. Its place is that of its first key.
    Mapping,
    /// A whole collection, where a single value belongs.
    Collection,
    /// A value.
    Value,
}

/// All entries, in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Entries(Vec<Entry>);

impl Entries {
    /// Finds the entries of a text. There are none where the text is not YAML, or has keys that are no text.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut finding = Finding { text, entries: Vec::new(), open: Vec::new(), end: 0 };
        let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(text);
        loop {
            match parser.next_event()?.ok()? {
                (Event::StreamEnd, _) => return Some(Self(finding.entries)),
                (event, span) => finding.take(&event, &span)?,
            }
        }
    }

    /// The entry with an error at this place.
    pub(super) fn find(&self, subject: Subject, place: Place) -> Option<usize> {
        let of_key = || self.0.iter().rposition(|entry| entry.place == place);
        let of_value = || self.0.iter().rposition(|entry| entry.value == place);
        let of_collection = || self.0.iter().rposition(|entry| entry.is_collection && entry.value == place);
        let found = match subject {
            Subject::Key | Subject::Value => of_key().or_else(of_value),
            Subject::Collection => of_collection().or_else(of_key),
            Subject::Mapping => match of_key() {
                // An item that is a mapping has the same place as its first key.
                Some(key) => self.0.get(key).and_then(|entry| entry.parent),
                None => of_collection(),
            },
        };
        found.or_else(|| (0..self.0.len()).rev().find(|index| self.contains(*index, place)))
    }

    /// Returns true if a place is in an entry, or between it and the next.
    pub(super) fn contains(&self, index: usize, place: Place) -> bool {
        let Some(entry) = self.0.get(index) else { return false };
        entry.first <= place && self.0.get(entry.next).is_none_or(|next| place < next.first)
    }

    /// The path of an entry.
    pub(super) fn path(&self, index: usize) -> &str {
        self.0.get(index).map_or("", |entry| &entry.path)
    }

    /// The path of what an entry is in; empty for an entry of the file itself.
    pub(super) fn path_above(&self, index: usize) -> &str {
        self.0.get(index).and_then(|entry| entry.parent).map_or("", |parent| self.path(parent))
    }

    /// The place of an entry.
    pub(super) fn place(&self, index: usize) -> Place {
        self.0.get(index).map_or((1, 1), |entry| entry.place)
    }

    /// The text without an entry; everything else keeps its place.
    pub(super) fn without(&self, index: usize, text: &str) -> Option<String> {
        let entry = self.0.get(index)?;
        let sibling = self.0.get(entry.next).filter(|next| next.parent == entry.parent);
        // In braces or brackets the comma goes, too.
        let end = sibling.map_or(entry.bytes.end, |next| next.bytes.start).max(entry.bytes.end);
        let (before, rest) = text.split_at_checked(entry.bytes.start)?;
        let (removed, after) = rest.split_at_checked(end.checked_sub(entry.bytes.start)?)?;
        let blank: String = removed.chars().map(|each| if each == '\n' { each } else { ' ' }).collect();
        (blank != removed).then(|| format!("{before}{blank}{after}"))
    }
}

/// A collection whose end is not reached.
struct Open {
    /// The entry whose value it is; `None` for the whole document.
    entry: Option<usize>,
    is_flow: bool,
    content: Content,
}

enum Content {
    /// A mapping, with the key that waits for its value.
    Mapping(Option<Key>),
    /// A list, with the number of its next item.
    List(usize),
}

struct Key {
    name: String,
    place: Place,
    start: usize,
}

struct Finding<'t> {
    text: &'t str,
    entries: Vec<Entry>,
    open: Vec<Open>,
    /// The end of what was last read, in bytes.
    end: usize,
}

impl Finding<'_> {
    fn take(&mut self, event: &Event<'_>, span: &Span) -> Option<()> {
        match event {
            Event::Scalar(text, ..) => {
                if !self.take_key(text, span)? {
                    self.add(span, None)?;
                }
                self.end = span.end.byte_offset()?;
            }
            Event::Alias(_) => {
                self.add(span, None)?;
                self.end = span.end.byte_offset()?;
            }
            Event::MappingStart(style, ..) => self.add(span, Some((*style, Content::Mapping(None))))?,
            Event::SequenceStart(style, ..) => self.add(span, Some((*style, Content::List(0))))?,
            Event::MappingEnd | Event::SequenceEnd => self.close(span)?,
            _ => {}
        }
        Some(())
    }

    /// Takes a scalar as a key, where one is expected; returns whether it is.
    fn take_key(&mut self, text: &str, span: &Span) -> Option<bool> {
        let Some(Open { content: Content::Mapping(key @ None), .. }) = self.open.last_mut() else { return Some(false) };
        *key = Some(Key { name: shown(text), place: place(span), start: span.start.byte_offset()? });
        Some(true)
    }

    /// Adds a value, which is a collection if it has content. A key that is no scalar is given up on.
    fn add(&mut self, span: &Span, collection: Option<(StructureStyle, Content)>) -> Option<()> {
        let (value, start) = (place(span), span.start.byte_offset()?);
        let entry = match self.open.last_mut() {
            None => None,
            Some(Open { entry: parent, content: Content::Mapping(key), .. }) => {
                let key = key.take()?;
                let above = parent.and_then(|parent| self.entries.get(parent)).map_or("", |parent| &parent.path);
                let path = if above.is_empty() { key.name } else { format!("{above}.{}", key.name) };
                Some((path, *parent, (key.place, key.place), key.start))
            }
            Some(Open { entry: parent, content: Content::List(number), is_flow }) => {
                let above = parent.and_then(|parent| self.entries.get(parent)).map_or("", |parent| &parent.path);
                let path = format!("{above}[{number}]");
                *number += 1;
                let dash = || self.text.get(self.end..start)?.rfind('-').map(|dash| self.end + dash);
                let dash = if *is_flow { None } else { dash() };
                let first = dash.and_then(|dash| place_before(self.text, dash, start, value)).unwrap_or(value);
                Some((path, *parent, (value, first), dash.unwrap_or(start)))
            }
        };
        let added = entry.map(|(path, parent, (place, first_place), first)| {
            let next = self.entries.len() + 1;
            // A key without a value ends with its colon.
            let colon = || Some(self.end + self.text.get(self.end..)?.find(':')? + 1);
            let end = span.end.byte_offset().unwrap_or(start).max(start);
            let end = if span.is_empty() && first < start { colon().unwrap_or(end).max(end) } else { end };
            let bytes = first..end;
            let is_collection = collection.is_some();
            self.entries.push(Entry { path, parent, place, value, first: first_place, bytes, next, is_collection });
            next - 1
        });
        if let Some((style, content)) = collection {
            let is_flow = style == StructureStyle::Flow;
            // The first dash of a list in block style is before the place that the parser gives to the list.
            self.end = if is_flow { start } else { self.end };
            self.open.push(Open { entry: added, is_flow, content });
        }
        Some(())
    }

    fn close(&mut self, span: &Span) -> Option<()> {
        let Open { entry, is_flow, .. } = self.open.pop()?;
        if is_flow {
            self.end = span.end.byte_offset()?;
        }
        let (next, end) = (self.entries.len(), self.end);
        if let Some(entry) = entry.and_then(|entry| self.entries.get_mut(entry)) {
            entry.next = next;
            entry.bytes.end = end.max(entry.bytes.start);
        }
        Some(())
    }
}

fn place(span: &Span) -> Place {
    (span.start.line() as u64, span.start.col() as u64 + 1)
}

/// The place of a byte that is before another one, whose place is known.
fn place_before(text: &str, byte: usize, known: usize, (line, _): Place) -> Option<Place> {
    let lines = text.get(byte..known)?.bytes().filter(|byte| *byte == b'\n').count() as u64;
    let before = text.get(..byte)?;
    let column = before.get(before.rfind('\n').map_or(0, |end| end + 1)..)?.chars().count() as u64;
    Some((line.checked_sub(lines)?, column + 1))
}

/// A key as it is shown: one that people choose may be anything.
fn shown(key: &str) -> String {
    let is_plain = |each: char| each.is_ascii_alphanumeric() || matches!(each, '_' | '-' | '.' | '*');
    let is_shown = key.len() <= LONGEST_KEY && key.chars().all(is_plain);
    if is_shown { key.to_owned() } else { "(...)".to_owned() }
}

#[cfg(test)]
mod tests;
