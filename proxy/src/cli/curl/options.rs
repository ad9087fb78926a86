//! The options of curl, as far as they say what the request is (its manual page).
//!
//! Decides: which options take a value. Must not know: CORS.

use super::CurlError;

/// The options that take a value and say something of the request.
const TELLING: [(&str, Option<char>); 11] = [
    ("--request", Some('X')),
    ("--header", Some('H')),
    ("--url", None),
    ("--user", Some('u')),
    ("--range", Some('r')),
    ("--upload-file", Some('T')),
    ("--json", None),
    ("--data", Some('d')),
    ("--form", Some('F')),
    ("--oauth2-bearer", None),
    ("--aws-sigv4", None),
];

/// Other names of an option for the body.
const BODIES: [&str; 7] =
    ["--data-raw", "--data-binary", "--data-ascii", "--data-urlencode", "--form-string", "--url-query", "--data"];

/// The options that take a value and say nothing of what a page asks for.
const WITH_VALUE: [(&str, Option<char>); 25] = [
    ("--user-agent", Some('A')),
    ("--referer", Some('e')),
    ("--cookie", Some('b')),
    ("--cookie-jar", Some('c')),
    ("--output", Some('o')),
    ("--proxy", Some('x')),
    ("--max-time", Some('m')),
    ("--write-out", Some('w')),
    ("--cert", Some('E')),
    ("--dump-header", Some('D')),
    ("--connect-timeout", None),
    ("--resolve", None),
    ("--connect-to", None),
    ("--cacert", None),
    ("--capath", None),
    ("--key", None),
    ("--pass", None),
    ("--retry", None),
    ("--retry-delay", None),
    ("--ciphers", None),
    ("--interface", None),
    ("--limit-rate", None),
    ("--max-redirs", None),
    ("--proxy-user", None),
    ("--stderr", None),
];

const WITHOUT_VALUE: [(&str, Option<char>); 30] = [
    ("--head", Some('I')),
    ("--get", Some('G')),
    ("--compressed", None),
    ("--insecure", Some('k')),
    ("--location", Some('L')),
    ("--silent", Some('s')),
    ("--show-error", Some('S')),
    ("--verbose", Some('v')),
    ("--include", Some('i')),
    ("--globoff", Some('g')),
    ("--fail", Some('f')),
    ("--no-buffer", Some('N')),
    ("--http1.0", Some('0')),
    ("--ipv4", Some('4')),
    ("--ipv6", Some('6')),
    ("--remote-name", Some('O')),
    ("--progress-bar", Some('#')),
    ("--http1.1", None),
    ("--http2", None),
    ("--http2-prior-knowledge", None),
    ("--http3", None),
    ("--path-as-is", None),
    ("--fail-with-body", None),
    ("--location-trusted", None),
    ("--no-progress-meter", None),
    ("--tlsv1.2", None),
    ("--tlsv1.3", None),
    ("--ssl-no-revoke", None),
    ("--no-keepalive", None),
    ("--raw", None),
];

/// curl takes no value after an `=`; one that is there can be a secret.
fn unknown(option: &str) -> CurlError {
    CurlError::Option(option.split('=').next().unwrap_or_default().to_owned())
}

/// What the options say of the request.
#[derive(Default)]
pub(super) struct Options {
    pub(super) urls: Vec<String>,
    pub(super) method: Option<String>,
    /// In lower case, with their values.
    pub(super) headers: Vec<(String, String)>,
    pub(super) is_head: bool,
    pub(super) is_get: bool,
    pub(super) has_body: bool,
    pub(super) is_upload: bool,
}

impl Options {
    pub(super) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, CurlError> {
        let mut options = Self::default();
        while let Some(word) = words.next() {
            match word.strip_prefix('-') {
                None | Some("") => options.urls.push(word),
                Some(rest) if rest.starts_with('-') => options.long(&word, &mut words)?,
                Some(letters) => options.short(letters, &mut words)?,
            }
        }
        Ok(options)
    }

    /// The only value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn long(&mut self, name: &str, words: &mut impl Iterator<Item = String>) -> Result<(), CurlError> {
        let known = BODIES.into_iter().find(|body| *body == name).map(|_| "--data");
        let is_named = |(known, _): &&(&'static str, Option<char>)| *known == name;
        let with_value = TELLING.iter().chain(&WITH_VALUE).find(is_named).map(|(name, _)| *name);
        if let Some(option) = known.or(with_value) {
            let value = words.next().ok_or_else(|| CurlError::NoValue(name.to_owned()))?;
            return self.take(option, value);
        }
        let flag = WITHOUT_VALUE.iter().find(is_named).ok_or_else(|| unknown(name))?;
        self.set(flag.0);
        Ok(())
    }

    /// Letters that are set together; what follows one with a value is the value.
    fn short(&mut self, letters: &str, words: &mut impl Iterator<Item = String>) -> Result<(), CurlError> {
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            let is_letter = |(_, known): &&(&'static str, Option<char>)| *known == Some(letter);
            if let Some((option, _)) = TELLING.iter().chain(&WITH_VALUE).find(is_letter) {
                let attached = letters.as_str();
                let value = if attached.is_empty() { words.next() } else { Some(attached.to_owned()) };
                return self.take(option, value.ok_or_else(|| CurlError::NoValue(format!("-{letter}")))?);
            }
            let flag = WITHOUT_VALUE.iter().find(is_letter).ok_or_else(|| CurlError::Option(format!("-{letter}")))?;
            self.set(flag.0);
        }
        Ok(())
    }

    fn take(&mut self, option: &str, value: String) -> Result<(), CurlError> {
        match option {
            "--request" => self.method = Some(value),
            "--url" => self.urls.push(value),
            "--header" => return self.add_header(&value),
            "--user" | "--oauth2-bearer" | "--aws-sigv4" => self.headers.push(("authorization".into(), String::new())),
            "--range" => self.headers.push(("range".into(), format!("bytes={value}"))),
            "--upload-file" => self.is_upload = true,
            "--data" | "--form" => self.has_body = true,
            "--json" => {
                self.has_body = true;
                self.headers.push(("content-type".into(), "application/json".into()));
            }
            _ => {}
        }
        Ok(())
    }

    /// `NAME: VALUE`; `NAME;` is a header without a value, and `NAME:` removes one.
    fn add_header(&mut self, line: &str) -> Result<(), CurlError> {
        // Some browsers copy the names of HTTP/2 too, such as ":authority".
        let start = usize::from(line.starts_with(':'));
        let colon = line.get(start..).and_then(|rest| rest.find(':')).map(|place| place + start);
        let (name, value) = match colon.and_then(|colon| line.split_at_checked(colon)) {
            Some((name, value)) => (name, value.trim_start_matches(':').trim()),
            None => (line.strip_suffix(';').ok_or(CurlError::Header)?, ""),
        };
        let is_removed = colon.is_some() && value.is_empty();
        let name = name.trim().to_ascii_lowercase();
        if !is_removed {
            self.headers.push((name, value.to_owned()));
        }
        Ok(())
    }

    fn set(&mut self, flag: &str) {
        match flag {
            "--head" => self.is_head = true,
            "--get" => self.is_get = true,
            _ => {}
        }
    }
}
