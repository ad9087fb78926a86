//! Places in a text that a tool was to fill in before the text is used.

/// Brackets that the template languages put around a name or an expression.
const BRACKETS: [(&str, &str); 8] =
    [("${", "}"), ("{{", "}}"), ("{%", "%}"), ("<%", "%>"), ("$(", ")"), ("%{", "}"), ("#{", "}"), ("<", ">")];

/// Marks on both sides of a name in capitals. They have other meanings around anything else.
const FENCES: [&str; 4] = ["%", "__", "@@", "@"];

/// Finds the part of a text that was to be replaced: `${X}`, `{{ x }}`, `<%= x %>`, `$(x)`, `%{x}`, `#{x}`, `<X>`, `{x}`, `$X`, `%X%`,
/// `__X__`, `@X@`.
#[must_use]
pub fn placeholder(text: &str) -> Option<&str> {
    // A whole document can be a text too.
    let is_markup = text.contains("</") || text.contains("/>");
    let between = |(open, close): (&str, &str)| {
        let (_, found) = text.split_at_checked(text.find(open)?)?;
        found.split_at_checked(found.find(close)? + close.len()).map(|(placeholder, _)| placeholder)
    };
    let in_brackets = || BRACKETS.into_iter().filter(|(open, _)| *open != "<" || !is_markup).find_map(between);
    in_brackets()
        .or_else(|| variable(text))
        .or_else(|| braces(text))
        .or_else(|| FENCES.into_iter().find_map(|fence| fenced(text, fence)))
}

/// `$NAME`. A dollar sign that no name follows ends a regular expression.
fn variable(text: &str) -> Option<&str> {
    text.match_indices('$').find_map(|(start, _)| {
        let (_, found) = text.split_at_checked(start)?;
        let name = found.get(1..)?;
        let length = name.find(|byte: char| !byte.is_ascii_alphanumeric() && byte != '_').unwrap_or(name.len());
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if is_name { found.get(..=length) } else { None }
    })
}

/// `{name}`, where nothing else is in the braces: a whole document, a set or a count has more in them, or less.
fn braces(text: &str) -> Option<&str> {
    text.match_indices('{').find_map(|(start, _)| {
        let (inner, _) = text.get(start + 1..)?.split_once('}')?;
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let is_name = inner.starts_with(|first: char| first.is_ascii_alphabetic()) && inner.bytes().all(is_part);
        if is_name { text.get(start..start + inner.len() + 2) } else { None }
    })
}

fn fenced<'t>(text: &'t str, fence: &str) -> Option<&'t str> {
    text.match_indices(fence).find_map(|(start, _)| {
        let (inner, _) = text.get(start + fence.len()..)?.split_once(fence)?;
        let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
        let is_name = inner.starts_with(|first: char| first.is_ascii_uppercase())
            && inner.len() > 1
            && inner.bytes().all(is_part);
        if is_name { text.get(start..start + inner.len() + 2 * fence.len()) } else { None }
    })
}

/// Words with which documentation stands for the reader's own name.
const WORDS: [&str; 12] = [
    "yourdomain",
    "yoursite",
    "yourapp",
    "yourwebsite",
    "yourfrontend",
    "yourdomainname",
    "yourcompany",
    "yourorigin",
    "changeme",
    "replaceme",
    "yourfrontenddomain",
    "yourappdomain",
];

/// Returns the label of a host that documentation has where the reader's own belongs: `your-domain`, `YOUR_APP`, `changeme`.
pub(crate) fn example_label(origin: &str) -> Option<&str> {
    let labels = origin.split(['/', '.', ':', '*']);
    labels.into_iter().find(|label| {
        let plain: String = label.chars().filter(|c| !matches!(c, '-' | '_')).collect();
        WORDS.contains(&&*plain.to_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::{example_label, placeholder};

    #[test]
    fn a_placeholder_is_found_in_the_spelling_of_each_tool() {
        for (text, expected) in [
            ("https://${X}.a", Some("${X}")),
            ("{{ x }}", Some("{{ x }}")),
            ("https://<YOUR_DOMAIN>", Some("<YOUR_DOMAIN>")),
            ("<%= x %>", Some("<%= x %>")),
            ("$(X)", Some("$(X)")),
            ("#{x}", Some("#{x}")),
            ("${{ secrets.ORIGIN }}", Some("${{ secrets.ORIGIN }")),
            ("$ORIGIN", Some("$ORIGIN")),
            ("https://$ORIGIN.a", Some("$ORIGIN")),
            ("https://{domain}", Some("{domain}")),
            ("https://%DOMAIN%", Some("%DOMAIN%")),
            ("__ORIGIN__", Some("__ORIGIN__")),
            ("https://@APP_HOST@:8443", Some("@APP_HOST@")),
            ("^https://a\\.example$", None),
            ("^https://[a-z]{2,3}\\.example$", None),
            ("{\"a\": 1}", None),
            ("x-$-1", None),
            ("$", None),
            ("*", None),
            ("https://é.example", None),
            ("https://a%2Fb%2Fc", None),
            ("https://user@a.example", None),
            ("https://a__b__c.example", None),
        ] {
            assert_eq!(placeholder(text), expected, "{text}");
        }
    }

    #[test]
    fn a_word_for_the_readers_own_name_is_found() {
        for (origin, expected) in [
            ("https://your-domain.com", Some("your-domain")),
            ("https://YOUR_DOMAIN.com", Some("YOUR_DOMAIN")),
            ("https://*.yourapp.example:8443", Some("yourapp")),
            ("https://app.example.com", None),
            ("https://yours.example", None),
        ] {
            assert_eq!(example_label(origin), expected, "{origin}");
        }
    }
}
