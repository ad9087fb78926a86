//! The paths that a source file names: those of its `use` items, with nested groups resolved, and those in its code.

/// A path from the root of the crate, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The segments after `crate`.
    pub path: Vec<String>,
    /// True in a module of tests.
    pub is_in_tests: bool,
    /// For a `pub use`, the module that exports it: others can name the path's last segment there.
    pub exported_by: Option<Vec<String>>,
}

/// Finds the imports of a file; `module` is its own place in the crate, such as `["rules", "store"]`.
pub fn imports(code: &str, module: &[String]) -> Vec<Import> {
    let tokens = tokens(code);
    let mut reader =
        Reader { tokens: &tokens, next: 0, module: module.to_vec(), inline: Vec::new(), depth: 0, found: Vec::new() };
    reader.read();
    reader.found
}

/// Names, `::` and single characters of punctuation; no comments and no literals.
fn tokens(code: &str) -> Vec<&str> {
    let (mut tokens, mut rest) = (Vec::new(), code);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' => text_length(rest, 0),
            'r' | 'b' if let Some(length) = raw_or_byte_text(rest) => length,
            '\'' => char_or_lifetime(rest),
            _ if first.is_whitespace() => first.len_utf8(),
            _ => {
                let name = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
                let length = if rest.starts_with("::") { 2 } else { name.max(first.len_utf8()) };
                tokens.push(&rest[..length]);
                length
            }
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of a text, whose quote follows so many bytes of prefix.
fn text_length(text: &str, prefix: usize) -> usize {
    let mut escaped = false;
    for (place, next) in text.char_indices().skip(prefix + 1) {
        match next {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_or_byte_text(text: &str) -> Option<usize> {
    if text.starts_with("b\"") {
        return Some(text_length(text, 1));
    }
    if text.starts_with("b'") {
        return Some(1 + char_or_lifetime(&text[1..]));
    }
    let raw = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let begin = text.len() - raw.len() + hashes + 1;
    raw[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[begin..].find(&end).map_or(text.len(), |length| begin + length + end.len()))
}

/// `'a'` and `'\n'` are characters; `'a` is a lifetime, of which the quote alone is left out.
fn char_or_lifetime(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((escaped, _))) => text[escaped + 1..].find('\'').map_or(1, |end| escaped + 1 + end + 1),
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

struct Reader<'t> {
    tokens: &'t [&'t str],
    next: usize,
    /// The module that is read, with those that stand in the file itself.
    module: Vec<String>,
    /// How many braces are open at the beginning of each module in the file.
    inline: Vec<usize>,
    depth: usize,
    found: Vec<Import>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.next + ahead).copied().unwrap_or_default()
    }

    fn before(&self, back: usize) -> &str {
        self.next.checked_sub(back).map_or("", |place| self.tokens[place])
    }

    fn take(&mut self) -> String {
        self.next += 1;
        self.tokens.get(self.next - 1).copied().unwrap_or_default().to_owned()
    }

    fn read(&mut self) {
        while self.next < self.tokens.len() {
            match (self.peek(0), self.peek(1), self.peek(2)) {
                ("mod", name, "{") => {
                    self.module.push(name.to_owned());
                    self.inline.push(self.depth);
                    self.next += 2;
                }
                // Not the captures of a type, `use<…>`.
                ("use", next, _) if next != "<" => {
                    let is_public = matches!(self.before(1), "pub" | ")");
                    self.next += 1;
                    self.group(&[], is_public);
                }
                // Not a visibility, `pub(in crate::…)`.
                (name, "::", _)
                    if is_name(name) && self.before(1) != "::" && (self.before(2), self.before(1)) != ("(", "in") =>
                {
                    self.path();
                }
                ("{", ..) => {
                    self.depth += 1;
                    self.next += 1;
                }
                ("}", ..) => {
                    self.depth -= 1;
                    if self.inline.last() == Some(&self.depth) {
                        self.inline.pop();
                        self.module.pop();
                    }
                    self.next += 1;
                }
                _ => self.next += 1,
            }
        }
    }

    fn path(&mut self) {
        let mut path = vec![self.take()];
        while self.peek(0) == "::" && is_name(self.peek(1)) {
            self.next += 1;
            path.push(self.take());
        }
        self.add(&path, false);
    }

    /// Reads a tree of a `use` item, up to its `,`, `}` or `;`.
    fn group(&mut self, before: &[String], is_public: bool) {
        let mut path = before.to_vec();
        loop {
            match self.take().as_str() {
                "{" => {
                    while !matches!(self.peek(0), "}" | "") {
                        self.group(&path, is_public);
                        self.next += usize::from(self.peek(0) == ",");
                    }
                    self.next += 1;
                    return;
                }
                "as" => self.next += 1,
                "::" => {}
                name => path.push(name.to_owned()),
            }
            if matches!(self.peek(0), "," | "}" | ";" | "") {
                return self.add(&path, is_public);
            }
        }
    }

    /// Notes a path. One that begins with another name begins at a module that is declared here, or is a library's, which no one takes
    /// for a module of this crate.
    fn add(&mut self, path: &[String], is_public: bool) {
        let mut rest = path;
        let is_from_root = matches!(path.first().map(String::as_str), Some("crate" | "s3cors_proxy"));
        let mut absolute = if is_from_root { Vec::new() } else { self.module.clone() };
        while let Some((first @ ("crate" | "s3cors_proxy" | "super" | "self"), others)) =
            rest.split_first().map(|(first, others)| (first.as_str(), others))
        {
            if first == "super" {
                absolute.pop();
            }
            rest = others;
        }
        absolute.extend_from_slice(rest);
        let is_in_tests = self.module.iter().any(|module| module == "tests");
        let exported_by = is_public.then(|| self.module.clone());
        self.found.push(Import { path: absolute, is_in_tests, exported_by });
    }
}

#[test]
fn nested_imports_are_found_and_texts_are_not() {
    let code = r##"
        // use crate::comment;
        use crate::{rules::{Store, write::Write as Written}, observe, s3::*};
        use super::super::admin; pub(super) use child::Name;
        fn f(c: char) -> impl Iterator + use<'_> { c == '"' || c == '\'' || crate::tls::is('a', "crate::no", r#""crate::no"#) }
        pub(in crate::no) struct S<'a>(&'a s3cors_proxy::config::Config);
        mod tests { use super::*; use super::super::other; }
        const AFTER: u8 = self::after::X;
    "##;
    let module = ["cli".to_owned(), "ask".to_owned()];
    let found: Vec<_> = imports(code, &module).into_iter().map(|import| import.path.join("::")).collect();
    assert_eq!(
        found,
        [
            "rules::Store",
            "rules::write::Write",
            "observe",
            "s3::*",
            "admin",
            "cli::ask::child::Name",
            "tls::is",
            "config::Config",
            "cli::ask::*",
            "cli::other",
            "cli::ask::after::X",
        ]
    );
    assert!(imports(code, &module).iter().filter(|import| import.is_in_tests).count() == 2);
}
