//! The fields of a form upload that come before its file (S3 API, POST Object): which key and which type the object gets.
//!
//! Decides: where the file begins, and which fields are before it. A form that servers could read in two ways is none. Must not know: limits.

use memchr::memmem::find;

/// The most bytes before the file. S3 allows 20 KB (S3 API, POST Object), and each field has lines of its own.
pub const MAX_BEFORE_FILE: usize = 32 * 1024;
/// The longest boundary (RFC 2046 §5.1.1).
const MAX_BOUNDARY: usize = 70;

/// The beginning of a form.
#[derive(Debug, PartialEq, Eq)]
pub enum FormStart {
    /// The file has not begun yet.
    Incomplete,
    /// Servers could read it in two ways, or it has no file.
    Invalid,
    /// The file begins here.
    File(FormFields),
}

/// The fields before the file.
#[derive(Debug, PartialEq, Eq)]
pub struct FormFields {
    /// The field `key`, as it came.
    pub key: String,
    /// The field `Content-Type`.
    pub content_type: Option<String>,
    /// The type that the file's own lines say.
    pub file_type: Option<String>,
    /// The place of the file's first byte.
    pub file_at: usize,
}

/// The boundary that a `Content-Type` names; `None` where it is no form's.
#[must_use]
pub fn boundary_of(content_type: &str) -> Option<&str> {
    let (essence, mut rest) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut boundary = None;
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.find(';').map_or((after, ""), |end| after.split_at(end)),
        };
        if name.trim().eq_ignore_ascii_case("boundary") && boundary.replace(value.trim_end()).is_some() {
            return None;
        }
        rest = next.trim_start().strip_prefix(';').unwrap_or_default();
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
    boundary.filter(|text| (1..=MAX_BOUNDARY).contains(&text.len()) && text.bytes().all(is_plain))
}

/// Reads the beginning of a form with this boundary.
#[must_use]
pub fn read(bytes: &[u8], boundary: &str) -> FormStart {
    let (first, between) = (format!("--{boundary}\r\n"), format!("\r\n--{boundary}"));
    let Some(mut at) = begins(bytes, first.as_bytes()) else { return FormStart::Invalid };
    if at == 0 {
        return FormStart::Incomplete;
    }
    let (mut key, mut content_type) = (None, None);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(end) = find(rest, b"\r\n\r\n") else { return FormStart::Incomplete };
        let Some(part) = rest.get(..end).and_then(Part::of) else { return FormStart::Invalid };
        at += end + 4;
        if part.name.eq_ignore_ascii_case("file") {
            let Some(key) = key else { return FormStart::Invalid };
            return FormStart::File(FormFields { key, content_type, file_type: part.content_type, file_at: at });
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(end) = find(rest, between.as_bytes()) else { return FormStart::Incomplete };
        let value = rest.get(..end).map(|value| str::from_utf8(value).map(str::to_owned));
        let Some(Ok(value)) = value else { return FormStart::Invalid };
        let field = if part.name.eq_ignore_ascii_case("key") {
            &mut key
        } else if part.name.eq_ignore_ascii_case("content-type") {
            &mut content_type
        } else {
            &mut None
        };
        // Of two, each server takes one.
        if field.replace(value).is_some() {
            return FormStart::Invalid;
        }
        at += end + between.len();
        match bytes.get(at..).and_then(|after| begins(after, b"\r\n")) {
            Some(0) => return FormStart::Incomplete,
            Some(length) => at += length,
            None => return FormStart::Invalid,
        }
    }
}

/// The length of a text that bytes begin with, 0 while they could; `None` where they do not.
fn begins(bytes: &[u8], text: &[u8]) -> Option<usize> {
    let here = bytes.len().min(text.len());
    (bytes.get(..here) == text.get(..here)).then_some(if here == text.len() { here } else { 0 })
}

/// The lines of a part.
struct Part {
    name: String,
    content_type: Option<String>,
}

impl Part {
    /// Reads the lines; `None` where a server could read something else in them.
    fn of(lines: &[u8]) -> Option<Self> {
        let lines = str::from_utf8(lines).ok()?;
        let (mut name, mut content_type) = (None, None);
        for line in lines.split("\r\n") {
            let (field, value) = line.split_once(':')?;
            let is_new = match field.to_ascii_lowercase().as_str() {
                "content-disposition" => name.replace(name_of(value.trim())?).is_none(),
                "content-type" => content_type.replace(value.trim().to_owned()).is_none(),
                // A transfer encoding changes the value to those who know it (RFC 7578 §4.7 takes it away).
                _ => false,
            };
            if !is_new || line.contains(['\r', '\n', '\0']) {
                return None;
            }
        }
        Some(Self { name: name?, content_type })
    }
}

/// The name of a field: `form-data; name="key"; filename="x"` (RFC 7578 §4.2).
fn name_of(disposition: &str) -> Option<String> {
    let (kind, mut rest) = disposition.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let mut name = None;
    loop {
        let (parameter, after) = rest.split_once('=')?;
        let (value, next) = after.trim_start().strip_prefix('"')?.split_once('"')?;
        if value.contains('\\') {
            return None;
        }
        let is_new = match parameter.trim().to_ascii_lowercase().as_str() {
            "name" => name.replace(value.to_owned()).is_none(),
            "filename" => true,
            _ => false,
        };
        match (is_new, next.trim_start()) {
            (false, _) => return None,
            (true, "") => return name,
            (true, next) => rest = next.strip_prefix(';')?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_the_one_that_a_form_names() {
        for (content_type, boundary) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("Multipart/Form-Data;charset=utf-8; Boundary=\"a b\"", None),
            ("multipart/form-data; charset=utf-8; Boundary=\"a:b\"", Some("a:b")),
            ("multipart/form-data; boundary=----WebKitFormBoundary7MA", Some("----WebKitFormBoundary7MA")),
            ("multipart/form-data; boundary=a; boundary=b", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data", None),
            ("multipart/mixed; boundary=a", None),
            ("application/x-www-form-urlencoded; boundary=a", None),
        ] {
            assert_eq!(boundary_of(content_type), boundary, "{content_type}");
        }
    }

    fn form(parts: &[(&str, &str)]) -> String {
        parts.iter().map(|(lines, value)| format!("--b\r\n{lines}\r\n\r\n{value}\r\n")).collect::<String>()
            + "--b--\r\n"
    }

    const KEY: (&str, &str) = ("Content-Disposition: form-data; name=\"key\"", "a/${filename}");
    const FILE: (&str, &str) =
        ("content-disposition: form-data; name=\"file\"; filename=\"x.png\"\r\nContent-Type: image/png", "data");

    #[test]
    fn the_file_begins_after_its_fields() {
        let kind = ("Content-Disposition: form-data; name=\"Content-Type\"", "image/webp");
        for (parts, content_type) in [(&[KEY, FILE][..], None), (&[KEY, kind, FILE], Some("image/webp"))] {
            let text = form(parts);
            let FormStart::File(fields) = read(text.as_bytes(), "b") else { panic!("{text}") };
            assert_eq!((fields.key.as_str(), fields.content_type.as_deref()), ("a/${filename}", content_type));
            assert_eq!(fields.file_type.as_deref(), Some("image/png"));
            assert!(text[fields.file_at..].starts_with("data\r\n"), "{text}");
            for length in 0..fields.file_at {
                assert_eq!(read(&text.as_bytes()[..length], "b"), FormStart::Incomplete, "{length}");
            }
        }
    }

    #[test]
    fn what_servers_read_in_two_ways_is_no_form() {
        let named = |lines: &'static str| [(lines, "v"), KEY, FILE];
        for parts in [
            &[FILE][..],
            &[FILE, KEY],
            &[KEY, KEY, FILE],
            &[KEY],
            &named("Content-Disposition: form-data; name=key"),
            &named("Content-Disposition: form-data; name=\"k\\ey\""),
            &named("Content-Disposition: form-data; name*=utf-8''key"),
            &named("Content-Disposition: form-data; name=\"a\"; name=\"key\""),
            &named("Content-Disposition: attachment; name=\"a\""),
            &named("Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: quoted-printable"),
            &named("Content-Disposition: form-data; name=\"a\"\r\n folded"),
            &named("Content-Type: text/plain"),
        ] {
            assert_eq!(read(form(parts).as_bytes(), "b"), FormStart::Invalid, "{parts:?}");
        }
        assert_eq!(read(b"preamble\r\n--b\r\n", "b"), FormStart::Invalid);
        assert_eq!(
            read(b"--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nx\r\n--bX", "b"),
            FormStart::Invalid
        );
    }
}
