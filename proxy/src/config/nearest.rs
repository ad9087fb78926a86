//! The name that someone meant who wrote another one.

/// The known name that is nearest to one that is not known; `None` where none is near.
#[must_use]
pub fn nearest<'n>(written: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let written: String = written.chars().take(MOST).map(plain).collect();
    let distances =
        known.into_iter().map(|name| (distance(&written, &name.chars().map(plain).collect::<String>()), name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    // Of a short name, most would be near.
    let is_near = distance <= (name.len().min(written.len()) / 3).clamp(1, 3);
    is_near.then_some(name)
}

/// The longest text that is compared.
const MOST: usize = 64;

/// Case and the kind of hyphen are the first mistakes.
const fn plain(each: char) -> char {
    match each.to_ascii_lowercase() {
        '-' => '_',
        each => each,
    }
}

/// The fewest characters to insert, remove or replace until one text is the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (index, char) in one.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (above, other) in row.iter_mut().skip(1).zip(other.chars()) {
            let replaced = diagonal + usize::from(char != other);
            diagonal = *above;
            left = replaced.min(*above + 1).min(left + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_that_differs_by_little() {
        let known = ["connect", "read", "write", "listen", "format", "header_read", "header_size"];
        for (written, meant) in [
            ("conect", Some("connect")),
            ("lisen", Some("listen")),
            ("formt", Some("format")),
            ("Listen", Some("listen")),
            ("header-size", Some("header_size")),
            ("headersize", Some("header_size")),
            ("reed", Some("read")),
            ("address", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
    }

    #[test]
    fn a_distance_is_that_of_the_fewest_edits() {
        for (one, other, edits) in [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!((distance(one, other), distance(other, one)), (edits, edits), "{one} {other}");
        }
    }
}
