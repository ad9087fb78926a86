//! How alike two names are.

/// Counts the single changes that make one name of the other: a character more, less or other, or two swapped. Returns `None` for more
/// than `limit`.
#[must_use]
pub fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    // What both begin and end with needs no change; one change then leaves at most two characters.
    let (a, b) = differing(a, b);
    if limit == 1 && a.len().max(b.len()) > 2 {
        return None;
    }
    // The rows of the table of "optimal string alignment" for the last two prefixes of `a`, and the next.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (index, &of_a) in a.iter().enumerate() {
        let mut row = vec![index + 1];
        let mut previous_b = None;
        for (column, &of_b) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let other = at(&last, column) + usize::from(of_a != of_b);
            let mut least = other.min(at(&last, column + 1) + 1).min(at(&row, column) + 1);
            if column > 0 && previous_a == Some(of_b) && previous_b == Some(of_a) {
                least = least.min(at(&before, column - 1) + 1);
            }
            row.push(least);
            previous_b = Some(of_b);
        }
        // No later row has less.
        if row.iter().chain(&last).all(|distance| *distance > limit) {
            return None;
        }
        before = std::mem::replace(&mut last, row);
        previous_a = Some(of_a);
    }
    last.last().copied().filter(|distance| *distance <= limit)
}

fn differing<'n>(a: &'n [u8], b: &'n [u8]) -> (&'n [u8], &'n [u8]) {
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let without_end = |rest: &'n [u8]| rest.get(..rest.len().saturating_sub(end)).unwrap_or_default();
    (without_end(a), without_end(b))
}

/// Whether one name is a misspelling of the other: not the same, and one change away.
pub(super) fn is_close(a: &str, b: &str) -> bool {
    distance(a, b, 1) == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_character_more_less_or_other_or_two_swapped() {
        for (a, b, expected) in [
            ("etag", "etag", Some(0)),
            ("e-tag", "etag", Some(1)),
            ("eatg", "etag", Some(1)),
            ("tag", "etag", Some(1)),
            ("ehag", "etag", Some(1)),
            ("contenx-typo", "content-type", Some(2)),
            ("", "ab", Some(2)),
            ("range", "accept", None),
            ("etag", "content-type", None),
        ] {
            assert_eq!(distance(a, b, 2), expected, "{a} {b}");
            assert_eq!(distance(b, a, 2), expected, "{b} {a}");
        }
    }
}
