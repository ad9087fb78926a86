//! A request's fields on their way round the `h2` crate, as lines of HTTP/1.1.
//!
//! The crate would read each of them into a map, of which an upstream then gets lines again.

/// The room for the fields of a usual request, in bytes: without it each few of them would move the others.
const ROOM: usize = 1024;
/// The room for as many lines.
const USUAL: usize = 16;
/// Stands between a name and its value.
const COLON: &[u8] = b": ";
const CRLF: &[u8] = b"\r\n";

/// The fields of a request that are no pseudo-header fields, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldLines {
    text: Vec<u8>,
    /// The lengths of each name and its value, in bytes.
    lengths: Vec<(usize, usize)>,
}

impl FieldLines {
    /// Adds a field.
    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        if self.lengths.is_empty() {
            self.text.reserve(ROOM);
            self.lengths.reserve(USUAL);
        }
        [name, COLON, value, CRLF].into_iter().for_each(|part| self.text.extend_from_slice(part));
        self.lengths.push((name.len(), value.len()));
    }

    /// Drops every field but some.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&[u8], &[u8]) -> bool) {
        let mut left = Self::default();
        for (name, value) in self.iter().filter(|(name, value)| stays(name, value)) {
            left.push(name, value);
        }
        *self = left;
    }

    /// The memory that they take, in bytes.
    pub(super) const fn size(&self) -> usize {
        self.text.capacity() + self.lengths.capacity() * size_of::<(usize, usize)>()
    }

    /// Names and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.whole().filter_map(|(line, name, value)| {
            let (name, after) = line.split_at_checked(name)?;
            Some((name, after.get(COLON.len()..COLON.len() + value)?))
        })
    }

    /// The values of the fields with this name.
    pub(super) fn values(&self, wanted: &'static [u8]) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value)
    }

    /// Names, and the lines that they begin.
    pub(super) fn with_lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.whole().filter_map(|(line, name, _)| Some((line.get(..name)?, line)))
    }

    fn whole(&self) -> impl Iterator<Item = (&[u8], usize, usize)> {
        let mut rest = self.text.as_slice();
        self.lengths.iter().filter_map(move |(name, value)| {
            let (line, after) = rest.split_at_checked(name + COLON.len() + value + CRLF.len())?;
            rest = after;
            Some((line, *name, *value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_were_added() {
        let fields = [(&b"a"[..], &b"b: c"[..]), (b"empty", b""), (b"", b"x"), (b"a", b"\xe9")];
        let mut lines = FieldLines::default();
        fields.iter().for_each(|(name, value)| lines.push(name, value));
        assert_eq!(lines.iter().collect::<Vec<_>>(), fields);
        let whole: Vec<_> = lines.with_lines().map(|(_, line)| line).collect();
        assert_eq!(whole, [&b"a: b: c\r\n"[..], b"empty: \r\n", b": x\r\n", b"a: \xe9\r\n"]);
        lines.retain(|name, value| name == b"a" && value != b"\xe9");
        assert_eq!(lines.iter().collect::<Vec<_>>(), fields[..1]);
    }
}
