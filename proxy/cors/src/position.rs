//! Where something stands in a text: a byte offset as a line and a column.

use std::fmt;

/// A place in a text, as editors count: both from 1, the column in characters. The default is the first character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Default for Position {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl Position {
    /// The place of the byte at `offset`; an offset after the end means the end.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        Places::new(text).of(offset)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Finds the places of many offsets in one walk through the text, as long as they ascend: a document of 64 KiB on one line can
/// hold thousands of values.
#[derive(Debug)]
pub(crate) struct Places<'t> {
    text: &'t str,
    offset: usize,
    position: Position,
}

impl<'t> Places<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, offset: 0, position: Position::default() }
    }

    pub(crate) fn of(&mut self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        if offset < self.offset {
            *self = Self::new(self.text);
        }
        let passed = self.text.get(self.offset..offset).unwrap_or_default();
        if let Some(newline) = passed.rfind('\n') {
            self.position.line += passed.matches('\n').count();
            self.position.column = 1 + passed.get(newline + 1..).unwrap_or_default().chars().count();
        } else {
            self.position.column += passed.chars().count();
        }
        self.offset = offset;
        self.position
    }
}

#[cfg(test)]
mod tests {
    use super::{Places, Position};

    #[test]
    fn a_position_counts_lines_and_characters_from_one() {
        let text = "añb\ncd";
        for (offset, line, column) in [(0, 1, 1), (1, 1, 2), (2, 1, 2), (3, 1, 3), (5, 2, 1), (6, 2, 2), (99, 2, 3)] {
            assert_eq!(Position::of(text, offset), Position { line, column }, "offset {offset}");
        }
    }

    #[test]
    fn places_do_not_depend_on_the_order_of_the_questions() {
        let text = "añb\ncd\n\n€f";
        let mut places = Places::new(text);
        for offset in [0, 4, 4, 5, 9, 3, 12, 8, 99, 1] {
            assert_eq!(places.of(offset), Position::of(text, offset), "offset {offset}");
        }
    }
}
