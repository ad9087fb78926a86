//! Text that came from outside, cut before it is stored or shown: a hostile value must not grow a log line or an error.

/// The first `limit` characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    match text.char_indices().nth(limit) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_cut_counts_characters() {
        for (text, limit, expected) in
            [("", 0, ""), ("abc", 0, ""), ("abc", 2, "ab"), ("abc", 3, "abc"), ("abc", 9, "abc"), ("é€x", 2, "é€")]
        {
            assert_eq!(cut(text, limit), expected, "{text:?} at {limit}");
        }
    }
}
