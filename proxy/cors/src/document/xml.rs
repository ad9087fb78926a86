//! The XML form: `CORSConfiguration` of the S3 API.
//!
//! Decides: what is well-formed and follows the schema. Must not know: which values are valid.
//!
//! Read with quick-xml's event reader and not through serde: quick-xml's deserializer does not look at the root's name, takes
//! what follows the root, and stops at its first error without a place.

use super::raw::{Problems, RawRule, RawValue};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use std::collections::HashSet;

/// The namespace of every S3 document.
pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Reads the rules and notes what is wrong. After a syntax error nothing more can be read.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Vec<RawRule> {
    if let Some((offset, character)) = text.char_indices().find(|(_, character)| !is_character(*character)) {
        problems.malformed(offset, format!("the character {character:?} can not stand in XML"));
        return Vec::new();
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut document = Reading { reader, start: 0, rules: Vec::new(), problems };
    if let Err(Stop { offset, detail }) = document.prolog_and_root() {
        document.problems.malformed(offset, detail);
    }
    document.rules
}

const MISPLACED_TEXT: &str = "there is text where only elements may stand";

/// `Char` of XML 1.0 §2.2: what may stand in a document, as itself or as a reference.
pub(crate) const fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Reading can not go on.
struct Stop {
    offset: usize,
    detail: String,
}

struct Reading<'t, 'p> {
    reader: NsReader<&'t [u8]>,
    /// Where the last event starts.
    start: usize,
    rules: Vec<RawRule>,
    problems: &'p mut Problems,
}

impl<'t> Reading<'t, '_> {
    fn next(&mut self) -> Result<Event<'t>, Stop> {
        self.start = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => Err(self.stop("a DOCTYPE is not allowed")),
            Ok(Event::Decl(_)) if self.start != 0 => {
                Err(self.stop("an XML declaration may stand only at the very beginning"))
            }
            Ok(event) => {
                if let Event::Start(element) = &event {
                    self.check_tag(element)?;
                }
                Ok(event)
            }
            Err(error @ (quick_xml::Error::Syntax(_) | quick_xml::Error::IllFormed(_))) => Err(Stop {
                offset: usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX),
                detail: error.to_string(),
            }),
            // For the others quick-xml notes no place.
            Err(error) => Err(self.stop(error.to_string())),
        }
    }

    /// What quick-xml does not look at by itself. Its own search for doubled attributes compares each with each, which a hostile
    /// tag of 64 KiB makes slow.
    fn check_tag(&self, element: &BytesStart<'_>) -> Result<(), Stop> {
        if element.name().into_inner().is_empty() {
            return Err(self.stop("a tag without a name"));
        }
        let mut seen = HashSet::new();
        for attribute in element.attributes().with_checks(false) {
            let name = attribute.map_err(|error| self.stop(error.to_string()))?.key.into_inner();
            if !seen.insert(name) {
                return Err(self.stop(format!("the attribute {} is there twice", cut(name))));
            }
        }
        Ok(())
    }

    fn stop(&self, detail: impl Into<String>) -> Stop {
        Stop { offset: self.start, detail: detail.into() }
    }

    fn prolog_and_root(&mut self) -> Result<(), Stop> {
        loop {
            match self.next()? {
                Event::Start(root) => {
                    if !self.is_ours(&root, "CORSConfiguration") {
                        return Err(self.stop(format!(
                            "the root element is {}, not CORSConfiguration{}",
                            shown(&root),
                            self.foreign(&root)
                        )));
                    }
                    self.configuration()?;
                    return self.epilog();
                }
                Event::Eof => return Err(self.stop("there is no CORSConfiguration element")),
                other => self.expect_nothing(&other)?,
            }
        }
    }

    fn configuration(&mut self) -> Result<(), Stop> {
        loop {
            match self.next()? {
                Event::Start(element) if self.is_ours(&element, "CORSRule") => {
                    let rule = RawRule { offset: self.start, ..RawRule::default() };
                    let rule = self.rule(rule)?;
                    self.rules.push(rule);
                }
                Event::Start(element) => self.skip_unknown(&element, "CORSConfiguration")?,
                Event::End(_) => return Ok(()),
                Event::Eof => return Err(self.stop("CORSConfiguration is not closed")),
                other => self.expect_nothing(&other)?,
            }
        }
    }

    fn rule(&mut self, mut rule: RawRule) -> Result<RawRule, Stop> {
        loop {
            match self.next()? {
                Event::Start(element) => {
                    let ours = self.foreign(&element).is_empty();
                    let list = match element.local_name().into_inner() {
                        "ID" if ours => &mut rule.ids,
                        "AllowedOrigin" if ours => &mut rule.origins,
                        "AllowedMethod" if ours => &mut rule.methods,
                        "AllowedHeader" if ours => &mut rule.headers,
                        "ExposeHeader" if ours => &mut rule.expose,
                        "MaxAgeSeconds" if ours => &mut rule.max_ages,
                        _ => {
                            self.skip_unknown(&element, "CORSRule")?;
                            continue;
                        }
                    };
                    list.push(self.value(&element)?);
                }
                Event::End(_) => return Ok(rule),
                Event::Eof => return Err(self.stop("CORSRule is not closed")),
                other => self.expect_nothing(&other)?,
            }
        }
    }

    /// The text of an element: text, CDATA and references joined, comments left out, line ends as XML has them (XML 1.0 §2.11).
    fn value(&mut self, element: &BytesStart<'_>) -> Result<RawValue, Stop> {
        let mut value = RawValue { text: String::new(), offset: self.start };
        loop {
            match self.next()? {
                Event::Text(text) => value.text.push_str(&text.xml10_content()),
                Event::CData(text) => value.text.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => value.text.push(self.character(&reference)?),
                Event::Start(inner) => self.skip_unknown(&inner, &shown(element))?,
                Event::End(_) => return Ok(value),
                Event::Eof => return Err(self.stop(format!("{} is not closed", shown(element)))),
                _ => {}
            }
        }
    }

    /// A character reference, or one of XML's own five entities; there is no DOCTYPE that could define more.
    fn character(&self, reference: &BytesRef<'_>) -> Result<char, Stop> {
        if let Some(character) = reference.resolve_char_ref().map_err(|error| self.stop(error.to_string()))? {
            let refused = || self.stop(format!("the character {character:?} can not stand in XML"));
            return is_character(character).then_some(character).ok_or_else(refused);
        }
        match &**reference {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            other => Err(self.stop(format!("unknown entity &{other};"))),
        }
    }

    fn epilog(&mut self) -> Result<(), Stop> {
        loop {
            match self.next()? {
                Event::Eof => return Ok(()),
                Event::Start(_) => return Err(self.stop("there is a second element after CORSConfiguration")),
                other => self.expect_nothing(&other)?,
            }
        }
    }

    /// White space, comments, the declaration and processing instructions may stand between elements, text may not.
    fn expect_nothing(&mut self, event: &Event<'_>) -> Result<(), Stop> {
        match event {
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Ok(()),
            Event::Text(text) => match text.find(|character| !matches!(character, ' ' | '\t' | '\r' | '\n')) {
                None => Ok(()),
                Some(place) => Err(Stop { offset: self.start + place, detail: MISPLACED_TEXT.into() }),
            },
            _ => Err(self.stop(MISPLACED_TEXT)),
        }
    }

    /// Reads over an element with all that is in it, by counting and not by recursion: it may be nested as deep as it likes.
    fn skip_unknown(&mut self, element: &BytesStart<'_>, parent: &str) -> Result<(), Stop> {
        let detail = format!("{} is not known in {parent}{}", shown(element), self.foreign(element));
        self.problems.malformed(self.start, detail);
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                Event::Eof => return Err(self.stop(format!("{} is not closed", shown(element)))),
                _ => {}
            }
        }
        Ok(())
    }

    fn is_ours(&self, element: &BytesStart<'_>, name: &str) -> bool {
        element.local_name().into_inner() == name && self.foreign(element).is_empty()
    }

    /// Says which foreign namespace an element is in; nothing for S3's own and for none, which S3 takes too.
    fn foreign(&self, element: &BytesStart<'_>) -> String {
        match self.reader.resolver().resolve_element(element.name()).0 {
            ResolveResult::Unbound => String::new(),
            ResolveResult::Bound(Namespace(namespace)) if namespace == NAMESPACE => String::new(),
            ResolveResult::Bound(Namespace(namespace)) => {
                format!(" (it is in the namespace {})", cut(namespace))
            }
            ResolveResult::Unknown(prefix) => {
                format!(" (its prefix {} is not declared)", cut(&prefix))
            }
        }
    }
}

fn shown(element: &BytesStart<'_>) -> String {
    cut(element.name().into_inner())
}

/// Enough of a hostile name to find it.
fn cut(name: &str) -> String {
    name.chars().take(80).collect()
}
